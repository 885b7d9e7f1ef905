// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/netem"
)

// The same short stories are told in the kernel's network and in netem's; what programs hear in them
// must be the same. A site of one host lies behind one box, and one host is outside.

// stage is where a story is told.
type stage struct {
	listen      func(host string) (net.Listener, error)
	dial        func(ctx context.Context, host, address string) (net.Conn, error)
	flush       func() error
	cut, uncut  func() error
	out         string // address of the host outside
	told        []string
	open        []io.Closer
	server, cli net.Conn
}

const stagePort = "9"

func (s *stage) tell(what string, err error) {
	var errno syscall.Errno
	var failed net.Error
	switch {
	case err == nil:
	case errors.As(err, &errno):
		what += ": " + errno.Error()
	case errors.Is(err, io.EOF):
		what += ": end"
	case errors.As(err, &failed) && failed.Timeout():
		what += ": silence"
	default:
		what += ": " + err.Error()
	}
	s.told = append(s.told, what)
}

// call lets one host dial a port of an address.
func (s *stage) call(from, address string) net.Conn { return s.callWithin(quiet, from, address) }

func (s *stage) callWithin(limit time.Duration, from, address string) net.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	conn, err := s.dial(ctx, from, address)
	s.tell("call "+address, err)
	if err == nil {
		s.open = append(s.open, conn)
	}
	return conn
}

// connect gives the story a connection from inside to outside. It must come, however busy the machine is: the story
// is about it.
func (s *stage) connect() {
	s.link("inside", "outside", s.out)
}

func (s *stage) link(from, to, address string) {
	listener, err := s.listen(to)
	if err != nil {
		s.tell("listen", err)
		return
	}
	s.open = append(s.open, listener)
	if s.cli = s.callWithin(patience, from, net.JoinHostPort(address, stagePort)); s.cli == nil {
		return
	}
	if s.server, err = listener.Accept(); err != nil {
		s.tell("accept", err)
		return
	}
	s.open = append(s.open, s.server)
	for _, way := range [][2]net.Conn{{s.cli, s.server}, {s.server, s.cli}} {
		s.say(way[0], "hello")
		s.hear(way[1])
	}
	rest()
}

// rest gives signals that are under way, such as delayed acknowledgements, time to arrive.
func rest() { <-time.After(100 * time.Millisecond) }

func (s *stage) who(conn net.Conn) string {
	if conn == s.cli {
		return "client"
	}
	return "server"
}

func (s *stage) say(conn net.Conn, text string) {
	_, err := io.WriteString(conn, text)
	s.tell(s.who(conn)+" says "+text, err)
}

func (s *stage) hear(conn net.Conn) {
	text, err := hear(conn, quiet)
	s.tell(s.who(conn)+" hears "+text, err)
}

func (s *stage) do(what string, err error) { s.tell(what, err) }

func (s *stage) end() {
	for _, c := range s.open {
		_ = c.Close()
	}
}

// deviation is a line in which netem is known to differ, and why that is let be.
type deviation struct{ line, kernel, netem, why string }

// deviations are all of them, by story. One that is gone must go from here too.
func deviations() map[string][]deviation {
	const once = "Linux tells a reset once, then the end; netem goes on telling the reset"
	again := deviation{"client hears ", "end", "connection reset by peer", once}
	return map[string][]deviation{
		"nat resets strays":      {again},
		"firewall resets strays": {again},
		"balancer resets strays": {again},
		"aborted":                {{"server says one", "broken pipe", "connection reset by peer", once}},
		"closed": {{
			"server says two", "broken pipe", "connection reset by peer", "Linux tells a reset after the end as EPIPE",
		}},
		"balancer forgets in silence": {{
			"server hears ", "silence", "connection reset by peer",
			"netem lets strays of a backend out as they are, and the client resets them; conntrack drops them",
		}},
	}
}

// forgive changes the last line that each deviation is about from the kernel's words to netem's.
func forgive(told []string, all []deviation) []string {
	for _, d := range all {
		for i, line := range slices.Backward(told) {
			if line == d.line+": "+d.kernel {
				told[i] = d.line + ": " + d.netem
				break
			}
		}
	}
	return told
}

// story is told with a box on the edge, which the two worlds make in their own way.
type story struct {
	kernel Box
	netem  netem.Box
	tell   func(*stage)
}

func stagePublic() netip.Addr { return addr("203.0.113.7") }

func kernelNAT(stray Reaction) Box {
	return Box{Name: "box", NAT: &NAT{Public: stagePublic()}, Stray: stray}
}

func netemNAT(expired netem.Action) netem.Box {
	return netem.NewNAT(netem.NATSpec{
		Public: stagePublic(), Mapping: netem.AddressPortDependent, Filtering: netem.AddressPortDependent, Expired: expired,
	})
}

func kernelFirewall(refuse, stray Reaction) Box {
	return Box{Name: "box", Firewall: &Firewall{Out: []Rule{{First: 9}, {First: 11}}, Refuse: refuse}, Stray: stray}
}

func netemFirewall(refuse, stray netem.Action) netem.Box {
	return netem.NewFirewall(netem.FirewallSpec{
		Rules: []netem.Rule{{FirstPort: 9}, {FirstPort: 11}}, Out: refuse, In: refuse, Stray: stray,
	})
}

func kernelBalancer(stray Reaction) Box {
	return Box{Name: "box", Stray: stray, Balancer: &Balancer{
		Address: stagePublic(), Backends: []netip.Addr{addr("10.1.0.10")},
	}}
}

func netemBalancer(expired netem.Action) netem.Box {
	return netem.NewBalancer(netem.BalancerSpec{VIP: stagePublic(), Backends: []netip.Addr{addr("10.1.0.10")}, Expired: expired})
}

// afterFlush is what both ends hear when the box forgot their connection.
func afterFlush(s *stage) {
	s.do("flush", s.flush())
	s.say(s.cli, "one")
	s.hear(s.server)
	s.hear(s.cli)
	s.say(s.server, "two")
	s.hear(s.cli)
	s.hear(s.server)
}

func calls(addresses ...string) func(*stage) {
	return func(s *stage) {
		s.connect()
		for _, a := range addresses {
			from, port, _ := strings.Cut(a, " ")
			s.call(from, port)
		}
	}
}

func stories() map[string]story {
	open := func() (Box, netem.Box) { return kernelNAT(Silence), netemNAT(netem.Silence) }
	plain := func(tell func(*stage)) story {
		k, n := open()
		return story{k, n, tell}
	}
	return map[string]story{
		"nat forgets in silence": {kernelNAT(Silence), netemNAT(netem.Silence), func(s *stage) { s.connect(); afterFlush(s) }},
		"nat resets strays":      {kernelNAT(Reset), netemNAT(netem.Reset), func(s *stage) { s.connect(); afterFlush(s) }},
		"nat takes strays":       {kernelNAT(Pass), netemNAT(netem.Pass), func(s *stage) { s.connect(); afterFlush(s) }},
		"no way in": plain(calls("outside 10.1.0.10:9", "outside 203.0.113.7:9", "inside 203.0.113.7:9",
			"inside 198.18.0.10:10")),
		"firewall forgets in silence": {
			kernelFirewall(Silence, Silence), netemFirewall(netem.Silence, netem.Silence),
			func(s *stage) { s.connect(); afterFlush(s) },
		},
		"firewall resets strays": {
			kernelFirewall(Silence, Reset), netemFirewall(netem.Silence, netem.Reset),
			func(s *stage) { s.connect(); afterFlush(s) },
		},
		"firewall refuses in silence": {
			kernelFirewall(Silence, Silence), netemFirewall(netem.Silence, netem.Silence),
			calls("inside 198.18.0.10:10", "inside 198.18.0.10:11", "outside 10.1.0.10:9"),
		},
		"firewall refuses by reset": {
			kernelFirewall(Reset, Silence), netemFirewall(netem.Reset, netem.Silence),
			calls("inside 198.18.0.10:10", "inside 198.18.0.10:11", "outside 10.1.0.10:9"),
		},
		"firewall refuses by ICMP": {
			kernelFirewall(Unreachable, Silence), netemFirewall(netem.Unreachable, netem.Silence),
			calls("inside 198.18.0.10:10", "inside 198.18.0.10:11", "outside 10.1.0.10:9"),
		},
		"balancer forgets in silence": {kernelBalancer(Silence), netemBalancer(netem.Silence), func(s *stage) {
			s.link("outside", "inside", "203.0.113.7")
			afterFlush(s)
		}},
		"balancer resets strays": {kernelBalancer(Reset), netemBalancer(netem.Reset), func(s *stage) {
			s.link("outside", "inside", "203.0.113.7")
			afterFlush(s)
		}},
		"cut and healed": plain(func(s *stage) {
			s.connect()
			s.do("cut", s.cut())
			s.say(s.cli, "one")
			s.hear(s.server)
			s.call("inside", "198.18.0.10:9")
			s.do("heal", s.uncut())
			s.hearSoon(s.server)
		}),
		"closed": plain(func(s *stage) {
			s.connect()
			s.do("client closes", s.cli.Close())
			s.hear(s.server)
			s.say(s.server, "one")
			rest()
			s.hear(s.server)
			s.say(s.server, "two")
		}),
		"closed with something unread": plain(func(s *stage) {
			s.connect()
			s.say(s.server, "unread")
			s.waitUnread(s.cli)
			s.do("client closes", s.cli.Close())
			s.hear(s.server)
		}),
		"half closed": plain(func(s *stage) {
			s.connect()
			s.do("client closes its half", s.cli.(interface{ CloseWrite() error }).CloseWrite())
			s.hear(s.server)
			s.say(s.server, "one")
			s.hear(s.cli)
			s.do("server closes", s.server.Close())
			s.hear(s.cli)
		}),
		"aborted": plain(func(s *stage) {
			s.connect()
			s.do("linger", s.cli.(interface{ SetLinger(int) error }).SetLinger(0))
			s.do("client closes", s.cli.Close())
			s.hear(s.server)
			s.say(s.server, "one")
		}),
	}
}

// hearSoon has time for a retransmission.
func (s *stage) hearSoon(conn net.Conn) {
	text, err := hear(conn, patience)
	s.tell(s.who(conn)+" hears "+text, err)
}

// waitUnread waits until bytes have arrived that nobody reads.
func (s *stage) waitUnread(conn net.Conn) {
	one := make([]byte, 1)
	_, err := io.ReadFull(conn, one)
	s.tell("client reads one byte "+string(one), err)
}

// kernelStage is the story's site in the kernel.
func kernelStage(t *testing.T, b Box) *stage {
	topology := pond(b)
	n := up(t, topology)
	return &stage{
		listen: func(host string) (net.Listener, error) { return n.Listen(t.Context(), host, "0.0.0.0:"+stagePort) },
		dial:   func(ctx context.Context, host, address string) (net.Conn, error) { return n.Dial(ctx, host, address) },
		flush:  func() error { return n.Flush(t.Context(), "box") },
		cut:    func() error { return n.Cut(t.Context(), "edge", BothWays) },
		uncut:  func() error { return n.Heal(t.Context(), "edge") },
		out:    n.Addr("outside").String(),
	}
}

// netemStage is the same site in netem. It must be made in a bubble.
func netemStage(t *testing.T, b netem.Box) (s *stage, end func()) {
	w := netem.New(netem.Options{Seed: 1, Wait: synctest.Wait})
	internet, site := w.Net("internet", prefix4("0.0.0.0/0")), w.Net("site", prefix4("10.1.0.0/24"))
	edge := w.Join(site, internet, netem.Link{}, b)
	hosts := map[string]*netem.Host{
		"inside":  site.Host("inside", netem.HostSpec{Addr: addr("10.1.0.10")}),
		"outside": internet.Host("outside", netem.HostSpec{Addr: addr("198.18.0.10")}),
	}
	heal := func() {}
	return &stage{
		listen: func(host string) (net.Listener, error) { return hosts[host].Listen(t.Context(), "tcp", ":"+stagePort) },
		dial: func(ctx context.Context, host, address string) (net.Conn, error) {
			return hosts[host].DialContext(ctx, "tcp", address)
		},
		flush: func() error {
			w.Do(b.(interface{ Flush() }).Flush)
			return nil
		},
		cut: func() error {
			heal = w.Inject(netem.Cut{Edge: edge})
			return nil
		},
		uncut: func() error {
			heal()
			return nil
		},
		out: "198.18.0.10",
	}, func() { w.Close() }
}

// maxTellings is how often the kernel may tell a story: on a busy machine what was said can arrive
// after nobody listens any more.
const maxTellings = 3

func TestKernelAndNetemTellTheSame(t *testing.T) {
	for name, row := range stories() {
		t.Run(name, func(t *testing.T) {
			var told []string
			synctest.Test(t, func(t *testing.T) {
				simulated, end := netemStage(t, row.netem)
				defer end()
				row.tell(simulated)
				simulated.end()
				told = simulated.told
			})
			var diff string
			for range maxTellings {
				real := kernelStage(t, row.kernel)
				row.tell(real)
				real.end()
				diff = cmp.Diff(forgive(real.told, deviations()[name]), told)
				if diff == "" {
					return
				}
			}
			t.Errorf("the kernel (-) and netem (+) tell different stories:\n%s", diff)
		})
	}
}
