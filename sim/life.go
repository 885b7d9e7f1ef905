// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// The kinds of lives; a crash point is armed for one of them.
const (
	ServerLife = "server"
	AgentLife  = "agent"
	ShimLife   = "shim"
	StepLife   = "step"
)

// homeName is the home folder on a machine's disk.
const homeName = "home"

// Life is one process of a product program, from its start to its end. A goroutine cannot be
// killed: a life that is killed is fenced instead. Its connections fail, its calls are refused or
// come to nothing, its log is not heard, and what it still writes lands in a copy of the disk that
// nobody looks at.
type Life struct {
	m      *Machine
	kind   string
	number int
	view   string // its own link to the disk
	ctx    context.Context
	stop   context.CancelFunc
	dead   chan struct{} // closed by the fence
	once   sync.Once
	owned  sync.WaitGroup

	// Of a shim: what it works for.
	ticket    contract.TicketID
	task      deploy.TaskID
	isolation string
}

// Begin starts a life of the server or the agent. Stop, Kill or the machine's power ends it.
func (m *Machine) Begin(kind string) (*Life, error) { return m.begin(kind, "") }

func (m *Machine) begin(kind string, ticket contract.TicketID) (*Life, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ctx.Err(); err != nil || m.isOff {
		return nil, errkind.Exhausted.Errorf("start a %s on %s: the machine is off", kind, m.name)
	}
	m.lives++
	l := &Life{m: m, kind: kind, number: m.lives, dead: make(chan struct{}), ticket: ticket}
	l.view = filepath.Join(m.dir, "view-"+strconv.Itoa(l.number))
	if err := os.Symlink(filepath.Base(m.disk), l.view); err != nil {
		return nil, errkind.Internal.Errorf("start a %s on %s: %w", kind, m.name, err)
	}
	l.ctx, l.stop = context.WithCancel(m.ctx)
	m.living[l.number] = l
	return l, nil
}

// beginShim starts the life of a shim, which works on the order in a ticket's folder.
func (m *Machine) beginShim(folder string) (*Life, error) {
	l, err := m.begin(ShimLife, contract.TicketID(filepath.Base(folder)))
	if err != nil {
		return nil, err
	}
	if raw, err := os.ReadFile(filepath.Join(folder, "order.json")); err == nil {
		if order, err := script.ParseOrder(raw); err == nil {
			l.task = deploy.TaskID(order.Task)
			l.isolation = strings.TrimSpace(string(order.Isolation.Level) + " " + order.Isolation.Name)
		}
	}
	return l, nil
}

// Number says which life of its machine this is, from 1.
func (l *Life) Number() int { return l.number }

// Context ends when the life is told to end or killed.
func (l *Life) Context() context.Context { return l.ctx }

// Home is the home folder as this life sees it.
func (l *Life) Home() string { return filepath.Join(l.view, homeName) }

// Go runs a part of the life; Wait waits for all of them.
func (l *Life) Go(part func()) { l.owned.Go(part) }

// Stop tells the life to end in peace, as a TERM does.
func (l *Life) Stop() { l.stop() }

// Wait waits until every part has ended, and takes the life off the machine.
func (l *Life) Wait() {
	l.owned.Wait()
	l.leave()
}

func (l *Life) leave() {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.living, l.number)
}

// Killed reports whether the life was fenced.
func (l *Life) Killed() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// Env is what the program gets.
func (l *Life) Env() host.Env {
	env := l.m.env(l)
	env.Net = lifeNet{l}
	return env
}

// inside is a path as it stands on the disk, whoever's view it was named by.
func (m *Machine) inside(path string) string {
	rest, below := strings.CutPrefix(path, m.dir+string(filepath.Separator))
	if !below {
		return path
	}
	_, rest, _ = strings.Cut(rest, string(filepath.Separator))
	return rest
}

// through is a path of any view as this life sees it.
func (l *Life) through(path string) string { return filepath.Join(l.view, l.m.inside(path)) }

// lifeNet is the network of a life: a fenced one reaches nobody.
type lifeNet struct{ l *Life }

var errKilled = errkind.Unavailable.Errorf("the process was killed")

// DialContext implements host.Network.
func (n lifeNet) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if n.l.Killed() {
		return nil, errKilled
	}
	c, err := n.l.m.net.DialContext(ctx, network, address)
	if err == nil && n.l.Killed() {
		return nil, errors.Join(errKilled, c.Close())
	}
	return c, err
}

// Listen implements host.Network.
func (n lifeNet) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if n.l.Killed() {
		return nil, errKilled
	}
	return n.l.m.net.Listen(ctx, network, address)
}

// LookupNetIP implements host.Network.
func (n lifeNet) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	if n.l.Killed() {
		return nil, errKilled
	}
	return n.l.m.net.LookupNetIP(ctx, network, name)
}

// lifeLog is silent once its life is fenced.
type lifeLog struct {
	slog.Handler
	l *Life
}

// Enabled implements slog.Handler.
func (h lifeLog) Enabled(ctx context.Context, level slog.Level) bool {
	return !h.l.Killed() && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h lifeLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lifeLog{h.Handler.WithAttrs(attrs), h.l}
}

// WithGroup implements slog.Handler.
func (h lifeLog) WithGroup(name string) slog.Handler { return lifeLog{h.Handler.WithGroup(name), h.l} }
