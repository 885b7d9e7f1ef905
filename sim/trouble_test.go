// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/netem"
)

// The bounds are those of the configuration: back-off up to 60 s, dial and handshake, one ping.
const backOnLine = 90 * time.Second

// expectOnce checks that a script ran to its end once on every machine.
func (s *site) expectOnce(t task, marks ...string) {
	s.t.Helper()
	var log string
	s.call("GET", "/api/tasks/"+t.ID+"/raw", nil, &log)
	if t.State != "Success" {
		s.t.Errorf("%s: %s %s\n%s", t.ID, t.State, t.ErrorMessage, log)
	}
	for _, mark := range marks {
		if n := strings.Count(log, mark); n != len(s.agents) {
			s.t.Errorf("%s: %q is %d times in the log, want %d\n%s", t.ID, mark, n, len(s.agents), log)
		}
	}
}

// TestAServerThatDiesUnderAScriptLosesNothing: its kernel resets the lines, its process comes back
// 30 s later on the same home, and the script is neither lost nor run twice.
func TestAServerThatDiesUnderAScriptLosesNothing(t *testing.T) {
	tellTwice(t, 11, 5, func(s *site) {
		s.startServer()
		s.startAgents()
		running := s.script("echo started-1\nsleep 120\necho ended-1")
		time.Sleep(20 * time.Second)
		s.hq.Kill()
		s.stopServer()
		time.Sleep(30 * time.Second)
		s.resumeServer()
		s.t.Logf("all on line %v after the restart", s.allOnline(backOnLine))
		s.expectOnce(s.await(running), "started-1", "ended-1")
	})
}

// TestAServerWithoutPowerIsFoundAgain: no RST reaches anybody.
func TestAServerWithoutPowerIsFoundAgain(t *testing.T) {
	tellTwice(t, 12, 5, func(s *site) {
		s.startServer()
		s.startAgents()
		running := s.script("echo started-1\nsleep 120\necho ended-1")
		time.Sleep(20 * time.Second)
		boot := s.world.Inject(netem.Off{Host: s.hq})
		s.stopServer()
		time.Sleep(2 * time.Minute)
		boot()
		s.resumeServer()
		s.t.Logf("all on line %v after the restart", s.allOnline(backOnLine))
		s.expectOnce(s.await(running), "started-1", "ended-1")
	})
}

// TestANATThatForgetsEverythingIsNoticedByBothEnds: the agents' packets go into the void, the
// server's as well.
func TestANATThatForgetsEverythingIsNoticedByBothEnds(t *testing.T) {
	tellTwice(t, 13, 5, func(s *site) {
		s.startServer()
		s.startAgents()
		running := s.script("echo started-1\nsleep 120\necho ended-1")
		time.Sleep(20 * time.Second)
		s.world.Do(s.nat.Flush)
		lost := time.Now()
		for s.online() == len(s.agents) && time.Since(lost) < 5*time.Minute {
			time.Sleep(250 * time.Millisecond)
		}
		s.t.Logf("the server noticed the first dead line after %v", time.Since(lost))
		time.Sleep(backOnLine)
		s.t.Logf("all on line again: %v", s.allOnline(backOnLine))
		s.expectOnce(s.await(running), "started-1", "ended-1")
	})
}

// TestALossyPathOnlyCostsTime: every tenth packet is lost, each direction.
func TestALossyPathOnlyCostsTime(t *testing.T) {
	tellTwice(t, 14, 5, func(s *site) {
		s.startServer()
		s.startAgents()
		s.world.Inject(netem.Degrade{Edge: s.ward, Loss: 0.1, Extra: netem.Dist{Tail: 40 * time.Millisecond}})
		for n := range 10 {
			mark := "lossy-" + strconv.Itoa(n)
			s.expectOnce(s.await(s.script("echo "+mark+"-a\nsleep 5\necho "+mark+"-b")), mark+"-a", mark+"-b")
		}
	})
}

// TestAFleetComesBackTogether: 40 agents lose their server at one moment, and their clocks drift.
func TestAFleetComesBackTogether(t *testing.T) {
	tellTwice(t, 15, 40, func(s *site) {
		s.startServer()
		for i, m := range s.agents {
			m.Shift(time.Duration(i-20) * 5 * time.Second)
		}
		s.startAgents()
		s.hq.Kill()
		s.stopServer()
		time.Sleep(5 * time.Second)
		before := s.world.Counts().Dials
		s.resumeServer()
		took := s.allOnline(backOnLine)
		s.t.Logf("all on line %v after the restart, %d dials", took, s.world.Counts().Dials-before)
		s.expectOnce(s.await(s.script("echo after-storm")), "after-storm")
	})
}

// TestAnIdleFleetIsCheap measures; FAIRLEAD_SIM_AGENTS says how many agents, none without it.
func TestAnIdleFleetIsCheap(t *testing.T) {
	agents, _ := strconv.Atoi(os.Getenv("FAIRLEAD_SIM_AGENTS"))
	if agents == 0 {
		t.Skip("FAIRLEAD_SIM_AGENTS is not set: nothing to measure")
	}
	idle, restore := quietRuntime()
	defer restore()
	runStory(t, 1, agents, idle, func(s *site) {
		s.startServer()
		s.startAgents()
		runtime.GC()
		for range 3 {
			real, virtual, events := wallClock(), time.Now(), s.world.Counts().Events
			time.Sleep(time.Hour)
			spent := wallClock().Sub(real)
			hours := time.Since(virtual).Hours() * float64(agents)
			s.t.Logf("%d agents: %v for an hour, %.0f agent-hours per minute, %d events", agents, spent,
				hours/spent.Minutes(), s.world.Counts().Events-events)
		}
	})
}
