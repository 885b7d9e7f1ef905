// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"slices"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

const (
	// MaxServerPins is how many server pins a bundle may hold: two in a rotation, a third while an
	// old one is being retired.
	MaxServerPins = 3
	// MaxEpochStep is the furthest one bundle may lie ahead of the one before it, so that a stolen
	// key cannot use up the numbers.
	MaxEpochStep = 1_000_000

	maxBundleBytes      = 8 << 10
	maxBundleSignatures = MaxServerPins
)

// Bundle is a numbered statement of one server installation about its own keys.
type Bundle struct {
	ServerID string      `json:"server_id"` // never changes for one installation
	Epoch    int64       `json:"epoch"`     // 1 and up; rises with every change
	Pins     []BundlePin `json:"pins"`      // newest first, 1 to MaxServerPins
	IssuedAt time.Time   `json:"issued_at"` // for people; nothing depends on it
}

// BundlePin is one key of the server.
type BundlePin struct {
	Pin      Pin       `json:"pin"`
	Role     Role      `json:"role"` // RoleServer
	NotAfter time.Time `json:"not_after"`
}

// ServerPins are the pins to look for when dialling, newest first.
func (b Bundle) ServerPins() []Pin {
	pins := make([]Pin, len(b.Pins))
	for i, p := range b.Pins {
		pins[i] = p.Pin
	}
	return pins
}

// Accept is an AcceptFunc for a listening agent: the server's keys and nobody else's.
func (b Bundle) Accept(pin Pin) (Grant, error) {
	for _, p := range b.Pins {
		if p.Pin.Equal(pin) {
			return Grant{Role: p.Role, Subject: b.ServerID}, nil
		}
	}
	return Grant{}, errkind.Hinted(errkind.Untrusted.Errorf("pin %s is none of the keys of server %q", pin, b.ServerID),
		"another server may be dialling this agent, or it has new keys that this agent has not heard of")
}

func (b Bundle) check() error {
	if err := checkName("server id", b.ServerID); err != nil {
		return err
	}
	if b.Epoch < 1 {
		return errkind.Invalid.Errorf("trust bundle has epoch %d: want 1 or more", b.Epoch)
	}
	if len(b.Pins) < 1 || len(b.Pins) > MaxServerPins {
		return errkind.Invalid.Errorf("trust bundle holds %d pins: want 1 to %d", len(b.Pins), MaxServerPins)
	}
	for i, p := range b.Pins {
		if p.Role != RoleServer {
			return errkind.Invalid.Errorf("trust bundle: pin %s has role %q: want %s", p.Pin, p.Role, RoleServer)
		}
		if p.Pin.IsZero() || slices.ContainsFunc(b.Pins[:i], func(q BundlePin) bool { return q.Pin == p.Pin }) {
			return errkind.Invalid.Errorf("trust bundle: pin %s is empty or comes twice", p.Pin)
		}
	}
	return nil
}

// SignedBundle is a bundle as it travels and lies on disk. Body is kept byte for byte, since the
// signatures are over it. Nothing in it may be believed before OpenBundle.
type SignedBundle struct {
	Body       []byte            `json:"bundle"` // JSON of a Bundle; base64 on the wire
	Signatures []BundleSignature `json:"signatures"`
}

// BundleSignature is one signature with the certificate that verifies it.
type BundleSignature struct {
	Certificate []byte `json:"certificate"` // DER
	Signature   []byte `json:"signature"`
}

// SignBundle signs b with each identity: the active key of the server first, then every key that is
// new in b, which proves that the server holds it. Errors: Invalid.
func SignBundle(b Bundle, signers ...Identity) (SignedBundle, error) {
	if err := b.check(); err != nil {
		return SignedBundle{}, err
	}
	if len(signers) < 1 || len(signers) > maxBundleSignatures {
		return SignedBundle{}, errkind.Invalid.Errorf("sign trust bundle: %d signers: want 1 to %d",
			len(signers), maxBundleSignatures)
	}
	body, err := json.Marshal(b)
	if err != nil {
		return SignedBundle{}, errkind.Internal.Errorf("encode trust bundle: %w", err)
	}
	signed := SignedBundle{Body: body}
	for _, id := range signers {
		signature, err := id.sign(bundleMessage(body))
		if err != nil {
			return SignedBundle{}, err
		}
		signed.Signatures = append(signed.Signatures,
			BundleSignature{Certificate: id.Certificate.Certificate[0], Signature: signature})
	}
	return signed, nil
}

func bundleMessage(body []byte) []byte { return append([]byte(bundleLabel), body...) }

// OpenedBundle is a bundle whose signatures are all right. Whether its signers may speak for the
// server is for Accept and AcceptFirst to say.
type OpenedBundle struct {
	bundle  Bundle
	signed  SignedBundle
	signers []Pin
}

// Bundle is the statement.
func (o OpenedBundle) Bundle() Bundle { return o.bundle }

// Signed is what was opened.
func (o OpenedBundle) Signed() SignedBundle { return o.signed }

// OpenBundle checks form and signatures. Errors: Corrupt, Invalid, Untrusted (a signature or its
// certificate is not acceptable).
func OpenBundle(s SignedBundle) (OpenedBundle, error) {
	if len(s.Body) == 0 || len(s.Body) > maxBundleBytes {
		return OpenedBundle{}, errkind.Corrupt.Errorf("trust bundle has %d bytes: want 1 to %d", len(s.Body), maxBundleBytes)
	}
	if n := len(s.Signatures); n < 1 || n > maxBundleSignatures {
		return OpenedBundle{}, errkind.Corrupt.Errorf("trust bundle has %d signatures: want 1 to %d", n, maxBundleSignatures)
	}
	opened := OpenedBundle{signed: s}
	if err := contract.Decode(s.Body, &opened.bundle); err != nil {
		return OpenedBundle{}, errkind.Corrupt.Errorf("trust bundle: %w", err)
	}
	if err := opened.bundle.check(); err != nil {
		return OpenedBundle{}, err
	}
	for _, signature := range s.Signatures {
		pin, err := signature.signer(s.Body)
		if err != nil {
			return OpenedBundle{}, err
		}
		opened.signers = append(opened.signers, pin)
	}
	return opened, nil
}

func (s BundleSignature) signer(body []byte) (Pin, error) {
	if err := checkChainSize([][]byte{s.Certificate}); err != nil {
		return Pin{}, errkind.Untrusted.Errorf("trust bundle: %w", err)
	}
	pin := PinOf(s.Certificate)
	certificate, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return Pin{}, errkind.Corrupt.Errorf("trust bundle: certificate %s: %w", pin.Short(), err)
	}
	if ruling := JudgeCertificate(certificate, x509.ExtKeyUsageServerAuth); ruling.Access == Refused {
		return Pin{}, errkind.Untrusted.Errorf("trust bundle: pin %s: %s", pin, ruling.Reason)
	}
	if !verify(certificate.PublicKey, bundleMessage(body), s.Signature) {
		return Pin{}, errkind.Untrusted.Errorf("trust bundle: the signature by pin %s is wrong", pin)
	}
	return pin, nil
}

// AcceptFirst says whether next may be an agent's first bundle: proved is the server's pin from
// this very handshake, which the bundle must name and be signed by, as by every key in it.
// Errors: Untrusted.
func AcceptFirst(next OpenedBundle, proved Pin) error {
	if !slices.ContainsFunc(next.bundle.Pins, func(p BundlePin) bool { return p.Pin.Equal(proved) }) {
		return errkind.Untrusted.Errorf("first trust bundle does not name pin %s, which the server has proved", proved)
	}
	return next.signedByAll(next.bundle.ServerPins())
}

// Accept says whether next may take the place of current, without looking at a clock. The same
// bundle again is fine and changes nothing. Errors: Conflict (lower epoch, equal epoch with other
// content, or a jump), Untrusted (another server, no signature by a current key, or a new key that
// has not signed).
func Accept(current, next OpenedBundle) (changed bool, err error) {
	was, is := current.bundle, next.bundle
	switch {
	case is.ServerID != was.ServerID:
		return false, errkind.Untrusted.Errorf("trust bundle is of server %q: this agent belongs to %q",
			is.ServerID, was.ServerID)
	case is.Epoch < was.Epoch:
		return false, errkind.Hinted(errkind.Conflict.Errorf("trust bundle has epoch %d: this agent has %d already",
			is.Epoch, was.Epoch), "a server that offers old bundles was restored from a backup, or somebody replays one")
	case is.Epoch == was.Epoch && bytes.Equal(next.signed.Body, current.signed.Body):
		return false, nil
	case is.Epoch == was.Epoch:
		return false, errkind.Conflict.Errorf("trust bundle with epoch %d differs from the one this agent has", is.Epoch)
	case is.Epoch-was.Epoch > MaxEpochStep:
		return false, errkind.Conflict.Errorf("trust bundle has epoch %d: more than %d beyond %d",
			is.Epoch, MaxEpochStep, was.Epoch)
	}
	known := was.ServerPins()
	if !slices.ContainsFunc(next.signers, func(pin Pin) bool { return containsPin(known, pin) }) {
		return false, errkind.Untrusted.Errorf("trust bundle with epoch %d: no key that this agent trusts has signed it",
			is.Epoch)
	}
	added := slices.DeleteFunc(is.ServerPins(), func(pin Pin) bool { return containsPin(known, pin) })
	return true, next.signedByAll(added)
}

func (o OpenedBundle) signedByAll(pins []Pin) error {
	for _, pin := range pins {
		if !containsPin(o.signers, pin) {
			return errkind.Untrusted.Errorf("trust bundle with epoch %d names pin %s, whose key has not signed it",
				o.bundle.Epoch, pin)
		}
	}
	return nil
}
