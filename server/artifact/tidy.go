// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fairlead/internal/archive"
	"fairlead/internal/store"
)

// partAge is for how long content that came in part is kept for the next try, since the last one: 24 h. Who comes
// back later brings all of it.
const partAge = 24 * time.Hour

// Tidy removes content that no artifact has any more, and what old tries have left. What cannot be removed stays
// for the next time. It returns how many files went. Errors: Canceled, the store's.
func (f *Folder) Tidy(ctx context.Context, now time.Time) (removed int, err error) {
	leave, err := enter(ctx, f.gate)
	if err != nil {
		return 0, err
	}
	defer leave()
	f.mu.Lock()
	wanted, busy := maps.Clone(f.held), maps.Clone(f.busy) // before the rows: what is held now may have its row then
	f.mu.Unlock()
	err = f.Store.View(ctx, func(r store.Reader) error {
		sums, err := r.ArtifactContents()
		for _, sum := range sums {
			wanted[sum]++
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	contents, _ := filepath.Glob(filepath.Join(f.Dir, "??", "*")) // the pattern is well formed
	for _, path := range contents {
		name := filepath.Base(path)
		if wanted[name] == 0 && archive.CheckSum(name) == nil && os.Remove(path) == nil {
			removed++
		}
	}
	parts, _ := filepath.Glob(filepath.Join(f.Dir, incomingPrefix+"*"))
	for _, path := range parts {
		key := strings.TrimPrefix(filepath.Base(path), incomingPrefix)
		info, err := os.Lstat(path)
		if err == nil && busy[key] == 0 && now.Sub(info.ModTime()) > partAge && os.Remove(path) == nil {
			removed++
		}
	}
	return removed, nil
}
