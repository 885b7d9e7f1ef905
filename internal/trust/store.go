// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"encoding/json"
	"sync"
	"sync/atomic"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// TrustStore is the bundle an agent lives by: one file, mode 0600, and its content in memory.
type TrustStore struct {
	disk    host.Disk
	path    string
	writing sync.Mutex // one update at a time; readers never wait for it
	current atomic.Pointer[OpenedBundle]
}

// CreateTrust writes an agent's first bundle, which AcceptFirst must have passed for the pin that
// was proved. A file that is there already is replaced: joining again is the one way to change
// servers. Errors: those of AcceptFirst, Denied, Exhausted, NotFound (no such folder).
func CreateTrust(disk host.Disk, path string, first OpenedBundle, proved Pin) (*TrustStore, error) {
	if err := AcceptFirst(first, proved); err != nil {
		return nil, err
	}
	t := &TrustStore{disk: disk, path: path}
	if err := t.write(first); err != nil {
		return nil, err
	}
	return t, nil
}

// OpenTrust reads the file. Errors: NotFound, Denied (others may change it), Corrupt.
func OpenTrust(disk host.Disk, path string) (*TrustStore, error) {
	text, err := readPrivate(path)
	if errkind.Of(err) == errkind.NotFound {
		return nil, errkind.Hinted(err, "this agent belongs to no server yet: fairlead-agent join")
	}
	if err != nil {
		return nil, err
	}
	opened, err := decodeTrust(text)
	if err != nil {
		return nil, errkind.Hinted(errkind.Corrupt.Errorf("read %s: %w", path, err),
			"restore the file from a backup, or join the machine again")
	}
	t := &TrustStore{disk: disk, path: path}
	t.current.Store(&opened)
	return t, nil
}

func decodeTrust(text []byte) (OpenedBundle, error) {
	var signed SignedBundle
	if err := contract.Decode(text, &signed); err != nil {
		return OpenedBundle{}, err
	}
	return OpenBundle(signed)
}

// Current is the bundle in force.
func (t *TrustStore) Current() Bundle { return t.current.Load().bundle }

// Accept is an AcceptFunc over the bundle in force.
func (t *TrustStore) Accept(pin Pin) (Grant, error) { return t.Current().Accept(pin) }

// Update takes a newer bundle if Accept allows it. When it returns without an error the bundle is
// durable, so it may be acknowledged. Errors: those of OpenBundle, Accept and the disk; the bundle
// in force stays.
func (t *TrustStore) Update(next SignedBundle) (changed bool, err error) {
	opened, err := OpenBundle(next)
	if err != nil {
		return false, err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	changed, err = Accept(*t.current.Load(), opened)
	if err != nil || !changed {
		return false, err
	}
	if err := t.write(opened); err != nil {
		return false, err
	}
	return true, nil
}

func (t *TrustStore) write(opened OpenedBundle) error {
	text, err := json.Marshal(opened.signed)
	if err != nil {
		return errkind.Internal.Errorf("encode trust bundle: %w", err)
	}
	if len(text) > maxPrivateBytes {
		return errkind.Exhausted.Errorf("trust bundle has %d bytes: limit is %d", len(text), maxPrivateBytes)
	}
	if err := durable.Replace(t.disk, t.path, append(text, '\n')); err != nil {
		return err
	}
	t.current.Store(&opened)
	return nil
}
