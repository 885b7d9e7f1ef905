// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"errors"
	"net"
	"syscall"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// Listen opens a port and says what keeps it from being opened. The setting names what chooses
// another address, for the hint: "--http" or "--listen". Errors: Conflict, Denied, Invalid.
func Listen(ctx context.Context, network host.Network, address, setting string) (net.Listener, error) {
	listener, err := network.Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // the address is said already
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, errkind.Hinted(errkind.Conflict.Errorf("listen on %s: %w", address, err),
			"another program has this port (ss -ltnp shows it): stop it, or choose another one with %s", setting)
	case errors.Is(err, syscall.EACCES):
		return nil, errkind.Hinted(errkind.Denied.Errorf("listen on %s: %w", address, err),
			"ports below 1024 need the right to bind them: choose a higher one with %s", setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, errkind.Hinted(errkind.Invalid.Errorf("listen on %s: %w", address, err),
			"this machine has no such address: 0.0.0.0 means all of its addresses")
	}
	return nil, errkind.Invalid.Errorf("listen on %s: %w", address, err)
}
