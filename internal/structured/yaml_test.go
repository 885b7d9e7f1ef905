// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"fairlead/internal/structured"
)

func TestYAML(t *testing.T) {
	check(t, structured.YAML, map[string]row{
		"comments, order and blanks stay": {
			text: "# top\r\nserver:   # the server\r\n    host:  localhost   # name\r\n    port: 8080\r\n\r\n" +
				"    tls: false\r\nlist:\r\n- a\r\n-   b # second\r\n",
			want: "# top\r\nserver:   # the server\r\n    host:  db.example   # name\r\n    port: 9090\r\n\r\n" +
				"    tls: True\r\nlist:\r\n- a\r\n-   c # second\r\n",
			vars:  vars{"server:host": "db.example", "server:port": "9090", "server:tls": "True", "list:1": "c", "list:2": "no", "no": "no"},
			names: "server:host server:port server:tls list:1",
		},
		"a string stays one": {
			text: "a: x\nb: 'it''s'\nc: \"q\"\nd: x\ne: x\nf: x\n",
			want: "a: \"5\"\nb: 'don''t'\nc: \"a\\\"\\n\"\nd: \"no\"\ne: \"a: b\"\nf: \"#x\"\n",
			vars: vars{"a": "5", "b": "don't", "c": "a\"\n", "d": "no", "e": "a: b", "f": "#x"},
		},
		"another type": {
			text: "a: 1\nb: true\nc: ~\nd:\ne: 2001-01-01\nf: 'x'\n",
			want: "a: text\nb: \"1\"\nc: 7\nd: \"\\u0007\"\ne: 2002-02-02\nf: \"x\\ny\"\n",
			vars: vars{"a": "text", "b": "1", "c": "7", "d": "\a", "e": "2002-02-02", "f": "x\ny"},
		},
		"values that are missing": {
			text: "a:\nb: # none\nc:\n  d:\n- x\n"[:21], want: "a: 1\nb: # none\nc:\n  d: 3\n",
			vars: vars{"a": "1", "b": "", "c:d": "3"}, unfit: "",
		},
		"sequences in all places": {
			text: "- - a\n  - b\n-\n  - c\n- d: 1\n  e:\n  - f\n  - g: 2\n    h: 3\n",
			want: "- - A\n  - b\n-\n  - C\n- d: 4\n  e:\n  - F\n  - g: 5\n    h: 6\n",
			vars: vars{"0:0": "A", "1:0": "C", "2:d": "4", "2:e:0": "F", "2:e:1:g": "5", "2:e:1:h": "6"},
		},
		"brackets": {
			text: "a: {b: 1, \"c\": [x, 'y', {d: }], e: http://h:1/} # end\nf: [\n  1, # one\n  2,\n]\n",
			want: "a: {b: 2, \"c\": [X, 'Y', {d: 3 }], e: http://i:2/} # end\nf: [\n  1, # one\n  5,\n]\n",
			vars: vars{"a:b": "2", "a:c:0": "X", "a:c:1": "Y", "a:c:2:d": "3", "a:e": "http://i:2/", "f:1": "5"},
		},
		"blocks": {
			text: "a: |\n  one\n   two\n\n  three\n\nb: >-\n    f\n    g\n# c\nc: |2\n   x\nd: 1\n",
			want: "a: |-\n  1\n\n  2\n\nb: \"z\"\n# c\nc: |\n  p\n  q\nd: 2\n",
			vars: vars{"a": "1\n\n2", "b": "z", "c": "p\nq\n", "d": "2"},
		},
		"lines that go on": {
			text: "a: one\n  two\n  three # end\nb: \"x\n  y\"\nc: 1\n",
			want: "a: z # end\nb: \"w\"\nc: 2\n",
			vars: vars{"a": "z", "b": "w", "c": "2"},
		},
		"anchors, tags, aliases": {
			text: "a: &x 1\nb: !!str 2\nc: *x\nd: &y\n  e: 3\nf:\n  <<: *y\n",
			want: "a: &x 4\nb: !!str 5\nc: *x\nd: &y\n  e: 6\nf:\n  <<: *y\n",
			vars: vars{"a": "4", "b": "5", "c": "no", "d:e": "6"}, unfit: "c: it is an alias",
		},
		"documents": {
			text: "%YAML 1.2\n---\na: 1\n...\n---\n# x\na: 2\nb:\n---\n- a\n",
			want: "%YAML 1.2\n---\na: 3\n...\n---\n# x\na: 3\nb: 4\n---\n- z\n",
			vars: vars{"a": "3", "b": "4", "0": "z"},
		},
		"whole collections": {
			text:  "a:\n  b: 1\n  c: 2\n\nd:\n- x\n# end\ne: {f: 1}\ng:\n  h: 1\n",
			want:  "a:\n   {\"b\":[3]}\n\nd:\n [\"y\"]\n# end\ne: []\ng:\n  h: 2\n",
			vars:  vars{"a": `{"b":[3]}`, "a:b": "9", "d": `["y"]`, "e": "[]", "g": "{", "g:h": "2"},
			unfit: "g: the value is neither",
			names: "a d e g:h",
		},
		"keys": {
			text: "'it''s': 1\n\"a\\u0062\" : 2\nc d: 3\nhttp://x: 4\n-e: 5\n",
			want: "'it''s': 6\n\"a\\u0062\" : 7\nc d: 8\nhttp://x: 9\n-e: 10\n",
			vars: vars{"it's": "6", "ab": "7", "c d": "8", "http://x": "9", "-e": "10"},
		},
		"nothing at all": {text: "# only\n\n", want: "# only\n\n", vars: vars{"a": "1"}},
		"a byte mark":    {text: "\ufeffa: 1\nb: 2\n", want: "\ufeffa: 3\nb: 2\n", vars: vars{"a": "3"}},
	})
	refuse(t, structured.YAML, map[string]string{
		"? a\n: b\n": "question mark", "a: 1\n b: 2\n": "colon", "a:\n\tb: 1\n": "tab", "[a]: b\n": "key", "a: b: c\n": "colon",
		"a: [1": "no end",
		"a: 'x": "no end", "a: {b": "want a", "a: {b: 1]\n": "comma", "a: \"x\" y\n": "follows", "--- a\n": "beside", "a: 1\n- b\n": "",
		"a: @x\n":     "begins",
		"a: [x: y]\n": "colon", "a: [x\n y]\n": "several lines", "a: [*x]\n": "begins", "a:\n  - b\n c: 1\n": "", "a: !<x> b\n": "tag",
		strings.Repeat("- ", 300) + "a": "too deep",
	})
}

// leaf is one scalar of a document, as a reader of YAML sees it.
type leaf struct{ path, tag, value string }

// leaves reads all documents by another implementation.
func leaves(text string) (all []leaf, err error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	for i := 0; ; i++ {
		var root yaml.Node
		if err := d.Decode(&root); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		for _, n := range root.Content {
			all = append(all, under(nil, n)...)
		}
	}
}

func under(path []string, n *yaml.Node) (all []leaf) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			all = append(all, under(append(path[:len(path):len(path)], n.Content[i].Value), n.Content[i+1])...)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			all = append(all, under(append(path[:len(path):len(path)], fmt.Sprint(i)), c)...)
		}
	default:
		all = append(all, leaf{strings.Join(path, ":"), n.ShortTag(), n.Value})
	}
	return all
}

// expect is what a document must say after the replacement, by the obvious way.
func expect(before []leaf, v vars) (after []leaf) {
	for _, l := range before {
		if value, ok := v.Get(l.path); ok && l.path != "" && (value != "" || l.tag != "!!null") {
			if l.tag == "!!str" {
				l.value = value
			} else {
				l.tag, l.value = "", value // any type will do
			}
		}
		after = append(after, l)
	}
	return after
}

func compare(t *rapid.T, before, text string, v vars, got structured.Replaced) {
	old, err := leaves(before)
	if err != nil {
		t.Fatalf("%q is no YAML: %v", before, err)
	}
	now, err := leaves(got.Text)
	if err != nil {
		t.Fatalf("%q became %q, which is no YAML: %v", before, got.Text, err)
	}
	want := expect(old, v)
	for i := range now {
		if i < len(want) && want[i].tag == "" && now[i].tag != "!!null" {
			now[i].tag = ""
		}
		if i < len(want) && want[i].tag == "" && now[i].tag == "!!null" && strings.TrimSpace(want[i].value) == want[i].value {
			now[i].tag = ""
		}
	}
	if diff := cmp.Diff(want, now, cmp.AllowUnexported(leaf{})); diff != "" {
		t.Fatalf("%q became %q (-want +got):\n%s", text, got.Text, diff)
	}
}

var scalars = []string{
	"x", "", "5", "true", "null", "~", "two words", "it's", "\"q\"", "a: b",
	"# c", "- d", "é😀", "line\nline", "line\n", " lead", "trail ", "a\\b",
	"1.5e3", "0x1F", "2001-02-03", "yes", "{",
	"[a]", "*x", "&x", "!t", "|", "%", "@", "\a", "\t", "a\tb", "\n\nx", " a\nb", "<<", "a:", "http://h:1/p?q=1&r",
	"12:30:45", ".inf", "0o7", "-", "--- x", "\ufeff", "x #y",
}

// tree draws a node in any style.
func tree(t *rapid.T, depth int) *yaml.Node {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if depth == 0 {
		kind = 0
	}
	if kind < 2 && depth < 3 {
		n := &yaml.Node{}
		n.SetString(rapid.SampledFrom(scalars).Draw(t, "scalar"))
		n.Style = rapid.SampledFrom([]yaml.Style{
			0, yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle,
			yaml.LiteralStyle, yaml.FoldedStyle,
		}).Draw(t, "style")
		if rapid.Bool().Draw(t, "typed") && n.Style == 0 {
			n.Tag = ""
		}
		return n
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	if kind == 2 {
		n.Kind = yaml.SequenceNode
	}
	if rapid.IntRange(0, 4).Draw(t, "flow") == 0 {
		n.Style = yaml.FlowStyle
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "members") {
		if n.Kind == yaml.MappingNode {
			key := &yaml.Node{}
			key.SetString(fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"k", "a b", "é", "x:y", "it's"}).Draw(t, "key"), i))
			n.Content = append(n.Content, key)
		}
		n.Content = append(n.Content, tree(t, depth-1))
		if rapid.Bool().Draw(t, "comment") && n.Style == 0 {
			n.Content[len(n.Content)-1].LineComment = "a comment: here"
		}
	}
	return n
}

// TestYAMLAgainstAnother writes any tree by another implementation, replaces some of its values, and
// reads it again by the other one: what had a variable has its value, and all else is as it was.
func TestYAMLAgainstAnother(t *testing.T) {
	understood, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		e := yaml.NewEncoder(&b)
		e.SetIndent(rapid.IntRange(2, 4).Draw(t, "indent"))
		for range rapid.IntRange(1, 2).Draw(t, "documents") {
			if err := e.Encode(tree(t, 3)); err != nil {
				t.Skip(err)
			}
		}
		before, err := leaves(b.String())
		if err != nil {
			t.Skip(err)
		}
		v := vars{}
		for _, l := range before {
			if l.path != "" && rapid.Bool().Draw(t, "replace") {
				v[strings.ToLower(l.path)] = rapid.SampledFrom(scalars).Draw(t, "value")
			}
		}
		got, err := structured.Replace(structured.YAML, b.String(), v)
		all++
		if err != nil {
			return // refused: nothing is changed
		}
		understood++
		compare(t, b.String(), b.String(), v, got)
	})
	if understood*10 < all*9 {
		t.Errorf("%d of %d documents were understood, want nine in ten", understood, all)
	}
}
