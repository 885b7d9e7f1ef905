// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"
)

// keepAlive finds dead peers of connections that carry no traffic of their own, such as a join.
// The line has pings and never gets this far.
var keepAlive = net.KeepAliveConfig{
	Enable: true, Idle: 45 * time.Second, Interval: 15 * time.Second, Count: 4,
}

// Real is the machine this program runs on. It marks every descriptor that the program was
// started with, beyond the standard three, as not to be inherited, so no process started through
// Exec gets one. Without /proc the programs cannot tell processes apart: then every Exec.Start
// says so.
func Real(log *slog.Logger) Env {
	exec := newRealExec()
	return Env{
		Net:    newRealNetwork(),
		Exec:   exec,
		Bells:  realBells{},
		Disk:   Fsync{},
		Facts:  func() Facts { return realFacts(exec.bootID) },
		Vitals: realVitals,
		Wall:   time.Now,
		Log:    log,
		Rand:   realRand,
		Point:  func(string) {},
	}
}

// realRand seeds a generator of its own for each purpose; the purpose matters to a simulator only.
func realRand(string) *rand.Rand {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails: it ends the program instead
	return rand.New(rand.NewChaCha8(seed))
}

type realNetwork struct {
	dialer   net.Dialer
	listener net.ListenConfig
	resolver net.Resolver
}

func newRealNetwork() *realNetwork {
	return &realNetwork{
		dialer:   net.Dialer{KeepAliveConfig: keepAlive},
		listener: net.ListenConfig{KeepAliveConfig: keepAlive},
	}
}

func (n *realNetwork) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return n.dialer.DialContext(ctx, network, address)
}

func (n *realNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return n.listener.Listen(ctx, network, address)
}

func (n *realNetwork) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return n.resolver.LookupNetIP(ctx, network, host)
}

func realFacts(bootID string) Facts {
	name, err := os.Hostname()
	if err != nil {
		name = ""
	}
	return Facts{
		Hostname: name, OS: runtime.GOOS, Arch: runtime.GOARCH,
		Distribution: distribution(), BootID: bootID,
	}
}

// distribution is PRETTY_NAME of the first os-release file there is.
// Source: os-release(5).
func distribution() string {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		return prettyName(string(text))
	}
	return ""
}

func prettyName(release string) string {
	for line := range strings.Lines(release) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME=")
		if !ok {
			continue
		}
		value = strings.Trim(value, `"'`)
		return strings.NewReplacer(`\"`, `"`, `\$`, `$`, `\\`, `\`, "\\`", "`").Replace(value)
	}
	return ""
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the boot id: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
