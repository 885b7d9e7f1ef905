// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

const (
	// authorityYears is how long an authority's certificates last, from a day before its date on.
	authorityYears = 10
	// maxMinted is how many certificates an authority keeps. More are made anew each time.
	maxMinted = 1024
)

// Authority issues certificates, as the CA of a company or of a cloud. All it makes is a function of
// its name, the seed, the date and the names in a certificate.
type Authority struct {
	seed  uint64
	from  time.Time
	key   ed25519.PrivateKey
	cert  *x509.Certificate
	mu    sync.Mutex
	known map[string]tls.Certificate
}

// NewAuthority makes an authority at a date. Errors are those of package x509.
func NewAuthority(name string, seed uint64, now time.Time) (*Authority, error) {
	a := &Authority{seed: seed, from: now.AddDate(0, 0, -1), known: map[string]tls.Certificate{}}
	a.key = a.keyOf("authority " + name)
	template := a.template(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of authority %q: %w", name, err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("read the certificate of authority %q: %w", name, err)
	}
	return a, nil
}

// Root is the authority's own certificate.
func (a *Authority) Root() *x509.Certificate { return a.cert }

// Certificate issues one for a server: a name or an address. The same name gets the same one.
func (a *Authority) Certificate(name string) (tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, have := a.known[name]; have {
		return c, nil
	}
	template := a.template(name)
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	key := a.keyOf("server " + name)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue a certificate for %q: %w", name, err)
	}
	c := tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
	if len(a.known) < maxMinted {
		a.known[name] = c
	}
	return c, nil
}

func (a *Authority) sum(what string) [sha256.Size]byte {
	return sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, a.seed), what...))
}

func (a *Authority) keyOf(what string) ed25519.PrivateKey {
	seed := a.sum("key " + what)
	return ed25519.NewKeyFromSeed(seed[:])
}

func (a *Authority) template(name string) *x509.Certificate {
	serial := a.sum("serial " + name)
	serial[0] &= 0x7f // a serial number is positive
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:16]), Subject: pkix.Name{CommonName: name},
		NotBefore: a.from, NotAfter: a.from.AddDate(authorityYears, 0, 0),
	}
}

// serverTerms is how a box ends TLS: with a certificate of its own, without asking for the client's.
func serverTerms(c tls.Certificate, alpn ...string) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c}, NextProtos: alpn, MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
	}
}

// endTLS does the server's part of a handshake within the time that a greeting has.
func endTLS(c net.Conn, terms *tls.Config) (*tls.Conn, error) {
	within(c, greetingWait)
	defer within(c, 0)
	t := tls.Server(c, terms)
	if err := t.Handshake(); err != nil {
		return nil, err
	}
	return t, nil
}
