// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/sim/report"
	"fairlead/sim/sweep"
)

// TestPointsAreThoseOfThePrograms reads the sources.
func TestPointsAreThoseOfThePrograms(t *testing.T) {
	point := regexp.MustCompile(`\.[pP]oint\("([a-z.]+)"\)`)
	var found []string
	for _, top := range []string{"agent", "server", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", "..", top), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range point.FindAllSubmatch(text, -1) {
				found = append(found, string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	found = append(found, slices.Collect(maps.Keys(sweep.Gaps()))...) // a gap may be taken out of the programs
	slices.Sort(found)
	if d := cmp.Diff(slices.Compact(found), sweep.Points()); d != "" {
		t.Errorf("in the sources and here (-sources +here):\n%s", d)
	}
}

// TestJobs: each point once for each way to die, at the first and the last pass, in plans that are right.
func TestJobs(t *testing.T) {
	all, err := sweep.Workloads()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range all {
		names = append(names, w.Name)
		passes := map[string]int{
			"server engine.ticket.sent": 3, "shim script.exec": 2, "step step.switch": 4, "agent none.such": 1,
		}
		var got []string
		for _, j := range sweep.Jobs(w, passes) {
			if err := j.Plan.Check(); err != nil {
				t.Errorf("%s: %v", j, err)
			}
			got = append(got, strings.TrimPrefix(j.String(), w.Name+": "))
		}
		if d := cmp.Diff([]string{
			"host.power at engine.ticket.sent, pass 1", "server.crash at engine.ticket.sent, pass 1",
			"host.power at engine.ticket.sent, pass 3", "server.crash at engine.ticket.sent, pass 3",
			"host.power at script.exec, pass 1", "shim.crash at script.exec, pass 1",
			"host.power at step.switch, pass 1", "host.power at step.switch, pass 2",
		}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", w.Name, d)
		}
	}
	if d := cmp.Diff([]string{
		"broken", "cancel", "outputs", "package", "question", "reboot", "restore", "script",
	}, names); d != "" {
		t.Errorf("workloads (-want +got):\n%s", d)
	}
}

// TestMissedPointsAreTold: a point at which nobody died is missed, whatever else died in the run.
func TestMissedPointsAreTold(t *testing.T) {
	c := sweep.NewCount()
	if len(c.Missed()) != len(sweep.Points())-len(sweep.Gaps()) {
		t.Errorf("missed at first: %v", c.Missed())
	}
	c.Add(sweep.Job{Point: "script.exec"}, report.Report{Deaths: []string{"rollback", "shim"}}, false, 1)
	c.Add(sweep.Job{Point: "script.exit"}, report.Report{Deaths: []string{"rollback"}}, true, 1)
	if missed := c.Missed(); slices.Contains(missed, "script.exec") || !slices.Contains(missed, "script.exit") {
		t.Errorf("missed: %v", missed)
	}
	for gap := range sweep.Gaps() {
		closed := sweep.NewCount()
		closed.Add(sweep.Job{Point: gap}, report.Report{Deaths: []string{"power"}}, false, 0)
		if !slices.Contains(closed.Missed(), gap+" (a gap that is none: take it out)") {
			t.Errorf("a gap that was reached is not told: %v", closed.Missed())
		}
	}
	if c.Jobs != 2 || c.Died != 1 || c.Wrong != 1 {
		t.Errorf("counted %+v", c)
	}
}
