// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial

import (
	"context"
	"errors"
	"net"
	"syscall"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// Dial opens a TCP connection within DialLimit and says what a failure means. Errors:
// Unavailable with a hint, Canceled.
func Dial(ctx context.Context, network host.Network, address string) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, DialLimit)
	defer cancel()
	conn, err := network.DialContext(limited, "tcp", address)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, errkind.Of(ctx.Err()).Errorf("dial %s: %w", address, err)
	}
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // what it did and to which address is said already
	}
	err = errkind.Unavailable.Errorf("dial %s: %w", address, err)
	return nil, errkind.Hinted(err, "%s", meaning(err))
}

// meaning is what usually lies behind the ways a connection fails.
func meaning(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the name is not known to this machine's DNS: check the spelling and the resolver"
	case errors.As(err, &dns):
		return "the DNS did not answer: check the resolver and the way to it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the machine is there and nothing listens on that port, or a firewall rejects it"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to that address: check the network and the firewall"
	case errors.Is(err, syscall.ECONNRESET):
		return "something in the path cut the connection while it was opened"
	}
	return "no answer: a firewall in the path drops the connection, or the address is wrong"
}
