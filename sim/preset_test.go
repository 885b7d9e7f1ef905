// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/netem"
)

// TestIdleLinesOutliveEveryKnownBox: no line of an agent that has nothing to do is lost behind any
// of the boxes whose idle time is documented.
func TestIdleLinesOutliveEveryKnownBox(t *testing.T) {
	idle, restore := quietRuntime()
	defer restore()
	for _, name := range netem.Presets() {
		t.Run(name, func(t *testing.T) {
			spec, _ := netem.NATPreset(name, netip.MustParseAddr("203.0.113.7"))
			_, _, log := runStory(t, 21, 2, idle, func(s *site) {
				s.world.Do(func() { s.nat.Become(spec) })
				s.startServer()
				s.startAgents()
				time.Sleep(3 * time.Hour)
				s.expectOnce(s.await(s.script("echo alive")), "alive")
			})
			if n := strings.Count(log, "line is down"); n != 0 {
				t.Errorf("lines were lost %d times", n)
			}
		})
	}
}

// TestABoxThatForgetsFasterThanThePingsIsLearned: 15 s are less than any documented box has. The
// agent finds out and pings more often.
func TestABoxThatForgetsFasterThanThePingsIsLearned(t *testing.T) {
	idle, restore := quietRuntime()
	defer restore()
	_, _, log := runStory(t, 22, 2, idle, func(s *site) {
		s.world.Do(func() {
			s.nat.Become(netem.NATSpec{
				Public: netip.MustParseAddr("203.0.113.7"), Established: 12 * time.Second, Transitory: 10 * time.Second,
				Expired: netem.Silence, Mapping: netem.AddressPortDependent, Filtering: netem.AddressPortDependent,
			})
		})
		s.startServer()
		s.startAgents()
		time.Sleep(30 * time.Minute)
		s.world.Note("test", "learned")
		s.logs.mark()
		time.Sleep(3 * time.Hour)
		s.expectOnce(s.await(s.script("echo alive")), "alive")
	})
	before, after, _ := strings.Cut(log, learnedMark)
	if strings.Count(before, "line is down") == 0 {
		t.Error("no line was lost in the first half hour: the box does not bite")
	}
	if n := strings.Count(after, "line is down"); n != 0 {
		t.Errorf("lines were lost %d times after half an hour", n)
	}
}

const learnedMark = "the path is learned by now\n"

func (l *logs) mark() { _, _ = l.Write([]byte(learnedMark)) }
