// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/sim/history"
)

// set makes an output variable, "NAME VALUE", by the service message that set_octopusvariable writes.
func (m *Machine) set(one *process, c host.Command, words string) {
	name, value, _ := strings.Cut(words, " ")
	m.o.Record(history.Event{Kind: history.Set, Who: m.name, Ticket: one.ticket, Text: name, Cause: value})
	serve(c, "setVariable", "name", name, "value", value)
}

const (
	// stumbled is the exit code of a script that fails for once.
	stumbled = 3
	// marksName is the folder of a machine's disk in which its scripts note what they came across.
	marksName = "marks"
)

// stumble reports whether a name is new to the machine, and notes it: the second script of that name goes on, as one
// does whose machine was mended meanwhile. What is noted may go with the power.
func (m *Machine) stumble(name string) (isNew bool, err error) {
	if name == "" || filepath.Base(name) != name {
		return false, errkind.Invalid.Errorf("stumble %s: want a name", name)
	}
	disk, _ := m.Disk()
	marks := filepath.Join(disk, marksName)
	if err := os.MkdirAll(marks, 0o700); err != nil {
		return false, err
	}
	file, err := os.OpenFile(filepath.Join(marks, name), os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, file.Close()
}
