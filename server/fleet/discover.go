// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

const (
	// DiscoverLimit bounds one look at whoever listens at an address, with its dial and its handshake.
	DiscoverLimit = 15 * time.Second
	// maxDiscovering is how many looks go on at once.
	maxDiscovering = 8
)

// Discover dials an address and tells the pin of the agent that listens there. Whether that is the right machine is for
// people to say. Errors: Unavailable, Timeout, Untrusted (it is no agent), Exhausted (too many looks at once).
func (f *Fleet) Discover(ctx context.Context, address string) (trust.Pin, error) {
	select {
	case f.looking <- struct{}{}:
		defer func() { <-f.looking }()
	default:
		return trust.Pin{}, errkind.Exhausted.Errorf("%d machines are being discovered already: ask again later",
			maxDiscovering)
	}
	limited, cancel := context.WithTimeout(ctx, DiscoverLimit)
	defer cancel()
	conn, err := redial.Dial(limited, f.Env.Net, address)
	if err != nil {
		return trust.Pin{}, err
	}
	return trust.Look(limited, conn, f.Server.Identity, f.Env.Wall)
}
