// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"fairlead/internal/deploy"
)

// Limits of the agent.
const (
	maxAgentBytes    = 9e6
	maxAgentRSSBytes = 10e6
)

// platform is one of those that releases are built for.
type platform struct{ arch, arm string }

func platforms() []platform { return []platform{{"amd64", ""}, {"arm64", ""}, {"arm", "7"}} }

func (p platform) String() string {
	if p.arm != "" {
		return p.arch + "v" + p.arm
	}
	return p.arch
}

// sizes builds the agent as a release does and looks at the files.
func (b *bench) sizes(ctx context.Context) error {
	sizes := map[string]int64{}
	for _, p := range platforms() {
		path := filepath.Join(b.work, "fairlead-agent-"+p.String())
		if err := buildAgent(ctx, path, p); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		sizes[p.String()] = info.Size()
		b.report.limit("agent for linux/"+p.String()+", one file", "MB", float64(info.Size())/1e6, maxAgentBytes/1e6)
	}
	b.report.Raw["size"] = sizes
	return nil
}

func buildAgent(ctx context.Context, path string, p platform) error {
	build := exec.CommandContext(
		ctx,
		"go",
		"build",
		"-trimpath",
		"-ldflags",
		"-s -w -X main.version=bench",
		"-o",
		path,
		"fairlead/agent",
	)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+p.arch)
	if p.arm != "" {
		build.Env = append(build.Env, "GOARM="+p.arm)
	}
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the agent for %s: %w\n%s", p, err, text)
	}
	return nil
}

// idling is the real agent, and the server with all of its agents, doing nothing.
type idling struct {
	RSSBytes, AnonBytes int64
	Connected           time.Duration // from its start until it can be dispatched to
	StartCPU            time.Duration // its own until then
	IdleCPU             time.Duration // over Idle
	Turns               int64         // how often one of its threads got a CPU, over Idle
	Idle                time.Duration
	ServerCPU           time.Duration // of the server for all agents, over Idle
}

// agent joins the real agent to the server that all others are on, and lets all of them idle.
func (b *bench) agent(ctx context.Context) error {
	f, err := b.theFleet(ctx)
	if err != nil {
		return err
	}
	program := filepath.Join(b.work, "fairlead-agent")
	if err := buildAgent(ctx, program, platform{runtime.GOARCH, ""}); err != nil {
		return err
	}
	home := filepath.Join(b.work, "agent")
	id, err := joinAgent(ctx, f, program, home)
	if err != nil {
		return err
	}
	result, err := b.letIdle(ctx, f, program, home, id)
	if err != nil {
		return err
	}
	b.report.Raw["agent"] = result
	b.report.limit("agent RSS, connected and idle", "MB", float64(result.RSSBytes)/1e6, maxAgentRSSBytes/1e6)
	b.report.limit("of that its own (anonymous)", "MB", float64(result.AnonBytes)/1e6, 0)
	b.report.limit("agent CPU from start to connected", "ms", float64(result.StartCPU.Microseconds())/1e3, 0)
	b.report.limit("agent's time from start to connected", "ms", float64(result.Connected.Microseconds())/1e3, 0)
	b.report.limit("agent CPU in an idle minute", "ms", result.minute(result.IdleCPU), 0)
	server := pairs{Candidate: []float64{result.minute(result.ServerCPU)}}
	if b.pingMinute > 0 {
		server.Floor = []float64{b.pingMinute}
	}
	b.report.judge(fmt.Sprintf("server CPU in a minute of %d idle agents", b.agents), "-", "ms", server, nil)
	return nil
}

// minute is what one minute would have taken, in milliseconds.
func (i idling) minute(cpu time.Duration) float64 {
	return float64(cpu.Microseconds()) / 1e3 * float64(time.Minute) / float64(i.Idle)
}

func joinAgent(ctx context.Context, f *fleet, program, home string) (deploy.MachineID, error) {
	token, err := ask[string](f.server, "token", f.home)
	if err != nil {
		return "", err
	}
	var out, problems bytes.Buffer
	join := exec.CommandContext(
		ctx,
		program,
		"join",
		"--home",
		home,
		"--name",
		"real-agent",
		"--server",
		f.opened.Link,
		"--json",
	)
	join.Env = append(os.Environ(), "FAIRLEAD_TOKEN="+token)
	join.Stdout, join.Stderr = &out, &problems
	if err := join.Run(); err != nil {
		return "", fmt.Errorf("join: %w: %s", err, problems.String())
	}
	var joined struct {
		Machine deploy.MachineID `json:"machine_id"`
	}
	return joined.Machine, json.Unmarshal(out.Bytes(), &joined)
}

func (b *bench) letIdle(
	ctx context.Context,
	f *fleet,
	program, home string,
	id deploy.MachineID,
) (i idling, err error) {
	agent := exec.CommandContext(ctx, program, "run", "--home", home)
	began := time.Now()
	if err := agent.Start(); err != nil {
		return i, err
	}
	defer func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	}()
	reached, err := ask[awaited](f.server, "await", await{[]deploy.MachineID{id}, 10})
	if err != nil || reached.Missing > 0 {
		return i, errors.Join(errors.New("the agent is not on line after 10 s"), err)
	}
	i.Connected = time.Since(began)
	if i.StartCPU, _, err = threadTimes(agent.Process.Pid); err != nil {
		return i, err
	}
	time.Sleep(b.settle)
	before, err := ask[usage](f.server, "usage", nil)
	if err != nil {
		return i, err
	}
	cpu, turns, err := threadTimes(agent.Process.Pid)
	if err != nil {
		return i, err
	}
	err = b.profiled(f.server, "idle", func() error {
		time.Sleep(b.options.idle)
		return nil
	})
	if err != nil {
		return i, err
	}
	after, err := ask[usage](f.server, "usage", nil)
	if err != nil {
		return i, err
	}
	i.Idle, i.ServerCPU = b.options.idle, after.CPU-before.CPU
	if i.IdleCPU, i.Turns, err = threadTimes(agent.Process.Pid); err != nil {
		return i, err
	}
	i.IdleCPU, i.Turns = i.IdleCPU-cpu, i.Turns-turns
	memory, err := memoryOf(agent.Process.Pid)
	i.RSSBytes, i.AnonBytes = memory.RSSBytes, memory.AnonBytes
	return i, err
}
