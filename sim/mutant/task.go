// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

// taskMutants harm how the server carries a task out.
var taskMutants = []Mutant{
	{
		Name: "new-ticket", Caught: []string{"S4"}, Plan: "cut",
		Story: "the server forgets to ask \"do you know this ticket\" and sends the order again under a new one",
		Edits: []Edit{{
			"server/engine/carry.go",
			`	status, err := t.Status(ctx, c.ticket.ID)`,
			`	if active.Is("new-ticket") && c.ticket.StateID != "" {
		c.ticket.ID = newTicketID()
	}
	status, err := t.Status(ctx, c.ticket.ID)`,
		}},
	},
	{
		Name: "commit-late", Caught: []string{"S4"}, Plan: "crashes",
		Story: "tickets are committed with their verdicts, after they were sent",
		Edits: []Edit{
			{
				"server/engine/worker.go",
				`	err := w.update(ctx, func(s store.Writer) error {
		for _, t := range tickets {`,
				`	if active.Is("commit-late") {
		return tickets, nil
	}
	err := w.update(ctx, func(s store.Writer) error {
		for _, t := range tickets {`,
			},
			{
				"server/engine/carry.go",
				`		if err := c.worker.update(ctx, func(w store.Writer) error { return w.PutTicket(sent) }); err != nil {`,
				`		if err := c.worker.update(ctx, func(w store.Writer) error {
			if active.Is("commit-late") {
				return nil
			}
			return w.PutTicket(sent)
		}); err != nil {`,
			},
		},
	},
	{
		Name: "verdict-before-log", Caught: []string{"S7"}, Plan: "server-power",
		Story: "a verdict is settled before the log is durable",
		Edits: []Edit{{
			"server/engine/carry.go",
			`	if err := c.worker.log.Flush(); err != nil {
		return err
	}`,
			`	if !active.Is("verdict-before-log") {
		if err := c.worker.log.Flush(); err != nil {
			return err
		}
	}`,
		}},
	},
	{
		Name: "log-repeats", Caught: []string{"S7"}, Plan: "cut",
		Story: "after a lost session the log is taken from its beginning, and nobody drops what is there already",
		Edits: []Edit{
			{
				"server/engine/carry.go",
				`	offset := c.worker.log.TicketEnd(c.ticket.ID)`,
				`	offset := c.worker.log.TicketEnd(c.ticket.ID)
	if active.Is("log-repeats") {
		offset = 0
	}`,
			},
			{
				"internal/tasklog/writer.go",
				`		if l.TicketEnd > 0 && l.TicketEnd <= max(w.ends[l.Ticket], d.ends[l.Ticket]) {`,
				`		if l.TicketEnd > 0 && l.TicketEnd <= max(w.ends[l.Ticket], d.ends[l.Ticket]) && !active.Is("log-repeats") {`,
			},
		},
	},
	{
		Name: "wrong-session", Caught: []string{"S9"}, Plan: "scripts",
		Story: "a request goes to the session that was asked for before",
		Edits: []Edit{
			{
				"server/fleet/fleet.go",
				`	dialled  map[deploy.MachineID]*dialling`,
				`	dialled  map[deploy.MachineID]*dialling
	asked    *session // before`,
			},
			{
				"server/fleet/presence.go",
				`	s := p.newest()
	return target.Line{`,
				`	s := p.newest()
	if active.Is("wrong-session") {
		if f.asked == nil {
			f.asked = s
		}
		s, f.asked = f.asked, s
	}
	return target.Line{`,
			},
		},
	},
	{
		Name: "cancel-lost", Caught: []string{"L5"}, Plan: "cancel",
		Story: "the server grants a cancel and never tells the agent",
		Edits: []Edit{{
			"server/engine/carry.go",
			`		if t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, "the server") == nil {`,
			`		if active.Is("cancel-lost") || t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, "the server") == nil {`,
		}},
	},
	{
		Name: "task-not-adopted", Caught: []string{"L2"}, Plan: "crashes",
		Story: "a server that starts again leaves the tasks that ran",
		Edits: []Edit{{
			"server/engine/engine.go",
			`	for _, task := range left {
		e.log.Info(`,
			`	for _, task := range left {
		if active.Is("task-not-adopted") {
			break
		}
		e.log.Info(`,
		}},
	},
}
