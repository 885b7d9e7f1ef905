// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package settings reads and writes the TOML file of a program, strictly.
//
// It knows no program's settings: they are a struct with toml tags, given by the caller.
//
//  1. An unknown key is an error that names its line and the nearest known one.
//  2. All unknown keys and all values of the wrong kind are told at once.
//  3. A file is written whole or not at all, mode 0600.
package settings

import (
	"errors"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// keys lists the toml names of a struct and of the structs in it, "box.idle" for a member of one.
func keys(above string, t reflect.Type) (names []string) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		inner := field.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		prefix := above + name + "."
		if field.Anonymous {
			prefix = above
		} else {
			names = append(names, above+name)
		}
		if inner.Kind() == reflect.Struct {
			names = append(names, keys(prefix, inner)...)
		}
	}
	return names
}

// Load reads the file at path into s. Errors: NotFound (no such file), Denied, Invalid with a hint.
func Load(path string, s any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return errkind.NotFound.Errorf("read %s: there is no such file", path)
	}
	if err != nil {
		err = errkind.Denied.Errorf("read settings: %w", err)
		return errkind.Hinted(err, "work as the user whom the home belongs to, or name a folder of your own with --home")
	}
	return InFile(path, Parse(text, s))
}

// InFile says which file a problem with settings is in, and what to do; nil stays nil.
func InFile(path string, err error) error {
	if err == nil {
		return nil
	}
	return errkind.Hinted(errkind.Invalid.Errorf("settings in %s: %w", path, err), "correct the file and start again")
}

// Format writes s as text that Parse reads.
func Format(s any) ([]byte, error) {
	text, err := toml.Marshal(s)
	if err != nil {
		return nil, errkind.Internal.Errorf("encode settings: %w", err)
	}
	return text, nil
}

// Save writes s, whole or not at all, durably. Errors: Exhausted, Denied.
func Save(disk host.Disk, path string, s any) error {
	text, err := Format(s)
	if err != nil {
		return err
	}
	return durable.Replace(disk, path, text)
}
