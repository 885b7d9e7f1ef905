// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"

	"fairlead/internal/cli"
	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/scenario"
)

func list() cli.Command {
	return cli.Command{
		Name: "list", Summary: "list the scenarios by name",
		Details:  "Curated scenarios describe sites and troubles that are known; regressions once violated a statement.",
		Examples: []string{"fairlead-sim list", "fairlead-sim run dmz-https-only"},
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			all, err := scenario.All()
			if err != nil {
				return err
			}
			type row struct {
				Name       string `json:"name"`
				Agents     int    `json:"agents"`
				Title      string `json:"title"`
				Story      string `json:"story"`
				Regression bool   `json:"regression"`
			}
			var rows []row
			t := cli.Table{Columns: []cli.Column{
				{Title: "NAME", Keep: true}, {Title: "AGENTS", Right: true}, {Title: "WHAT IT SHOWS"},
			}}
			for _, s := range all {
				rows = append(rows, row{s.Name, s.Plan.Machines(), s.Plan.Name, s.Plan.Story, s.Regression})
				t.Add(s.Name, number(s.Plan.Machines()), s.Plan.Story)
			}
			return std.Show(rows, t.Text(std))
		},
	}
}

func presets() cli.Command {
	return cli.Command{
		Name: "presets", Summary: "list the boxes whose numbers are known, with their source",
		Details: "A box or program in a plan takes the numbers of a preset by its name: preset = \"aws-natgw\". What the " +
			"plan says beside it wins.",
		Examples: []string{"fairlead-sim presets"},
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			var rows []map[string]string
			t := cli.Table{Columns: []cli.Column{
				{Title: "PRESET", Keep: true},
				{Title: "KIND", Keep: true},
				{Title: "IDLE", Right: true, Keep: true},
				{Title: "THEN"},
				{Title: "SOURCE"},
			}}
			for _, name := range netem.Presets() {
				p, _ := netem.FindPreset(name)
				idle := "none"
				if p.Idle > 0 {
					idle = plan.Duration(p.Idle).String()
				}
				rows = append(rows, map[string]string{
					"name": name, "kind": string(p.Kind), "idle": idle, "then": p.Expiry.String(), "source": p.Source,
				})
				t.Add(name, string(p.Kind), idle, p.Expiry.String(), p.Source)
			}
			return std.Show(rows, t.Text(std))
		},
	}
}

func faults() cli.Command {
	return cli.Command{
		Name: "faults", Summary: "list what can go wrong in a plan",
		Examples: []string{"fairlead-sim faults"},
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			kinds := plan.Kinds()
			var rows []map[string]string
			t := cli.Table{Columns: []cli.Column{
				{Title: "KIND", Keep: true}, {Title: "ON", Keep: true}, {Title: "WHAT HAPPENS"},
			}}
			for _, name := range plan.KindNames() {
				k := kinds[name]
				rows = append(rows, map[string]string{"kind": name, "on": string(k.On), "about": k.About})
				t.Add(name, string(k.On), k.About)
			}
			return std.Show(rows, t.Text(std))
		},
	}
}

func statements() cli.Command {
	return cli.Command{
		Name: "statements", Summary: "list what runs are judged by, and what a campaign should meet",
		Examples: []string{"fairlead-sim statements"},
		Run: func(_ context.Context, std *cli.IO, _ []string) error {
			var rows []map[string]string
			t := cli.Table{Columns: []cli.Column{{Title: "STATEMENT OR GOAL", Keep: true}, {Title: "WHAT IT SAYS"}}}
			add := func(sort, name, says string) {
				rows = append(rows, map[string]string{"sort": sort, "name": name, "says": says})
				t.Add(name, says)
			}
			for _, s := range check.All() {
				add("statement", s.ID, s.Says)
			}
			for _, g := range check.AllGoals() {
				add("goal", g.Name, g.Says)
			}
			return std.Show(rows, t.Text(std))
		},
	}
}
