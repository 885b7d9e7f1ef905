// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured_test

import (
	"strings"
	"testing"

	"fairlead/internal/structured"
)

func TestXML(t *testing.T) {
	const config = "\ufeff<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<!-- <a k='1'/> -->\n<a k='1' x:k = \"2\">\n" +
		"  <add key=\"url\" value=\"http://old\"/>\n  <add key='port' value='80' />\n" +
		"  <b>old <!-- c --> text</b><b n=\"2\"><c>x</c><c>y</c></b>\n" +
		"  <d/><e><![CDATA[ <raw> ]]></e>\n</a>\n"
	check(t, structured.XML, map[string]row{
		"places": {
			text: config,
			want: "\ufeff<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<!-- <a k='1'/> -->\n" +
				"<a k='it&apos;s' x:k = \"5\">\n" +
				"  <add key=\"url\" value=\"http://new?a=&quot;1&quot;&amp;b=&lt;&#xA;\"/>\n  <add key='port' value='8080' />\n  " +
				"<b>new &lt; '\"'\n</b><b n=\"2\"><c>x</c><c>z</c></b>\n" +
				"  <d>full</d><e><![CDATA[a<b]]></e>\n</a>\n",
			vars: vars{
				"/a/@k": "it's", "/a/@x:k": "5", "//add[@key='url']/@value": "http://new?a=\"1\"&b=<\n", "/a/add[2]/@value": "8080",
				"/a/b[1]": "new < '\"'\n", "/a/b[@n]/c[.='y']": "z", "/a/d/text()": "full", "/*/e": "a<b", "/a/no": "no", "/a/d/@no": "no", "a": "no",
			},
		},
		"a whole element, and one inside": {
			text:  "<a><b><c>1</c></b><d>2</d></a>",
			want:  "<a><b><x/>y</b><d>3</d></a>",
			vars:  vars{"/a/b": "<x/>y", "/a/b/c": "4", "//d": "3"},
			names: "/a/b //d",
		},
		"a text in the place of elements": {
			text:  "<a><b><c>1</c></b></a>",
			want:  "<a><b><c>4</c></b></a>",
			vars:  vars{"/a/b": "<x>", "/a/b/c": "4"},
			unfit: "holds others",
		},
		"a value that ends what is around it": {
			text: "<a><b><c>1</c></b></a>", want: "<a><b><c>1</c></b></a>", vars: vars{"/a/b": "</x><x>"}, unfit: "holds others",
		},
		"of two paths to one place the first": {
			text: "<a><b>1</b></a>", want: "<a><b>2</b></a>", vars: vars{"//b": "2", "/a/b": "3"},
		},
		"tests on children": {
			text: "<a><b><n>x</n><v>1</v></b><b><n>y</n><v>2</v></b></a>",
			want: "<a><b><n>x</n><v>1</v></b><b><n>y</n><v>3</v></b></a>",
			vars: vars{`/a/b[n="y"]/v`: "3"},
		},
		"paths of another kind": {
			text: "<a>1</a>", want: "<a>1</a>", vars: vars{"/a[last()]": "2"}, unfit: "no path",
		},
	})
	refuse(t, structured.XML, map[string]string{
		"": "want one element", "<a>": "whole", "<a></b>": "no beginning", "<a/><b/>": "want one", "<a b=1/>": "XML",
		"<a>&no;</a>": "entity", "text": "want one",
	})
	for _, text := range []string{
		"<a>p&canary;</a>", "<a>p&canary</a>", "<a b='&canary'/>", "<a><-canary</a>", "<canary\x01/>", "<a>p<canary</a>",
	} {
		_, err := structured.Replace(structured.XML, text, vars{})
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v, want an error that repeats nothing of it", text, err)
		}
	}
}
