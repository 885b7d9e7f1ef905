// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"fairlead/internal/errkind"
)

// Exit is one row of the exit code table.
type Exit struct {
	Code    int
	Kinds   []errkind.Kind
	Meaning string
}

// ExitCodes lists every exit code other than 0 and the kinds of error that lead to it. Each kind stands in one row.
func ExitCodes() []Exit {
	return []Exit{
		{1, []errkind.Kind{errkind.Internal, errkind.Corrupt}, "it went wrong here"},
		{2, []errkind.Kind{errkind.Invalid}, "it can never work as asked: usage, settings"},
		{3, []errkind.Kind{errkind.NotFound}, "no such thing"},
		{4, []errkind.Kind{errkind.Denied, errkind.Untrusted}, "refused: not allowed, or not trusted"},
		{5, []errkind.Kind{errkind.Unavailable, errkind.Timeout}, "not reachable, or no answer in time"},
		{6, []errkind.Kind{errkind.Conflict}, "it clashes with what is there"},
		{7, []errkind.Kind{errkind.Exhausted}, "a limit on space, size or count was reached"},
		{130, []errkind.Kind{errkind.Canceled}, "interrupted"},
	}
}

// ExitCode is the exit code for err: 0 for nil, else the code of the row that holds its kind.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	kind := errkind.Of(err)
	for _, row := range ExitCodes() {
		for _, k := range row.Kinds {
			if k == kind {
				return row.Code
			}
		}
	}
	return 1
}

func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n    0  it worked\n")
	for _, row := range ExitCodes() {
		fmt.Fprintf(&b, "  %3d  %s\n", row.Code, row.Meaning)
	}
	return b.String()
}
