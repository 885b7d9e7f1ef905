// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"io"
	"strings"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/secret"
	"fairlead/internal/store"
)

// MasterKeyVariable is the environment variable that carries the master key in place of a file.
const MasterKeyVariable = "FAIRLEAD_MASTER_KEY"

// maxKeyInput bounds what `key import` reads.
const maxKeyInput = 4 << 10

// masterKeyPath is where the key lies unless it comes from the environment.
func (o Options) masterKeyPath() string {
	if o.Settings.MasterKeyFile != "" {
		return o.Settings.MasterKeyFile
	}
	return o.Home.masterKey()
}

// findKey reads the key from the environment, or else from its file. Errors: NotFound, Denied, Invalid.
func (o Options) findKey() (key secret.Key, from string, err error) {
	if o.MasterKey != "" {
		key, err := secret.ParseKey(o.MasterKey)
		if err != nil {
			return key, "", errkind.Invalid.Errorf("%s: %w", MasterKeyVariable, err)
		}
		return key, MasterKeyVariable, nil
	}
	key, err = secret.LoadKey(o.masterKeyPath())
	return key, o.masterKeyPath(), err
}

// openKey finds the master key that the store depends on, and makes one for a store that depends on
// none yet. It changes nothing else: with the wrong key the server does not start. Errors: NotFound,
// Denied, Invalid.
func (d *Daemon) openKey(ctx context.Context) error {
	wanted := ""
	err := d.store.View(ctx, func(r store.Reader) error {
		row, err := r.Installation()
		wanted = row.MasterKey
		return err
	})
	if err != nil && errkind.Of(err) != errkind.NotFound { // not found in a new store
		return err
	}
	key, from, err := d.options.findKey()
	missing := errkind.Of(err) == errkind.NotFound
	switch {
	case missing && wanted == "" && d.options.Settings.MasterKeyFile == "":
		key, from = secret.NewKey(), d.options.Home.masterKey()
		if err := key.Save(d.env.Disk, from); err != nil {
			return err
		}
	case missing && wanted == "":
		return errkind.Hinted(err, "make the file that master_key_file names, or take the setting out of %s",
			d.options.Home.settings())
	case missing:
		return hintKey(errkind.NotFound.Errorf("the secrets of this server are sealed with the master key %s: %w", wanted,
			err), d.options, wanted)
	case err != nil:
		return err
	case wanted != "" && key.ID() != wanted:
		return hintKey(errkind.Denied.Errorf("the secrets of this server are sealed with the master key %s, and %s holds %s",
			wanted, from, key.ID()), d.options, wanted)
	}
	d.secrets = key
	return nil
}

// hintKey says how the right key comes back.
func hintKey(err error, o Options, wanted string) error {
	return errkind.Hinted(err, "nothing was changed; bring the key %s back: put the old home's %s at %s (mode 0600), or "+
		"pipe what `fairlead-server key export` printed there into: fairlead-server key import --home %s; or set %s",
		wanted, masterKeyName, o.masterKeyPath(), o.Home, MasterKeyVariable)
}

// KeyShown is what `key show` shows.
type KeyShown struct {
	ID   string `json:"id"`
	From string `json:"from"`
}

func (m *command) keyCommands() []cli.Command {
	return []cli.Command{
		{
			Name: "key show", Summary: "show which master key seals sensitive values, not the key itself",
			Flags: m.homeFlag, Examples: []string{"fairlead-server key show"},
			Run: func(_ context.Context, std *cli.IO, _ []string) error {
				key, from, err := m.key(std)
				if err != nil {
					return err
				}
				return std.Show(KeyShown{key.ID(), from}, fmt.Sprintf("%s, from %s\n", key, from))
			},
		},
		{
			Name: "key export", Summary: "print the master key, to be kept in a safe place",
			Details: "No backup holds the master key. Whoever has the key and a backup can read every sensitive value; " +
				"without the key nobody can.",
			Flags: m.homeFlag, Examples: []string{"fairlead-server key export > master.key.copy"},
			Run: func(_ context.Context, std *cli.IO, _ []string) error {
				key, _, err := m.key(std)
				if err != nil {
					return err
				}
				return std.Show(map[string]string{"id": key.ID(), "key": key.Text()}, key.Text()+"\n")
			},
		},
		{
			Name: "key import", Summary: "take the master key from standard input into a home that has none",
			Flags: m.homeFlag, Examples: []string{"fairlead-server key import --home /srv/fairlead < master.key.copy"},
			Run: func(_ context.Context, std *cli.IO, _ []string) error {
				o, err := m.options(std)
				if err != nil {
					return err
				}
				key, err := importKey(m.env(std).Disk, o, std.In)
				if err != nil {
					return err
				}
				return std.Show(KeyShown{key.ID(), o.masterKeyPath()}, fmt.Sprintf("%s is in %s\n", key, o.masterKeyPath()))
			},
		},
	}
}

func (m *command) key(std *cli.IO) (secret.Key, string, error) {
	o, err := m.options(std)
	if err != nil {
		return secret.Key{}, "", err
	}
	key, from, err := o.findKey()
	if errkind.Of(err) == errkind.NotFound {
		err = errkind.Hinted(err, "name the server's home with --home; its first start makes the key")
	}
	return key, from, err
}

// importKey reads a key and saves it. Errors: Invalid, Conflict (there is one), NotFound (no such home).
func importKey(disk host.Disk, o Options, in io.Reader) (secret.Key, error) {
	if in == nil {
		in = strings.NewReader("")
	}
	text, err := io.ReadAll(io.LimitReader(in, maxKeyInput))
	if err != nil {
		return secret.Key{}, errkind.Unavailable.Errorf("read the key from standard input: %w", err)
	}
	key, err := secret.ParseKey(string(text))
	if err != nil {
		return key, errkind.Hinted(errkind.Invalid.Errorf("read standard input: %w", err),
			"pipe in what `fairlead-server key export` printed")
	}
	err = key.Save(disk, o.masterKeyPath())
	if errkind.Of(err) == errkind.Conflict {
		err = errkind.Hinted(err, "a master key is never overwritten: move the old file away first if it is really to go")
	}
	return key, err
}
