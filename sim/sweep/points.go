// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sweep

// Points lists the names of all crash points of server, agent, shim and package step, sorted.
func Points() []string {
	return []string{
		"engine.artifact.asked",
		"engine.artifact.fetched",
		"engine.decisions.committed",
		"engine.restart.awaited",
		"engine.task.ended",
		"engine.task.logged",
		"engine.ticket.logged",
		"engine.ticket.sending",
		"engine.ticket.sent",
		"engine.ticket.settled",
		"engine.tickets.committed",
		"script.cancel",
		"script.claimed",
		"script.ended",
		"script.exec",
		"script.exit",
		"script.fenced",
		"script.finished",
		"script.forgotten",
		"script.intent",
		"script.launch",
		"script.launched",
		"script.locked",
		"script.log",
		"script.result",
		"script.running",
		"script.shim",
		"script.term",
		"step.copied",
		"step.deployed",
		"step.partial",
		"step.purged",
		"step.retain",
		"step.retired",
		"step.switch",
		"step.switched",
		"step.undone",
		"step.unpacked",
		"store.commit",
		"store.committed",
		"store.opened",
	}
}

// Gaps are points that no workload can reach yet, and why. They are told and fail no sweep.
func Gaps() map[string]string {
	const away = "the folder is an absolute path of the machine, and the disk of a simulated one moves when its power goes"
	return map[string]string{"step.copied": away, "step.purged": away}
}
