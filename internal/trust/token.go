// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strings"

	"fairlead/internal/errkind"
)

const (
	// TokenPrefix begins every join token and carries its version.
	TokenPrefix = "fl1_"
	secretBytes = 32
	tokenID     = 8 // bytes
	checkBytes  = 4
	// maxTokenText bounds the text of a token, in bytes.
	maxTokenText = 512
	masked       = "***"

	base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// TokenID names a join token in lists and in the store. It is no secret.
type TokenID [tokenID]byte

// String is 16 hex digits.
func (id TokenID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText is String.
func (id TokenID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads 16 lower-case hex digits. Errors: Invalid.
func (id *TokenID) UnmarshalText(text []byte) error {
	var read TokenID
	if len(text) != hex.EncodedLen(tokenID) {
		return errkind.Invalid.Errorf("token id %.40q has %d bytes: want %d hex digits",
			text, len(text), hex.EncodedLen(tokenID))
	}
	if _, err := hex.Decode(read[:], text); err != nil || read.String() != string(text) {
		return errkind.Invalid.Errorf("token id %q: want %d lower-case hex digits", text, hex.EncodedLen(tokenID))
	}
	*id = read
	return nil
}

// Secret is the part of a token that proves the right to join. It prints as a mask.
type Secret struct{ bytes [secretBytes]byte }

// Reveal is the secret as 43 characters of base64url.
func (s Secret) Reveal() string { return base64.RawURLEncoding.EncodeToString(s.bytes[:]) }

// ParseSecret reads what Reveal gave. Errors: Invalid; the text is never in the error.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	raw, err := decodeBase64(text)
	if err != nil || len(raw) != secretBytes {
		return Secret{}, errkind.Invalid.Errorf("token secret: want %d bytes of base64url", secretBytes)
	}
	copy(s.bytes[:], raw)
	return s, nil
}

// decodeBase64 is strict: the standard decoder skips line breaks and ignores stray bits, which
// would give one token several texts.
func decodeBase64(text string) ([]byte, error) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// Hash is the only form of a secret that the server keeps. A secret has 256 random bits, so one
// plain hash is enough.
func (s Secret) Hash() SecretHash { return sha256.Sum256(s.bytes[:]) }

// String is a mask.
func (s Secret) String() string { return masked }

// GoString is a mask.
func (s Secret) GoString() string { return masked }

// LogValue is a mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText is a mask, so that no encoder leaks a secret by accident.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// SecretHash is the SHA-256 of a secret.
type SecretHash [sha256.Size]byte

// Check says whether s has this hash, in constant time.
func (h SecretHash) Check(s Secret) bool {
	got := s.Hash()
	return subtle.ConstantTimeCompare(h[:], got[:]) == 1
}

// Token is a join token: where the server is, which pin it proves, and one secret that lets one
// machine join. It prints without its secret; Reveal gives the text.
type Token struct {
	address string
	pin     Pin
	id      TokenID
	secret  Secret
}

// NewToken makes a token for a server at address (host:port, as agents reach it) that proves pin.
// Errors: Invalid.
func NewToken(address string, pin Pin) (Token, error) {
	if err := CheckAddress(address); err != nil {
		return Token{}, err
	}
	if pin.IsZero() {
		return Token{}, errkind.Invalid.Errorf("token for %s: no pin", address)
	}
	t := Token{address: address, pin: pin}
	_, _ = rand.Read(t.id[:]) // never fails
	_, _ = rand.Read(t.secret.bytes[:])
	return t, nil
}

// Address is where to dial the server, host:port.
func (t Token) Address() string { return t.address }

// Pin is the server's pin.
func (t Token) Pin() Pin { return t.pin }

// ID names the token.
func (t Token) ID() TokenID { return t.id }

// Secret is what the server checks.
func (t Token) Secret() Secret { return t.secret }

// Reveal is the token's text: "fl1_" and base64url of
//
//	offset size field
//	0      1    n, length of the address
//	1      n    address
//	1+n    32   pin of the server
//	33+n   8    id
//	41+n   32   secret
//	73+n   4    check: first bytes of the SHA-256 of the prefix and all before
//
// so it needs no quoting in any shell, file or address line.
func (t Token) Reveal() string {
	body := append([]byte{byte(len(t.address))}, t.address...)
	body = append(body, t.pin[:]...)
	body = append(body, t.id[:]...)
	body = append(body, t.secret.bytes[:]...)
	check := tokenCheck(body)
	return TokenPrefix + base64.RawURLEncoding.EncodeToString(append(body, check[:]...))
}

const tokenFixedBytes = 1 + 32 + tokenID + secretBytes + checkBytes

func tokenCheck(body []byte) [checkBytes]byte {
	sum := sha256.Sum256(append([]byte(TokenPrefix), body...))
	return [checkBytes]byte(sum[:])
}

// ParseToken reads a token; blanks around it are ignored. Errors: Invalid, which say whether the
// text is no token, cut short, of another version or mistyped, and never repeat it.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	body, err := tokenBody(text)
	if err != nil {
		return Token{}, errkind.Hinted(err, "copy the whole line that fairlead-server token create printed")
	}
	n := int(body[0])
	t := Token{address: string(body[1 : 1+n])}
	rest := body[1+n:]
	rest = rest[copy(t.pin[:], rest):]
	rest = rest[copy(t.id[:], rest):]
	copy(t.secret.bytes[:], rest)
	if err := CheckAddress(t.address); err != nil {
		return Token{}, errkind.Invalid.Errorf("join token: %w", err)
	}
	if t.pin.IsZero() {
		return Token{}, errkind.Invalid.Errorf("join token names no pin")
	}
	return t, nil
}

func tokenBody(text string) ([]byte, error) {
	switch {
	case text == "":
		return nil, errkind.Invalid.Errorf("join token is empty")
	case len(text) > maxTokenText:
		return nil, errkind.Invalid.Errorf("join token has %d characters: no token has more than %d", len(text), maxTokenText)
	case !strings.HasPrefix(text, TokenPrefix):
		return nil, foreignToken(text)
	}
	encoded := text[len(TokenPrefix):]
	if strings.Trim(encoded, base64Alphabet) != "" {
		return nil, errkind.Invalid.Errorf("join token is mistyped: a character is not a letter, digit, '-' or '_'")
	}
	body, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil { // no text of whole bytes has this length
		return nil, errkind.Invalid.Errorf("join token is cut short or has a character too many: %d characters", len(text))
	}
	if len(body) == 0 || len(body) < tokenFixedBytes+int(body[0]) {
		return nil, errkind.Invalid.Errorf("join token is cut short: %d characters are there", len(text))
	}
	if surplus := len(body) - tokenFixedBytes - int(body[0]); surplus > 0 {
		return nil, errkind.Invalid.Errorf("join token is too long: %d bytes follow its end", surplus)
	}
	payload := body[:len(body)-checkBytes]
	check := tokenCheck(payload)
	if string(check[:]) != string(body[len(payload):]) || base64.RawURLEncoding.EncodeToString(body) != encoded {
		return nil, errkind.Invalid.Errorf("join token is mistyped: its checksum does not fit")
	}
	return payload, nil
}

func foreignToken(text string) error {
	prefix, _, ok := strings.Cut(text, "_")
	if ok && len(prefix) >= 3 && len(prefix) <= 6 && strings.HasPrefix(prefix, "fl") && isDigits(prefix[2:]) {
		return errkind.Invalid.Errorf("join token is of version %q: this program reads %q", prefix+"_", TokenPrefix)
	}
	return errkind.Invalid.Errorf("text is no join token: it does not begin with %s", TokenPrefix)
}

func isDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}

// String shows everything but the secret.
func (t Token) String() string {
	return "join token " + t.id.String() + " for " + t.address + " pin " + t.pin.Short() + " secret " + masked
}

// GoString is String.
func (t Token) GoString() string { return t.String() }

// LogValue shows everything but the secret.
func (t Token) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", t.id.String()), slog.String("address", t.address),
		slog.String("pin", t.pin.String()))
}
