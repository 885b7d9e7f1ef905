// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"context"
	"crypto/tls"
	"net"
)

// Stranger opens TLS to whoever answers. It proves nothing and believes nothing, so nothing may be
// said that is a secret, and nothing that is heard may be relied on. It is for a question that travels
// through a box that ends TLS, so that the server behind it can name the box. Errors: see Explain.
func Stranger(ctx context.Context, conn net.Conn) (*tls.Conn, error) {
	secured := tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{PortalProtocol}, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }, // anybody will do
	})
	return secured, shake(ctx, secured)
}
