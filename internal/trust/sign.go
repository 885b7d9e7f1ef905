// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"

	"fairlead/internal/errkind"
)

// Labels keep a signature made for one purpose from being used for another.
const (
	joinLabel   = "fairlead join request v1\x00"
	bundleLabel = "fairlead trust bundle v1\x00"
)

// maxSignatureBytes is the longest signature: RSA of 8192 bits.
const maxSignatureBytes = MaxRSABits / 8

// sign signs the SHA-256 of message (message itself with Ed25519).
func (id Identity) sign(message []byte) ([]byte, error) {
	signer, ok := id.Certificate.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errkind.Internal.Errorf("sign with %s: its key cannot sign", id.Pin.Short())
	}
	digest := sha256.Sum256(message)
	input, options := digest[:], crypto.SignerOpts(crypto.SHA256)
	switch signer.Public().(type) {
	case ed25519.PublicKey:
		input, options = message, crypto.Hash(0)
	case *rsa.PublicKey:
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	signature, err := signer.Sign(rand.Reader, input, options)
	if err != nil {
		return nil, errkind.Internal.Errorf("sign with %s: %w", id.Pin.Short(), err)
	}
	return signature, nil
}

// verify says whether signature was made by sign with the private half of key.
func verify(key crypto.PublicKey, message, signature []byte) bool {
	if len(signature) > maxSignatureBytes {
		return false
	}
	digest := sha256.Sum256(message)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest[:], signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, options) == nil
	}
	return false
}
