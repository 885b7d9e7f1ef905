// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/diagnosis"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// State is what `status` shows of a running daemon; the daemon keeps it in state.json.
type State struct {
	Name      string         `json:"name"`
	Mode      trust.JoinMode `json:"mode"`
	Server    string         `json:"server,omitempty"`
	Proxy     string         `json:"proxy,omitempty"` // on the way to the server
	Listening string         `json:"listening,omitempty"`
	Pin       trust.Pin      `json:"pin"`
	Version   string         `json:"version"`
	StartedAt time.Time      `json:"started_at"`
	// Connected says whether a session is up, since when and with which address.
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	Remote    string    `json:"remote,omitempty"`
	ServerID  string    `json:"server_id,omitempty"`
	// ServerVersion is what the server last said of itself.
	ServerVersion string `json:"server_version,omitempty"`
	// Trouble is why the last try or session ended, Cause the box it points at; "" while one is up.
	Trouble   string          `json:"trouble,omitempty"`
	Hint      string          `json:"hint,omitempty"`
	Cause     diagnosis.Cause `json:"cause,omitempty"`
	NextTryAt time.Time       `json:"next_try_at,omitzero"`
	Stopped   bool            `json:"stopped"`
}

func (d *Daemon) status() State {
	return State{
		Name: d.settings.Name, Mode: d.settings.Mode, Server: d.settings.Server, Proxy: d.settings.Proxy,
		Pin: d.identity.Pin, Version: d.version, StartedAt: d.env.Wall().UTC(),
	}
}

// stateFile writes the state at each change. It is for people: a write that fails is no error of
// the daemon, and none is synced, since a daemon writes all of it when it starts.
type stateFile struct {
	path    string
	wall    func() time.Time
	writing sync.Mutex // one writer of the file at a time
	mu      sync.Mutex
	now     State
}

func newStateFile(path string, wall func() time.Time, first State) *stateFile {
	f := &stateFile{path: path, wall: wall, now: first}
	f.write()
	return f
}

func (f *stateFile) change(edit func(*State)) {
	f.mu.Lock()
	before := f.now
	edit(&f.now)
	same := before == f.now
	f.mu.Unlock()
	if !same {
		f.write()
	}
}

func (f *stateFile) write() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.mu.Lock()
	now := f.now
	f.mu.Unlock()
	if text, err := json.MarshalIndent(now, "", "  "); err == nil {
		_ = durable.Swap(f.path, append(text, '\n'))
	}
}

func (f *stateFile) second() time.Time { return f.wall().UTC().Truncate(time.Second) }

func (f *stateFile) listening(address string) { f.change(func(s *State) { s.Listening = address }) }

func (f *stateFile) connected(remote string) {
	f.change(func(s *State) {
		if !s.Connected || s.Remote != remote {
			s.Connected, s.Since, s.Remote = true, f.second(), remote
			s.Trouble, s.Hint, s.Cause, s.NextTryAt = "", "", "", time.Time{}
		}
	})
}

func (f *stateFile) greeted(a contract.HelloArgs) {
	f.change(func(s *State) { s.ServerID, s.ServerVersion = a.ServerID, a.Version })
}

// disconnected notes the end of a session, unless a newer one with another address is up.
func (f *stateFile) disconnected(remote string, err error) {
	f.change(func(s *State) {
		if !s.Connected || s.Remote == remote {
			s.fell(err)
		}
	})
}

func (s *State) fell(err error) {
	s.Connected, s.Since = false, time.Time{}
	s.Trouble, s.Hint, s.Cause = err.Error(), errkind.Hint(err), diagnosis.Of(err)
}

func (f *stateFile) trouble(err error, wait time.Duration) {
	f.change(func(s *State) {
		s.fell(err)
		s.NextTryAt = f.second().Add(wait.Round(time.Second))
	})
}

func (f *stateFile) stopped() {
	f.change(func(s *State) { s.Connected, s.Since, s.Stopped = false, time.Time{}, true })
}

// readState reads what the daemon last wrote. Errors: NotFound, Denied, Corrupt.
func readState(path string) (State, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return State{}, errkind.NotFound.Errorf("read state: %w", err)
		}
		return State{}, errkind.Denied.Errorf("read state: %w", err)
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, errkind.Corrupt.Errorf("read state %s: %w", path, err)
	}
	return s, nil
}
