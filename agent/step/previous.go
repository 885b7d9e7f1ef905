// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"path/filepath"
	"slices"
)

// mine is the key of this order's installations.
func (s *step) mine() [4]string {
	return installation{
		Project: s.pack.Project, Environment: s.pack.Environment, Step: s.pack.Step, Package: s.pack.ID,
	}.key()
}

// last finds the newest installation by this step that passes a test.
func (s *step) last(j journal, passes func(installation) bool) (installation, bool) {
	for _, i := range slices.Backward(j.Installations) {
		if i.key() == s.mine() && passes(i) {
			return i, true
		}
	}
	return installation{}, false
}

// previousInstallations tells the variables of the installations before this one.
func (s *step) previousInstallations(vars map[string]string) error {
	j, err := s.place.readJournal()
	if err != nil {
		return err
	}
	isEarlier := func(i installation) bool { return i.Folder != s.place.rel+"/"+s.folder }
	for prefix, passes := range map[string]func(installation) bool{
		varPrevious:        isEarlier,
		varPreviousSuccess: func(i installation) bool { return isEarlier(i) && i.Result == succeeded },
	} {
		i, ok := s.last(j, passes)
		if !ok {
			continue
		}
		vars[prefix+"OriginalInstalledPath"] = filepath.Join(filepath.Dir(filepath.Dir(s.place.abs)), i.Folder)
		vars[prefix+"CustomInstallationDirectory"] = i.Copy
		vars[prefix+"PackageVersion"] = i.Version
	}
	return nil
}

// isThere reports whether an order that may be skipped is to be: what it would install is the newest
// that this step has installed, succeeded, and is in use.
func (s *step) isThere(ctx context.Context) (bool, error) {
	if !s.pack.SkipIfInstalled {
		return false, nil
	}
	var newest installation
	found := false
	err := s.place.change(ctx, func(j *journal) { // which drops those whose folders are gone
		newest, found = s.last(*j, func(installation) bool { return true })
	})
	if err != nil || !found || newest.Result != succeeded || newest.Version != s.pack.Version {
		return false, err
	}
	current, err := s.place.currentFolder()
	if err != nil || newest.Folder != s.place.rel+"/"+current {
		return false, err
	}
	dir := s.place.path(current)
	if s.pack.Copy != nil {
		if newest.Copy != s.pack.Copy.Path {
			return false, nil
		}
		dir = newest.Copy
	}
	s.say("%s %s is installed already, at %s: nothing to do", s.pack.ID, s.pack.Version, dir)
	s.tell(dir)
	return true, nil
}
