// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// retire chooses what goes after the installation mine has succeeded: of those that the same
// project made in the same environment by the same step from the same package, all that
// succeeded except the last keep, and all that did not succeed. Those in use always stay, and
// count among the kept. keep 0 means that all stay.
func retire(
	list []installation, mine installation, keep int, inUse func(folder string) bool,
) (gone []installation, kept int) {
	if keep <= 0 {
		return nil, 0
	}
	ours := slices.DeleteFunc(slices.Clone(list), func(i installation) bool { return i.key() != mine.key() })
	for _, i := range ours {
		if inUse(i.Folder) && i.Result == succeeded {
			kept++
		}
	}
	for _, i := range slices.Backward(ours) {
		switch {
		case inUse(i.Folder), i.Result == installing:
		case i.Result == succeeded && kept < keep:
			kept++
		default:
			gone = append(gone, i)
		}
	}
	slices.Reverse(gone)
	return gone, kept
}

// key says whose retention an installation falls under.
func (i installation) key() [4]string { return [4]string{i.Project, i.Environment, i.Step, i.Package} }

// retain removes old installations. Each is renamed before it is removed, so that a half removed
// one never looks whole.
func (s *step) retain(ctx context.Context) error {
	if s.pack.Keep == 0 {
		return nil
	}
	current, err := s.place.currentFolder()
	if err != nil {
		return err
	}
	prefix := s.place.rel + "/"
	mine := installation{Project: s.pack.Project, Environment: s.pack.Environment, Step: s.pack.Step, Package: s.pack.ID}
	var gone []installation
	var kept int
	err = s.place.change(ctx, func(j *journal) {
		gone, kept = retire(j.Installations, mine, s.pack.Keep, func(folder string) bool {
			return folder == prefix+current || folder == prefix+s.folder
		})
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	s.Point("step.retain")
	var versions, partials []string
	for _, i := range gone {
		name, ours := strings.CutPrefix(i.Folder, prefix)
		if !ours || name != path.Base(name) || strings.HasPrefix(name, ".") || name == currentName {
			s.warn("the journal names the folder %q, which is not one of %s: it stays", i.Folder, prefix)
			continue
		}
		partial := partialName()
		if err := s.place.root.Rename(name, partial); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				s.warn("remove %s: %v", name, err)
			}
			continue
		}
		versions, partials = append(versions, name), append(partials, partial)
	}
	s.Point("step.retired")
	for i, partial := range partials {
		if err := s.place.root.RemoveAll(partial); err != nil {
			s.warn("remove %s: %v; the next step tries again", versions[i], err)
		}
	}
	if len(versions) > 0 {
		s.say("kept %s, removed %s", counted(kept, "version"), strings.Join(versions, ", "))
	}
	return s.place.change(ctx, func(*journal) {})
}
