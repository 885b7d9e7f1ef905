// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"fairlead/internal/archive"
	"fairlead/internal/deploy"
)

// Limits of the real agent that receives packages.
const (
	maxReceiveRSSBytes = 16e6
	maxSecondBytes     = 1.6e6
)

// received is the real agent with packages on their way.
type received struct {
	LargeBytes   int64 // of the long push
	PeakRSSBytes int64 // of the agent until it was there
	ProgramBytes int64 // of the program that was packed twice
	PackedBytes  int64 // of its package
	First        int64 // on the wire, both directions
	Second       int64
}

// packages pushes a long file to the real agent, and then two versions of a program, counting what
// goes over the socket.
func (b *bench) packages(ctx context.Context) (err error) {
	dir, err := b.folderFor(b.large)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f, err := b.startFleet(ctx, "packages", openAgents{Count: 1})
	if err != nil {
		return err
	}
	defer f.kill()
	program := filepath.Join(b.work, "fairlead-agent-packages")
	if err := buildAgent(ctx, program, platform{runtime.GOARCH, ""}); err != nil {
		return err
	}
	wire, err := newMeter(f.opened.Link)
	if err != nil {
		return err
	}
	defer wire.close()
	f.opened.Link = wire.address() // the real agent comes through it
	home := filepath.Join(dir, "agent")
	id, err := joinAgent(ctx, f, program, home)
	if err != nil {
		return err
	}
	agent := exec.CommandContext(ctx, program, "run", "--home", home)
	if err := agent.Start(); err != nil {
		return err
	}
	defer func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	}()
	reached, err := ask[awaited](f.server, "await", await{[]deploy.MachineID{id}, 10})
	if err != nil || reached.Missing > 0 {
		return errors.Join(errors.New("the agent is not on line after 10 s"), err)
	}
	var r received
	if err := b.pushLarge(f, id, dir, agent.Process.Pid, &r); err != nil {
		return err
	}
	if err := b.pushTwice(ctx, f, id, wire, &r); err != nil {
		return err
	}
	b.report.Raw["packages"] = r
	b.report.limit(fmt.Sprintf("peak RSS of the agent, push of %d MiB", r.LargeBytes>>20), "MB",
		float64(r.PeakRSSBytes)/1e6, maxReceiveRSSBytes/1e6)
	b.report.limit(fmt.Sprintf("first version of a program of %.1f MB, tar.gz, on the wire", float64(r.ProgramBytes)/1e6),
		"MB", float64(r.First)/1e6, 0)
	b.report.limit("its second version, on the wire", "MB", float64(r.Second)/1e6, maxSecondBytes/1e6)
	return nil
}

// pushLarge sends a file of zeros, which takes no room at the sender.
func (b *bench) pushLarge(f *fleet, id deploy.MachineID, dir string, pid int, r *received) error {
	content := push{Machine: id, Path: filepath.Join(dir, "large"), Size: b.large}
	file, err := os.Create(content.Path)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(b.large), file.Close()); err != nil {
		return err
	}
	if content.SHA256, content.Sums, err = sumFile(content.Path); err != nil {
		return err
	}
	if _, err := ask[pushed](f.server, "push", content); err != nil {
		return err
	}
	fields, err := statusOf(pid)
	r.LargeBytes, r.PeakRSSBytes = b.large, fields["VmHWM"]<<10
	return errors.Join(err, os.Remove(filepath.Join(dir, "agent", "blobs", content.SHA256)))
}

// pushTwice packs the server in two versions that differ by a few lines and sends one after the other.
func (b *bench) pushTwice(ctx context.Context, f *fleet, id deploy.MachineID, wire *meter, r *received) error {
	for i, bytes := range []*int64{&r.First, &r.Second} {
		u := upload{Home: f.home, ID: "program", Version: fmt.Sprintf("%d.0.0", i+1), Machine: id}
		u.Path = filepath.Join(b.work, "program."+u.Version+".tar.gz")
		var err error
		if r.ProgramBytes, r.PackedBytes, err = b.packProgram(ctx, u.Path, i > 0); err != nil {
			return err
		}
		if err := f.server.tell("upload", u); err != nil {
			return err
		}
		before := wire.bytes.Load()
		if err := f.server.tell("send", u); err != nil {
			return err
		}
		*bytes = wire.bytes.Load() - before
	}
	return nil
}

// change is a file that makes another program of the same source: code and data move.
const change = `package errkind

import (
	"fmt"
	"os"
	"strings"
)

func init() {
	if len(os.Args) > 1000 {
		fmt.Println(strings.Repeat("a line that the first version has not", len(os.Args)))
	}
}
`

// packProgram builds the server, changed or not, and packs it.
func (b *bench) packProgram(ctx context.Context, path string, changed bool) (bare, packed int64, err error) {
	tree := path + ".tree"
	program := filepath.Join(tree, "fairlead-server")
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", program}
	if changed {
		overlay, err := writeChange(ctx, b.work)
		if err != nil {
			return 0, 0, err
		}
		args = append(args, "-overlay", overlay)
	}
	build := exec.CommandContext(ctx, "go", append(args, "fairlead/server")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("build the server: %w\n%s", err, text)
	}
	file, err := os.Create(path)
	if err != nil {
		return 0, 0, err
	}
	err = archive.Create(ctx, file, archive.TarGz, os.DirFS(tree))
	for of, size := range map[string]*int64{program: &bare, path: &packed} {
		info, statErr := os.Stat(of)
		if err = errors.Join(err, statErr); statErr == nil {
			*size = info.Size()
		}
	}
	return bare, packed, errors.Join(err, file.Close())
}

// writeChange puts the change beside the sources by an overlay.
func writeChange(ctx context.Context, dir string) (overlay string, err error) {
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "fairlead/internal/errkind")
	folder, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("find the sources: %w", err)
	}
	source := filepath.Join(dir, "change.go")
	name := filepath.Join(string(folder[:len(folder)-1]), "bench_change.go")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {name: source}})
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, errors.Join(err, os.WriteFile(source, []byte(change), 0o600), os.WriteFile(overlay, text, 0o600))
}

// meter is a relay that counts what goes through it, in both directions.
type meter struct {
	listener net.Listener
	target   string
	bytes    atomic.Int64
	owned    sync.WaitGroup
}

func newMeter(target string) (*meter, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &meter{listener: listener, target: target}
	m.owned.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			m.owned.Go(func() { m.carry(near) })
		}
	})
	return m, nil
}

func (m *meter) address() string { return m.listener.Addr().String() }

func (m *meter) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", m.target)
	if err != nil {
		return
	}
	defer far.Close()
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		ways.Go(func() {
			_, _ = io.Copy(counting{way[1], &m.bytes}, way[0])
			_ = near.Close()
			_ = far.Close()
		})
	}
	ways.Wait()
}

type counting struct {
	io.Writer
	bytes *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return c.Writer.Write(p)
}

// close waits for the connections: both ends are dead by now, or die with the bench.
func (m *meter) close() { _ = m.listener.Close() }
