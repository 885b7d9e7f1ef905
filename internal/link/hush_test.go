// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// TestHushedSessionSaysGoodbyeAlone ends a caller as a server does: its streams' holders are told at once, in any
// order, while some of them write, and are waited for. What leaves is the goodbye, in one write, and nothing else.
func TestHushedSessionSaysGoodbyeAlone(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			p := join(t, fast, link.Options{}, link.Options{Serve: func(ctx context.Context, _ contract.Stream) { <-ctx.Done() }})
			asking, end := context.WithCancel(t.Context())
			var holders sync.WaitGroup
			for i := range 6 {
				holders.Go(func() {
					s, err := p.caller.Open(asking, i%2 == 0)
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Reset("done")
					if _, err := io.Copy(s, bytes.NewReader(make([]byte, 4<<20))); errkind.Of(err) != errkind.Canceled {
						t.Errorf("a holder that was told to end: %v", err)
					}
				})
			}
			time.Sleep(time.Second) // all of them wait for credit then: nobody reads there
			before := p.there.total()
			p.caller.Hush()
			end()
			holders.Wait()
			time.Sleep(time.Second)
			if more := p.there.total() - before; more != 0 {
				t.Errorf("%d bytes left a hushed session before its goodbye", more)
			}
			p.cancel()
			if e := closeError(t, <-p.servedDone); e.Goodbye.Code != link.GoodbyeStopping {
				t.Errorf("the other side heard %+v", e)
			}
			const goodbye = link.HeaderBytes + 8 + len("stopping")
			if more := p.there.total() - before; more != goodbye {
				t.Errorf("%d bytes left at the end, want the goodbye's %d", more, goodbye)
			}
		})
	}
}

// TestHushedSessionEndsThoughAStreamIsHeld: who holds a stream and does not hear is let down after HushLimit.
func TestHushedSessionEndsThoughAStreamIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := join(t, fast, link.Options{}, link.Options{Serve: func(ctx context.Context, _ contract.Stream) { <-ctx.Done() }})
		s, err := p.caller.Open(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		p.caller.Hush()
		began := time.Now()
		if _, err := s.Read(make([]byte, 1)); errkind.Of(err) != errkind.Unavailable || time.Since(began) != link.HushLimit {
			t.Errorf("read: %v after %v, want the session over after %v", err, time.Since(began), link.HushLimit)
		}
		if e := closeError(t, <-p.servedDone); !e.ByPeer || e.Goodbye.Code != link.GoodbyeStopping {
			t.Errorf("the other side heard %+v", e)
		}
	})
}
