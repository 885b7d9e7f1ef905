// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"fairlead/internal/errkind"
)

const (
	// keyPrefix starts every API key. Source: the public clients refuse any other.
	keyPrefix = "API-"
	// keyAlphabet has 32 characters, so that five random bits are one of them; 0, 1, I and O
	// are left out because people read keys aloud.
	keyAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	// keyCharacters after the prefix: 32 of 5 bits are 160 bits.
	keyCharacters = 32
	// hintCharacters of a key are stored and shown, so that people can tell keys apart.
	hintCharacters = 8
	// MaxKeyBytes is the longest text that is looked at as a key.
	MaxKeyBytes = 128
	// CookieName is the browser cookie of a session over plain HTTP.
	CookieName = "fairlead-session"
	// SecureCookieName is the one over TLS: browsers take it only with Secure, Path=/ and no Domain.
	SecureCookieName = "__Host-fairlead-session"
	// cookieBytes of randomness are in a session cookie.
	cookieBytes = 32
)

// newKey makes an API key: "API-" and 32 capitals and digits.
func newKey() string {
	random := make([]byte, keyCharacters)
	_, _ = rand.Read(random) // crypto/rand.Read never fails: it ends the program instead
	for i, b := range random {
		random[i] = keyAlphabet[int(b)%len(keyAlphabet)]
	}
	return keyPrefix + string(random)
}

// newCookie makes the text of a session cookie: 43 characters of base64url.
func newCookie() string {
	random := make([]byte, cookieBytes)
	_, _ = rand.Read(random)
	return base64.RawURLEncoding.EncodeToString(random)
}

// newKeyID makes the id of a key: "apikeys-" and 16 hex digits.
func newKeyID() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	return "apikeys-" + hex.EncodeToString(random)
}

// hash is what is stored of a key or a cookie.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// sameHash compares in a time that does not depend on where the two differ.
func sameHash(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// isUnknown reports whether a row that was looked for by the hash of a secret is not there, or not its own.
func isUnknown(err error, stored, sum string) bool {
	return errors.Is(err, errkind.NotFound) || err == nil && !sameHash(stored, sum)
}

// checkKeyShape tells a text that cannot be a key from one that might. Errors: Untrusted.
func checkKeyShape(key string) error {
	rest, ok := strings.CutPrefix(key, keyPrefix)
	bad := strings.ContainsFunc(rest, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
	if !ok || rest == "" || bad || len(key) > MaxKeyBytes {
		return errkind.Hinted(errkind.Untrusted.Errorf("the API key has the wrong form"),
			"a key is API- followed by capitals and digits; copy the whole of it")
	}
	return nil
}

// Proof is a text that whoever knows the cookie can make, and that says nothing of it. Programs send it back
// in a header, which no foreign page can.
func Proof(cookie string) string { return hash("proof of " + cookie) }

// IsProof reports whether a text is the proof of a cookie.
func IsProof(cookie, text string) bool { return cookie != "" && sameHash(Proof(cookie), text) }
