// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/link"
)

// TestHushedLinesEnd: lines that are up, and lines that come, say the server's goodbye within link.HushLimit though
// nobody ends them.
func TestHushedLinesEnd(t *testing.T) {
	in(t, func(y *yard) {
		a, b := y.newAgent("run-1"), y.newAgent("run-2")
		y.machine(a, "Machines-1", "web-1")
		y.machine(b, "Machines-2", "web-2")
		changed := y.fleet.Changed("Machines-1")
		up := y.connect(a)
		<-changed
		y.fleet.Hush()
		began := time.Now()
		bye := func(ended chan error, after time.Duration) {
			closed, ok := errors.AsType[*link.CloseError](<-ended)
			if !ok || closed.Goodbye.Code != link.GoodbyeStopping || time.Since(began) != after {
				t.Errorf("a line ended with %v after %v, want the goodbye after %v", closed, time.Since(began), after)
			}
		}
		bye(y.connect(b), 0)
		bye(up, link.HushLimit)
		if len(b.asked) != 0 {
			t.Error("a machine that came to a hushed fleet was asked for its facts")
		}
	})
}

// TestWhoSaysHelloAtTheEndIsNotTurnedAway: agents hear that the server stops, not that they may not be here, and nothing
// is noted against them.
func TestWhoSaysHelloAtTheEndIsNotTurnedAway(t *testing.T) {
	in(t, func(y *yard) {
		const agents = 20 // what ends first is up to the scheduler
		var lines []chan error
		for n := range agents {
			a := y.newAgent(fmt.Sprint("run-", n))
			a.hangs.Store(true)
			y.machine(a, deploy.MachineID(fmt.Sprint("Machines-", n)), fmt.Sprint("web-", n))
			lines = append(lines, y.connect(a))
			<-a.asked
		}
		y.fleet.Hush()
		y.stop()
		for n, ended := range lines {
			err := <-ended
			closed, ok := errors.AsType[*link.CloseError](err)
			if !ok || closed.Goodbye.Code != link.GoodbyeStopping {
				t.Errorf("agent %d: %v, want the goodbye of a server that stops", n, err)
			}
			if log := y.fleet.LineLog(deploy.MachineID(fmt.Sprint("Machines-", n))); len(log) != 0 {
				t.Errorf("agent %d: noted %v", n, log)
			}
		}
	})
}
