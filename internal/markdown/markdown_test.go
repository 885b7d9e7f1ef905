// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
)

// TestVectors holds what comes out for what goes in; the results are Octopus's where Markdig makes them.
func TestVectors(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "\n",
		" # Yellow \n":         "<h1>Yellow</h1>\n\n",
		"_yeah!_ **so** `x<y`": "<p><em>yeah!</em> <strong>so</strong> <code>x&lt;y</code></p>\n\n",
		"|A|B|\n|-|:-:|\n|1|": "<table>\n<thead>\n<tr>\n<th>A</th>\n<th style=\"text-align:center\">B</th>\n</tr>\n</thead>\n" +
			"<tbody>\n<tr>\n<td>1</td>\n<td></td>\n</tr>\n</tbody>\n</table>\n\n",
		"~~old~~ H~2~O x^2^":        "<p><del>old</del> H<sub>2</sub>O x<sup>2</sup></p>\n\n",
		"++new++ ==seen== a + b":    "<p><ins>new</ins> <mark>seen</mark> a + b</p>\n\n",
		"~~a~ +b+ =c= ^^d^^":        "<p>~~a~ +b+ =c= ^^d^^</p>\n\n",
		"see https://example.com/a": "<p>see <a href=\"https://example.com/a\">https://example.com/a</a></p>\n\n",
		"<b onclick=\"x\">raw</b>":  "<p><b onclick=\"x\">raw</b></p>\n\n",
		"- a\n- [ ] b\n\n1. c":      "<ul>\n<li>a</li>\n<li>[ ] b</li>\n</ul>\n<ol>\n<li>c</li>\n</ol>\n\n",
		"a\u0000b & \"c\" 'd'":      "<p>a\ufffdb &amp; &quot;c&quot; 'd'</p>\n\n",
		"- - - - - - - - - -":       "<hr>\n\n",
	} {
		if got, ok := Filter(in, nil); !ok || got != want {
			t.Errorf("%q:\ngot  %q, %v\nwant %q", in, got, ok, want)
		}
	}
	if _, ok := Filter("x", []string{"y"}); ok {
		t.Error("it takes no arguments")
	}
}

func TestValuesHaveBothNames(t *testing.T) {
	values := In(deploy.NewValues(map[string]string{"Notes": "*#{Who}*", "Who": "we"}))
	got, missing, err := deploy.Expand("#{Notes | Markdown | Trim}#{Notes | markdowntohtml | Trim}#{No | Markdown}", values)
	if want := "<p><em>we</em></p><p><em>we</em></p>#{No | Markdown}"; got != want || len(missing) != 1 || err != nil {
		t.Errorf("got %q, missing %v, %v", got, missing, err)
	}
}

// TestLimits refuses what would cost more than it says, and does so soon.
func TestLimits(t *testing.T) {
	wide := strings.Repeat("|a", 8_000) + "\n" + strings.Repeat("|-", 8_000) + "\n" + strings.Repeat("|\n", 16_000)
	many := strings.Repeat(strings.Repeat("|a", 50)+"\n"+strings.Repeat("|-", 50)+"\n"+strings.Repeat("|\n", 40)+"\n", 100)
	deepList := strings.Repeat("1. ", MaxNesting+1) + "x"
	for name, text := range map[string]string{
		"long": strings.Repeat("a", MaxBytes+1), "wide": wide, "many tables": many,
		"quotes": "x\n" + strings.Repeat("> ", MaxNesting+1) + "x", "tight quotes": strings.Repeat(">", MaxBytes),
		"lists": deepList, "mixed": strings.Repeat("> - ", MaxNesting/2+1) + "x",
	} {
		began := time.Now()
		if _, ok := Filter(text, nil); ok {
			t.Errorf("%s: was taken", name)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	for name, text := range map[string]string{
		"long": strings.Repeat("a", MaxBytes), "quotes": strings.Repeat("> ", MaxNesting) + "x",
		"rule": strings.Repeat("-", 1000), "table": strings.Repeat("|a", 100) + "\n" + strings.Repeat("|-", 100) + "\n|",
	} {
		if _, ok := Filter(text, nil); !ok {
			t.Errorf("%s: was refused", name)
		}
	}
}

// TestHardTexts takes the slowest texts known, at the longest, in seconds.
func TestHardTexts(t *testing.T) {
	for _, part := range []string{"[a](", "*a_b ", "[x](<", "[a]: b\n", "~~a", "^a", "==a ", "![", "`", "<!--", "a|", "[", "]", "\n- "} {
		began := time.Now()
		got, ok := Filter(strings.Repeat(part, MaxBytes/len(part)), nil)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%q took %v", part, took)
		}
		if ok && len(got) > MaxHTMLBytes+1 {
			t.Errorf("%q made %d bytes", part, len(got))
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("# a\n\n|A|B|\n|-|-|\n|~x~|^y^|\n\n> - 1. ==z== ++w++ https://e.com [l](<u> 't') ![i][r]\n\n[r]: /x")
	f.Fuzz(func(t *testing.T, text string) {
		one, ok := convert(text, unsafe()) // without the net that Filter holds under it
		if two, again := convert(text, unsafe()); one != two || ok != again {
			t.Error("two results differ")
		}
		if page, ok := convert(text, safe()); ok {
			checkHarmless(t, page)
		}
		if ok && one != "" && (len(one) > MaxHTMLBytes || !strings.HasSuffix(one, "\n")) {
			t.Errorf("%d bytes that end in %q", len(one), one[max(0, len(one)-2):])
		}
	})
}
