// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

// execution is one run of a script on a machine.
type execution struct {
	who       string
	ticket    contract.TicketID
	task      deploy.TaskID
	isolation string
	process   int
	from, to  time.Duration // to is its end, a power loss, or the end of the run
	finished  bool          // by itself or by a signal
	code      int
	signal    string
}

// succeeded reports whether the script ended as one that did its work.
func (e execution) succeeded() bool { return e.finished && e.code == 0 && e.signal == "" }

// during reports whether it ran at a moment.
func (e execution) during(at time.Duration) bool { return e.from <= at && at < e.to }

// executions pairs starts with ends, in the order of the starts.
func executions(r history.Run) (all []execution) {
	end := func(e history.Event, ends func(execution) bool, finished bool) {
		for i := len(all) - 1; i >= 0; i-- {
			one := &all[i]
			if one.who != e.Who || one.to != r.Over || one.finished || !ends(*one) {
				continue
			}
			one.to, one.finished = e.At, finished
			if finished {
				one.code, one.signal = e.Code, e.Text
				return
			}
		}
	}
	for _, e := range r.Of(history.Started, history.Finished, history.Crashed) {
		switch {
		case e.Kind == history.Started:
			all = append(all, execution{
				who: e.Who, ticket: e.Ticket, task: e.Task, isolation: e.Text, process: e.N, from: e.At, to: r.Over,
			})
		case e.Kind == history.Finished:
			end(e, func(one execution) bool { return one.ticket == e.Ticket && one.process == e.N }, true)
		case wentDown(e):
			end(e, func(execution) bool { return true }, false)
		}
	}
	return all
}

// wentDown reports whether all that ran on a machine ended with it.
func wentDown(e history.Event) bool {
	return e.Kind == history.Crashed && (e.Text == powerWord || e.Text == rebootWord || e.Text == rollbackWord)
}

// What a crash is of.
const (
	powerWord    = "power"
	rebootWord   = "reboot"   // by a script: all that was written stays
	rollbackWord = "rollback" // to a snapshot: what came since is gone
	shimWord     = "shim"
	agentWord    = "agent"
	serverWord   = "server"
)
