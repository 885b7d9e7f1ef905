// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fairlead/internal/demo"
	"fairlead/internal/durable"
	"fairlead/internal/host"
)

const (
	serverDiskMB = 96
	agentDiskMB  = 48
	// serverSettings make the reserve fit the disk.
	serverSettings = "reserve_mb = 8\n"
	environment    = "Test"
	machine        = "m-1"
	stopPatience   = 15 * time.Second
)

// program is one of the two under test, on a disk of its own.
type program struct {
	name     string
	command  demo.Command
	disk     *mount
	log      string
	process  *demo.Process
	ends     int // by itself, since the round began
	sickEnds int // of these, while its disk was bad
}

// site is a server and an agent.
type site struct {
	dir     string
	demo    *demo.Site
	effects string
	hasFUSE bool
	server  *program
	agent   *program
}

func newSite(ctx context.Context, out io.Writer) (*site, error) {
	root, err := demo.FindRoot(".")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("/dev/shm", "fairlead-disk-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, effects: filepath.Join(dir, "effects")}
	tools := filepath.Join(dir, "tools")
	programs, err := demo.FindPrograms(ctx, root, tools)
	if err != nil {
		return nil, err
	}
	tool := filepath.Join(tools, "faultfs")
	if _, err := os.Stat("/dev/fuse"); err != nil {
		tool = ""
		fmt.Fprintln(out, "there is no /dev/fuse: only the rounds with a filled disk are run")
	} else if err := buildTool(ctx, root, tool); err != nil {
		return nil, err
	}
	s.hasFUSE = tool != ""
	if s.demo, err = demo.NewSite(dir, programs, new(demo.Ports)); err != nil {
		return nil, err
	}
	agent, err := s.demo.AddAgent(machine, false)
	if err != nil {
		return nil, err
	}
	s.server, s.agent = s.program("server", s.demo.ServerCommand()), s.program("agent", s.demo.AgentCommand(agent))
	if s.server.disk, err = newMount(tool, s.below("server"), s.demo.ServerHome(), serverDiskMB); err != nil {
		return nil, err
	}
	s.agent.disk, err = newMount(tool, s.below("agent"), agent.Home, agentDiskMB)
	return s, err
}

func (s *site) program(name string, command demo.Command) *program {
	return &program{name: name, command: command, log: filepath.Join(s.demo.Logs(), name+".log")}
}

func (s *site) below(name string) string { return filepath.Join(s.dir, "below-"+name) }

// buildTool builds faultfs, which is a module of its own.
func buildTool(ctx context.Context, root, to string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, ".")
	cmd.Dir = filepath.Join(root, "internal", "torture", "disk", "faultfs")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build faultfs: %w\n%s", err, out)
	}
	return nil
}

// open starts both and waits until the agent is on line.
func (s *site) open(ctx context.Context) error {
	if err := keepSettings(s.demo.ServerHome()); err != nil {
		return err
	}
	if err := s.server.start(); err != nil {
		return err
	}
	err := demo.Await(ctx, recoverLimit, "the server", func(ctx context.Context) (bool, error) {
		return s.answers(ctx), nil
	})
	if err == nil {
		err = s.demo.SignIn(ctx)
	}
	if err == nil {
		err = s.demo.REST.CreateEnvironment(ctx, environment)
	}
	if err != nil {
		return err
	}
	token, err := s.demo.Token(ctx, environment, "tortured")
	if err != nil {
		return err
	}
	agent := s.demo.Agents()[0]
	if _, err := s.demo.Join(ctx, agent, token); err != nil {
		return err
	}
	if err := s.agent.start(); err != nil {
		return err
	}
	return demo.Await(ctx, recoverLimit, "the agent", func(ctx context.Context) (bool, error) {
		m, err := s.demo.REST.Machine(ctx, machine)
		return err == nil && m.IsOnline, nil
	})
}

// keepSettings writes the server's settings so that they outlive a power cut.
func keepSettings(home string) error {
	return durable.Replace(host.Fsync{}, filepath.Join(home, "server.toml"), []byte(serverSettings))
}

// answers reports whether the server answers and takes writes.
func (s *site) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.demo.HTTP+"/healthz", nil)
	if err != nil {
		return false
	}
	web := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := web.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (p *program) start() (err error) {
	p.process, err = demo.Start(p.command, p.log)
	return err
}

// tend starts a program again that has ended, as a service manager does, and counts that.
func (p *program) tend() error {
	if ended, _ := p.process.Ended(); !ended {
		return nil
	}
	p.ends++
	return p.start()
}

// kill ends the program, and all that lives in its home, at once.
func (p *program) kill() {
	p.process.Kill()
	for _, pid := range inhabitants(p.disk.path) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// inhabitants are the processes that were started with a path in the folder, or stand in it.
func inhabitants(folder string) (pids []int) {
	list, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, one := range list {
		pid, err := strconv.Atoi(one.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", one.Name(), "cmdline"))
		at, _ := os.Readlink(filepath.Join("/proc", one.Name(), "cwd"))
		words := strings.Split(string(line), "\x00")
		isShim := len(words) > 2 && words[1] == "shim" && strings.HasPrefix(words[2], folder+"/")
		if isShim || strings.HasPrefix(at, folder+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stop ends both programs in order.
func (s *site) stop() error {
	var errs []error
	for _, p := range []*program{s.agent, s.server} {
		if p != nil && p.process != nil {
			errs = append(errs, p.process.Stop(stopPatience))
		}
	}
	return errors.Join(errs...)
}

// close gives everything back. Homes are lost with their disks; keep leaves logs and effects.
func (s *site) close(_ context.Context, keep bool) error {
	_ = s.stop() // may be stopped already
	for _, p := range []*program{s.agent, s.server} {
		if p == nil || p.disk == nil {
			continue
		}
		for _, pid := range inhabitants(p.disk.path) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if keep {
			copyHome(p.disk.path, filepath.Join(s.dir, "kept-"+p.name))
		}
		_ = p.disk.close()
	}
	if keep {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// copyHome saves a home for whoever looks for the cause; what cannot be copied is left out.
func copyHome(from, to string) { _ = os.CopyFS(to, os.DirFS(from)) }
