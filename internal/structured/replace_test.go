// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/structured"
)

// vars are variables in a map, by lower-case name.
type vars map[string]string

func (v vars) Get(name string) (string, bool) {
	value, ok := v[strings.ToLower(name)]
	return value, ok
}

func (v vars) Names() []string {
	var names []string
	for name := range v {
		names = append(names, name)
	}
	return names
}

type row struct {
	text, want string
	vars       vars
	names      string // used, joined by spaces
	unfit      string // part of what is said of the only one
}

func check(t *testing.T, format structured.Format, rows map[string]row) {
	t.Helper()
	for name, r := range rows {
		got, err := structured.Replace(format, r.text, r.vars)
		if err != nil || got.Text != r.want {
			t.Errorf("%s: %v, got\n%q, want\n%q", name, err, got.Text, r.want)
			continue
		}
		if r.names != "" && strings.Join(got.Names, " ") != r.names {
			t.Errorf("%s: used %q, want %q", name, got.Names, r.names)
		}
		if r.unfit == "" && got.Unfit != nil || r.unfit != "" && (len(got.Unfit) != 1 || !strings.Contains(got.Unfit[0], r.unfit)) {
			t.Errorf("%s: unfit %q, want %q", name, got.Unfit, r.unfit)
		}
	}
}

func refuse(t *testing.T, format structured.Format, texts map[string]string) {
	t.Helper()
	for text, want := range texts {
		_, err := structured.Replace(format, text, vars{"a": "1", "a:b": "2"})
		if errkind.Of(err) != errkind.Invalid || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	check(t, structured.JSON, map[string]row{
		"types are kept": {
			text: "{ \"s\": \"x\",\r\n" +
				"\t\"n\": 1.50, \"b\": true, \"z\": null, \"o\" : {\"p\": [1, {\"q\": \"r\"}]} }\n",
			want: "{ \"s\": \"5\",\r\n" +
				"\t\"n\": -2e3, \"b\": false, \"z\": 7, \"o\" : {\"p\": [9, {\"q\": \"a\\\"b\\n<é>\"}]} }\n",
			vars:  vars{"s": "5", "n": "-2e3", "b": "False", "z": "7", "o:p:0": "9", "o:p:1:q": "a\"b\n<é>", "o:p:2": "no", "new": "no"},
			names: "s n b z o:p:0 o:p:1:q",
		},
		"another type becomes a string": {
			text: `{"n":1,"b":true,"z":null}`,
			want: `{"n":"one","b":"1","z":"nil"}`,
			vars: vars{"n": "one", "b": "1", "z": "nil"},
		},
		"numbers that are none": {text: `{"n":1}`, want: `{"n":"007"}`, vars: vars{"n": "007"}},
		"a whole object, and one inside": {
			text:  `{"o":{"p":1,"q":2},"r":3}`,
			want:  `{"o":{"x":[]},"r":4}`,
			vars:  vars{"o": `{"x":[]}`, "o:p": "5", "r": "4"},
			names: "o r",
		},
		"an object that is none": {
			text:  `{"o":{"p":1}}`,
			want:  `{"o":{"p":5}}`,
			vars:  vars{"o": "text", "o:p": "5"},
			unfit: "o: the value is neither",
		},
		"comments, commas, a byte mark": {
			text: "\ufeff// {\n{/* \"a\": 1 */\"a\":1,/**/\"b\":[1,],}",
			want: "\ufeff// {\n{/* \"a\": 1 */\"a\":2,/**/\"b\":[3,],}",
			vars: vars{"a": "2", "b:0": "3"},
		},
		"case and escapes of keys": {
			text: `{"Ab\u0063":1,"d:e":2}`,
			want: `{"Ab\u0063":3,"d:e":4}`,
			vars: vars{"abc": "3", "d:e": "4"},
		},
		"an array at the root":      {text: `[1,[2]]`, want: `[1,[3]]`, vars: vars{"1:0": "3"}},
		"a value alone has no name": {text: `1`, want: `1`, vars: vars{"": "2"}},
		"nothing to do keeps every byte": {
			text: " {\"a\" :1 , \"a\":\t2}\n\n",
			want: " {\"a\" :1 , \"a\":\t2}\n\n",
			vars: vars{"b": "1"},
		},
		"each of two equal keys, as read": {text: `{"a":1,"a":2}`, want: `{"a":3,"a":3}`, vars: vars{"a": "3"}},
	})
	refuse(t, structured.JSON, map[string]string{
		"": "want a value", "{": "want a key", "{\"a\"}": "colon", "{\"a\":1 \"b\":2}": "comma", "{\"a\":1}x": "follows", "{a:1}": "key",
		"[1": "comma", "\"x": "no end", "{\"a\":\"\n\"}": "line 1, byte 7", "{\"a\":\"\\q\"}": "escape", "/* x": "comment", "[01]": "value",
		strings.Repeat("[", 300): "too deep", "\xff": "UTF-8", "[tru]": "value", "{\n\n  \"a\": nope}": "line 3, byte 8",
	})
}

func TestProperties(t *testing.T) {
	check(t, structured.Properties, map[string]row{
		"all ways to write": {
			text: "# a=1\n! a=1\r\na=1\nb : x\\\n  y\n\tc\td e\nd\nk\\:\\ \\u00e9=1\\=2\n\na.b=\ne=" + `C\:\\x`,
			want: "# a=1\n! a=1\r\na=2\nb : 3\n\tc\t\\ 4\\n\\\\\nd=5\nk\\:\\ \\u00e9=\\u00E9\\uD83D\\uDE00\n\n" +
				"a.b=6\ne=" + `C\:\\x`,
			vars:  vars{"a": "2", "b": "3", "c": " 4\n\\", "d": "5", "k: é": "é😀", "a.b": "6", "x": "no"},
			names: "a b c d k: é a.b",
		},
		"nothing":            {text: "", want: "", vars: vars{"": "1"}},
		"a backslash at end": {text: "a=1\\", want: "a=2", vars: vars{"a": "2"}},
		"a key over two lines": {
			text: "a\\\r\n  b=1\r\nc=1", want: "a\\\r\n  b=2\r\nc=3", vars: vars{"ab": "2", "c": "3"},
		},
	})
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]structured.Format{
		"a.JSON": structured.JSON, "a.yml": structured.YAML, "a.yaml": structured.YAML, "a/b.xml": structured.XML,
		"Web.config": structured.XML, "x.properties": structured.Properties, "none": structured.YAML,
	} {
		if got := structured.FormatOf(name, "a: 1"); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for text, want := range map[string]structured.Format{
		"\ufeff {": structured.JSON, "\n[": structured.JSON, "<a/>": structured.XML, "": structured.YAML,
	} {
		if got := structured.FormatOf("settings", text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if _, err := structured.Replace("TOML", "", vars{}); errkind.Of(err) != errkind.Invalid {
		t.Errorf("an unknown format: %v", err)
	}
}

// TestCostIsLinear replaces in files of some megabytes, which a quadratic way takes minutes for.
func TestCostIsLinear(t *testing.T) {
	const times = 150_000
	for name, c := range map[string]struct {
		format structured.Format
		text   string
	}{
		"blocks":     {structured.YAML, strings.Repeat("- a: 1\n  b:\n    c: [1, {d: e}] # x\n", times)},
		"list":       {structured.YAML, strings.Repeat("- word\n", 10*times)},
		"long key":   {structured.YAML, strings.Repeat("k", times) + ":\n" + strings.Repeat(" - a: 1\n", times)},
		"JSON key":   {structured.JSON, `{"` + strings.Repeat("k", times) + `":[` + strings.Repeat("1,", times) + "1]}"},
		"brackets":   {structured.YAML, "r: [" + strings.Repeat("word, ", times) + "]"},
		"going on":   {structured.YAML, "r: x\n" + strings.Repeat("  more words\n", times)},
		"JSON":       {structured.JSON, "[" + strings.Repeat("{\"a\": [1, \"x\"]},\n", times) + "1]"},
		"XML":        {structured.XML, "<r>" + strings.Repeat("<a k='1'>text<b/></a>\n", times) + "</r>"},
		"properties": {structured.Properties, strings.Repeat("a.b=c\n", times)},
	} {
		began := time.Now()
		if _, err := structured.Replace(c.format, c.text, vars{"r:5": "x", "0:a": "2", "/r/a[3]/@k": "7", "//b": "x", "a.b": "1"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%s: %d bytes took %v", name, len(c.text), took)
		}
	}
}

// FuzzReplace: nothing panics, and without variables nothing changes.
func FuzzReplace(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,{"b":null}],"c":"d"} // x`, "a: 1\nb:\n- c: {d: [e, 'f']}\n  g: |\n    h\n", "<a b='c'><!-- d --><e>f</e></a>", "a=b\\\n c",
	} {
		f.Add(text, "a", "x: y\n")
	}
	all := []structured.Format{structured.JSON, structured.YAML, structured.XML, structured.Properties}
	f.Fuzz(func(t *testing.T, text, name, value string) {
		for _, format := range all {
			got, err := structured.Replace(format, text, vars{})
			if err == nil && (got.Text != text || got.Names != nil) {
				t.Fatalf("%s: %q became %q", format, text, got.Text)
			}
			again, errAgain := structured.Replace(format, text, vars{strings.ToLower(name): value})
			if (err == nil) != (errAgain == nil) {
				t.Fatalf("%s: %q: %v, and with a variable %v", format, text, err, errAgain)
			}
			if !slices.Contains(all, format) || errAgain == nil && len(again.Names) == 0 && again.Text != text {
				t.Fatalf("%s: %q became %q with no variable used", format, text, again.Text)
			}
		}
	})
}
