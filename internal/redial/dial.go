// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial

import (
	"context"
	"errors"
	"net"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// Dial opens a TCP connection within DialLimit and says what a failure means. Every address of a
// name is tried: the network does so, with a share of the time for each. Errors: Unavailable with
// a cause and its hint, Canceled, those of a proxy as they are.
func Dial(ctx context.Context, network host.Network, address string) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, DialLimit)
	defer cancel()
	conn, err := network.DialContext(limited, "tcp", address)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, errkind.Of(ctx.Err()).Errorf("dial %s: %w", address, err)
	case diagnosis.Of(err) != "": // a proxy that says itself what is wrong
		return nil, errkind.Of(err).Errorf("dial %s: %w", address, err)
	}
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // what it did and to which address is said already
	}
	return nil, diagnosis.Name(errkind.Unavailable.Errorf("dial %s: %w", address, err), diagnosis.OfDial(err))
}
