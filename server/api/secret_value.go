// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import "encoding/json"

// secretValue is a secret on its way in: an object that says whether there is one and perhaps gives a
// new one, or the plain text. Source: octopus-rest.md a.7.
type secretValue struct {
	Text    string
	isGiven bool // the member was there
	has     bool
}

// UnmarshalJSON reads either form. What it cannot read is not repeated: it may be a secret.
func (s *secretValue) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	s.isGiven = true
	if len(text) > 0 && text[0] == '"' {
		err := json.Unmarshal(text, &s.Text)
		s.has = s.Text != ""
		return err
	}
	var form struct {
		HasValue bool
		NewValue *string
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return err
	}
	s.has = form.HasValue
	if form.NewValue != nil && *form.NewValue != "" {
		s.Text, s.has = *form.NewValue, true
	}
	return nil
}

// removes reports whether the caller takes the secret away.
func (s secretValue) removes() bool { return s.isGiven && !s.has }

// showSecret says whether there is a secret, and never which.
func showSecret(sealed string) obj {
	return obj{"HasValue": sealed != "", "NewValue": nil, "Hint": nil}
}
