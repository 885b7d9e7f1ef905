// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// killLimit bounds the wait for killed processes to be gone, lookEvery lies between two looks.
	killLimit = 5 * time.Second
	lookEvery = 10 * time.Millisecond
	// closeLimit bounds Close.
	closeLimit = 30 * time.Second
)

// Network is a topology that is up.
type Network struct {
	drawing *drawing
	claim   *claim
	stop    context.CancelFunc // of the probes
	probes  sync.WaitGroup

	mu     sync.Mutex
	wires  map[end]*wire // by the end that is not the bridge's
	off    map[string]bool
	broken error // what probes could not do
}

// Up builds a topology, after removing what stale runs left. The caller closes the Network.
func Up(ctx context.Context, t Topology) (*Network, error) {
	if err := t.Check(); err != nil {
		return nil, fmt.Errorf("build a network: %w", err)
	}
	if why := Missing(); why != "" {
		return nil, fmt.Errorf("build a network: %s", why)
	}
	d, err := draw(t)
	if err != nil {
		return nil, fmt.Errorf("build a network: %w", err)
	}
	if err := Sweep(ctx); err != nil {
		return nil, err
	}
	c, err := newClaim()
	if err != nil {
		return nil, err
	}
	n := &Network{drawing: d, claim: c, wires: map[end]*wire{}, off: map[string]bool{}, stop: func() {}}
	if err := n.build(ctx); err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	n.probe(ctx)
	return n, nil
}

func (n *Network) space(node string) string { return n.claim.prefix() + node }

func (n *Network) build(ctx context.Context) error {
	var lines []string
	for _, node := range n.drawing.nodes() {
		lines = append(lines, "netns add "+n.space(node))
	}
	for _, c := range n.drawing.cables {
		if c.delay == 0 {
			lines = append(lines, c.makeLines(n.space)...)
		}
	}
	if err := batch(ctx, "make namespaces", "", lines); err != nil {
		return err
	}
	for _, c := range n.drawing.cables {
		if err := n.stretch(c); err != nil {
			return err
		}
	}
	for _, h := range n.drawing.hosts {
		if err := n.writeNames(h.Name); err != nil {
			return err
		}
	}
	setUp := n.drawing.setUp()
	for _, node := range n.drawing.nodes() {
		if err := batch(ctx, "set up "+node, n.space(node), setUp[node]); err != nil {
			return err
		}
	}
	return n.buildRouters(ctx)
}

// stretch makes a cable that needs a wire.
func (n *Network) stretch(c cable) error {
	if c.delay == 0 {
		return nil
	}
	w, err := newWire(c, n.space)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wires[c.a] = w
	return nil
}

func (n *Network) writeNames(host string) error {
	dir := filepath.Join(namesDir, n.space(host))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write names of %s: %w", host, err)
	}
	return os.WriteFile(filepath.Join(dir, "hosts"), []byte(n.drawing.hostsFile()), 0o644)
}

func (n *Network) buildRouters(ctx context.Context) error {
	for _, e := range n.drawing.edges {
		for _, r := range e.routers {
			if err := writeSettings(n.space(r.name), r.sysctls()); err != nil {
				return err
			}
			if text := r.box.ruleset(); text != "" {
				if err := rules(ctx, "set up box "+r.name, n.space(r.name), text); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Close kills what runs in the network and takes everything away. It also tells what went wrong
// where nobody waited: a balancer's rules that could not be changed.
func (n *Network) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	n.stop()
	n.probes.Wait()
	err := removeRun(ctx, n.claim.run)
	n.mu.Lock()
	wires := n.wires
	err = errors.Join(n.broken, err)
	n.wires = map[end]*wire{}
	n.mu.Unlock()
	for _, w := range wires {
		err = errors.Join(err, w.close())
	}
	return errors.Join(err, n.claim.release())
}

// host checks that there is a host by that name and that its power is on.
func (n *Network) host(name string) (Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.drawing.hosts {
		switch {
		case h.Name != name:
		case n.off[name]:
			return h, fmt.Errorf("host %s has no power", name)
		default:
			return h, nil
		}
	}
	return Host{}, fmt.Errorf("there is no host %q", name)
}

// Addr is the address of a host or name, invalid when there is none.
func (n *Network) Addr(name string) netip.Addr { return n.drawing.names[name] }

// Dial connects from a host to an address of numbers, 127.0.0.1:8065 for instance.
func (n *Network) Dial(ctx context.Context, host, address string) (net.Conn, error) {
	h, err := n.host(host)
	if err != nil {
		return nil, err
	}
	return dial(ctx, n.space(h.Name), address)
}

// Listen accepts connections on a host, at an address of numbers.
func (n *Network) Listen(ctx context.Context, host, address string) (net.Listener, error) {
	h, err := n.host(host)
	if err != nil {
		return nil, err
	}
	return listen(ctx, n.space(h.Name), address)
}

// Command is what to execute to run a program on a host: the result's first word with the others as
// its arguments. It becomes the program, with the same process id.
func (n *Network) Command(host, path string, args ...string) []string {
	return append([]string{"ip", "netns", "exec", n.space(host), path}, args...)
}

// Pids lists the processes that run on a host.
func (n *Network) Pids(ctx context.Context, host string) ([]int, error) {
	h, err := n.host(host)
	if err != nil {
		return nil, err
	}
	return pids(ctx, n.space(h.Name))
}

func pids(ctx context.Context, space string) (list []int, err error) {
	out, err := run(ctx, "list processes", "", "ip", "netns", "pids", space)
	if err != nil {
		return nil, err
	}
	for word := range strings.FieldsSeq(out) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("list processes of %s: %w", space, err)
		}
		list = append(list, pid)
	}
	slices.Sort(list)
	return list, nil
}

// killAll kills every process of a namespace, and those that they start meanwhile.
func killAll(ctx context.Context, space string) error {
	ctx, cancel := context.WithTimeout(ctx, killLimit)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		list, err := pids(ctx, space)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, pid := range list {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("kill processes of %s: %v are still there after %s", space, list, killLimit)
		}
	}
}
