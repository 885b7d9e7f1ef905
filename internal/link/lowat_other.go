// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build !linux

package link

import "net"

// tune does nothing where TCP_NOTSENT_LOWAT is not at hand.
func tune(net.Conn) {}
