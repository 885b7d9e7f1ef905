// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/link"
	"fairlead/internal/store"
	"fairlead/internal/trust"
)

// TestLinesEndLast: whoever asks on the lines is hushed, told and waited for before the lines hear of the end, also
// when he takes his time; the first part's error is the whole's.
func TestLinesEndLast(t *testing.T) {
	for _, c := range []struct {
		name  string
		first error // of a part that ends by itself; nil when the server is told to end
		want  string
	}{
		{"told to end", nil, ""},
		{"a part fails", errors.New("the disk is broken"), "disk: the disk is broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				var mu sync.Mutex
				var heard []string
				hear := func(what string) {
					mu.Lock()
					defer mu.Unlock()
					heard = append(heard, what)
				}
				r := newRunner(ctx)
				for range 4 {
					r.start(&r.lines, "line", func(ctx context.Context) error {
						<-ctx.Done()
						hear("line told")
						return ctx.Err()
					})
					r.start(&r.askers, "asker", func(ctx context.Context) error {
						<-ctx.Done()
						hear("asker told")
						time.Sleep(time.Second)
						hear("asker ended")
						return ctx.Err()
					})
				}
				r.start(&r.others, "disk", func(ctx context.Context) error {
					if c.first == nil {
						<-ctx.Done()
					}
					return c.first
				})
				synctest.Wait()
				if c.first == nil {
					stop()
				}
				err := r.run(func() {
					time.Sleep(time.Second) // whoever is told before it would be heard before it
					hear("hush")
				})
				if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
					t.Errorf("run = %v, want %q", err, c.want)
				}
				want := slices.Concat([]string{"hush"}, slices.Repeat([]string{"asker told"}, 4),
					slices.Repeat([]string{"asker ended"}, 4), slices.Repeat([]string{"line told"}, 4))
				if !slices.Equal(heard, want) {
					t.Errorf("heard %q, want %q", heard, want)
				}
			})
		})
	}
}

// TestNothingIsSaidAfterAFailedSync: the lines are hushed before anybody hears that the disk or the store has failed,
// so that one that comes then gets the goodbye and nothing else.
func TestNothingIsSaidAfterAFailedSync(t *testing.T) {
	for name, fail := range map[string]func(d *Daemon){
		"disk": func(d *Daemon) { d.disk.Note(syscall.EIO) },
		"store": func(d *Daemon) {
			_ = d.store.Update(t.Context(), func(store.Writer) error { runtime.Goexit(); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newServer(t, DefaultSettings())
			defer d.keep(t.Context())()
			agent, err := trust.NewIdentity("web-1", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			err = d.store.Update(t.Context(), func(w store.Writer) error {
				return w.PutMachine(deploy.Machine{
					ID: "Machines-1", Space: deploy.DefaultSpace, Name: "web-1", Style: deploy.Polling, Pin: agent.Pin.String(),
				})
			})
			if err := errors.Join(err, d.fleet.Load(t.Context())); err != nil {
				t.Fatal(err)
			}
			fail(d)
			ended := d.called(t, agent)
			if closed, ok := errors.AsType[*link.CloseError](ended); !ok || closed.Goodbye.Code != link.GoodbyeStopping ||
				closed.Streams != 0 {
				t.Errorf("the line of an agent ended with %v, want the goodbye and no stream before it", ended)
			}
		})
	}
}

// called has an agent call the server, and returns why its line ended.
func (d *Daemon) called(t *testing.T, agent trust.Identity) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{d.identity} },
		Links:      d.fleet.Accept, LinkRole: trust.RoleAgent, Wall: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: agent, Pins: []trust.Pin{d.identity.Pin}, Role: trust.RoleServer, Protocol: trust.LinkProtocol,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "server"}, d.identity.Pin), Wall: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() {
		conn, peer, err := door.Handshake(ctx, far)
		if err != nil {
			t.Error(err)
			return
		}
		d.fleet.Serve(ctx, conn, peer)
	})
	conn, _, err := dialler.Handshake(ctx, near)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		t.Fatal(err)
	}
	return link.NewSession(conn, link.Options{
		Role: link.Servant, Settings: link.Settings{Binding: binding},
		Serve: func(_ context.Context, s contract.Stream) { s.Reset("nothing is done here") },
	}).Run(ctx)
}
