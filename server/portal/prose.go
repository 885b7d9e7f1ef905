// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"html/template"
	"strings"

	"fairlead/internal/markdown"
)

// prose is a text of several lines in Markdown, which internal/markdown makes harmless; one beyond its limits stands
// there as it was written. What hides or reorders text is made visible, that which a reference in it stands for too.
func prose(text string) template.HTML {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	page, ok := markdown.Page(text)
	if !ok {
		page = "<p>" + strings.ReplaceAll(template.HTMLEscapeString(text), "\n", "<br>\n") + "</p>"
	}
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return template.HTML(strings.Join(lines, "\n"))
}
