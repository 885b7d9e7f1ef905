// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package settings reads and writes the TOML file of a program, strictly.
//
// It knows no program's settings: they are a struct with toml tags, given by the caller.
//
//  1. An unknown key is an error that names its line and the nearest known one.
//  2. All unknown keys are told at once.
//  3. A file is written whole or not at all, mode 0600.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"fairlead/internal/cli"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// Parse reads text into s, a pointer to a struct that holds the defaults. Errors: Invalid.
func Parse(text []byte, s any) error {
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(s)
	if err == nil {
		return nil
	}
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		return unknown(strict, keys("", reflect.TypeOf(s).Elem()))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		return errkind.Invalid.Errorf("line %d, column %d: %s", row, column, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return errkind.Invalid.Errorf("%w", err)
}

func unknown(strict *toml.StrictMissingError, known []string) error {
	var problems []string
	for _, e := range strict.Errors {
		key := strings.Join(e.Key(), ".")
		row, _ := e.Position()
		problem := fmt.Sprintf("line %d: unknown key %s", row, key)
		if near := cli.Nearest(key, known); near != "" {
			problem += " (did you mean " + near + "?)"
		}
		problems = append(problems, problem)
	}
	return errkind.Invalid.Errorf("%s", strings.Join(problems, "; "))
}

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
		return errkind.Denied.Errorf("read settings: %w", err)
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
