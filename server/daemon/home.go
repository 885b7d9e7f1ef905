// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/trust"
)

// Home is the server's folder. Nothing of the server lies outside it.
type Home string

func (h Home) path(name string) string { return filepath.Join(string(h), name) }

// The files and folders of a home.
func (h Home) settings() string { return h.path("server.toml") }
func (h Home) database() string { return h.path("fairlead.db") }
func (h Home) identity() string { return h.path("identity.pem") }
func (h Home) packages() string { return h.path("packages") }
func (h Home) logs() string     { return h.path("logs") }

func (h Home) artifacts() string { return h.path(artifactsName) }

func (h Home) admin() string   { return h.path("admin.sock") }
func (h Home) reserve() string { return h.path("reserve") }

func (h Home) masterKey() string { return h.path(masterKeyName) }

func (h Home) revocations() string { return h.path(revocationsName) }

// DefaultHome is where the server lives unless told otherwise: a system folder for root, else
// one of the user's own.
func DefaultHome(getenv func(string) string, euid int) Home {
	switch {
	case getenv("FAIRLEAD_SERVER_HOME") != "":
		return Home(getenv("FAIRLEAD_SERVER_HOME"))
	case euid == 0:
		return "/var/lib/fairlead-server"
	case getenv("XDG_STATE_HOME") != "":
		return Home(filepath.Join(getenv("XDG_STATE_HOME"), Program))
	}
	return Home(filepath.Join(getenv("HOME"), ".local", "state", Program))
}

// loadOrMakeIdentity reads the server's key, or makes it at the first start.
func loadOrMakeIdentity(disk host.Disk, h Home, now time.Time) (trust.Identity, error) {
	identity, err := trust.LoadIdentity(h.identity())
	if errkind.Of(err) != errkind.NotFound {
		return identity, err
	}
	if identity, err = trust.NewIdentity(Program, now); err != nil {
		return identity, err
	}
	return identity, identity.Save(disk, h.identity())
}

// hinted names the very command that brings a damaged home back.
func (h Home) hinted(err error) error {
	if errkind.Of(err) != errkind.Corrupt {
		return err
	}
	list := ""
	if _, err := os.Stat(h.revocations()); err == nil {
		list = fmt.Sprintf(" --revocations %s.damaged/%s", h, revocationsName)
	}
	return errkind.Hinted(err,
		"move the home away and restore the last backup: mv %s %s.damaged && "+
			"fairlead-server restore BACKUP-FOLDER --home %s%s", h, h, h, list)
}
