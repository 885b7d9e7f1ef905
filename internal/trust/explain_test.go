// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// wantCause expects an error that names a box, with the sentence of that box as its hint.
func wantCause(t testing.TB, err error, cause diagnosis.Cause, words ...string) {
	t.Helper()
	if err == nil || diagnosis.Of(err) != cause || errkind.Hint(err) != cause.Sentence() {
		t.Fatalf("error %v has cause %q and hint %q, want cause %q", err, diagnosis.Of(err), errkind.Hint(err), cause)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

// certified is an identity whose certificate an authority issued for these names; without an
// authority it is self-signed.
func certified(t testing.TB, authority string, names ...string) trust.Identity {
	t.Helper()
	template := func(c *x509.Certificate) { c.DNSNames = names }
	if authority == "" {
		return forge(t, nil, template)
	}
	caKey, key := p256Key(t), p256Key(t)
	ca := forge(t, caKey, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.Subject = true, x509.KeyUsageCertSign, pkix.Name{CommonName: authority}
	}).Certificate.Leaf
	id := forge(t, key, template)
	der, err := x509.CreateCertificate(nil, id.Certificate.Leaf, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	id.Certificate.Certificate, id.Pin = [][]byte{der}, trust.PinOf(der)
	return id
}

// ender is a box that ends TLS with this certificate and this configuration.
func ender(id trust.Identity, change func(*tls.Config)) func(net.Conn) {
	config := &tls.Config{Certificates: []tls.Certificate{id.Certificate}}
	if change != nil {
		change(config)
	}
	return func(conn net.Conn) {
		secured := tls.Server(conn, config)
		_ = secured.Handshake() // the dialler refuses it
		_, _ = io.Copy(io.Discard, conn)
	}
}

// speaker is a box that reads a record and answers with text.
func speaker(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
	}
}

func TestDiallerNamesTheBox(t *testing.T) {
	h := newHouse(t)
	sni := "0123456789abcdef.pin.invalid"
	inspector := certified(t, "Corporate Inspection CA", sni)
	for name, test := range map[string]struct {
		box   func(net.Conn)
		cause diagnosis.Cause
		says  string
	}{
		"inspector mints for the SNI":      {ender(inspector, nil), diagnosis.TLSInspect, `issuer "Corporate Inspection CA"`},
		"inspector copies the certificate": {ender(certified(t, "Corporate CA"), nil), diagnosis.TLSInspect, `issuer "Corporate CA"`},
		"inspector wants a certificate": {ender(h.server, func(c *tls.Config) {
			c.NextProtos, c.ClientAuth, c.ClientCAs = []string{trust.LinkProtocol}, tls.RequireAndVerifyClientCert, x509.NewCertPool()
		}), diagnosis.TLSInspect, "wants a certificate of some authority"},
		"offloader of a public authority": {
			ender(certified(t, "Amazon RSA 2048 M02", "deploy.example.com"), nil),
			diagnosis.TLSOffload, `issuer "Amazon RSA 2048 M02"`,
		},
		"offloader that agrees on HTTP": {ender(certified(t, "Some CA", "deploy.example.com"), func(c *tls.Config) {
			c.NextProtos = []string{"h2", trust.LinkProtocol}
		}), diagnosis.TLSOffload, "peer proved pin"},
		"offloader with its default certificate": {ender(certified(t, "", "lb.internal"), nil), diagnosis.TLSOffload, "peer proved pin"},
		"offloader of TLS 1.2": {ender(h.server, func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
		}), diagnosis.TLSOffload, "does not speak TLS 1.3"},
		"offloader of HTTP": {ender(certified(t, "Some CA", "deploy.example.com"), func(c *tls.Config) {
			c.NextProtos = []string{"h2", "http/1.1"}
		}), diagnosis.TLSOffload, "speaks TLS for other protocols"},
		"router by SNI": {ender(trust.Identity{}, func(c *tls.Config) {
			c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
			c.Certificates = nil
		}), diagnosis.TLSOffload, "does not serve the name Fairlead"},
		"HTTP balancer":  {speaker("HTTP/1.1 400 Bad Request\r\n\r\n"), diagnosis.TLSOffload, `begins with "HTTP/"`},
		"SSH server":     {speaker("SSH-2.0-OpenSSH_9.6\r\n"), diagnosis.NotTLS, `begins with "SSH-2"`},
		"closes at once": {func(net.Conn) {}, diagnosis.Cut, "the connection ended"},
		"other server":   {ender(identity(t, "other"), nil), diagnosis.WrongServer, "peer proved pin"},
	} {
		t.Run(name, func(t *testing.T) {
			dialled, accepted := wires(t)
			go func() {
				test.box(accepted)
				accepted.Close()
			}()
			dialler := newDialler(t, trust.DialTerms{Identity: h.agent, Pins: []trust.Pin{h.server.Pin}})
			conn, _, err := dialler.Handshake(context.Background(), dialled)
			if err == nil { // the box's word on our certificate comes with the first read
				_, err = conn.Read(make([]byte, 1))
				err = trust.Explain(err)
			}
			wantCause(t, err, test.cause, test.says)
		})
	}
}

func TestDoorNamesTheBox(t *testing.T) {
	h := newHouse(t)
	bare := trust.Identity{}.Certificate
	for name, test := range map[string]struct {
		client *tls.Config
		cause  diagnosis.Cause
		says   string
	}{
		"TLS anew without ALPN": {&tls.Config{InsecureSkipVerify: true}, diagnosis.TLSOffload, "peer offers no ALPN protocol"},
		"TLS anew without the certificate": {
			&tls.Config{InsecureSkipVerify: true, NextProtos: []string{trust.LinkProtocol}},
			diagnosis.TLSOffload, "peer brought no certificate",
		},
		"TLS anew to join": {
			&tls.Config{
				InsecureSkipVerify: true, NextProtos: []string{trust.JoinProtocol},
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &bare, nil },
			}, diagnosis.TLSOffload, "peer brought no certificate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			listen, _ := meetRaw(t, test.client, h.door)
			wantKind(t, listen.err, errkind.Untrusted)
			wantCause(t, listen.err, test.cause, test.says)
		})
	}
	t.Run("a stranger is no box", func(t *testing.T) {
		listen, _ := meetRaw(t, rawClient(identity(t, "stranger"), trust.LinkProtocol), h.door)
		if cause := diagnosis.Of(listen.err); listen.err == nil || cause != "" {
			t.Errorf("%v has cause %q", listen.err, cause)
		}
	})
	t.Run("a peer that refuses us brought one", func(t *testing.T) {
		refusing := rawClient(h.agent, trust.LinkProtocol)
		refusing.VerifyConnection = func(tls.ConnectionState) error { return errors.New("no") }
		listen, _ := meetRaw(t, refusing, h.door)
		wantCause(t, listen.err, diagnosis.UnknownPeer)
	})
}
