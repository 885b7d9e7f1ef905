// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"fairlead/netem"
)

const (
	// maxVisits is how many connections a program serves at a time. More are closed at once.
	maxVisits = 4096
	// defaultConnect is how long a program tries to reach an address unless told otherwise.
	defaultConnect = 60 * time.Second
)

// Network is what a program asks of its machine. *netem.Host fits.
type Network interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Listen(ctx context.Context, network, address string) (net.Listener, error)
}

// Program is one of the types of this package.
type Program interface {
	// serve handles one connection. All that v has adopted is closed when it returns.
	serve(v *visit)
}

// Running is a program on a host.
type Running struct {
	program  Program
	network  Network
	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	owned    sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn // in the order in which they were made
	visits int
	total  int
	ended  bool
}

// Run starts a program on a port, ":3128". The end of ctx ends it too, but only Close waits for it.
// Errors: what Listen says.
func Run(ctx context.Context, on Network, address string, p Program) (*Running, error) {
	l, err := on.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open %s for a box: %w", address, err)
	}
	r := &Running{program: p, network: on, listener: l}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.owned.Go(r.accept)
	r.owned.Go(func() {
		<-r.ctx.Done()
		r.hangUp()
	})
	return r, nil
}

// Addr is where the program listens.
func (r *Running) Addr() net.Addr { return r.listener.Addr() }

// Total counts the connections that were accepted so far.
func (r *Running) Total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// Close ends the program and its connections, and waits for it. A second call does nothing.
func (r *Running) Close() error {
	r.cancel()
	r.owned.Wait()
	return nil
}

func (r *Running) hangUp() {
	r.mu.Lock()
	conns := r.conns
	r.conns, r.ended = nil, true
	r.mu.Unlock()
	_ = r.listener.Close() // a second time it is closed already
	for _, c := range conns {
		_ = c.Close()
	}
}

func (r *Running) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return // closed: nothing else ends a listener
		}
		if !r.begin() {
			_ = c.Close()
			continue
		}
		r.owned.Go(func() {
			v := &visit{r: r, ctx: r.ctx}
			if v.client = v.adopt(c); v.client != nil {
				r.program.serve(v)
			}
			v.close()
			r.end()
		})
	}
}

func (r *Running) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || r.visits == maxVisits {
		return false
	}
	r.visits++
	r.total++
	return true
}

func (r *Running) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.visits--
}

// visit is one connection of a client, and what the program opened because of it.
type visit struct {
	r      *Running
	ctx    context.Context
	client net.Conn

	mu  sync.Mutex
	raw []net.Conn
}

// adopt makes the visit the owner of a connection. It returns nil, and has closed it, when the program
// has ended.
func (v *visit) adopt(c net.Conn) net.Conn {
	if t, is := c.(interface {
		SetKeepAliveConfig(k net.KeepAliveConfig) error
	}); is {
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{}) // off; a closed one has none
	}
	v.mu.Lock()
	v.raw = append(v.raw, c)
	v.mu.Unlock()
	v.r.mu.Lock()
	ended := v.r.ended
	if !ended {
		v.r.conns = append(v.r.conns, c)
	}
	v.r.mu.Unlock()
	if ended {
		_ = c.Close()
		return nil
	}
	return c
}

// dial opens a connection for the visit. limit 0 means 60 s.
func (v *visit) dial(address string, limit time.Duration) (net.Conn, error) {
	if limit == 0 {
		limit = defaultConnect
	}
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	c, err := v.r.network.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	if v.adopt(c) == nil {
		return nil, fmt.Errorf("dial %s: %w", address, net.ErrClosed)
	}
	return c, nil
}

func (v *visit) conns() []net.Conn {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.raw)
}

func (v *visit) close() {
	mine := v.conns()
	for _, c := range mine {
		_ = c.Close()
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	v.r.conns = slices.DeleteFunc(v.r.conns, func(c net.Conn) bool { return slices.Contains(mine, c) })
}

// expire ends the visit's connections as a box does that waited for long enough.
func (v *visit) expire(how netem.Expiry) {
	for _, c := range v.conns() {
		if t, is := c.(interface{ Forget() }); is && (how == netem.ForgetsSilently || how == netem.ResetsNext) {
			t.Forget()
			continue
		}
		if t, is := c.(interface{ SetLinger(seconds int) error }); is && how == netem.ResetsBoth {
			_ = t.SetLinger(0) // an error says that it is over already
		}
		_ = c.Close()
	}
}

// meant is where the client wanted to go when a netem.Intercept led it here.
func meant(c net.Conn) (dst netip.AddrPort, ok bool) {
	t, is := c.(interface {
		OriginalDst() (netip.AddrPort, bool)
	})
	if !is {
		return netip.AddrPort{}, false
	}
	return t.OriginalDst()
}
