// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"fmt"
	"strings"

	"fairlead/internal/tasklog"
)

// maxShownBytes of one log line are shown; the raw log has all of it.
const maxShownBytes = 8 << 10

// visible makes other people's text harmless for a page. Escaping for HTML is not its business:
// the result is a text node.
func visible(text string) string { return tasklog.Visible(text) }

// shown is a log line's text as pages show it. The end of a line that was ended by CR LF is no
// control character to show.
func shown(text string) string {
	text = strings.TrimSuffix(text, "\r")
	if len(text) <= maxShownBytes {
		return visible(text)
	}
	cut := strings.ToValidUTF8(text[:maxShownBytes], "")
	return visible(cut) + fmt.Sprintf(" … (%d more bytes in the raw log)", len(text)-len(cut))
}
