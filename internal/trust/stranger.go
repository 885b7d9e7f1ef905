// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

// Look opens TLS for a line to whoever answers, proves identity, and tells the pin that the other side has proved. It
// believes nothing: a person has to compare the pin with the machine's own word. conn is closed. Errors: see Explain.
func Look(ctx context.Context, conn net.Conn, identity Identity, wall func() time.Time) (Pin, error) {
	anybody := check{role: RoleApplicant, use: x509.ExtKeyUsageServerAuth, protocol: LinkProtocol, wall: wall}
	config := base(LinkProtocol, wall, nil)
	config.InsecureSkipVerify = true // no pin is known yet
	config.VerifyConnection = anybody.verify
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &identity.Certificate, nil
	}
	secured := tls.Client(conn, config)
	if err := shake(ctx, secured); err != nil {
		return Pin{}, turnAway(conn, err)
	}
	defer secured.Close()
	peer, err := anybody.peer(secured.ConnectionState(), identity.Pin)
	return peer.Pin(), err
}

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
