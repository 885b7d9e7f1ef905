// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"regexp"
	"strings"
	"testing"
)

// harmlessTag is every tag that a page may hold, to the last character.
var harmlessTag = regexp.MustCompile(`^</?(p|h[3-6]|[uo]l|li|[bh]r|em|strong|code|pre|blockquote|table|thead|tbody|` +
	`t[rhd]|del|sub|sup|ins|mark)>|^<ol start="[0-9]+">|^<code class="language-[^"<>\s]*">|^</a>|` +
	`^<a rel="noreferrer" href="(?i:https?://|mailto:)[^"<>\s]+">`)

func checkHarmless(t *testing.T, page string) {
	t.Helper()
	for i := range len(page) {
		if page[i] == '<' && !harmlessTag.MatchString(page[i:]) {
			t.Fatalf("%.80q in\n%q", page[i:], page)
		}
	}
}

func TestPageVectors(t *testing.T) {
	for in, want := range map[string]string{
		"# Look first\n\n1. **all** green?\n2. `x<y`": "<h3>Look first</h3>\n<ol>\n<li><strong>all</strong> green?</li>\n" +
			"<li><code>x&lt;y</code></li>\n</ol>\n",
		"one\ntwo":                       "<p>one<br>\ntwo</p>\n",
		"one\r\ntwo":                     "<p>one<br>\ntwo</p>\n",
		"[wiki](https://e.com/a?b&c)":    `<p><a rel="noreferrer" href="https://e.com/a?b&amp;c">wiki</a></p>` + "\n",
		"[wiki][w]\n\n[w]: HTTP://e 't'": `<p><a rel="noreferrer" href="HTTP://e">wiki</a></p>` + "\n",
		"<ann@e.com>":                    `<p><a rel="noreferrer" href="mailto:ann@e.com">ann@e.com</a></p>` + "\n",
		"www.e.com":                      `<p><a rel="noreferrer" href="http://www.e.com">www.e.com</a></p>` + "\n",
		"![plan](https://e.com/p.png)":   `<p><a rel="noreferrer" href="https://e.com/p.png">plan</a></p>` + "\n",
		"[![i](https://e/i)](https://e)": `<p><a rel="noreferrer" href="https://e">i</a></p>` + "\n",
		"|A|\n|:-:|\n|1|": "<table>\n<thead>\n<tr>\n<th>A</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n" +
			"<td>1</td>\n</tr>\n</tbody>\n</table>\n",
		"<b onclick=x>raw</b> &amp; &lt;": "<p>&lt;b onclick=x&gt;raw&lt;/b&gt; &amp; &lt;</p>\n",
		"<div>\n<p>x\n</div>":             "<p>&lt;div&gt;<br>\n&lt;p&gt;x<br>\n&lt;/div&gt;</p>\n",
	} {
		if got, ok := Page(in); !ok || got != want {
			t.Errorf("%q:\ngot  %q, %v\nwant %q", in, got, ok, want)
		}
	}
	if _, ok := Page(strings.Repeat("a", MaxPageBytes+1)); ok {
		t.Error("a text that is too long was taken")
	}
}

// TestX3PagesAreHarmless: what a hostile text makes holds no tag but those that do nothing, and a link where one may lead.
func TestX3PagesAreHarmless(t *testing.T) {
	for _, text := range []string{
		"<script>alert(1)</script>", "<svg/onload=alert(1)>", "<img src=x onerror=alert(1)>", "<!--><img src=x onerror=alert(1)>-->",
		"<style>*{}</style>", "<?php <b> ?>", "<![CDATA[<b>]]>", "<!DOCTYPE <b>>", "<iframe\nsrcdoc='<b>'\n>", "a <b\nstyle=x> c",
		"[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java&#115;cript:alert(1))", "[x](&#x6a;avascript:alert(1))",
		"[x](javascript&colon;alert(1))", "[x](java\\script:alert(1))", "[x](<java\tscript:alert(1)>)", "[x]( javascript:alert(1))",
		"[x](data:text/html,<script>)", "[x](vbscript:x)", "[x](file:///etc/passwd)", "[x](//evil.example)", "[x](/app/sign-out)",
		"[x](?choice=Proceed)", "[x](#y)", "[x](ftp://e.com)", "<javascript:alert(1)>", "<data:text/html,x>", "ftp://e.com/a",
		"![x](javascript:alert(1))", "![<b>](https://e.com)", "![\"><b>](https://e.com/\"><b>)",
		"[x](https://e.com/\"onmouseover=\"alert(1))", "[x](<https://e.com/\"><b>>)", "[x](https://e.com 'a\" onclick=\"b')",
		"[x][y]\n\n[y]: javascript:alert(1)", "[<b>](https://e.com)", "[a [b](https://c) d](https://e)", "[![a](https://b)](https://c)",
		"```\" onclick=x\n<b>\n```", "``` \"><b>\n```", "`<b>`", "    <b>", "# <b> {#id .class onclick=x}", "|<b>|\n|-|\n|<script>|",
		"~<b>~ ==<script>== ++\"++", "https://e.com/<b>", "https://e.com/\"onx=\"", "www.e.com/'><b>", "<https://e.com/\"onx=\"y>",
		"- <script>\n  alert(1)\n  </script>", "> <script>", "&lt;script&gt;", "&#60;script&#62;", "\\<script>", "\x00<b>", "<a href='x'>y</a>",
		"</div></section><form action=/app>", "mailto:x", "[x](mailto:a@b?body=\"><b>)", "<a@b.c\"><b>>",
	} {
		page, ok := Page(text)
		if !ok {
			t.Errorf("%q was refused", text)
		}
		checkHarmless(t, page)
	}
}
