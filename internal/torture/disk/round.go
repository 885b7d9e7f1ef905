// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"fairlead/internal/demo"
)

const (
	// recoverLimit is how long after the disk is sound again a script must have run to its end.
	// Source: security.md 4, G9.
	recoverLimit = 30 * time.Second
	// harmFor is how long a disk stays full or broken.
	harmFor  = 1500 * time.Millisecond
	jobEvery = 250 * time.Millisecond
	askLimit = 5 * time.Second
	tendWait = 300 * time.Millisecond
	// maxEnds is how often a program may end by itself once the disk is sound again: what it had met before,
	// and once more when it was started just then. While the disk is bad each start may end.
	maxEnds = 2
	nap     = "0.2" // seconds, of a script
)

// trial is one run's rounds. It belongs to one goroutine.
type trial struct {
	*site
	options
	dice  *rand.Rand
	out   io.Writer
	began time.Time

	next     int
	acked    []string // tasks that the server said it had taken
	breaches []string
	writes   map[*program]int // of one script
	syncs    map[*program]int
}

func (t *trial) breach(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.breaches = append(t.breaches, text)
	fmt.Fprintln(t.out, "BROKEN", text)
}

// carryOut runs the rounds, each kind in its turn.
func (t *trial) carryOut(ctx context.Context) error {
	fmt.Fprintf(t.out, "%d rounds, seed %d\n", t.rounds, t.seed)
	if err := t.measure(ctx); err != nil {
		return err
	}
	kinds := []func(context.Context) (string, time.Duration, error){t.filled}
	if t.hasFUSE {
		kinds = []func(context.Context) (string, time.Duration, error){
			func(ctx context.Context) (string, time.Duration, error) { return t.full(ctx, t.server) },
			func(ctx context.Context) (string, time.Duration, error) { return t.full(ctx, t.agent) },
			func(ctx context.Context) (string, time.Duration, error) { return t.broken(ctx, t.server) },
			func(ctx context.Context) (string, time.Duration, error) { return t.broken(ctx, t.agent) },
			func(ctx context.Context) (string, time.Duration, error) { return t.powerCut(ctx, t.server) },
			func(ctx context.Context) (string, time.Duration, error) { return t.powerCut(ctx, t.agent) },
			t.filled,
		}
	}
	for n := range t.rounds {
		if t.budget > 0 && time.Since(t.began) > t.budget {
			fmt.Fprintf(t.out, "%d of %d rounds in %v\n", n, t.rounds, t.budget)
			break
		}
		if err := t.round(ctx, n, kinds[n%len(kinds)]); err != nil {
			return err
		}
	}
	return nil
}

// round harms the programs once and holds them to their recovery.
func (t *trial) round(ctx context.Context, n int, harm func(context.Context) (string, time.Duration, error)) error {
	t.server.ends, t.agent.ends = 0, 0
	t.server.sickEnds, t.agent.sickEnds = 0, 0
	what, took, err := harm(ctx)
	if err != nil {
		return fmt.Errorf("round %d (%s): %w", n+1, what, err)
	}
	fmt.Fprintf(t.out, "%4.0f s  round %-3d %-38s back after %6v  ends: server %d, agent %d\n",
		time.Since(t.began).Seconds(), n+1, what, took.Round(10*time.Millisecond), t.server.ends, t.agent.ends)
	for _, p := range []*program{t.server, t.agent} {
		if late := p.ends - p.sickEnds; late > maxEnds {
			t.breach("round %d (%s): the %s ended %d times on a sound disk in %v", n+1, what, p.name, late, took)
		}
	}
	return nil
}

// measure counts what one script costs each disk.
func (t *trial) measure(ctx context.Context) error {
	t.writes, t.syncs = map[*program]int{}, map[*program]int{}
	if _, err := t.recovered(ctx); err != nil || !t.hasFUSE {
		return err
	}
	before := map[*program][2]int{}
	for _, p := range []*program{t.server, t.agent} {
		w, s, err := p.disk.count()
		if err != nil {
			return err
		}
		before[p] = [2]int{w, s}
	}
	if _, err := t.recovered(ctx); err != nil {
		return err
	}
	for _, p := range []*program{t.server, t.agent} {
		w, s, err := p.disk.count()
		if err != nil {
			return err
		}
		t.writes[p], t.syncs[p] = max(1, w-before[p][0]), max(1, s-before[p][1])
		fmt.Fprintf(t.out, "a script costs the %s %d writes and %d syncs\n", p.name, t.writes[p], t.syncs[p])
	}
	return nil
}

// job queues one script and notes whether it was taken. What the server answers is its own affair.
func (t *trial) job(ctx context.Context, nap string) (task string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	t.next++
	body := fmt.Sprintf(`t=${PWD%%/work}; t=${t##*/}
printf 's %%s\n' "$t" >> '%[1]s'
for i in 1 2 3 4 5 6 7 8; do echo "line $i of $t"; done
sleep %[2]s
printf 'e %%s 0\n' "$t" >> '%[1]s'
`, t.effects, nap)
	var reply struct{ Id string }
	err = t.demo.REST.Post(ctx, "/api/tasks", map[string]any{
		"Name": "AdHocScript", "Description": fmt.Sprintf("job %d", t.next),
		"Arguments": map[string]any{
			"ScriptBody": body, "Syntax": "Bash", "MachineNames": []string{machine}, "Isolation": "none",
		},
	}, &reply)
	if err == nil {
		t.acked = append(t.acked, reply.Id)
	}
	return reply.Id, err
}

// harmed queues scripts for a while and starts again what ends.
func (t *trial) harmed(ctx context.Context) error {
	for end := time.Now().Add(harmFor); time.Now().Before(end) && ctx.Err() == nil; wait(ctx, jobEvery) {
		_, _ = t.job(ctx, nap)
		if err := t.tend(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// tend is the service manager's part.
func (t *trial) tend(ctx context.Context) error {
	for _, p := range []*program{t.server, t.agent} {
		if ended, _ := p.process.Ended(); ended {
			wait(ctx, tendWait)
		}
		if err := p.tend(); err != nil {
			return err
		}
	}
	return nil
}

// recovered waits until a new script has run to its end, and says how long that took.
func (t *trial) recovered(ctx context.Context) (took time.Duration, err error) {
	for _, p := range []*program{t.server, t.agent} {
		p.sickEnds = p.ends
	}
	began, task, last := time.Now(), "", error(nil)
	err = demo.Await(ctx, recoverLimit, "a script that succeeds", func(ctx context.Context) (bool, error) {
		if err := t.tend(ctx); err != nil {
			return false, err
		}
		if task == "" {
			if task, last = t.job(ctx, "0"); last != nil {
				task = ""
				wait(ctx, jobEvery)
			}
			return false, nil
		}
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		said, err := t.demo.REST.Task(ctx, task)
		if err != nil || !said.IsCompleted {
			return false, nil
		}
		if said.State != "Success" {
			task, last = "", errors.New(said.State+": "+said.ErrorMessage)
			return false, nil
		}
		return true, nil
	})
	if err != nil && ctx.Err() == nil {
		t.breach("no script runs %v after the disk is sound again: %v (last: %v)", recoverLimit, err, last)
		return time.Since(began), t.stuck(ctx)
	}
	return time.Since(began), err
}

// stuck starts both programs anew, so that one breach does not hide others.
func (t *trial) stuck(ctx context.Context) error {
	for _, p := range []*program{t.server, t.agent} {
		_ = p.process.Stop(stopPatience)
		if err := p.start(); err != nil {
			return err
		}
	}
	wait(ctx, time.Second)
	return ctx.Err()
}

// full lets a disk have no space from one of the writes of a script on.
func (t *trial) full(ctx context.Context, p *program) (what string, took time.Duration, err error) {
	n := 1 + t.dice.IntN(2*t.writes[p])
	what = fmt.Sprintf("%s: no space from write %d on", p.name, n)
	if err = p.disk.tell("full %d", n); err == nil {
		err = t.harmed(ctx)
	}
	if err = errors.Join(err, p.disk.tell("sound")); err == nil {
		took, err = t.recovered(ctx)
	}
	return what, took, err
}

// broken lets the syncs of a disk fail from one of those of a script on. The server is to end; the
// agent is to say so, and is started again on the disk that was mended.
func (t *trial) broken(ctx context.Context, p *program) (what string, took time.Duration, err error) {
	n := 1 + t.dice.IntN(2*t.syncs[p])
	what = fmt.Sprintf("%s: EIO from sync %d on", p.name, n)
	_, before, err := p.disk.count()
	if err == nil {
		err = p.disk.tell("eio %d", n)
	}
	if err == nil {
		err = t.harmed(ctx)
	}
	_, after, counted := p.disk.count()
	isHit := after-before >= n
	if err == nil && counted == nil && isHit {
		t.told(ctx, p, what)
	}
	if err = errors.Join(err, counted, p.disk.tell("sound")); err != nil {
		return what, 0, err
	}
	if p == t.agent {
		if err := errors.Join(p.process.Stop(stopPatience), p.start()); err != nil {
			return what, 0, err
		}
	}
	took, err = t.recovered(ctx)
	return what, took, err
}

// told checks that a program whose disk failed says so: the server by its end, the agent as a machine
// that is unhealthy.
func (t *trial) told(ctx context.Context, p *program, what string) {
	if p == t.server {
		err := demo.Await(ctx, askLimit, "the server to end", func(ctx context.Context) (bool, error) {
			ended, _ := p.process.Ended()
			if !ended && p.ends == 0 {
				_, _ = t.job(ctx, "0") // the sync that failed may have been one that is tried again: a commit is not
				wait(ctx, jobEvery)
			}
			return ended || p.ends > 0, nil
		})
		if err != nil && ctx.Err() == nil {
			t.breach("%s: %v", what, err)
		}
		return
	}
	err := demo.Await(ctx, askLimit, "the machine to be unhealthy", func(ctx context.Context) (bool, error) {
		_, _ = t.job(ctx, "0") // a sync of the shim's may have been the first: the agent's comes now
		m, err := t.demo.REST.Machine(ctx, machine)
		wait(ctx, jobEvery)
		return err == nil && m.HealthStatus == "Unhealthy", nil
	})
	if err != nil && ctx.Err() == nil {
		t.breach("%s: %v", what, err)
	}
}

// powerCut ends everything on a disk at once, forgets what was not synced, and starts it again.
func (t *trial) powerCut(ctx context.Context, p *program) (what string, took time.Duration, err error) {
	after := time.Duration(t.dice.Int64N(int64(harmFor)))
	what = fmt.Sprintf("%s: power cut after %v", p.name, after.Round(10*time.Millisecond))
	for end := time.Now().Add(after); time.Now().Before(end); wait(ctx, min(jobEvery/2, time.Until(end))) {
		_, _ = t.job(ctx, nap)
	}
	p.kill()
	if err = p.disk.cut(); err == nil {
		err = p.start()
	}
	if err == nil {
		took, err = t.recovered(ctx)
	}
	return what, took, err
}

// filled lets others take all the space of the server's disk, while a script runs: that one ends well,
// new ones are refused in a sentence, and what is there can be read.
func (t *trial) filled(ctx context.Context) (what string, took time.Duration, err error) {
	what = "server: disk filled by others"
	running, err := t.job(ctx, "1")
	if err != nil {
		return what, 0, err
	}
	wait(ctx, jobEvery)
	back, err := t.server.disk.fill()
	if err != nil {
		return what, 0, err
	}
	t.refused(ctx, what)
	err = demo.Await(ctx, recoverLimit, "the script that ran", func(ctx context.Context) (bool, error) {
		said, err := t.demo.REST.Task(ctx, running)
		if err == nil && said.IsCompleted && said.State != "Success" {
			t.breach("%s: a script that ran is %s: %s", what, said.State, said.ErrorMessage)
		}
		return err == nil && said.IsCompleted, nil
	})
	if err != nil && ctx.Err() == nil {
		t.breach("%s: %v", what, err)
	}
	if err := back(); err != nil {
		return what, 0, err
	}
	took, err = t.recovered(ctx)
	return what, took, err
}

func (t *trial) refused(ctx context.Context, what string) {
	_, err := t.job(ctx, "0")
	said, is := errors.AsType[*demo.StatusError](err)
	if !is || said.Status != http.StatusServiceUnavailable || !strings.Contains(said.Message, "is full") {
		t.breach("%s: new work is answered with %v, want 503 and why", what, err)
	}
	if _, err := t.demo.REST.Machine(ctx, machine); err != nil {
		t.breach("%s: what is there cannot be read: %v", what, err)
	}
	if t.server.process != nil {
		if ended, err := t.server.process.Ended(); ended {
			t.breach("%s: the server ended: %v", what, err)
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
