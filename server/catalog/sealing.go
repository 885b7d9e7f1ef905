// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/masking"
	"fairlead/internal/store"
)

// seal seals a text for a place. With the first one the store notes which key it depends on from then
// on. Errors: Unavailable (there is no key).
func (c *Catalog) seal(w store.Writer, plain, place string) (string, error) {
	if c.Secrets.IsZero() {
		return "", errkind.Unavailable.Errorf("seal a secret: this server has no master key")
	}
	row, err := w.Installation()
	if err != nil {
		return "", err
	}
	if row.MasterKey == "" {
		row.MasterKey = c.Secrets.ID()
		if err := w.PutInstallation(row); err != nil {
			return "", err
		}
	}
	if row.MasterKey != c.Secrets.ID() {
		return "", errkind.Unavailable.Errorf("seal a secret: the store depends on the master key %s, not on %s",
			row.MasterKey, c.Secrets.ID())
	}
	return c.Secrets.Seal(plain, place), nil
}

// move seals the value of a variable of one owner for a variable of another.
func (c *Catalog) move(w store.Writer, from, to deploy.OwnerID, v deploy.Variable, id string) (string, error) {
	if v.Sealed == "" {
		return "", nil
	}
	plain, err := c.Secrets.Open(v.Sealed, v.SealedAs(from))
	if err != nil {
		return "", fmt.Errorf("variable %s: %w", v.Name, err)
	}
	return c.seal(w, plain, deploy.Variable{ID: id}.SealedAs(to))
}

// tooLong refuses a value that machines could not look for in output: they would refuse the order. Errors:
// Invalid.
func tooLong(name, value string) error {
	if len(value) <= masking.MaxBytes/64 { // its forms are never that much longer
		return nil
	}
	if _, err := masking.New([]string{value}); err != nil {
		return errkind.Hinted(errkind.Invalid.Errorf("the value of %s has %d bytes: %w", name, len(value), err),
			"hand a long secret over as a file of the machine's own, or in several variables")
	}
	return nil
}

// tooShort says of a value that output is not searched for it; "" when it is.
func tooShort(name, value string) string {
	if value == "" || len(value) >= masking.MinBytes {
		return ""
	}
	return fmt.Sprintf("the value of %s has less than %d bytes: it is not hidden in output", name, masking.MinBytes)
}
