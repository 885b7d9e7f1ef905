// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"cmp"
	"io"
	"net"
	"sync"
	"time"

	"fairlead/netem"
)

// copyBytes is the most that a tunnel takes at a time.
const copyBytes = 32 << 10

// tunnel carries bytes between a client and a server.
type tunnel struct {
	client, server net.Conn
	watch          *watch
	trouble        Misbehaviour
	owned          sync.WaitGroup
}

// run carries bytes both ways until both ends have ended their direction, or something breaks. It does
// not close the connections, unless one breaks.
func (t *tunnel) run() {
	t.owned.Go(func() { t.carry(t.server, t.client, fromClient) })
	t.carry(t.client, t.server, fromServer)
	t.owned.Wait()
	t.watch.stop()
}

func (t *tunnel) carry(to io.Writer, from io.Reader, side int) {
	left := int64(-1)
	if side == fromServer && t.trouble.Truncate > 0 {
		left = t.trouble.Truncate
	}
	hold := hoarder{to: to, block: t.trouble.Hold}
	buffer := make([]byte, copyBytes)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			t.watch.touch(side)
		}
		if left >= 0 {
			n = int(min(int64(n), left))
			left -= int64(n)
		}
		if _, werr := hold.Write(buffer[:n]); werr != nil || left == 0 {
			t.breakUp()
			return
		}
		switch {
		case err == io.EOF:
			if hold.flush() != nil || closeWrite(to) != nil {
				t.breakUp()
			}
			return
		case err != nil:
			t.breakUp()
			return
		}
	}
}

// breakUp ends both connections: one of them is broken.
func (t *tunnel) breakUp() {
	_ = t.client.Close() // closed already, or broken: there is nobody to tell
	_ = t.server.Close()
}

func closeWrite(w io.Writer) error {
	if c, is := w.(interface{ CloseWrite() error }); is {
		return c.CloseWrite()
	}
	return nil
}

// hoarder passes bytes on in whole blocks, as a proxy that buffers streams; block 0 passes all on.
type hoarder struct {
	to    io.Writer
	block int
	kept  []byte
}

func (h *hoarder) Write(b []byte) (int, error) {
	if h.block == 0 {
		return h.to.Write(b)
	}
	h.kept = append(h.kept, b...)
	whole := len(h.kept) / h.block * h.block
	if whole == 0 {
		return len(b), nil
	}
	if _, err := h.to.Write(h.kept[:whole]); err != nil {
		return 0, err
	}
	h.kept = append(h.kept[:0], h.kept[whole:]...)
	return len(b), nil
}

func (h *hoarder) flush() error {
	_, err := h.to.Write(h.kept)
	return err
}

// within sets a deadline for all that a connection does, 0 for none.
func within(c net.Conn, d time.Duration) {
	if d == 0 {
		_ = c.SetDeadline(time.Time{}) // a closed connection says so at its next use
		return
	}
	_ = c.SetDeadline(time.Now().Add(d))
}

// readFrom is a connection whose first bytes were read already.
type readFrom struct {
	net.Conn
	r io.Reader
}

func (c *readFrom) Read(b []byte) (int, error) { return c.r.Read(b) }

// CloseWrite ends the direction to the client.
func (c *readFrom) CloseWrite() error { return closeWrite(c.Conn) }

// terms are when a tunnel ends by itself.
type terms struct {
	idle, tunnel, lifetime time.Duration // 0 is never
	expiry                 netem.Expiry
	trouble                Misbehaviour
}

// carry runs a tunnel for a visit on these terms.
func (v *visit) carry(client, server net.Conn, t terms) {
	end := func() { v.expire(t.expiry) }
	w := newWatch(cmp.Or(t.trouble.Idle, t.idle), t.tunnel, end)
	life := newWatch(t.lifetime, 0, end)
	defer life.stop()
	(&tunnel{client: client, server: server, watch: w, trouble: t.trouble}).run()
}
