// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"time"

	"fairlead/internal/trust"
)

// entry is the identity of one agent of the bench, as the file of all of them has it.
type entry struct {
	Certificate, Key []byte // DER; PKCS #8
}

// makeRoster writes count fresh identities to a file: crypto/tls shares certificates that are the
// same, which would flatter both servers.
func makeRoster(path string, count int) error {
	entries := make([]entry, count)
	for i := range entries {
		id, err := trust.NewIdentity(fmt.Sprintf("bench-%05d", i), time.Now())
		if err != nil {
			return err
		}
		key, err := x509.MarshalPKCS8PrivateKey(id.Certificate.PrivateKey)
		if err != nil {
			return err
		}
		entries[i] = entry{id.Certificate.Certificate[0], key}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(f).Encode(entries), f.Close())
}

// readRoster reads the first count identities of a file.
func readRoster(path string, count int) ([]trust.Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var entries []entry
	if err := gob.NewDecoder(f).Decode(&entries); err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	if len(entries) < count {
		return nil, fmt.Errorf("read roster: %d identities, want %d", len(entries), count)
	}
	identities := make([]trust.Identity, count)
	for i, e := range entries[:count] {
		leaf, err := x509.ParseCertificate(e.Certificate)
		if err != nil {
			return nil, err
		}
		key, err := x509.ParsePKCS8PrivateKey(e.Key)
		if err != nil {
			return nil, err
		}
		identities[i] = trust.Identity{
			Certificate: tls.Certificate{Certificate: [][]byte{e.Certificate}, PrivateKey: key, Leaf: leaf},
			Pin:         trust.PinOf(e.Certificate),
		}
	}
	return identities, nil
}
