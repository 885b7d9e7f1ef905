// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

// scriptMutants harm what an agent and its shims do with a ticket.
var scriptMutants = []Mutant{
	{
		Name: "start-again", Caught: []string{"S4", "S5", "S6"}, Plan: "cut",
		Story: "after a lost session the order is sent anew, and the agent starts it without looking up the ticket",
		Edits: []Edit{
			{
				"server/engine/carry.go",
				`	if status.State == contract.Unknown {`,
				`	if status.State == contract.Unknown || active.Is("start-again") && status.State != contract.Finished {`,
			},
			{
				"agent/script/service.go",
				`	if t := s.tickets[o.Ticket]; t != nil {
		return t, false, nil
	}`,
				`	if t := s.tickets[o.Ticket]; t != nil {
		if !active.Is("start-again") || t.verdict != nil {
			return t, false, nil
		}
		s.queue.leave(o.Ticket, s.env.Wall())
	}`,
			},
			{
				"agent/script/journal.go",
				`	err := os.Mkdir(string(f), 0o700)`,
				`	if active.Is("start-again") {
		_ = os.RemoveAll(string(f))
	}
	err := os.Mkdir(string(f), 0o700)`,
			},
		},
	},
	{
		Name: "claim-rename", Caught: []string{"S4", "S8"}, Plan: "scripts",
		Story: "a ticket is claimed by rename in the place of link, so that of two shims both win",
		Edits: []Edit{
			{
				"agent/script/claim.go",
				`	err = os.Link(temp, f.path("claim"))`,
				`	if active.Is("claim-rename") {
		err = os.Rename(temp, f.path("claim"))
	} else {
		err = os.Link(temp, f.path("claim"))
	}`,
			},
			// The one that waits for the lock must not see that the other has won.
			{
				"agent/script/shim.go",
				`		if ctx.Err() != nil || s.dir.cancel() != nil || s.dir.has("claim") {`,
				`		if ctx.Err() != nil || s.dir.cancel() != nil || !active.Is("claim-rename") && s.dir.has("claim") {`,
			},
			// Two shims at once do no harm while one of them wins.
			{
				"agent/script/life.go",
				`		return []output{launch{}}, nil`,
				`		if active.Is("claim-rename") {
			return []output{launch{}, launch{}}, nil
		}
		return []output{launch{}}, nil`,
			},
		},
	},
	{
		Name: "ack-before-sync", Caught: []string{"S4", "S6"}, Plan: "power",
		Story: "an order is acknowledged before its intent is durable, and a power cut makes the agent forget that it ran",
		Edits: []Edit{
			{
				"agent/script/journal.go",
				`		err = f.replace(disk, name, raw)`,
				`		if active.Is("ack-before-sync") {
			err = os.WriteFile(f.path(name), raw, 0o600)
		} else {
			err = f.replace(disk, name, raw)
		}`,
			},
			{
				"agent/script/journal.go",
				`		err = disk.SyncFolder(filepath.Dir(string(f)))`,
				`		if !active.Is("ack-before-sync") {
			err = disk.SyncFolder(filepath.Dir(string(f)))
		}`,
			},
		},
	},
	{
		Name: "exit-not-synced", Caught: []string{"S6"}, Plan: "dark-end",
		Story: "the exit record is written and not synced",
		Edits: []Edit{{
			"agent/script/claim.go",
			`	err := disk.Sync(file)`,
			`	var err error
	if !active.Is("exit-not-synced") {
		err = disk.Sync(file)
	}`,
		}},
	},
	{
		Name: "success-for-dead-shim", Caught: []string{"S5"}, Plan: "shim",
		Story: "a script whose shim has died is said to have succeeded",
		Edits: []Edit{{
			"agent/script/ticket.go",
			`	err = t.dir.replace(t.s.env.Disk, "verdict", encode(v))`,
			`	if active.Is("success-for-dead-shim") {
		v.Outcome = contract.Succeeded
	}
	err = t.dir.replace(t.s.env.Disk, "verdict", encode(v))`,
		}},
	},
	{
		Name: "exit-code-ignored", Caught: []string{"S5"}, Plan: "scripts",
		Story: "a script that fails with a code is said to have succeeded",
		Edits: []Edit{{
			"agent/script/supervise.go",
			`	case exit.Code != 0:`,
			`	case exit.Code != 0 && !active.Is("exit-code-ignored"):`,
		}},
	},
	{
		Name: "isolation-early", Caught: []string{"S8"}, Plan: "scripts",
		Story: "the isolation lock is given back before the script runs",
		Edits: []Edit{
			{
				"agent/script/shim.go",
				`	defer locks.release()`,
				`	defer locks.release()
	if active.Is("isolation-early") {
		locks.release()
	}`,
			},
			{
				"agent/script/isolate.go",
				`	if k := slices.IndexFunc(q.holders, excluded); k >= 0 {`,
				`	if k := slices.IndexFunc(q.holders, excluded); k >= 0 && !active.Is("isolation-early") {`,
			},
		},
	},
	{
		Name: "cancel-spares-group", Caught: []string{"L5"}, Plan: "cancel",
		Story: "a canceled script's process group is asked to end and never killed",
		Edits: []Edit{{
			"agent/script/supervise.go",
			`	err := v.process.signal(host.Kill)`,
			`	var err error
	if !active.Is("cancel-spares-group") {
		err = v.process.signal(host.Kill)
	}`,
		}},
	},
	{
		Name: "log-skips", Caught: []string{"S7"}, Plan: "cut",
		Story: "whoever follows a log from a place in its middle misses what lies there",
		Edits: []Edit{{
			"agent/script/follow.go",
			`	f.log.offset = offset // run reads it again`,
			`	if !active.Is("log-skips") {
		f.log.offset = offset // run reads it again
	}`,
		}},
	},
}
