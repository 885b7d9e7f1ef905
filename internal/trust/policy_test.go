// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"fairlead/internal/trust"
)

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestT8AllowList(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name   string
		key    crypto.Signer
		change func(*x509.Certificate)
		want   string // in the reason; "" when it must pass
	}{
		{name: "P-256"},
		{name: "Ed25519", key: edwards},
		{name: "P-224", key: ecKey(t, elliptic.P224()), want: "P-224"},
		{name: "P-384", key: ecKey(t, elliptic.P384()), want: "P-384"},
		{name: "authority", change: func(c *x509.Certificate) { c.IsCA = true }, want: "authority"},
		{name: "certificate signing", want: "authority", change: func(c *x509.Certificate) {
			c.KeyUsage |= x509.KeyUsageCertSign
			c.IsCA = true
		}},
		{name: "key usage", want: "digital signatures", change: func(c *x509.Certificate) {
			c.KeyUsage = x509.KeyUsageKeyEncipherment
		}},
		{name: "no key usage", change: func(c *x509.Certificate) { c.KeyUsage = 0 }},
		{name: "code signing", want: "extended key usage", change: func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}},
		{name: "server only", want: "extended key usage", change: func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}},
		{name: "unknown usage", want: "extended key usage", change: func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 9999}}
		}},
		{name: "any usage", change: func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		}},
		{name: "SHA-1", change: func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }, want: "SHA1"},
		{name: "MD5", change: func(c *x509.Certificate) { c.SignatureAlgorithm = x509.MD5WithRSA }, want: "MD5"},
		{name: "too long", want: "bytes: limit", change: func(c *x509.Certificate) {
			c.DNSNames = []string{strings.Repeat("a", trust.MaxCertificateBytes)}
		}},
	}
	for _, row := range rows {
		t.Run("T8 "+row.name, func(t *testing.T) {
			got := trust.JudgeCertificate(judged(t, row.key, row.change), x509.ExtKeyUsageClientAuth)
			if row.want == "" && got.Access != trust.Full {
				t.Errorf("refused: %s", got.Reason)
			}
			if row.want != "" && (got.Access != trust.Refused || !strings.Contains(got.Reason, row.want)) {
				t.Errorf("%v %q: want refused with %q", got.Access, got.Reason, row.want)
			}
		})
	}
}

// judged makes a certificate; algorithms that Go does not sign with any more are written in after.
func judged(t *testing.T, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	var old x509.SignatureAlgorithm
	id := forge(t, key, func(c *x509.Certificate) {
		if change != nil {
			change(c)
		}
		if c.SignatureAlgorithm == x509.ECDSAWithSHA1 || c.SignatureAlgorithm == x509.MD5WithRSA {
			old, c.SignatureAlgorithm = c.SignatureAlgorithm, x509.UnknownSignatureAlgorithm
		}
	})
	certificate := *id.Certificate.Leaf
	if old != x509.UnknownSignatureAlgorithm {
		certificate.SignatureAlgorithm = old
	}
	return &certificate
}

func TestT8RSASizes(t *testing.T) {
	for bits, want := range map[int]trust.Access{
		1024: trust.Refused, 2048: trust.Refused, 3071: trust.Refused, 3072: trust.Full, 4096: trust.Full,
		8192: trust.Full, 8193: trust.Refused, 16384: trust.Refused,
	} {
		modulus := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
		certificate := judged(t, nil, nil)
		certificate.PublicKey = &rsa.PublicKey{N: modulus, E: 65537}
		if got := trust.JudgeCertificate(certificate, x509.ExtKeyUsageClientAuth); got.Access != want {
			t.Errorf("RSA %d: %v %q, want %v", bits, got.Access, got.Reason, want)
		}
		certificate.PublicKey = &rsa.PublicKey{N: modulus, E: 3}
		if got := trust.JudgeCertificate(certificate, x509.ExtKeyUsageClientAuth); got.Access != trust.Refused {
			t.Errorf("RSA %d with exponent 3 passes", bits)
		}
	}
	certificate := judged(t, nil, nil)
	certificate.PublicKey = nil // what crypto/x509 makes of Ed448
	if got := trust.JudgeCertificate(certificate, x509.ExtKeyUsageClientAuth); got.Access != trust.Refused {
		t.Error("a key of unknown kind passes")
	}
}

func TestT5DatePolicy(t *testing.T) {
	certificate := identity(t, "web-01").Certificate.Leaf
	century := forge(t, nil, func(c *x509.Certificate) { c.NotAfter = today().AddDate(100, 0, 0) }).Certificate.Leaf
	ended := certificate.NotAfter
	rows := []struct {
		name        string
		certificate *x509.Certificate
		role        trust.Role
		now         time.Time
		want        trust.Access
		warns       bool
	}{
		{"T5 agent in the middle of its life", certificate, trust.RoleAgent, today().AddDate(0, 3, 0), trust.Full, false},
		{"T5 agent near its end", certificate, trust.RoleAgent, ended.AddDate(0, 0, -2), trust.Full, true},
		{"T5 agent at its last second", certificate, trust.RoleAgent, ended, trust.Full, true},
		{"T5 agent expired", certificate, trust.RoleAgent, ended.Add(time.Second), trust.Restricted, true},
		{"T5 agent expired 30 days", certificate, trust.RoleAgent, ended.AddDate(0, 0, 30), trust.Restricted, true},
		{"T5 agent expired 31 days", certificate, trust.RoleAgent, ended.AddDate(0, 0, 31), trust.Refused, true},
		{"T5 agent not yet valid", certificate, trust.RoleAgent, today().AddDate(-10, 0, 0), trust.Full, true},
		{"T5 agent for a century", century, trust.RoleAgent, today(), trust.Full, true},
		{"T5 server expired for ten years", certificate, trust.RoleServer, ended.AddDate(10, 0, 0), trust.Full, true},
		{"T5 server not yet valid", certificate, trust.RoleServer, today().AddDate(-10, 0, 0), trust.Full, true},
		{"T5 applicant", certificate, trust.RoleApplicant, today(), trust.Full, false},
		{"T5 applicant expired", certificate, trust.RoleApplicant, ended.Add(time.Second), trust.Refused, true},
		{"T5 applicant for a century", century, trust.RoleApplicant, today(), trust.Refused, true},
		{"C2 applicant, clock days ahead", certificate, trust.RoleApplicant, today().AddDate(0, 0, -3), trust.Full, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := trust.JudgeDates(row.certificate, row.role, row.now)
			if got.Access != row.want || (got.Reason != "") != row.warns {
				t.Errorf("%v %q: want %v, a reason: %v", got.Access, got.Reason, row.want, row.warns)
			}
		})
	}
}

func FuzzCertificate(f *testing.F) {
	f.Add(identity(f, "web-01").Certificate.Certificate[0])
	f.Add(forge(f, ecKey(f, elliptic.P384()), nil).Certificate.Certificate[0])
	f.Fuzz(func(t *testing.T, der []byte) {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		ruling := trust.JudgeCertificate(certificate, x509.ExtKeyUsageClientAuth)
		if ruling.Access == trust.Restricted || (ruling.Access == trust.Refused) != (ruling.Reason != "") {
			t.Fatalf("%v %q", ruling.Access, ruling.Reason)
		}
		for _, role := range []trust.Role{trust.RoleAgent, trust.RoleServer, trust.RoleApplicant} {
			ruling := trust.JudgeDates(certificate, role, today())
			if ruling.Access != trust.Full && ruling.Reason == "" || role == trust.RoleServer && ruling.Access != trust.Full {
				t.Fatalf("%s: %v %q", role, ruling.Access, ruling.Reason)
			}
		}
	})
}
