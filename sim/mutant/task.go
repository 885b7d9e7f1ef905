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
				`	offset := c.intake().end`,
				`	offset := c.intake().end
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
	return witness{`,
				`	s := p.newest()
	if active.Is("wrong-session") {
		if f.asked == nil {
			f.asked = s
		}
		s, f.asked = f.asked, s
	}
	return witness{`,
			},
		},
	},
	{
		Name: "cancel-lost", Caught: []string{"L5"}, Plan: "cancel",
		Story: "the server grants a cancel and never tells the agent",
		Edits: []Edit{{
			"server/engine/cancel.go",
			`		err := t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, c.by)
		if err == nil {
			return
		}`,
			`		if active.Is("cancel-lost") {
			return
		}
		err := t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, c.by)
		if err == nil {
			return
		}`,
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
	{
		Name: "task-goes-back", Caught: []string{"S13"}, Plan: "cancel",
		Story: "a server that starts again takes tasks that are being canceled for ones that run",
		Edits: []Edit{{
			"server/tasks/queue.go",
			`			if err := q.claim(w, &task); err != nil {
				return err
			}
			adopted =`,
			`			if active.Is("task-goes-back") && task.State == deploy.TaskCancelling {
				task.State = deploy.TaskExecuting
			}
			if err := q.claim(w, &task); err != nil {
				return err
			}
			adopted =`,
		}},
	},
	{
		Name: "machines-one-by-one", Caught: []string{"L7"}, Plan: "cut",
		Story: "a step goes to its next machine when the one before has ended",
		Edits: []Edit{{
			"server/engine/worker.go",
			`			w.rouse()
		})`,
			`			w.rouse()
		})
		if active.Is("machines-one-by-one") {
			w.group.Wait()
		}`,
		}},
	},
	{
		Name: "key-logged", Caught: []string{"S11"}, Plan: "scripts",
		Story: "the server writes API keys into its log",
		Edits: []Edit{{
			"server/api/guard.go",
			`		p, err := a.Directory.ByKey(c.ctx(), sourceOf(c.r), key)`,
			`		p, err := a.Directory.ByKey(c.ctx(), sourceOf(c.r), key)
		if active.Is("key-logged") {
			a.Log.Info("request", "key", key)
		}`,
		}},
	},
	{
		Name: "absence-forgotten", Caught: []string{"S22"}, Plan: "away",
		Story: "a server that starts anew counts from then on for how long a machine has been away",
		Edits: []Edit{{
			"server/engine/absence.go",
			`	if c.restarts() || c.ticket.AwaySince.IsZero() {
`,
			`	if c.restarts() || c.ticket.AwaySince.IsZero() || active.Is("absence-forgotten") {
`,
		}},
	},
}
