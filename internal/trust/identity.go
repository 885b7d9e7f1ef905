// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"time"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	// CertificateDays is how long a certificate of ours is valid.
	CertificateDays = 397
	// notBeforeSlack keeps a peer whose clock is a little behind from a needless warning.
	notBeforeSlack = time.Hour
	maxCommonName  = 64 // bytes; the X.509 upper bound
)

// Identity is a certificate with its private key: who this program is on the line. It prints as
// its pin.
type Identity struct {
	Certificate tls.Certificate // one DER certificate, Leaf set
	Pin         Pin
}

// NewIdentity makes a P-256 key and a self-signed certificate for it, valid from an hour before
// now for 397 days. The name (1 to 64 bytes) is for people who read the certificate; nothing
// trusts it. Errors: Invalid.
func NewIdentity(name string, now time.Time) (Identity, error) {
	if name == "" || len(name) > maxCommonName {
		return Identity{}, errkind.Invalid.Errorf("certificate name %.80q has %d bytes: want 1 to %d",
			name, len(name), maxCommonName)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Identity{}, errkind.Internal.Errorf("make a key: %w", err)
	}
	begin := now.Add(-notBeforeSlack).UTC().Truncate(time.Second)
	template := &x509.Certificate{ // without a serial number x509 draws 160 random bits
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             begin,
		NotAfter:              begin.AddDate(0, 0, CertificateDays),
		SignatureAlgorithm:    x509.ECDSAWithSHA256,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return Identity{}, errkind.Internal.Errorf("make a certificate for %q: %w", name, err)
	}
	return newIdentity(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
}

func newIdentity(pair tls.Certificate) (Identity, error) {
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return Identity{}, errkind.Corrupt.Errorf("parse own certificate: %w", err)
	}
	pair.Leaf = leaf
	return Identity{Certificate: pair, Pin: PinOf(leaf.Raw)}, nil
}

// Save writes certificate and key as one new PEM file, mode 0600, whole or not at all. Errors:
// Conflict (the file exists), Denied, Exhausted, NotFound (no such folder).
func (id Identity) Save(disk host.Disk, path string) error {
	key, err := x509.MarshalPKCS8PrivateKey(id.Certificate.PrivateKey)
	if err != nil {
		return errkind.Invalid.Errorf("write %s: encode the key: %w", path, err)
	}
	var text bytes.Buffer
	for _, block := range []pem.Block{
		{Type: "CERTIFICATE", Bytes: id.Certificate.Certificate[0]},
		{Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := pem.Encode(&text, &block); err != nil {
			return errkind.Internal.Errorf("write %s: %w", path, err)
		}
	}
	err = durable.Create(disk, path, text.Bytes())
	if errkind.Of(err) == errkind.Conflict {
		return errkind.Hinted(err, "an identity is never overwritten, since the other side has pinned it; "+
			"move the old file away first if it is really to go")
	}
	return err
}

// LoadIdentity reads a file that Save wrote: exactly one certificate and its key, both allowed by
// the policy. Errors: NotFound, Denied (readable by others, a link), Corrupt, Invalid (a key or
// certificate that no peer would accept).
func LoadIdentity(path string) (Identity, error) {
	text, err := readPrivate(path)
	if err != nil {
		return Identity{}, err
	}
	id, err := parseIdentity(text)
	if err != nil {
		return Identity{}, errkind.Hinted(errkind.Of(err).Errorf("read %s: %w", path, err),
			"restore the file from a backup; with a new identity this program must be trusted anew by the other side")
	}
	return id, nil
}

func parseIdentity(text []byte) (Identity, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return Identity{}, errkind.Corrupt.Errorf("not a certificate with its key: %w", err)
	}
	if err := checkChainSize(pair.Certificate); err != nil {
		return Identity{}, errkind.Invalid.Errorf("own certificate: %w", err)
	}
	id, err := newIdentity(pair)
	if err != nil {
		return Identity{}, err
	}
	for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		if ruling := JudgeCertificate(id.Certificate.Leaf, use); ruling.Access != Full {
			return Identity{}, errkind.Invalid.Errorf("own certificate: %s", ruling.Reason)
		}
	}
	return id, nil
}

// NotAfter is when the certificate expires.
func (id Identity) NotAfter() time.Time { return id.Certificate.Leaf.NotAfter }

// String is the pin: the key is never printed.
func (id Identity) String() string { return "identity " + id.Pin.String() }

// GoString is String.
func (id Identity) GoString() string { return id.String() }

// LogValue is the pin.
func (id Identity) LogValue() slog.Value { return slog.StringValue(id.Pin.String()) }

func (id Identity) valid() bool {
	return len(id.Certificate.Certificate) == 1 && id.Certificate.Leaf != nil && !id.Pin.IsZero()
}
