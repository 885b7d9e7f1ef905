// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/host"
)

// Home is the agent's folder. Nothing of the agent lies outside it.
type Home string

func (h Home) path(name string) string { return filepath.Join(string(h), name) }

// The files of a home.
func (h Home) settings() string { return h.path("agent.toml") }
func (h Home) identity() string { return h.path("identity.pem") }
func (h Home) trust() string    { return h.path("trust.json") }
func (h Home) state() string    { return h.path("state.json") }
func (h Home) stateID() string  { return h.path("state-id") }
func (h Home) probe() string    { return h.path("probe") }

func (h Home) proxyCredentials() string { return h.path("proxy-credentials") }

// take makes the folder where it is missing and holds it until release.
func (h Home) take(disk host.Disk) (release func(), err error) {
	if err := home.Make(disk, string(h)); err != nil {
		return nil, err
	}
	return home.Take(string(h))
}

// readStateID returns the name of this home's journal, making it at first use. It goes with the
// home, so a new or restored home shows.
func (h Home) readStateID(disk host.Disk) (string, error) {
	text, err := os.ReadFile(h.stateID())
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", errkind.Denied.Errorf("read state id: %w", err)
	}
	id := strings.ToLower(rand.Text())
	return id, durable.Replace(disk, h.stateID(), []byte(id+"\n"))
}
