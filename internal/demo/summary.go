// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fairlead/internal/cli"
)

// checkStarts compares how many tickets the server had with the traces that their starts left on the machines: a line
// in startsFile for each script, a folder for each package that was unpacked.
func (s *Story) checkStarts(ctx context.Context, d *Deployed) error {
	activities, err := s.Site.REST.Activities(ctx, d.Task.ID)
	if err != nil {
		return err
	}
	for _, a := range activities {
		if a.Status != "Success" {
			return fmt.Errorf("%s on %s is %s, want Success", a.Step, a.Machine, a.Status)
		}
	}
	d.Tickets = len(activities)
	scripts, err := linesOf(s.startsFile())
	if err != nil {
		return err
	}
	d.Starts = len(scripts)
	for _, before := range s.Deployed {
		d.Starts -= len(before.Pages) // one script a machine
	}
	if twice := len(scripts) - len(slices.Compact(slices.Sorted(slices.Values(scripts)))); twice > 0 {
		return fmt.Errorf("%d tickets started more than once", twice)
	}
	for _, m := range s.machines {
		versions := filepath.Join(m.agent.Home, "applications", environmentName, packageName)
		unpacked, err := filepath.Glob(filepath.Join(versions, d.Version+"*"))
		if err != nil {
			return err
		}
		d.Starts += len(unpacked)
	}
	if d.Starts != d.Tickets {
		return fmt.Errorf("%d tickets left the traces of %d starts, want one each", d.Tickets, d.Starts)
	}
	return nil
}

func linesOf(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}

// Summary shows what ran, how long it took, what is served, and how to look at it.
func (s *Story) Summary(keep bool) {
	tickets, starts, took := 0, 0, make([]string, len(s.Deployed))
	table := cli.Table{Columns: []cli.Column{{Title: "machine", Keep: true}, {Title: "line"}, {Title: "address"}}}
	for i, d := range s.Deployed {
		tickets, starts = tickets+d.Tickets, starts+d.Starts
		took[i] = d.Version + " in " + seconds(d.Took)
		table.Columns = append(table.Columns, cli.Column{Title: "after " + d.Version})
	}
	for i, m := range s.machines {
		line := "polling"
		if m.agent.Listening {
			line = "listening"
		}
		cells := []string{m.agent.Name, line, "http://" + Loopback(m.webPort)}
		for _, d := range s.Deployed {
			cells = append(cells, "served "+d.Pages[i].Release)
		}
		table.Add(cells...)
	}
	out := s.Screen
	out.print("\n" + s.Screen.std.Paint(cli.Bold, "    Summary"))
	for line := range strings.Lines(table.Text(s.Screen.std)) {
		out.Say("%s", strings.TrimRight(line, "\n"))
	}
	out.Row("deployments", "%s", strings.Join(took, ", "))
	out.Row("tickets", "%d, started %d times: each once", tickets, starts)
	out.Row("time", "%s in all", seconds(out.Elapsed()))
	if keep {
		out.Row("portal", "%s", s.Site.Portal())
		out.Row("sign in", "with the API key in %s", s.Site.KeyFile())
		return
	}
	out.Row("portal", "%s until now; make demo KEEP=1 leaves all this running", s.Site.Portal())
	out.Row("sign in", "with an API key, which fairlead-server admin api-key prints")
}
