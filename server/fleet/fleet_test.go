// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/trust"
	"fairlead/server/fleet"
)

// yard is a fleet on a store, with agents that are connected by pipes, in virtual time.
type yard struct {
	t      *testing.T
	store  store.Store
	fleet  *fleet.Fleet
	server trust.Identity
	door   *trust.Door
	ctx    context.Context
	stop   context.CancelFunc
	group  sync.WaitGroup
}

func newYard(t *testing.T) *yard {
	y := &yard{t: t}
	y.ctx, y.stop = context.WithCancel(t.Context())
	var err error
	y.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
	y.must(err)
	y.server, err = trust.NewIdentity("server", time.Now())
	y.must(err)
	y.must(y.store.Update(t.Context(), func(w store.Writer) error {
		return w.PutInstallation(
			store.Installation{ID: "3f8d1f2e-8f38-4a3e-9d6b-0d7a6f0e1c11", Name: "test", CreatedAt: time.Now()},
		)
	}))
	keeper := link.NewKeeper()
	y.fleet = fleet.New(fleet.Deps{
		Store: y.store, Keeper: keeper, Version: "1.0.0",
		Env: host.Env{
			Wall: time.Now, Log: slog.New(slog.DiscardHandler),
			Rand: func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
		},
		Server:     fleet.Server{ID: "3f8d1f2e-8f38-4a3e-9d6b-0d7a6f0e1c11", Identity: y.server},
		CameOnline: func(context.Context, deploy.MachineID) {},
		Check:      func(context.Context, []deploy.MachineID) {},
	})
	y.door, err = trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{y.server} },
		Links:      y.fleet.Accept, LinkRole: trust.RoleAgent, Applicants: true, Wall: time.Now,
	})
	y.must(err)
	y.must(y.fleet.Load(t.Context()))
	y.group.Go(func() { _ = keeper.Run(y.ctx) })
	y.group.Go(func() { _ = y.fleet.Run(y.ctx) })
	return y
}

func (y *yard) close() {
	y.stop()
	y.group.Wait()
	y.must(y.store.Close())
}

func (y *yard) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// agent is a fake agent: a key, and answers to hello.
type agent struct {
	id    trust.Identity
	run   string
	hangs atomic.Bool   // hello is not answered
	deaf  atomic.Bool   // nor who asks whether a session lives
	asked chan struct{} // one for each hello

	journal atomic.Int64 // its position
}

func (y *yard) newAgent(run string) *agent {
	id, err := trust.NewIdentity(run, time.Now())
	y.must(err)
	return &agent{id: id, run: run, asked: make(chan struct{}, 100)}
}

// again is another run of an agent with the same key.
func (a *agent) again(run string) *agent {
	return &agent{id: a.id, run: run, asked: make(chan struct{}, 100)}
}

// machine puts the agent into the store as a machine.
func (y *yard) machine(a *agent, id deploy.MachineID, name string) {
	y.must(y.store.Update(y.t.Context(), func(w store.Writer) error {
		return w.PutMachine(deploy.Machine{
			ID: id, Space: deploy.DefaultSpace, Name: name, Style: deploy.Polling, Pin: a.id.Pin.String(), AddedAt: time.Now(),
		})
	}))
	y.must(y.fleet.Load(y.t.Context()))
}

// connect opens a line and returns how it ended, once it has.
func (y *yard) connect(a *agent) (ended chan error) {
	ended = make(chan error, 1)
	conn, _, err := y.handshake(a, trust.LinkProtocol)
	if err != nil {
		ended <- err
		return ended
	}
	binding, err := link.SessionBinding(conn.ConnectionState())
	y.must(err)
	var mux contract.Mux
	contract.Handle(&mux, contract.Hello, func(ctx context.Context, said contract.HelloArgs) (contract.Facts, error) {
		if said.Machine != "" { // others only ask whether the session lives
			a.asked <- struct{}{}
		}
		if a.hangs.Load() || said.Machine == "" && a.deaf.Load() {
			<-ctx.Done()
			return contract.Facts{}, ctx.Err()
		}
		return contract.Facts{
			Program:  "fairlead-agent",
			Version:  "1.0.0",
			RunID:    a.run,
			StateID:  "state-" + a.run,
			Journal:  a.journal.Load(),
			Hostname: a.run,
		}, nil
	})
	contract.HandleStream(&mux, contract.ScriptStart,
		func(_ context.Context, c *contract.Call[contract.StartArgs, contract.TicketStatus]) error {
			if _, err := io.Copy(io.Discard, c.Body); err != nil {
				return err
			}
			_, err := c.Reply(contract.TicketStatus{
				Ticket: c.Args.Ticket, State: contract.Running, Journal: a.journal.Add(1),
			})
			return err
		})
	session := link.NewSession(conn, link.Options{
		Role: link.Servant, Settings: link.Settings{Binding: binding},
		Serve: func(ctx context.Context, s contract.Stream) { _ = mux.Serve(ctx, s) },
	})
	y.group.Go(func() { ended <- session.Run(y.ctx) })
	return ended
}

// handshake proves both ends to each other over a pipe; the server's end is served as its
// protocol wants.
func (y *yard) handshake(a *agent, protocol string) (*tls.Conn, trust.Peer, error) {
	near, far := net.Pipe()
	y.group.Go(func() {
		conn, peer, err := y.door.Handshake(y.ctx, far)
		switch {
		case err != nil:
		case protocol == trust.JoinProtocol:
			y.fleet.Join(y.ctx, conn, peer)
		default:
			y.fleet.Serve(y.ctx, conn, peer)
		}
	})
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: a.id, Pins: []trust.Pin{y.server.Pin}, Role: trust.RoleServer, Protocol: protocol, Wall: time.Now,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "server"}, y.server.Pin),
	})
	y.must(err)
	return dialler.Handshake(y.ctx, near)
}

// in runs a test in a bubble with a yard.
func in(t *testing.T, f func(y *yard)) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		defer y.close()
		f(y)
	})
}

func TestMachineComesAndGoes(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		y.machine(a, "Machines-1", "web-1")
		if _, _, err := y.fleet.Target("Machines-1"); errkind.Of(err) != errkind.Unavailable {
			t.Fatalf("Target before contact = %v, want Unavailable", err)
		}
		changed := y.fleet.Changed("Machines-1")
		ended := y.connect(a)
		<-changed
		if _, state, err := y.fleet.Target("Machines-1"); err != nil || state != "state-run-1" {
			t.Fatalf("Target = %q, %v", state, err)
		}
		if p := y.fleet.Presence("Machines-1"); !p.Online || p.Version != "1.0.0" {
			t.Fatalf("presence %+v", p)
		}
		y.stop()
		<-ended
	})
}

// TestT3RevokedWhileConnected covers T3: a removed machine's session ends within CloseLimit.
func TestT3RevokedWhileConnected(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		y.machine(a, "Machines-1", "web-1")
		changed := y.fleet.Changed("Machines-1")
		ended := y.connect(a)
		<-changed
		began := time.Now()
		y.must(y.store.Update(y.t.Context(), func(w store.Writer) error { return w.DeleteMachine("Machines-1") }))
		y.fleet.Refresh()
		err := <-ended
		if took := time.Since(began); took > fleet.CloseLimit {
			t.Fatalf("session lived for %v after the removal", took)
		}
		if closed, ok := errors.AsType[*link.CloseError](err); !ok || closed.Reason != link.ReasonGoodbye {
			t.Fatalf("session ended with %v, want a goodbye", err)
		}
		if _, _, err := y.handshake(a, trust.LinkProtocol); err == nil {
			if again := <-y.connect(a); again == nil {
				t.Fatal("a removed machine came in again")
			}
		}
		if _, _, err := y.fleet.Target("Machines-1"); err == nil {
			t.Fatal("a removed machine can still be reached")
		}
	})
}

// TestP6ManySessions covers P6: of many sessions of one agent four stay, the newest win, and the
// machine can be reached all the time.
func TestP6ManySessions(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		y.machine(a, "Machines-1", "web-1")
		var sessions []chan error
		for range 50 {
			sessions = append(sessions, y.connect(a))
			<-a.asked
			synctest.Wait()
			if _, _, err := y.fleet.Target("Machines-1"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for i, ended := range sessions {
			alive := len(ended) == 0
			if want := i >= len(sessions)-trust.MaxSessionsPerPin; alive != want {
				t.Fatalf("session %d of %d: alive is %v, want %v", i+1, len(sessions), alive, want)
			}
		}
	})
}

// TestADeadPathIsGivenUpWhenItsAgentCallsAgain: the old path swallows everything, and the agent comes
// by another. Work must not wait on the old session for the next ping.
func TestADeadPathIsGivenUpWhenItsAgentCallsAgain(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		y.machine(a, "Machines-1", "web-1")
		changed := y.fleet.Changed("Machines-1")
		old := y.connect(a)
		<-changed
		a.deaf.Store(true)
		newest := y.connect(a)
		began := time.Now()
		<-old
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the old session lived for %v", took)
		}
		if len(newest) != 0 {
			t.Error("the newest session has ended")
		}
	})
}

// TestT13Clone covers T13: two live agents with one key end the trust in that key until a person
// has looked.
func TestT13Clone(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		copied := a.again("run-2")
		y.machine(a, "Machines-1", "web-1")
		changed := y.fleet.Changed("Machines-1")
		first := y.connect(a)
		<-changed
		second := y.connect(copied)
		<-first
		<-second
		if _, _, err := y.fleet.Target("Machines-1"); errkind.Of(err) != errkind.Unavailable {
			t.Fatalf("Target of a clone = %v, want Unavailable", err)
		}
		var m deploy.Machine
		var events []deploy.Event
		y.must(y.store.View(y.t.Context(), func(r store.Reader) (err error) {
			if m, err = r.Machine("Machines-1"); err != nil {
				return err
			}
			events, err = r.Events(store.EventFilter{Category: "MachineQuarantined"})
			return err
		}))
		if !m.IsDisabled || m.Health.Status != deploy.HealthUnhealthy || len(events) != 1 {
			t.Fatalf("machine %+v with %d alarms, want it disabled with one", m, len(events))
		}
	})
}

// TestRewoundJournal is row 18: an agent whose journal is older than what the server was told, in a hello
// or in answer to an order, is sent nothing until a person accepts it, and then counts as another one.
func TestRewoundJournal(t *testing.T) {
	for name, c := range map[string]struct {
		orders  int // answered before
		lasting bool
		back    int64 // position after
		held    bool
	}{
		"restart":                         {0, true, 10, false},
		"restart after an order":          {1, true, 11, false},
		"back, as a hello tells":          {0, true, 9, true},
		"back, as an order tells":         {1, true, 10, true},
		"back at once":                    {1, false, 10, true},
		"an agent that knows no position": {1, true, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(y *yard) {
				a := y.newAgent("run-1")
				a.journal.Store(10)
				y.machine(a, "Machines-1", "web-1")
				changed := y.fleet.Changed("Machines-1")
				first := y.connect(a)
				<-changed
				synctest.Wait()
				to, state, err := y.fleet.Target("Machines-1")
				y.must(err)
				for range c.orders {
					_, err := to.Start(y.t.Context(), contract.Order{Ticket: "t-1", Task: "ServerTasks-1"})
					y.must(err)
				}
				if c.lasting {
					time.Sleep(2 * time.Second) // until it is stored
				}
				again := a.again("run-1")
				again.journal.Store(c.back)
				second := y.connect(again)
				if !c.held {
					synctest.Wait()
					if _, now, err := y.fleet.Target("Machines-1"); err != nil || now != state {
						t.Errorf("Target = %q, %v; want %q as before", now, err, state)
					}
					return
				}
				<-first
				<-second
				_, _, err = y.fleet.Target("Machines-1")
				if errkind.Of(err) != errkind.Unavailable || !strings.Contains(err.Error(), "went back in time") ||
					!strings.Contains(err.Error(), "fairlead-server machine enable web-1") {
					t.Fatalf("Target = %v, want that it went back in time and what to do", err)
				}
				y.must(y.store.Update(y.t.Context(), func(w store.Writer) error {
					m, err := w.Machine("Machines-1")
					if said := m.Name + " is in quarantine: " + m.Quarantine; len(said) > link.MaxTextBytes-40 {
						t.Errorf("the agent is told %d bytes: a longer name would cut the command off: %s", len(said), said)
					}
					m.IsDisabled, m.Quarantine = false, ""
					return errors.Join(err, w.PutMachine(m))
				}))
				y.must(y.fleet.Load(y.t.Context()))
				y.connect(again)
				synctest.Wait()
				if _, now, err := y.fleet.Target("Machines-1"); err != nil || now == state {
					t.Errorf("accepted: Target = %q, %v; want another journal than %q", now, err, state)
				}
			})
		})
	}
}

// TestRestartedAgentIsNoClone lets an agent come back as a new run while its old session still
// seems alive: nobody answers there, so nothing is wrong.
func TestRestartedAgentIsNoClone(t *testing.T) {
	in(t, func(y *yard) {
		a := y.newAgent("run-1")
		y.machine(a, "Machines-1", "web-1")
		changed := y.fleet.Changed("Machines-1")
		first := y.connect(a)
		<-changed
		a.hangs.Store(true)
		second := y.connect(a.again("run-2"))
		<-first
		if len(second) != 0 {
			t.Fatalf("the new run was sent away: %v", <-second)
		}
		if _, state, err := y.fleet.Target("Machines-1"); err != nil || state != "state-run-2" {
			t.Fatalf("Target = %q, %v; want the new run", state, err)
		}
	})
}

// join runs the join exchange.
func (y *yard) join(a *agent, token trust.Token, name string) (trust.JoinReply, error) {
	conn, peer, err := y.handshake(a, trust.JoinProtocol)
	if err != nil {
		return trust.JoinReply{}, err
	}
	defer conn.Close()
	return trust.AskJoin(conn, a.id, peer, trust.JoinRequest{
		TokenID: token.ID(), Secret: token.Secret(), Name: name, Mode: trust.ModePolling,
	})
}

func (y *yard) token(edit func(*deploy.JoinToken)) trust.Token {
	token, err := trust.NewToken("server:10943", y.server.Pin)
	y.must(err)
	hash := token.Secret().Hash()
	row := deploy.JoinToken{
		ID: deploy.TokenID(
			token.ID().String(),
		), Space: deploy.DefaultSpace, SecretSHA256: hex.EncodeToString(hash[:]),
		Tags: []string{"web"}, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}
	edit(&row)
	y.must(y.store.Update(y.t.Context(), func(w store.Writer) error { return w.PutJoinToken(row) }))
	return token
}

func TestJoin(t *testing.T) {
	plain := func(*deploy.JoinToken) {}
	t.Run("joins and calls at once", func(t *testing.T) {
		in(t, func(y *yard) {
			a := y.newAgent("run-1")
			reply, err := y.join(a, y.token(plain), "web-1")
			y.must(err)
			changed := y.fleet.Changed(deploy.MachineID(reply.MachineID))
			y.connect(a)
			<-changed
			if p := y.fleet.Presence(deploy.MachineID(reply.MachineID)); !p.Online {
				t.Fatal("the joined machine is not on line")
			}
		})
	})
	t.Run("E1 same token with another key", func(t *testing.T) {
		in(t, func(y *yard) {
			token := y.token(plain)
			_, err := y.join(y.newAgent("run-1"), token, "web-1")
			y.must(err)
			_, err = y.join(y.newAgent("run-2"), token, "web-2")
			if errkind.Of(err) != errkind.Untrusted {
				t.Fatalf("second use = %v, want Untrusted", err)
			}
			var events []deploy.Event
			y.must(y.store.View(y.t.Context(), func(r store.Reader) (err error) {
				events, err = r.Events(store.EventFilter{Category: "JoinTokenReused"})
				return err
			}))
			if len(events) != 1 {
				t.Fatalf("%d alarms, want 1", len(events))
			}
		})
	})
	t.Run("E2 refusals read alike", func(t *testing.T) {
		in(t, func(y *yard) {
			said := map[string]bool{}
			expired := y.token(func(k *deploy.JoinToken) { k.ExpiresAt = time.Now().Add(-time.Second) })
			bound := y.token(func(k *deploy.JoinToken) { k.Machine = "db-1" })
			unknown, err := trust.NewToken("server:10943", y.server.Pin)
			y.must(err)
			used := y.token(plain)
			_, err = y.join(y.newAgent("first"), used, "first")
			y.must(err)
			for i, token := range []trust.Token{expired, bound, unknown, used} {
				_, err := y.join(y.newAgent(fmt.Sprint("run-", i)), token, "web-1")
				if errkind.Of(err) != errkind.Untrusted {
					t.Fatalf("token %d: %v, want Untrusted", i, err)
				}
				said[err.Error()+errkind.Hint(err)] = true
			}
			if len(said) != 1 {
				t.Fatalf("refusals differ: %v", said)
			}
		})
	})
	t.Run("E3 lost answer, same key again", func(t *testing.T) {
		in(t, func(y *yard) {
			a, token := y.newAgent("run-1"), y.token(plain)
			first, err := y.join(a, token, "web-1")
			y.must(err)
			second, err := y.join(a, token, "web-1")
			y.must(err)
			if first.MachineID != second.MachineID {
				t.Fatalf("two machines: %s and %s", first.MachineID, second.MachineID)
			}
		})
	})
	t.Run("E6 name of an existing machine", func(t *testing.T) {
		in(t, func(y *yard) {
			_, err := y.join(y.newAgent("run-1"), y.token(plain), "web-1")
			y.must(err)
			token := y.token(plain)
			late := y.newAgent("run-2")
			if _, err := y.join(late, token, "web-1"); errkind.Of(err) != errkind.Conflict {
				t.Fatalf("taken name = %v, want Conflict", err)
			}
			if _, err := y.join(late, token, "web-2"); err != nil {
				t.Fatalf("the refused try used the token up: %v", err)
			}
		})
	})
	t.Run("A5 token at its end", func(t *testing.T) {
		in(t, func(y *yard) {
			token := y.token(func(k *deploy.JoinToken) { k.ExpiresAt = time.Now().Add(time.Minute) })
			time.Sleep(time.Minute)
			if _, err := y.join(y.newAgent("run-1"), token, "web-1"); errkind.Of(err) != errkind.Untrusted {
				t.Fatalf("at its end = %v, want Untrusted", err)
			}
		})
	})
	t.Run("E1 fifty keys at one moment", func(t *testing.T) {
		in(t, func(y *yard) {
			token := y.token(plain)
			var group sync.WaitGroup
			var joined, refused atomic.Int32
			for n := range 50 {
				name := fmt.Sprint("new-", n)
				a := y.newAgent(name)
				group.Go(func() {
					switch _, err := y.join(a, token, name); {
					case err == nil:
						joined.Add(1)
					case errkind.Of(err) == errkind.Untrusted:
						refused.Add(1)
					}
				})
			}
			group.Wait()
			if joined.Load() != 1 || refused.Load() != 49 {
				t.Fatalf("%d joined and %d were refused, want 1 and 49", joined.Load(), refused.Load())
			}
		})
	})
	t.Run("E3 same key again, its machine deleted", func(t *testing.T) {
		in(t, func(y *yard) {
			a, token := y.newAgent("run-1"), y.token(plain)
			reply, err := y.join(a, token, "web-1")
			y.must(err)
			y.must(y.store.Update(y.t.Context(), func(w store.Writer) error {
				return w.DeleteMachine(deploy.MachineID(reply.MachineID))
			}))
			if _, err := y.join(a, token, "web-1"); errkind.Of(err) != errkind.Denied {
				t.Fatalf("retired key with its token = %v, want Denied", err)
			}
		})
	})
	t.Run("E6 key of a deleted machine", func(t *testing.T) {
		in(t, func(y *yard) {
			a := y.newAgent("run-1")
			reply, err := y.join(a, y.token(plain), "web-1")
			y.must(err)
			y.must(y.store.Update(y.t.Context(), func(w store.Writer) error {
				return w.DeleteMachine(deploy.MachineID(reply.MachineID))
			}))
			if _, err := y.join(a, y.token(plain), "web-1"); errkind.Of(err) != errkind.Denied {
				t.Fatalf("retired key = %v, want Denied", err)
			}
		})
	})
}
