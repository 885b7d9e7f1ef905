// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come, quiet for what must not.
const (
	patience = 5 * time.Second
	quiet    = 300 * time.Millisecond
)

// up builds a network, or skips the test where that is not possible.
func up(t *testing.T, topology Topology) *Network {
	t.Helper()
	if why := Missing(); why != "" {
		t.Skip("no network of the kernel here: " + why)
	}
	n, err := Up(t.Context(), topology)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// pond is one host inside, one outside, and an edge between them.
func pond(boxes ...Box) Topology {
	return Topology{
		Segments: []Segment{{"internet", prefix4("0.0.0.0/0")}, {"site", prefix4("10.1.0.0/24")}},
		Hosts:    []Host{{Name: "inside", Segment: "site"}, {Name: "outside", Segment: "internet"}},
		Edges:    []Edge{{Name: "edge", Inner: "site", Outer: "internet", Boxes: boxes}},
	}
}

// greet listens on a host, sends each caller's address as a line, and echoes.
func greet(t *testing.T, n *Network, host, port string) net.Listener {
	t.Helper()
	listener, err := n.Listen(t.Context(), host, "0.0.0.0:"+port)
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(t.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
				defer stop()
				if _, err := io.WriteString(conn, host+" "+conn.RemoteAddr().String()+"\n"); err == nil {
					_, _ = io.Copy(conn, conn)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		tasks.Wait()
	})
	return listener
}

func call(t *testing.T, n *Network, host, name, port string, limit time.Duration) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	conn, err := n.Dial(ctx, host, net.JoinHostPort(n.Addr(name).String(), port))
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// meet calls and reads who answered and whom it saw.
func meet(t *testing.T, n *Network, host, name, port string) (conn net.Conn, who, saw string) {
	t.Helper()
	conn, err := call(t, n, host, name, port, patience)
	if err != nil {
		t.Fatal(err)
	}
	line, err := hear(conn, patience)
	if err != nil {
		t.Fatal(err)
	}
	who, saw, _ = strings.Cut(strings.TrimSpace(line), " ")
	return conn, who, saw
}

func hear(conn net.Conn, limit time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return "", err
	}
	buffer := make([]byte, 256)
	read, err := conn.Read(buffer)
	return string(buffer[:read]), err
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// beyond waits in a read until a connection was silent for so long.
func beyond(t *testing.T, conn net.Conn, silence time.Duration) {
	t.Helper()
	if text, err := hear(conn, silence); !isTimeout(err) {
		t.Fatalf("heard %q, %v, want silence", text, err)
	}
}

func TestNATSharesItsAddressAndForgetsInSilence(t *testing.T) {
	public := addr("203.0.113.7")
	n := up(t, pond(Box{Name: "nat", NAT: &NAT{Public: public, FirstPort: 40000, LastPort: 40099}, Idle: time.Second}))
	greet(t, n, "outside", "9")
	conn, _, saw := meet(t, n, "inside", "outside", "9")
	if at := netip.MustParseAddrPort(saw); at.Addr() != public || at.Port() < 40000 || at.Port() > 40099 {
		t.Errorf("the far end saw %s, want %s and a port of 40000 to 40099", at, public)
	}
	beyond(t, conn, 2500*time.Millisecond)
	say(t, conn, "still there?")
	beyond(t, conn, quiet)
	meet(t, n, "inside", "outside", "9")
	if _, err := call(t, n, "outside", "inside", "9", quiet); !isTimeoutOf(err) {
		t.Errorf("a call from outside got %v, want no answer", err)
	}
}

// isTimeoutOf reports a dial that got no answer.
func isTimeoutOf(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) && failed.Timeout()
}

func TestBoxesSpeakWhenTheyForget(t *testing.T) {
	n := up(t, pond(Box{Name: "nat", NAT: &NAT{Public: addr("203.0.113.7")}, Stray: Reset}))
	greet(t, n, "outside", "9")
	conn, _, _ := meet(t, n, "inside", "outside", "9")
	if err := n.Flush(t.Context(), "nat"); err != nil {
		t.Fatal(err)
	}
	say(t, conn, "still there?")
	if text, err := hear(conn, patience); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the flush: %q, %v, want ECONNRESET", text, err)
	}
}

func TestFirewallRefusesInThreeWays(t *testing.T) {
	for _, row := range []struct {
		name   string
		refuse Reaction
		is     func(error) bool
	}{
		{"silence", Silence, isTimeoutOf},
		{"reset", Reset, func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }},
		{"unreachable", Unreachable, func(err error) bool { return errors.Is(err, syscall.EHOSTUNREACH) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := up(t, pond(Box{Name: "fw", Firewall: &Firewall{Out: []Rule{{First: 9}}, Refuse: row.refuse}}))
			greet(t, n, "outside", "9")
			greet(t, n, "outside", "10")
			meet(t, n, "inside", "outside", "9")
			if _, err := call(t, n, "inside", "outside", "10", time.Second); !row.is(err) {
				t.Errorf("the port that is closed: %v, want %s", err, row.name)
			}
			if _, err := call(t, n, "outside", "inside", "9", time.Second); !row.is(err) {
				t.Errorf("the way in: %v, want %s", err, row.name)
			}
		})
	}
}

func TestWireDelaysBothWays(t *testing.T) {
	const oneWay = 40 * time.Millisecond
	topology := pond()
	topology.Edges[0].Delay = oneWay
	n := up(t, topology)
	greet(t, n, "outside", "9")
	conn, _, _ := meet(t, n, "inside", "outside", "9") // the neighbours know each other now
	began := time.Now()
	say(t, conn, "x")
	if _, err := hear(conn, patience); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("a round trip over 2 x %s took %s", oneWay, took)
	if took < 2*oneWay || took > 2*oneWay+time.Second {
		t.Errorf("a round trip took %s, want %s and a little", took, 2*oneWay)
	}
}

func TestCutIsSilentAndHeals(t *testing.T) {
	for _, row := range []struct {
		name string
		way  Way
	}{{"edge", BothWays}, {"edge", Outward}, {"edge", Inward}, {"inside", BothWays}, {"outside", Inward}} {
		n := up(t, pond())
		greet(t, n, "outside", "9")
		conn, _, _ := meet(t, n, "inside", "outside", "9")
		if err := n.Cut(t.Context(), row.name, row.way); err != nil {
			t.Fatal(err)
		}
		say(t, conn, "x")
		beyond(t, conn, quiet)
		if err := n.Heal(t.Context(), row.name); err != nil {
			t.Fatal(err)
		}
		if text, err := hear(conn, patience); text != "x" {
			t.Errorf("%s, way %d: after the heal %q, %v, want what was said", row.name, row.way, text, err)
		}
	}
}

func TestBalancerSpreadsAndLeavesTheDeadOut(t *testing.T) {
	topology := pond(Box{Name: "lb", Balancer: &Balancer{
		Address: addr("203.0.113.80"), Backends: []netip.Addr{addr("10.1.0.1"), addr("10.1.0.2")},
		Check: 100 * time.Millisecond, CheckPort: 9,
	}})
	topology.Names = map[string]netip.Addr{"lb": addr("203.0.113.80")}
	topology.Hosts = append(topology.Hosts, Host{Name: "one", Segment: "site", Addr: addr("10.1.0.1")},
		Host{Name: "two", Segment: "site", Addr: addr("10.1.0.2")})
	n := up(t, topology)
	first := greet(t, n, "one", "9")
	greet(t, n, "two", "9")
	answers := map[string]int{}
	for range 40 {
		_, who, saw := meet(t, n, "outside", "lb", "9")
		answers[who]++
		if !strings.HasPrefix(saw, n.Addr("outside").String()+":") {
			t.Fatalf("a backend saw %s, want the client's address", saw)
		}
	}
	if answers["one"] < 5 || answers["two"] < 5 {
		t.Errorf("40 connections went to %v, want some to each", answers)
	}
	_ = first.Close()
	began, row := time.Now(), 0
	for row < 20 && time.Since(began) < patience {
		row++
		conn, err := call(t, n, "outside", "lb", "9", patience)
		if err != nil {
			row = 0
			continue
		}
		if text, err := hear(conn, patience); err != nil || !strings.HasPrefix(text, "two ") {
			row = 0
		}
	}
	if row < 20 {
		t.Errorf("%s after one backend died connections still go there", patience)
	}
}

// A program is killed: its kernel says so. The power goes: nobody says anything.
func TestPowerOffSaysNothing(t *testing.T) {
	n := up(t, pond())
	listener, err := n.Listen(t.Context(), "outside", "0.0.0.0:9")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	script := "exec 3<>/dev/tcp/" + n.Addr("outside").String() + "/9; echo hello >&3; exec sleep 60"
	visit := func() (*exec.Cmd, net.Conn) {
		words := n.Command("inside", "bash", "-c", script)
		program := exec.CommandContext(t.Context(), words[0], words[1:]...)
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if text, err := hear(conn, patience); text != "hello\n" {
			t.Fatalf("the program said %q, %v", text, err)
		}
		return program, conn
	}
	program, conn := visit()
	if err := n.Kill(t.Context(), "inside"); err != nil {
		t.Fatal(err)
	}
	if text, err := hear(conn, patience); !errors.Is(err, io.EOF) {
		t.Errorf("after the kill: %q, %v, want the end of the connection", text, err)
	}
	_ = program.Wait()
	program, conn = visit()
	if err := n.PowerOff(t.Context(), "inside"); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err == nil {
		t.Error("a program outlived the power of its host")
	}
	if _, err := n.Dial(t.Context(), "inside", "127.0.0.1:9"); err == nil || !strings.Contains(err.Error(), "no power") {
		t.Errorf("dial from a host without power: %v", err)
	}
	beyond(t, conn, quiet)
	if err := n.PowerOn(t.Context(), "inside"); err != nil {
		t.Fatal(err)
	}
	visit()
}

// awaitPid waits until a program has entered its host.
func awaitPid(t *testing.T, n *Network, host string, pid int) (list []int, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		if list, err = n.Pids(ctx, host); err != nil {
			return list, err
		}
		for _, found := range list {
			if found == pid {
				return list, nil
			}
		}
	}
	return list, ctx.Err()
}

func TestNamesResolveOnEveryHost(t *testing.T) {
	n := up(t, pond())
	words := n.Command("inside", "cat", "/etc/hosts")
	out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).Output()
	if want := n.Addr("outside").String() + " outside\n"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("/etc/hosts: %v\n%s\nwant %q in it", err, out, want)
	}
}

func TestTheWholeHospital(t *testing.T) {
	n := up(t, hospital())
	greet(t, n, "srv-1", "10943")
	greet(t, n, "srv-2", "10943")
	_, who, saw := meet(t, n, "agent", "lb", "10943")
	if !strings.HasPrefix(saw, "203.0.113.80:") {
		t.Errorf("%s saw %s, want the balancer that hides its clients", who, saw)
	}
	greet(t, n, "cafe", "10943")
	if _, _, saw := meet(t, n, "agent", "cafe", "10943"); !strings.HasPrefix(saw, "203.0.113.7:") {
		t.Errorf("the cafe saw %s, want the address of the NAT behind the firewall", saw)
	}
	if _, err := call(t, n, "agent", "cafe", "443", patience); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a port that the firewall closes: %v, want ECONNREFUSED", err)
	}
}

func TestErrorsNameTheCommand(t *testing.T) {
	n := up(t, pond())
	for want, err := range map[string]error{
		`there is no host "attic"`:       n.Kill(t.Context(), "attic"),
		`cut "attic"`:                    n.Cut(t.Context(), "attic", BothWays),
		`there is no box "edge"`:         n.Flush(t.Context(), "edge"),
		"heal edge: ip netns exec netem": n.Heal(t.Context(), "edge"),
		`("link set nobody up")`:         batch(t.Context(), "try", n.space("inside"), []string{"link set lo up", "link set nobody up"}),
		"host inside has power":          n.PowerOn(t.Context(), "inside"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// left lists what a run has in the system.
func left(t *testing.T, run string) (names []string) {
	t.Helper()
	for _, pattern := range []string{
		filepath.Join(spacesDir, prefix(run)+"*"), filepath.Join(namesDir, prefix(run)+"*"), claimPath(run),
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	return names
}

func TestCloseLeavesNothing(t *testing.T) {
	if why := Missing(); why != "" {
		t.Skip("no network of the kernel here: " + why)
	}
	n, err := Up(t.Context(), pond())
	if err != nil {
		t.Fatal(err)
	}
	if names := left(t, n.claim.run); len(names) != 8 {
		t.Errorf("a network of 5 namespaces has %q, want those, names for 2 hosts, and a claim", names)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := left(t, n.claim.run); len(names) > 0 {
		t.Errorf("a closed network left %q", names)
	}
}

func TestSweepTakesTheDeadAlone(t *testing.T) {
	living := up(t, pond())
	dead, err := Up(t.Context(), pond())
	if err != nil {
		t.Fatal(err)
	}
	words := dead.Command("inside", "sleep", "60")
	orphan := exec.CommandContext(t.Context(), words[0], words[1:]...)
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := awaitPid(t, dead, "inside", orphan.Process.Pid); err != nil {
		t.Fatal(err)
	}
	_ = dead.claim.file.Close() // as the kernel does when a process dies
	if err := Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := orphan.Wait(); err == nil {
		t.Error("a process of the dead run lives on")
	}
	if names := left(t, dead.claim.run); len(names) > 0 {
		t.Errorf("the sweep left %q of the dead run", names)
	}
	greet(t, living, "outside", "9")
	meet(t, living, "inside", "outside", "9")
	dead.stop()
	dead.probes.Wait()
}
