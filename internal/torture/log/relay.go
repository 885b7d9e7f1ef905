// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// relay is the cable between one agent and the server. It carries bytes at a rate and ends each
// connection, with a reset or in good order, after a time drawn between two limits.
type relay struct {
	listener net.Listener
	target   string
	o        options
	owned    sync.WaitGroup

	carried atomic.Int64 // bytes
	cuts    atomic.Int64

	mu     sync.Mutex
	rng    *rand.Rand
	closed bool
	calm   bool
	conns  map[net.Conn]struct{}
}

func newRelay(target string, o options, number uint64) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{
		listener: listener, target: target, o: o,
		rng: rand.New(rand.NewPCG(o.seed, number)), conns: map[net.Conn]struct{}{},
	}
	r.owned.Go(r.accept)
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.owned.Go(func() { r.carry(near) })
	}
}

// draw says how long a connection lives and whether it ends with a reset; 0 is for ever.
func (r *relay) draw() (life time.Duration, abrupt bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calm {
		return 0, false
	}
	return r.o.cutFrom + time.Duration(r.rng.Int64N(int64(r.o.cutTo-r.o.cutFrom)+1)), r.rng.IntN(2) == 0
}

// carry connects both ends until one of them closes or the time is over.
func (r *relay) carry(near net.Conn) {
	defer near.Close()
	const dialLimit = 2 * time.Second
	far, err := net.DialTimeout("tcp", r.target, dialLimit)
	if err != nil {
		return // nobody is there: the agent sees its connection end
	}
	defer far.Close()
	if !r.keep(near, far) {
		return
	}
	defer r.drop(near, far)
	life, abrupt := r.draw()
	if life > 0 {
		timer := time.AfterFunc(life, func() {
			r.cuts.Add(1)
			end(abrupt, near, far)
		})
		defer timer.Stop()
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			r.copy(way[1], way[0])
			end(false, near, far)
		})
	}
	both.Wait()
}

// end closes connections; abruptly, what is under way is lost.
func end(abrupt bool, conns ...net.Conn) {
	for _, c := range conns {
		if tcp, is := c.(*net.TCPConn); is && abrupt {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

func (r *relay) copy(to io.Writer, from io.Reader) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
			r.carried.Add(int64(n))
			time.Sleep(time.Duration(float64(n) / (r.o.rate * 1e6) * float64(time.Second)))
		}
		if err != nil {
			return
		}
	}
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = struct{}{}
	}
	return !r.closed
}

func (r *relay) drop(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.conns, c)
	}
}

// setCalm begins or ends the cuts; connections that live keep their time.
func (r *relay) setCalm(calm bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calm = calm
}

// cutAll ends what lives.
func (r *relay) cutAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		end(true, c)
	}
}

func (r *relay) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	_ = r.listener.Close()
	r.cutAll()
	r.owned.Wait()
}
