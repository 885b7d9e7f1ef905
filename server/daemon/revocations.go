// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
)

// The list of revocations lies beside the database, so that a backup which is older than a revocation cannot
// take it back. Source: security.md 2.2, tombstones; B2.

// revocation is one line of the list, in JSON.
type revocation struct {
	At           time.Time `json:"at"`
	Installation string    `json:"installation"`
	Kind         string    `json:"kind"`           // machineRevoked, keyRevoked or userRevoked
	ID           string    `json:"id"`             // of a machine its pin: ids are of one database
	Name         string    `json:"name,omitempty"` // for people
	// Again says that what was revoked counts again. Users only.
	Again bool `json:"again,omitempty"`
}

const (
	machineRevoked = "machine"
	keyRevoked     = "api-key"
	userRevoked    = "user"
	// maxRevocationBytes bounds one line.
	maxRevocationBytes = 4 << 10
)

// revocations is the file. Its one writer is the store's: keep runs in the transaction.
type revocations struct {
	path     string
	disk     host.Disk
	wall     func() time.Time
	makeRoom func() bool
}

// keep appends lines and makes them durable. Errors: Exhausted (disk full), Denied.
func (r revocations) keep(list []revocation) error {
	err := r.append(list)
	if errors.Is(err, syscall.ENOSPC) && r.makeRoom() {
		err = r.append(list)
	}
	return fileFault("append to the list of revocations", err)
}

func (r revocations) append(list []revocation) (err error) {
	file, err := os.OpenFile(r.path, os.O_RDWR|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := lineBreak(file)
	for _, one := range list {
		line, fault := json.Marshal(one)
		err = errors.Join(err, fault)
		text = append(append(text, line...), '\n')
	}
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	return errors.Join(r.disk.Sync(file), r.disk.SyncFolder(filepath.Dir(r.path)))
}

// lineBreak is what ends a line that a crash, or a full disk, cut off.
func lineBreak(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return nil, err
	}
	return []byte{'\n'}, nil
}

// witnessed is a store that writes down what is revoked before it is committed: a revocation that was
// acknowledged is in the list. One that is in the list and was not committed was wanted all the same.
type witnessed struct {
	store.Store
	list revocations
}

// Update implements store.Store.
func (s witnessed) Update(ctx context.Context, f func(store.Writer) error) error {
	return s.Store.Update(ctx, func(w store.Writer) error {
		witness := &witness{Writer: w}
		if err := f(witness); err != nil || len(witness.seen) == 0 {
			return err
		}
		row, err := w.Installation()
		if err != nil {
			return err
		}
		for i := range witness.seen {
			witness.seen[i].At, witness.seen[i].Installation = s.list.wall().UTC(), row.ID
		}
		return s.list.keep(witness.seen)
	})
}

// witness notes what a transaction revokes.
type witness struct {
	store.Writer
	seen []revocation
}

// DeleteMachine implements store.Writer.
func (w *witness) DeleteMachine(id deploy.MachineID) error {
	m, err := w.Machine(id)
	if err != nil {
		return err
	}
	w.seen = append(w.seen, revocation{Kind: machineRevoked, ID: m.Pin, Name: m.Name})
	return w.Writer.DeleteMachine(id)
}

// DeleteAPIKey implements store.Writer.
func (w *witness) DeleteAPIKey(id deploy.KeyID) error {
	w.seen = append(w.seen, revocation{Kind: keyRevoked, ID: string(id)})
	return w.Writer.DeleteAPIKey(id)
}

// PutUser implements store.Writer.
func (w *witness) PutUser(u deploy.User) error {
	before, err := w.User(u.ID)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return err
	}
	if err == nil && before.IsActive != u.IsActive {
		w.seen = append(w.seen, revocation{Kind: userRevoked, ID: string(u.ID), Name: u.Name, Again: u.IsActive})
	}
	return w.Writer.PutUser(u)
}

// DeleteUser implements store.Writer. A backup that still has the user must not let him in.
func (w *witness) DeleteUser(id deploy.UserID) error {
	user, err := w.User(id)
	if err != nil {
		return err
	}
	w.seen = append(w.seen, revocation{Kind: userRevoked, ID: string(id), Name: user.Name})
	return w.Writer.DeleteUser(id)
}

// readRevocations reads a list of this installation. A last line that was cut off does not count: what it says
// was never acknowledged. Errors: NotFound, Denied, Corrupt, Invalid (of another server).
func readRevocations(path, installation string) (list []revocation, err error) {
	file, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errkind.Hinted(errkind.NotFound.Errorf("read the list of revocations: %w", err),
			"it is the file %s in the old home; there is none when nothing was ever revoked", revocationsName)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := wholeLines(file)
	if err != nil {
		return nil, fileFault("read the list of revocations", err)
	}
	lines := bufio.NewScanner(io.NewSectionReader(file, 0, size))
	lines.Buffer(nil, maxRevocationBytes)
	for number := 1; lines.Scan(); number++ {
		one, err := parseRevocation(lines.Bytes())
		switch {
		case err != nil:
			return nil, errkind.Hinted(errkind.Corrupt.Errorf("%s, line %d: %w", path, number, err),
				"correct or remove the line, and revoke by hand what it was about")
		case one.Installation != installation:
			return nil, errkind.Hinted(errkind.Invalid.Errorf("%s, line %d is of installation %.80q: the backup is of %s",
				path, number, one.Installation, installation), "name the list of the server that was backed up")
		}
		list = append(list, one)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, errkind.Hinted(errkind.Corrupt.Errorf("%s, line %d has more than %d bytes", path, len(list)+1,
			maxRevocationBytes), "correct or remove the line, and revoke by hand what it was about")
	}
	return list, fileFault("read the list of revocations", lines.Err())
}

func parseRevocation(line []byte) (one revocation, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&one); err != nil {
		return one, err
	}
	known := one.Kind == machineRevoked || one.Kind == keyRevoked || one.Kind == userRevoked
	if !known || one.ID == "" || one.Again && one.Kind != userRevoked {
		return one, fmt.Errorf("it revokes a %.40q %.80q", one.Kind, one.ID)
	}
	return one, nil
}
