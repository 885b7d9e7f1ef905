// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/proxy"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

// Limits of the steps of `doctor`.
const (
	lookupLimit  = 5 * time.Second
	connectLimit = 5 * time.Second // for each address
	welcomeLimit = 5 * time.Second
	maxAddresses = 8 // of one name that are tried
)

// walk is one walk to the server. It belongs to one goroutine.
type walk struct {
	env      host.Env
	network  host.Network // through the proxy, if there is one
	machine  string       // the host's name
	name     string       // what the server calls it
	address  string       // of the server, host:port
	proxy    string
	pins     []trust.Pin
	identity trust.Identity
	protocol string

	local     string   // the address that connections come from
	addresses []string // of the server, or of the proxy
	steps     []WalkStep
}

// walk goes as far as it comes and returns what stopped it.
func (w *walk) walk(ctx context.Context) error {
	next := w.address
	if p, ok := w.network.(*proxy.Network); ok {
		next = p.Proxy().Address()
	}
	if err := w.look(ctx, next); err != nil {
		return err
	}
	if err := w.knock(ctx, next); err != nil {
		return err
	}
	conn, err := w.open(ctx)
	if err != nil {
		return err
	}
	return w.shake(ctx, conn)
}

// note adds a step.
func (w *walk) note(name, where string, took time.Duration, err error, result string) {
	if err != nil {
		result = err.Error()
	}
	w.steps = append(w.steps, WalkStep{
		Name: name, Where: where, TookUS: took.Microseconds(), OK: err == nil, Result: result,
	})
}

// look finds the addresses of a name.
func (w *walk) look(ctx context.Context, address string) error {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return errkind.Invalid.Errorf("address %q: %w", address, err)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		w.addresses = []string{address}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	began := time.Now()
	found, err := w.env.Net.LookupNetIP(ctx, "ip", name)
	if err != nil {
		cause := diagnosis.DNSSilent
		if dns, is := errors.AsType[*net.DNSError](err); is && dns.IsNotFound {
			cause = diagnosis.UnknownName
		}
		err = diagnosis.Name(errkind.Unavailable.Errorf("%w", err), cause)
	}
	for _, ip := range found[:min(len(found), maxAddresses)] {
		w.addresses = append(w.addresses, net.JoinHostPort(ip.Unmap().String(), port))
	}
	w.note("name", name, time.Since(began), err, strings.Join(w.addresses, ", "))
	return err
}

// knock opens a connection to each address. It is an error only if none opens.
func (w *walk) knock(ctx context.Context, address string) (last error) {
	opened := 0
	for _, address := range w.addresses {
		began := time.Now()
		err := w.knockAt(ctx, address)
		if err == nil {
			opened++
		} else {
			last = err
		}
		w.note("connect", address, time.Since(began), err, "open")
	}
	if opened > 0 {
		return nil
	}
	return errkind.Of(last).Errorf("%s: %w", address, last)
}

func (w *walk) knockAt(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	conn, err := w.env.Net.DialContext(ctx, "tcp", address)
	if err != nil {
		cause := diagnosis.OfDial(err)
		if op, is := errors.AsType[*net.OpError](err); is {
			err = op.Err // the address is said already
		}
		return diagnosis.Name(errkind.Unavailable.Errorf("%w", err), cause)
	}
	if from, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil {
		w.local = from.Addr().Unmap().String()
	}
	return conn.Close()
}

// open is the way of the agent itself: through the proxy, if there is one.
func (w *walk) open(ctx context.Context) (net.Conn, error) {
	began := time.Now()
	conn, err := redial.Dial(ctx, w.network, w.address)
	if w.proxy != "" {
		w.note("proxy", w.proxy, time.Since(began), err, "open to "+w.address)
	} else if err != nil {
		w.note("connect", w.address, time.Since(began), err, "")
	}
	return conn, err
}

// shake proves both ends to each other, and waits for the server's first word.
func (w *walk) shake(ctx context.Context, conn net.Conn) error {
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: w.identity, Pins: w.pins, Role: trust.RoleServer, Protocol: w.protocol, Wall: w.env.Wall,
		KeyLog: w.env.KeyLog,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "doctor"}, w.pins...),
	})
	if err != nil {
		_ = conn.Close()
		return err
	}
	began := time.Now()
	secure, peer, err := dialler.Handshake(ctx, conn)
	w.note("tls", w.address, time.Since(began), err, "the server proved pin "+peer.Pin().Short()+", as wanted")
	if err != nil {
		return w.ask(ctx, err)
	}
	defer secure.Close()
	err = w.welcome(ctx, secure)
	result := "agrees with the dates of the server's certificate"
	if warning := peer.Warning(); warning != "" {
		result = warning
	}
	w.note("clock", w.env.Wall().UTC().Format(time.DateTime)+" UTC", 0, nil, result)
	return err
}

// ask puts the question to whoever answered in the place of the server.
func (w *walk) ask(ctx context.Context, err error) error {
	began := time.Now()
	refined := redial.Refine(ctx, w.network, w.address, err)
	if diagnosis.Of(refined) != diagnosis.Of(err) {
		w.note("question", w.address, time.Since(began), nil, "answers plain HTTP too, and leads elsewhere")
	}
	return refined
}

// welcome waits until the server has asked something on a line, as it does of a machine that it takes, or has
// said why not: it judges our certificate, and the machine, after the handshake. The question gets no answer, so
// the server takes this for no session of the agent.
func (w *walk) welcome(ctx context.Context, conn *tls.Conn) error {
	if w.protocol != trust.LinkProtocol {
		return nil // before joining the server waits for us to speak
	}
	binding, err := link.SessionBinding(conn.ConnectionState())
	if err != nil {
		return err
	}
	began := time.Now()
	asked := make(chan struct{})
	limited, cancel := context.WithTimeout(ctx, welcomeLimit)
	defer cancel()
	known := sync.OnceFunc(func() { close(asked); cancel() })
	err = refused(link.NewSession(conn, link.Options{
		Role: link.Servant, Settings: link.Settings{Binding: binding},
		Serve: func(context.Context, contract.Stream) { known() },
	}).Run(limited))
	select {
	case <-asked:
		err = nil
	default:
		err = w.dismissed(err)
	}
	w.note("welcome", w.address, time.Since(began), err, "the server knows this machine")
	return err
}

// dismissed puts a server's goodbye into words.
func (w *walk) dismissed(err error) error {
	closed, is := errors.AsType[*link.CloseError](err)
	switch {
	case !is || closed.Reason != link.ReasonGoodbye:
		return err
	case !closed.ByPeer:
		return errkind.Hinted(errkind.Timeout.Errorf("the server said nothing within %v", welcomeLimit),
			"it may have too much to do: try again, and look into the server's log")
	}
	return sentAway(errkind.Of(err).Errorf("the server sends this machine away: %s", closed.Goodbye.Text),
		closed.Goodbye.Code, w.name)
}

// sentAway adds what to do about a goodbye of the server; the machine of that name is meant.
func sentAway(err error, code link.GoodbyeCode, name string) error {
	switch code {
	case link.GoodbyeRevoked:
		return errkind.Hinted(errkind.Denied.Errorf("%w", err),
			"see why on the machine's page in the portal; when that is settled, at the server: "+
				"fairlead-server machine enable %s", name)
	case link.GoodbyeBusy, link.GoodbyeStopping, link.GoodbyeDrained:
		return errkind.Hinted(err, "the server has no time now: the agent comes back by itself")
	}
	return err
}
