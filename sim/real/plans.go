// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"embed"
	"path"

	"fairlead/internal/errkind"
	"fairlead/sim/plan"
)

//go:embed plans/*.toml
var planFiles embed.FS

// Plans are the plans that are compared, the longest first.
func Plans() (all []plan.Plan, err error) {
	entries, err := planFiles.ReadDir("plans")
	if err != nil {
		return nil, errkind.Internal.Errorf("read our own plans: %w", err)
	}
	for _, e := range entries {
		text, err := planFiles.ReadFile(path.Join("plans", e.Name()))
		if err != nil {
			return nil, errkind.Internal.Errorf("read our own plan: %w", err)
		}
		p, err := plan.Parse(text)
		if err != nil {
			return nil, errkind.Invalid.Errorf("plan %s: %w", e.Name(), err)
		}
		all = append(all, p)
	}
	return all, nil
}
