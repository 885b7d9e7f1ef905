// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports hands out free ports of the loopback address, each once. They lie below the range from which the kernel takes
// the source ports of outgoing connections: an agent that dials while its server is dead would else, once in a while,
// be given the very port it dials and be connected with itself.
type Ports struct {
	mu    sync.Mutex
	given map[int]bool
}

const (
	firstPort = 20_000
	lastPort  = 32_000
	portTries = 1_000
)

// Next returns a port that nobody listens on.
func (p *Ports) Next() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == nil {
		p.given = map[int]bool{}
	}
	var last error
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if p.given[port] {
			continue
		}
		listener, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			last = err
			continue
		}
		p.given[port] = true
		return port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port from %d to %d: %w", firstPort, lastPort, errors.Join(last))
}

// Loopback is the address of a port on this machine only.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
