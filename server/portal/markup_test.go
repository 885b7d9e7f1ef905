// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

// The pages are written so that each tag has this plain form: attributes in double quotes.
var (
	tag       = regexp.MustCompile(`^</?([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*/?>`)
	attribute = regexp.MustCompile(`([a-zA-Z-]+)(?:="([^"]*)")?`)
	outward   = regexp.MustCompile(`^(?i:https?://|mailto:).`) // where instructions may lead
	void      = map[string]bool{"meta": true, "link": true, "input": true, "br": true, "use": true, "hr": true}
)

const knownTags = " html head meta title link script body a header svg use nav form span button main footer h1 h2 h3 p ol ul li " +
	"div dl dt dd table thead tbody tr th td time section aside label input textarea select option pre code strong small br " +
	"h4 h5 h6 em blockquote del sub sup ins mark hr " // of instructions

// checkMarkup reads a page tag by tag: only tags we write, closed in order, no handlers, no style,
// addresses of our own only. It returns the text nodes.
func checkMarkup(t *testing.T, page string) string {
	t.Helper()
	var text strings.Builder
	var open []string
	rest := strings.TrimPrefix(page, "<!doctype html>\n")
	for {
		before, after, found := strings.Cut(rest, "<")
		text.WriteString(html.UnescapeString(before))
		if !found {
			break
		}
		found2 := tag.FindStringSubmatch("<" + after)
		if found2 == nil {
			t.Fatalf("a stray < before %.60q", after)
		}
		name := found2[1]
		if !strings.Contains(knownTags, " "+name+" ") {
			t.Fatalf("tag <%s> is none of ours", name)
		}
		checkAttributes(t, name, found2[2])
		switch {
		case strings.HasPrefix(after, "/"):
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		case !void[name]:
			open = append(open, name)
		}
		rest = after[len(found2[0])-1:]
	}
	if len(open) != 0 {
		t.Fatalf("left open: %v", open)
	}
	return text.String()
}

func checkAttributes(t *testing.T, tag, attributes string) {
	t.Helper()
	hasSource := false
	for _, a := range attribute.FindAllStringSubmatch(attributes, -1) {
		name, value := strings.ToLower(a[1]), html.UnescapeString(a[2])
		switch {
		case strings.HasPrefix(name, "on"), name == "style", name == "srcdoc", name == "target":
			t.Fatalf("<%s> has the attribute %s", tag, name)
		case name == "href" && strings.HasPrefix(attributes, ` rel="noreferrer"`) && outward.MatchString(value):
		case name == "href" || name == "src" || name == "action":
			hasSource = true
			if value != "/app" && !strings.HasPrefix(value, "/app/") && !strings.HasPrefix(value, "/app?") &&
				!strings.HasPrefix(value, "?") && value != "#main" && !strings.HasPrefix(value, "#question-") {
				t.Fatalf("<%s %s=%q> leads away", tag, name, value)
			}
		}
	}
	if tag == "script" && attributes != "" && !hasSource {
		t.Fatal("a script without an address")
	}
}
