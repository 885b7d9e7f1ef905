// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/demo"
)

const (
	// linesEach is how many numbered lines each script prints, over about 4 s.
	linesEach = 40
	// minKills is how often each test kills before the last scripts may end, maxKills before it lets the task end.
	minKills = 5
	maxKills = 20
	// killPause is the longest time between two kills.
	killPause = 900 * time.Millisecond
)

// voyage is a deployment of two slow steps to two machines, during which programs are killed.
type voyage struct {
	site *demo.Site
	task string

	follow sync.WaitGroup
	live   []demo.LogLine // as followed while the programs were killed
	ended  demo.Task
	err    error
}

func (v *voyage) starts() string { return filepath.Join(v.site.Dir, "starts") }
func (v *voyage) enough() string { return filepath.Join(v.site.Dir, "enough") }

// script notes its start, prints numbered lines slowly, and in the second step waits for the killing to be over.
func (v *voyage) script(step int) string {
	text := fmt.Sprintf(`echo "$(get_octopusvariable Fairlead.Ticket)" >>'%s'
for n in $(seq %d); do echo "line $n"; sleep 0.1; done
`, v.starts(), linesEach)
	if step == 2 {
		text += fmt.Sprintf("for n in $(seq 600); do [ ! -e '%s' ] || break; sleep 0.1; done\n", v.enough())
	}
	return text + "echo done\n"
}

func setSail(t *testing.T, site *demo.Site) *voyage {
	t.Helper()
	v := &voyage{site: site}
	steps := []demo.Step{
		{Name: "First", Tag: tag, Script: v.script(1)},
		{Name: "Second", Tag: tag, Script: v.script(2)},
	}
	must(t, site.REST.CreateProject(t.Context(), "Voyage", steps, nil))
	must(t, site.REST.CreateRelease(t.Context(), "Voyage", "1.0.0"))
	task, err := site.REST.Deploy(t.Context(), "Voyage", "1.0.0", environment)
	must(t, err)
	v.task = task
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	v.follow.Go(func() {
		v.ended, v.err = site.REST.Follow(ctx, task, func(l demo.LogLine) error {
			v.live = append(v.live, l)
			return nil
		})
	})
	t.Cleanup(func() {
		cancel()
		v.follow.Wait()
	})
	return v
}

// plague kills at random points, minKills times before the scripts may end and then until the task has ended.
func (v *voyage) plague(t *testing.T, kill func()) {
	t.Helper()
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		v.follow.Wait()
		close(done)
	})
	awaitWords(t, v.starts(), 1)
	kills := 0
	for {
		timer := time.NewTimer(rand.N(killPause))
		select {
		case <-timer.C:
			kill()
			if kills++; kills == minKills {
				must(t, os.WriteFile(v.enough(), nil, 0o600))
			}
			if kills < maxKills {
				continue
			}
			<-done
		case <-done:
			timer.Stop()
		}
		break
	}
	watch.Wait()
	if kills < minKills {
		t.Errorf("the task ended after %d kills, want %d at least", kills, minKills)
	}
	t.Logf("%d kills, the task took %s", kills, v.ended.CompletedTime.Sub(v.ended.StartTime))
}

// arrive checks that the deployment ended as if nothing had happened.
func (v *voyage) arrive(t *testing.T) {
	t.Helper()
	must(t, v.err)
	if v.ended.State != "Success" {
		t.Errorf("the task ended with %s: %s", v.ended.State, v.ended.ErrorMessage)
	}
	starts := words(t, v.starts())
	if once := slices.Compact(slices.Sorted(slices.Values(starts))); len(starts) != 4 || len(once) != 4 {
		t.Errorf("%d starts of %d tickets, want 4 of 4: two steps on two machines", len(starts), len(once))
	}
	activities, err := v.site.REST.Activities(t.Context(), v.task)
	must(t, err)
	want := []demo.Activity{
		{Step: "Step 1: First", Machine: "web-1", Status: "Success"},
		{Step: "Step 1: First", Machine: "web-2", Status: "Success"},
		{Step: "Step 2: Second", Machine: "web-1", Status: "Success"},
		{Step: "Step 2: Second", Machine: "web-2", Status: "Success"},
	}
	if diff := cmp.Diff(want, activities); diff != "" {
		t.Errorf("activities (-want +got):\n%s", diff)
	}
	var stored []demo.LogLine
	_, err = v.site.REST.Follow(t.Context(), v.task, func(l demo.LogLine) error {
		stored = append(stored, l)
		return nil
	})
	must(t, err)
	if diff := cmp.Diff(stored, v.live); diff != "" {
		t.Errorf("the log as followed differs from the stored one (-stored +followed):\n%s", diff)
	}
	v.checkLog(t, stored)
}

// checkLog checks that the log holds every line of every script once and in order, and the steps one after the other.
func (v *voyage) checkLog(t *testing.T, log []demo.LogLine) {
	t.Helper()
	whole := make([]string, linesEach, linesEach+1)
	for n := range linesEach {
		whole[n] = "line " + strconv.Itoa(n+1)
	}
	whole = append(whole, "done")
	printed := map[string][]string{}
	secondBegan := false
	for i, l := range log {
		if l.Number != int64(i+1) {
			t.Fatalf("line %d of the log has the number %d", i+1, l.Number)
		}
		if !strings.Contains(l.Node, "/") || !slices.Contains(whole, l.Text) {
			continue
		}
		printed[l.Node] = append(printed[l.Node], l.Text)
		isFirst := strings.HasPrefix(l.Node, "1/")
		secondBegan = secondBegan || !isFirst
		if isFirst && secondBegan {
			t.Errorf("%q of %s came after the second step had begun", l.Text, l.Node)
		}
	}
	if len(printed) != 4 {
		t.Errorf("%d scripts printed, want 4: %v", len(printed), slices.Sorted(maps.Keys(printed)))
	}
	for node, lines := range printed {
		if diff := cmp.Diff(whole, lines); diff != "" {
			t.Errorf("what %s printed (-want +got):\n%s", node, diff)
		}
	}
}

func TestKillServer(t *testing.T) {
	t.Parallel()
	site, _, _ := startSite(t)
	v := setSail(t, site)
	v.plague(t, func() {
		site.KillServer()
		must(t, site.StartServer(t.Context()))
	})
	v.arrive(t)
}

func TestKillAgents(t *testing.T) {
	t.Parallel()
	site, polling, listening := startSite(t)
	v := setSail(t, site)
	v.plague(t, func() {
		for _, a := range []*demo.Agent{polling, listening} {
			site.KillAgent(a)
			must(t, site.StartAgent(a))
		}
	})
	v.arrive(t)
}

func TestKillServerAndAgents(t *testing.T) {
	t.Parallel()
	site, polling, listening := startSite(t)
	v := setSail(t, site)
	v.plague(t, func() {
		site.KillServer()
		site.KillAgent(polling)
		site.KillAgent(listening)
		must(t, site.StartAgent(listening))
		must(t, site.StartServer(t.Context()))
		must(t, site.StartAgent(polling))
	})
	v.arrive(t)
}
