// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"fairlead/internal/errkind"
)

const (
	keyBytes = 32
	// idBytes is how much of a digest names a key: enough to tell apart the keys of one server.
	idBytes = 8
	// keyPrefix tells a key's text from other texts; sealedPrefix does so for what is sealed.
	keyPrefix    = "flk1_"
	sealedPrefix = "fls1:"
)

// Key seals and opens.
type Key struct {
	id string
	// open gives the key itself; nil is no key. Behind a function it stays out of every print of what
	// holds a Key: package fmt follows pointers, and calls no method of a member that is not exported.
	open func() material
}

type material struct {
	raw  [keyBytes]byte
	aead cipher.AEAD
}

// NewKey makes a random key.
func NewKey() Key {
	var raw [keyBytes]byte
	_, _ = rand.Read(raw[:]) // crypto/rand.Read never fails: it ends the program instead
	return newKey(raw)
}

// ParseKey reads what Text wrote. Errors: Invalid, which does not repeat the text.
func ParseKey(text string) (Key, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(text), keyPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(raw) != keyBytes {
		return Key{}, errkind.Invalid.Errorf("this is no master key: want %s and %d letters, digits, - or _", keyPrefix,
			base64.RawURLEncoding.EncodedLen(keyBytes))
	}
	return newKey([keyBytes]byte(raw)), nil
}

func newKey(raw [keyBytes]byte) Key {
	block, err := aes.NewCipher(raw[:])
	if err != nil {
		panic(err) // the length is right
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block size is right
	}
	digest := hmac.New(sha256.New, raw[:])
	digest.Write([]byte("fairlead master key id"))
	return Key{id: hex.EncodeToString(digest.Sum(nil)[:idBytes]), open: func() material { return material{raw, aead} }}
}

// ID names the key: 16 hex digits.
func (k Key) ID() string { return k.id }

// Text is the key itself, "" of none. Whoever has it can open everything.
func (k Key) Text() string {
	if k.IsZero() {
		return ""
	}
	raw := k.open().raw
	return keyPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.open == nil }

// String keeps the key out of logs.
func (k Key) String() string { return "master key " + k.id }

// GoString keeps the key out of logs.
func (k Key) GoString() string { return k.String() }

// Seal seals a text for a place.
func (k Key) Seal(plain, place string) string {
	box := k.open().aead.Seal(nil, nil, []byte(plain), []byte(place))
	return sealedPrefix + k.id + ":" + base64.RawStdEncoding.EncodeToString(box)
}

// Open gives the text back. Errors: Corrupt (altered, or sealed for another place), Denied (sealed
// with another key).
func (k Key) Open(sealed, place string) (string, error) {
	id, encoded, ok := strings.Cut(strings.TrimPrefix(sealed, sealedPrefix), ":")
	if !ok || !strings.HasPrefix(sealed, sealedPrefix) {
		return "", errkind.Corrupt.Errorf("open the secret of %s: it is not a sealed text", place)
	}
	if id != k.id || k.IsZero() {
		return "", errkind.Denied.Errorf("open the secret of %s: it was sealed with the master key %.16s, not with %s", place,
			id, k.id)
	}
	box, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", errkind.Corrupt.Errorf("open the secret of %s: it is damaged", place)
	}
	plain, err := k.open().aead.Open(nil, nil, box, []byte(place))
	if err != nil {
		return "", errkind.Corrupt.Errorf("open the secret of %s: it was altered, or sealed for another place", place)
	}
	return string(plain), nil
}
