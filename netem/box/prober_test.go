// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

// cloud is a balancer before two backends, with a security group around them.
type cloud struct {
	*street
	balancer *netem.Balancer
	group    *netem.SecurityGroup
	backends [2]*netem.Host
	prober   *netem.Host
	doors    [2]net.Listener

	mu   sync.Mutex
	came [2]map[string]net.Conn // by the client's address
}

func inCloud(t *testing.T, spec netem.BalancerSpec, f func(t *testing.T, c *cloud)) {
	t.Helper()
	spec.VIP = netip.MustParseAddr(vipText)
	for i := range 2 {
		spec.Backends = append(spec.Backends, netip.AddrFrom4([4]byte{10, 1, 0, byte(i + 1)}))
	}
	onStreet(t, func(t *testing.T, s *street) {
		c := &cloud{street: s, balancer: netem.NewBalancer(spec)}
		c.group = netem.NewSecurityGroup(netem.SecurityGroupSpec{
			Ingress:      []netem.Allow{{Peer: netip.MustParsePrefix("192.168.7.0/24"), FirstPort: 443}},
			HealthChecks: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24")},
		})
		fabric, vpc := s.w.Net("fabric", netip.MustParsePrefix("10.9.0.0/24")), s.w.Net("vpc", netip.MustParsePrefix("10.1.0.0/24"))
		s.w.Join(fabric, s.outside, netem.Link{}, c.balancer)
		s.w.Join(vpc, fabric, netem.Link{}, c.group)
		quiet := netem.HostSpec{KeepAlive: net.KeepAliveConfig{Idle: time.Second}}
		for i, a := range spec.Backends {
			quiet.Addr = a
			c.backends[i] = vpc.Host("backend-"+string(rune('1'+i)), quiet)
			c.doors[i], c.came[i] = s.listen(c.backends[i], ":443"), map[string]net.Conn{}
		}
		quiet.Addr = netip.MustParseAddr("10.9.0.9")
		c.prober = fabric.Host("prober", quiet)
		f(t, c)
	})
}

// to makes a connection that the balancer should send to a backend. far is nil when it has come to the
// other one.
func (c *cloud) to(backend int) (near, far net.Conn) {
	c.t.Helper()
	heal := c.w.Inject(netem.BalancerSkew{Balancer: c.balancer, Backend: c.backends[backend].Addr()})
	defer heal()
	near = c.dial(vipText + ":443")
	c.rest(100 * time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	return near, c.came[backend][near.LocalAddr().String()]
}

// attend accepts what comes to a backend.
func (c *cloud) attend(backend int) {
	for {
		far, err := c.doors[backend].Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.came[backend][far.RemoteAddr().String()] = far
		c.mu.Unlock()
	}
}

func (c *cloud) probe(check netem.HealthCheck, version int) *box.Probing {
	p := box.Prober{World: c.w, Balancer: c.balancer, Port: 443, Check: check, SendProxy: version}.Start(c.t.Context(), c.prober)
	c.t.Cleanup(func() { _ = p.Close() })
	return p
}

var often = netem.HealthCheck{Every: 10 * time.Second, Timeout: 3 * time.Second, Up: 3, Down: 2}

// TestAProberNoticesAfterTheThresholds: two failed probes take a backend out, three good ones bring it
// back, and its connections end with RST at both ends at the moment it is found unhealthy.
func TestAProberNoticesAfterTheThresholds(t *testing.T) {
	inCloud(t, netem.BalancerSpec{UnhealthyReset: true}, func(t *testing.T, c *cloud) {
		go c.attend(0)
		go c.attend(1)
		c.probe(often, 0)
		near, far := c.to(0)
		other, otherFar := c.to(1)
		c.rest(time.Minute)
		c.greetings(near, far)
		began := time.Now()
		heal := c.w.Inject(netem.Cut{Host: c.backends[0], OnlyDown: true}) // it still hears nothing, and can speak
		after, err := ending(near, time.Minute)
		if !errors.Is(err, syscall.ECONNRESET) || after < 10*time.Second || after > 2*10*time.Second+often.Timeout+time.Second {
			t.Errorf("the client: %v after %v, want RST within two probes", err, after)
		}
		if !lives(other, otherFar) {
			t.Error("the other backend's connection is gone")
		}
		if got := c.balancer.Addrs(); len(got) != 1 {
			t.Errorf("the name leads to %v", got)
		}
		for range 10 {
			if near, err := c.client.DialContext(t.Context(), "tcp", vipText+":443"); err != nil {
				t.Errorf("after %v: %v", time.Since(began), err)
			} else {
				_ = near.Close()
			}
		}
		heal()
		healed := time.Now()
		for {
			near, far := c.to(0)
			_ = near.Close()
			if far != nil {
				break
			}
			if time.Since(healed) > time.Minute {
				t.Fatal("the backend does not come back")
			}
			c.rest(time.Second)
		}
		if d := time.Since(healed); d < 20*time.Second || d > 31*time.Second {
			t.Errorf("back after %v, want after three good probes", d)
		}
	})
}

func TestProbesAreLetInWhereClientsAreNot(t *testing.T) {
	inCloud(t, netem.BalancerSpec{HideSource: true}, func(t *testing.T, c *cloud) {
		probing := c.probe(often, 2)
		far := c.accept(c.doors[0])
		if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, netem.LocalProxyHeader(2)) {
			t.Errorf("the backend reads %q of a probe, %v", got, err)
		}
		if from := far.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); from != c.prober.Addr() {
			t.Errorf("a probe comes from %s", from)
		}
		c.rest(time.Minute)
		short, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		if _, err := c.client.DialContext(short, "tcp", vipText+":443"); err == nil {
			t.Error("the group lets in what comes from the balancer's address, which it does not list")
		}
		if err := probing.Close(); err != nil {
			t.Error(err)
		}
	})
}
