// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"fairlead/internal/trust"
)

// The floor: the same work by crypto/tls and nothing else. TLS 1.3, both sides with a P-256
// certificate that the other compares with a pin, no session tickets, as on the line.

// bareBufferBytes is the buffer of the floor's push loops.
const bareBufferBytes = 64 << 10

func pinned(accept func(trust.Pin) bool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if !accept(trust.PinOf(state.PeerCertificates[0].Raw)) {
			return errors.New("wrong pin")
		}
		return nil
	}
}

// bareServer accepts connections. Each has one goroutine that shook hands and is blocked in Read, or
// none when the driver reads.
type bareServer struct {
	listener net.Listener
	config   *tls.Config
	work     sync.WaitGroup

	mu      sync.Mutex
	conns   []*tls.Conn
	trouble error
	heard   int
	changed chan struct{} // capacity 1
}

func bareServerRole() *role {
	r, s := newRole(), &bareServer{changed: make(chan struct{}, 1)}
	on(r, "open", s.open)
	on(r, "await", func(_ context.Context, count int) (any, error) {
		return nil, s.until(func() bool { return len(s.conns) >= count })
	})
	on(r, "ping", s.ping)
	on(r, "echo", s.echo)
	on(r, "push", s.push)
	on(r, "ingest", s.ingest)
	return r
}

type openBareServer struct {
	Roster string
	Count  int
	Blocks bool // keep a goroutine blocked in Read for each connection
}

func (s *bareServer) open(_ context.Context, o openBareServer) (any, error) {
	identities, err := readRoster(o.Roster, o.Count)
	if err != nil {
		return nil, err
	}
	known := make(map[trust.Pin]bool, len(identities))
	for _, id := range identities {
		known[id.Pin] = true
	}
	own, err := trust.NewIdentity("bare", time.Now())
	if err != nil {
		return nil, err
	}
	s.config = &tls.Config{
		MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, Certificates: []tls.Certificate{own.Certificate},
		ClientAuth: tls.RequireAnyClientCert, VerifyConnection: pinned(func(p trust.Pin) bool { return known[p] }),
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.work.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.work.Go(func() { s.hold(tls.Server(conn, s.config), o.Blocks) })
		}
	})
	return openedServer{Link: s.listener.Addr().String(), Pin: own.Pin}, nil
}

// hold shakes hands, and stays in Read.
func (s *bareServer) hold(conn *tls.Conn, blocks bool) {
	err := conn.Handshake()
	s.note(func() {
		if s.conns = append(s.conns, conn); err != nil {
			s.trouble = err
		}
	})
	var frame [pingBytes]byte
	for err == nil && blocks {
		if _, err = io.ReadFull(conn, frame[:]); err == nil {
			s.note(func() { s.heard++ })
		}
	}
}

func (s *bareServer) note(f func()) {
	s.mu.Lock()
	f()
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *bareServer) until(done func() bool) error {
	for {
		s.mu.Lock()
		ok, err := done(), s.trouble
		s.mu.Unlock()
		if ok || err != nil {
			return err
		}
		<-s.changed
	}
}

// pingBytes is a ping frame of the line with its token.
const pingBytes = 24

// ping writes to one connection after the other at the pace, waits for the answers, and returns what
// that has taken of this process. It goes round until the time is over.
func (s *bareServer) ping(_ context.Context, p pace) (any, error) {
	s.mu.Lock()
	conns, before := s.conns, s.heard
	s.mu.Unlock()
	start, err := usageOfSelf()
	if err != nil {
		return nil, err
	}
	w := paced(p, func(i int) error {
		_, err := conns[i%len(conns)].Write(make([]byte, pingBytes))
		return err
	})
	if w.Errors > 0 {
		return nil, errors.New(w.Error)
	}
	if err := s.until(func() bool { return s.heard-before == w.Requests }); err != nil {
		return nil, err
	}
	end, err := usageOfSelf()
	return pings{w.Requests, end.CPU - start.CPU}, err
}

// pings is what keeping connections alive has taken.
type pings struct {
	Count int
	CPU   time.Duration
}

// echo sends requestBytes to the first connection and reads them back.
func (s *bareServer) echo(_ context.Context, p pace) (any, error) {
	conn := s.conns[0]
	request, answer := make([]byte, requestBytes), make([]byte, requestBytes)
	var one sync.Mutex
	return paced(p, func(int) error {
		one.Lock()
		defer one.Unlock()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, answer)
		return err
	}), nil
}

// push is the plain loop "file to TLS", with the size and the hash before it, until the receiver has
// said that the hash fits.
func (s *bareServer) push(_ context.Context, o push) (any, error) {
	before, err := usageOfSelf()
	if err != nil {
		return nil, err
	}
	conn := s.conns[0]
	began := time.Now()
	f, err := os.Open(o.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := conn.Write(binary.BigEndian.AppendUint64([]byte(o.SHA256), uint64(o.Size))); err != nil {
		return nil, err
	}
	buffer := make([]byte, bareBufferBytes)
	if _, err := io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{f}, buffer); err != nil {
		return nil, err
	}
	var verdict [1]byte
	if _, err := io.ReadFull(conn, verdict[:]); err != nil || verdict[0] != 1 {
		return nil, fmt.Errorf("receiver says %d: %w", verdict[0], err)
	}
	took := time.Since(began)
	after, err := usageOfSelf()
	return pushed{Took: took, CPU: after.CPU - before.CPU}, err
}

// bareCallers dial a bareServer and answer each read with the same bytes, or take pushes.
type bareCallers struct {
	work sync.WaitGroup
}

type openBareCallers struct {
	Link, Roster string
	Pin          trust.Pin
	Count        int
	AtOnce       int
	// Out makes them write what is pushed to this file instead.
	Out string
	// Lines makes them print this file each time they are asked to.
	Lines string
}

func bareCallersRole() *role {
	r, c := newRole(), &bareCallers{}
	on(r, "open", c.open)
	return r
}

func (c *bareCallers) open(ctx context.Context, o openBareCallers) (any, error) {
	identities, err := readRoster(o.Roster, o.Count)
	if err != nil {
		return nil, err
	}
	gate := make(chan struct{}, o.AtOnce)
	var dials sync.WaitGroup
	errs := make([]error, o.Count)
	for i, id := range identities {
		gate <- struct{}{}
		dials.Go(func() {
			defer func() { <-gate }()
			errs[i] = c.dial(ctx, o, i, id)
		})
	}
	dials.Wait()
	return nil, errors.Join(errs...)
}

func (c *bareCallers) dial(ctx context.Context, o openBareCallers, i int, id trust.Identity) error {
	raw, err := dialFrom(ctx, i, o.Link)
	if err != nil {
		return err
	}
	conn := tls.Client(raw, &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{id.Certificate}, InsecureSkipVerify: true,
		VerifyConnection: pinned(func(p trust.Pin) bool { return p == o.Pin }),
	})
	if err := conn.Handshake(); err != nil {
		return err
	}
	switch {
	case o.Out != "":
		c.work.Go(func() { receivePushes(conn, o.Out) })
	case o.Lines != "":
		c.work.Go(func() { printLines(conn, o.Lines) })
	default:
		c.work.Go(func() { mirror(conn) })
	}
	return nil
}

func mirror(conn *tls.Conn) {
	buffer := make([]byte, 512)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// receivePushes is the plain loop "TLS to SHA-256 to file".
func receivePushes(conn *tls.Conn, path string) {
	var head [2*sha256.Size + 8]byte
	buffer := make([]byte, bareBufferBytes)
	for {
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		size := int64(binary.BigEndian.Uint64(head[2*sha256.Size:]))
		h := sha256.New()
		verdict := byte(1)
		if err := receiveFile(conn, size, path, h, buffer); err != nil ||
			!bytes.Equal(fmt.Appendf(nil, "%x", h.Sum(nil)), head[:2*sha256.Size]) {
			verdict = 0
		}
		if _, err := conn.Write([]byte{verdict}); err != nil || os.Remove(path) != nil {
			return
		}
	}
}

// receiveFile makes the file durable, as the agent does.
func receiveFile(r io.Reader, size int64, path string, h hash.Hash, buffer []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(h, f)}, struct{ io.Reader }{io.LimitReader(r, size)}, buffer)
	return errors.Join(err, f.Sync(), f.Close())
}
