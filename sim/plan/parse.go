// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"fairlead/internal/errkind"
	"fairlead/internal/settings"
)

// maxPlanBytes bounds a file: 1 MiB.
const maxPlanBytes = 1 << 20

// Parse reads a plan, fills in defaults and checks it. Errors: Invalid; ProblemsError, with every
// problem, and none that follows from another.
func Parse(text []byte) (Plan, error) {
	var p Plan
	if len(text) > maxPlanBytes {
		return p, errkind.Invalid.Errorf("the plan has %d bytes: want at most %d", len(text), maxPlanBytes)
	}
	err := settings.Parse(text, &p)
	unread, is := errors.AsType[settings.UnreadError](err)
	if err != nil && !is {
		return p, err
	}
	p.fill()
	q := &problems{names: map[string]string{}, unread: unread}
	if !unread.Torn() {
		p.check(q)
	}
	placed := make([]string, len(unread))
	for i, u := range unread {
		placed[i] = u.String()
	}
	q.texts = append(placed, q.texts...)
	return p, q.err()
}

// Load reads the plan in a file. Errors: NotFound, Denied, Invalid, and what Parse returns.
func Load(path string) (Plan, error) {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return Plan{}, errkind.NotFound.Errorf("read plan: there is no file %s", path)
	}
	if info, stat := os.Stat(path); err != nil && stat == nil && info.IsDir() {
		return Plan{}, errkind.Invalid.Errorf("read plan: %s is a folder: want a TOML file", path)
	}
	if err != nil {
		return Plan{}, errkind.Denied.Errorf("read plan: %w", err)
	}
	p, err := Parse(text)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", path, err)
	}
	return p, nil
}

// Format writes a plan as TOML.
func (p Plan) Format() []byte {
	text, err := settings.Format(p)
	if err != nil {
		return []byte("# " + err.Error() + "\n") // no plan that was parsed or drawn gets here
	}
	return text
}

// hashHexDigits is how much of a SHA-256 names a plan.
const hashHexDigits = 12

// Hash names the plan's content.
func (p Plan) Hash() string {
	sum := sha256.Sum256(p.Format())
	return hex.EncodeToString(sum[:])[:hashHexDigits]
}
