// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/internal/demo"
	"fairlead/internal/deploy"
)

const (
	environment = "Test"
	tag         = "tortured"
	// askEvery lies between two looks at the tasks.
	askEvery = 200 * time.Millisecond
	// tellEvery lies between two lines of progress.
	tellEvery = 2 * time.Second
)

// arena is a server and its agents, each behind a relay of its own.
type arena struct {
	o      options
	site   *demo.Site
	agents []*demo.Agent
	relays []*relay
	self   string
	tools  string // folder of the programs that were built
	rng    *rand.Rand
	killed int
}

func newArena(ctx context.Context, o options) (*arena, error) {
	root, err := demo.FindRoot(".")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	tools, err := os.MkdirTemp("", "fairlead-log-programs-")
	if err != nil {
		return nil, err
	}
	programs, err := demo.FindPrograms(ctx, root, tools)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tools))
	}
	dir, err := makeFolder(o.dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tools))
	}
	a := &arena{o: o, self: self, tools: tools, rng: rand.New(rand.NewPCG(o.seed, 1<<32))}
	if a.site, err = demo.NewSite(dir, programs, new(demo.Ports)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(tools), os.RemoveAll(dir))
	}
	for i := range o.agents {
		agent, err := a.site.AddAgent(fmt.Sprintf("m-%d", i+1), false)
		if err != nil {
			return nil, errors.Join(err, a.close(ctx, false))
		}
		a.agents = append(a.agents, agent)
	}
	return a, nil
}

// makeFolder makes the folder of a run: in memory, unless told otherwise.
func makeFolder(below string) (string, error) {
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); below == "" && err == nil {
		below = memory
	}
	return os.MkdirTemp(below, "fairlead-log-")
}

func (a *arena) logs() string { return filepath.Join(a.site.ServerHome(), "logs") }

// open starts everything and waits until all agents are on line.
func (a *arena) open(ctx context.Context) error {
	if err := a.site.StartServer(ctx); err != nil {
		return err
	}
	if err := a.site.SignIn(ctx); err != nil {
		return err
	}
	if err := a.site.REST.CreateEnvironment(ctx, environment); err != nil {
		return err
	}
	for i, agent := range a.agents {
		r, err := newRelay(a.site.Link, a.o, uint64(i))
		if err != nil {
			return err
		}
		a.relays = append(a.relays, r)
		r.setCalm(true)
		if err := a.join(ctx, agent, r); err != nil {
			return err
		}
	}
	return nil
}

func (a *arena) join(ctx context.Context, agent *demo.Agent, r *relay) error {
	token, err := a.site.Token(ctx, environment, tag)
	if err != nil {
		return err
	}
	command := a.site.JoinCommand(agent, token)
	command.Args = append(command.Args, "--server", r.address())
	joined, err := demo.Run(ctx, command)
	if err == nil && joined.Code != 0 {
		err = fmt.Errorf("%s does not join: %s", agent.Name, strings.TrimSpace(joined.Err))
	}
	if err == nil {
		err = a.site.StartAgent(agent)
	}
	if err == nil {
		err = a.site.AwaitOnline(ctx, agent)
	}
	return err
}

// storm starts the scripts, disturbs until all of them have ended and all output is there.
func (a *arena) storm(ctx context.Context, stdout io.Writer) ([]*job, error) {
	jobs, err := a.start(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range a.relays {
		r.setCalm(false)
		r.cutAll()
	}
	ask, tell, kill := time.NewTicker(askEvery), time.NewTicker(tellEvery), time.NewTimer(a.nextKill())
	defer ask.Stop()
	defer tell.Stop()
	defer kill.Stop()
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("not all output came: %w", ctx.Err())
		case <-tell.C:
			fmt.Fprintf(stdout, "%4.0f s: %s\n", time.Since(began).Seconds(), a.progress(jobs))
		case <-kill.C:
			if err := a.kill(ctx); err != nil {
				return nil, err
			}
			kill.Reset(a.nextKill())
		case <-ask.C:
			if done := a.look(ctx, jobs); done == len(jobs) {
				return jobs, nil
			}
		}
	}
}

// start queues the scripts, all at once, in turn on the agents.
func (a *arena) start(ctx context.Context) (jobs []*job, err error) {
	size := int64(a.o.mebibytes) << 20 / int64(a.o.tickets)
	for i := range a.o.tickets {
		j := &job{agent: a.agents[i%len(a.agents)].Name, sums: filepath.Join(a.site.Dir, fmt.Sprintf("sums-%d", i))}
		body := fmt.Sprintf("exec '%s' -print '%s' -bytes %d -seed %d\n", a.self, j.sums, size, a.o.seed+uint64(i)*1_000_003)
		task, err := a.site.REST.RunScript(ctx, fmt.Sprint("output ", i), body, j.agent)
		if err != nil {
			return nil, err
		}
		j.task = deploy.TaskID(task)
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// look asks for tasks that have not ended. The server may be away.
func (a *arena) look(ctx context.Context, jobs []*job) (done int) {
	for _, j := range jobs {
		if !j.isDone {
			if task, err := a.site.REST.Task(ctx, string(j.task)); err == nil {
				j.isDone, j.state, j.why = task.IsCompleted, task.State, task.ErrorMessage
			}
		}
		if j.isDone {
			done++
		}
	}
	return done
}

func (a *arena) nextKill() time.Duration {
	if a.killed >= a.o.kills {
		return a.o.patience
	}
	return time.Second + time.Duration(a.rng.Int64N(int64(5*time.Second)))
}

// kill ends the server, or an agent, as kill -9 does, and starts it again.
func (a *arena) kill(ctx context.Context) error {
	if a.killed >= a.o.kills {
		return nil
	}
	a.killed++
	if a.rng.IntN(2) == 0 {
		a.site.KillServer()
		return a.site.StartServer(ctx)
	}
	agent := a.agents[a.rng.IntN(len(a.agents))]
	a.site.KillAgent(agent)
	return a.site.StartAgent(agent)
}

func (a *arena) counts() (carried, cuts int64) {
	for _, r := range a.relays {
		carried, cuts = carried+r.carried.Load(), cuts+r.cuts.Load()
	}
	return carried, cuts
}

func (a *arena) progress(jobs []*job) string {
	carried, cuts := a.counts()
	done := 0
	for _, j := range jobs {
		if j.isDone {
			done++
		}
	}
	const text = "%d of %d scripts done, %d MB carried, %d cuts, %d kills"
	return fmt.Sprintf(text, done, len(jobs), carried/1e6, cuts, a.killed)
}

func (a *arena) print(stdout io.Writer, all tally, took time.Duration) {
	carried, cuts := a.counts()
	fmt.Fprintf(stdout, "%d lines, %.1f MB of output in %.1f s; %.1f MB carried, %d cuts, %d kills\n",
		all.lines, float64(all.bytes)/1e6, took.Seconds(), float64(carried)/1e6, cuts, a.killed)
}

func (a *arena) close(ctx context.Context, keep bool) error {
	var group sync.WaitGroup
	for _, r := range a.relays {
		group.Go(r.close)
	}
	group.Wait()
	return errors.Join(a.site.Close(ctx, keep), os.RemoveAll(a.tools))
}
