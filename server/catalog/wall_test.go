// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"fairlead/internal/store"
)

// TestWallStandsBeforeEveryRead: what the wall does not answer itself would be read from every space.
func TestWallStandsBeforeEveryRead(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("wall.go")
	if err != nil {
		t.Fatal(err)
	}
	var answered []string
	for _, found := range regexp.MustCompile(`(?m)^func \(w \*wall\) ([A-Z]\w*)\(`).FindAllStringSubmatch(string(source), -1) {
		answered = append(answered, found[1])
	}
	// Of the installation, or sieved by who asks: ChangedMachines feeds the roster.
	whole := []string{
		"Installation", "ChangedMachines", "RetiredPins", "PackagesWithContent", "ArtifactContents", "ArtifactBytes",
		"User", "Users", "Team", "Teams", "UserRole", "UserRoles", "APIKeyByHash", "APIKeys", "SessionByHash", "Spaces",
	}
	for i := range reflect.TypeFor[store.Reader]().NumMethod() {
		name := reflect.TypeFor[store.Reader]().Method(i).Name
		if slices.Contains(answered, name) == slices.Contains(whole, name) {
			t.Errorf("store.Reader.%s is answered by the wall: %v, is of the installation: %v", name,
				slices.Contains(answered, name), slices.Contains(whole, name))
		}
	}
}
