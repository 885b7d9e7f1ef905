// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"fairlead/internal/errkind"
)

// Pin is the SHA-256 of a DER certificate. It is public. The zero Pin matches nothing.
type Pin [sha256.Size]byte

const (
	pinHexBytes   = 2 * sha256.Size
	sha1HexBytes  = 40
	maxPinText    = 200 // bytes, with separators and the words openssl prints
	shortPinBytes = 12
)

// PinOf is the pin of a DER certificate.
func PinOf(der []byte) Pin { return sha256.Sum256(der) }

// ParsePin reads 64 hex digits in either case, whole or in groups divided by single ':', '-' or
// ' '. The line that `openssl x509 -fingerprint -sha256` prints is understood too. Errors: Invalid.
func ParsePin(text string) (Pin, error) {
	if len(text) > maxPinText {
		return Pin{}, errkind.Invalid.Errorf("pin has %d bytes: want %d hex digits", len(text), pinHexBytes)
	}
	body := strings.TrimSpace(text)
	if label, after, ok := strings.Cut(body, "="); ok && strings.EqualFold(label, "sha256 fingerprint") {
		body = after
	}
	digits := make([]byte, 0, pinHexBytes)
	for i, c := range []byte(body) {
		switch {
		case isHex(c):
			digits = append(digits, c)
		case !isSeparator(c):
			return Pin{}, errkind.Invalid.Errorf("pin %q: byte %d is neither a hex digit nor ':', '-' or ' '", text, i)
		case i == 0 || i == len(body)-1 || isSeparator(body[i-1]):
			return Pin{}, errkind.Invalid.Errorf("pin %q: separator at byte %d has no hex digits on both sides", text, i)
		}
	}
	var pin Pin
	if len(digits) != pinHexBytes {
		return Pin{}, wrongPinLength(text, len(digits))
	}
	if _, err := hex.Decode(pin[:], digits); err != nil {
		return Pin{}, errkind.Invalid.Errorf("pin %q: %w", text, err)
	}
	if pin.IsZero() {
		return Pin{}, errkind.Invalid.Errorf("pin is all zeros: that is the pin of no certificate")
	}
	return pin, nil
}

func wrongPinLength(text string, digits int) error {
	err := errkind.Invalid.Errorf("pin %q has %d hex digits: want %d", text, digits, pinHexBytes)
	if digits == sha1HexBytes {
		return errkind.Hinted(err, "this looks like a SHA-1 thumbprint; "+
			"Fairlead pins SHA-256: openssl x509 -in identity.pem -noout -fingerprint -sha256")
	}
	return err
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isSeparator(c byte) bool { return c == ':' || c == '-' || c == ' ' }

// String is the 64 lower-case hex digits.
func (p Pin) String() string { return hex.EncodeToString(p[:]) }

// Grouped is the pin in sixteen groups of four hex digits joined by '-', for reading aloud.
func (p Pin) Grouped() string {
	text := p.String()
	groups := make([]string, 0, pinHexBytes/4)
	for ; text != ""; text = text[4:] {
		groups = append(groups, text[:4])
	}
	return strings.Join(groups, "-")
}

// Short is the first 12 hex digits: enough to tell pins apart in a list, never to compare them.
func (p Pin) Short() string { return p.String()[:shortPinBytes] }

// IsZero says that p names no certificate.
func (p Pin) IsZero() bool { return p == Pin{} }

// Equal compares all 32 bytes in constant time. A zero pin equals nothing, not even itself.
func (p Pin) Equal(q Pin) bool {
	return subtle.ConstantTimeCompare(p[:], q[:]) == 1 && !p.IsZero()
}

// MarshalText is String.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePin.
func (p *Pin) UnmarshalText(text []byte) error {
	pin, err := ParsePin(string(text))
	*p = pin
	return err
}
