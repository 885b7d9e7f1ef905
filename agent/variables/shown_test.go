// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/variables"
)

// TestShownAreExpanded: scripts get what values refer to, but for data that somebody handed over, and secrets are the same for
// whoever hides them.
func TestShownAreExpanded(t *testing.T) {
	vars := map[string]string{
		"Host": "db-1", "Address": "#{Host}:#{Port | Trim}", "Port": " 5432 ", "Missing": "#{Nobody}", "Literal": "##{Host}",
		"Logs": "#{Octopus.Action.Package.InstallationDirectoryPath}/logs", "Day": "#{ | NowDateUtc \"yyyy-MM-dd\"}",
		"Self": "a #{self}", "Password": "s-#{Host}-#{Octopus.Action.Package.InstallationDirectoryPath}-#{ | NowDateUtc}",
		"Octopus.Action[Ask].Output.Manual.Notes": "#{Password}", "Notes": "#{Octopus.Action[Ask].Output.Manual.Notes}",
		"Login": "ann:#{Password}",
	}
	before := fmt.Sprint(vars)
	own := map[string]string{"Octopus.Action.Package.InstallationDirectoryPath": "/app"}
	got, problems := variables.Shown(vars, own, []string{"PASSWORD"}, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	const secret = "s-db-1-#{Octopus.Action.Package.InstallationDirectoryPath}-#{ | NowDateUtc}"
	want := map[string]string{
		"Host": "db-1", "Address": "db-1:5432", "Port": " 5432 ", "Missing": "#{Nobody}", "Literal": "#{Host}",
		"Logs": "/app/logs", "Day": "2026-11-28", "Self": "a #{self}", "Password": secret,
		"Octopus.Action[Ask].Output.Manual.Notes": "#{Password}",
		"Notes": "#{Password}", "Login": "ann:" + secret,
		"Octopus.Action.Package.InstallationDirectoryPath": "/app",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(problems) != 1 || !strings.HasPrefix(problems[0], `variable "Self" stays as it is`) {
		t.Errorf("problems: %q", problems)
	}
	if fmt.Sprint(vars) != before {
		t.Error("the given variables have changed")
	}
}

// TestShownAreBounded: values that grow at each other's cost end at a limit, and the rest stays.
func TestShownAreBounded(t *testing.T) {
	vars := map[string]string{"A": strings.Repeat("x", 8<<20)}
	for i := range 12 {
		vars[fmt.Sprintf("B%02d", i)] = "#{A}"
	}
	got, problems := variables.Shown(vars, nil, nil, time.Time{})
	if len(problems) != 1 || !strings.Contains(problems[0], `from "B08" on`) || got["B07"] != vars["A"] || got["B08"] != "#{A}" {
		t.Errorf("problems %q; %d bytes, then %q", problems, len(got["B07"]), got["B08"])
	}
}
