// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Way is a direction over a wire.
type Way uint8

// The ways.
const (
	BothWays Way = iota
	Outward      // away from the host, or out of the inner segment
	Inward
)

// Cut lets no IP packet pass a host's wire, or an edge's outer one, without a word to anybody.
func (n *Network) Cut(ctx context.Context, what string, way Way) error {
	p, known := n.drawing.ports[what]
	if !known {
		return fmt.Errorf("cut %q: there is no host or edge by that name", what)
	}
	lines := []string{"table bridge cut_" + p.device + " {"}
	for _, c := range []struct {
		name, key string
		other     Way
	}{{"prerouting", "iifname", Inward}, {"postrouting", "oifname", Outward}} {
		if way != c.other {
			lines = append(lines, "chain "+c.name+" {",
				"type filter hook "+c.name+" priority -300; policy accept;",
				fmt.Sprintf("%s %q meta protocol ip drop", c.key, p.device), "}")
		}
	}
	text := strings.Join(append(lines, "}"), "\n") + "\n"
	return rules(ctx, "cut "+what, n.space(p.segment), text)
}

// Heal ends a Cut.
func (n *Network) Heal(ctx context.Context, what string) error {
	p, known := n.drawing.ports[what]
	if !known {
		return fmt.Errorf("heal %q: there is no host or edge by that name", what)
	}
	return rules(ctx, "heal "+what, n.space(p.segment), "delete table bridge cut_"+p.device+"\n")
}

func (n *Network) box(name string) (router, error) {
	for _, e := range n.drawing.edges {
		for _, r := range e.routers {
			if r.name == name && r.box.ruleset() != "" {
				return r, nil
			}
		}
	}
	return router{}, fmt.Errorf("there is no box %q", name)
}

// Flush makes a box forget all connections, as a reboot does.
func (n *Network) Flush(ctx context.Context, box string) error {
	r, err := n.box(box)
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	_, err = run(ctx, "flush "+box, "", "ip", "netns", "exec", n.space(r.name), "conntrack", "-F")
	return err
}

// SetIdle changes how long a box remembers a quiet connection, from its next packet on.
func (n *Network) SetIdle(box string, idle time.Duration) error {
	r, err := n.box(box)
	if err != nil {
		return fmt.Errorf("set idle: %w", err)
	}
	if idle < time.Second || idle%time.Second != 0 {
		return fmt.Errorf("set idle of %s to %s: the kernel counts whole seconds, one at least", box, idle)
	}
	return writeSettings(n.space(r.name), idleSettings(idle))
}

// Kill kills all processes of a host, as kill -9 does: its kernel ends their connections.
func (n *Network) Kill(ctx context.Context, host string) error {
	h, err := n.host(host)
	if err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return killAll(ctx, n.space(h.Name))
}

// PowerOff takes a host away in one moment: no word of its connections' end gets out.
func (n *Network) PowerOff(ctx context.Context, host string) error {
	h, err := n.host(host)
	if err != nil {
		return fmt.Errorf("power off: %w", err)
	}
	if err := n.unplug(ctx, h); err != nil {
		return err
	}
	if err := killAll(ctx, n.space(h.Name)); err != nil {
		return err
	}
	n.mu.Lock()
	n.off[host] = true
	n.mu.Unlock()
	return batch(ctx, "power off "+host, "", []string{"netns del " + n.space(host)})
}

func (n *Network) unplug(ctx context.Context, h Host) error {
	at := end{h.Name, hostDevice}
	n.mu.Lock()
	w := n.wires[at]
	delete(n.wires, at)
	n.mu.Unlock()
	if w != nil {
		return w.close()
	}
	p := n.drawing.ports[h.Name]
	return batch(ctx, "unplug "+h.Name, n.space(p.segment), []string{"link del " + p.device})
}

// PowerOn brings a host back, with nothing running on it.
func (n *Network) PowerOn(ctx context.Context, host string) error {
	if _, err := n.host(host); err == nil {
		return fmt.Errorf("power on: host %s has power", host)
	}
	if err := n.replug(ctx, host); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.off, host)
	return nil
}

func (n *Network) replug(ctx context.Context, host string) error {
	lines := []string{"netns add " + n.space(host)}
	var plug cable
	for _, c := range n.drawing.cables {
		if c.a == (end{host, hostDevice}) {
			plug = c
		}
	}
	if plug.a.node == "" {
		return errors.New("power on: there is no host " + host)
	}
	if plug.delay == 0 {
		lines = append(lines, plug.makeLines(n.space)...)
	}
	if err := batch(ctx, "power on "+host, "", lines); err != nil {
		return err
	}
	if err := n.stretch(plug); err != nil {
		return err
	}
	p := n.drawing.ports[host]
	if err := batch(ctx, "plug in "+host, n.space(p.segment), p.attach()); err != nil {
		return err
	}
	return batch(ctx, "set up "+host, n.space(host), n.drawing.setUp()[host])
}
