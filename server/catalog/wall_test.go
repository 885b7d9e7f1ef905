// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/store"
)

// TestWallAndGuardStandBeforeEveryMethod: what they do not answer themselves is read and written in every space and
// place. Each list says what may be, and nothing else.
func TestWallAndGuardStandBeforeEveryMethod(t *testing.T) {
	t.Parallel()
	people := "User Users Team Teams UserRole UserRoles APIKeyByHash APIKeys SessionByHash Spaces "
	counts := "Installation ChangedMachines RetiredPins PackagesWithContent ArtifactContents ArtifactBytes "
	for receiver, row := range map[string]struct {
		answers reflect.Type
		open    string
	}{
		// Of the installation, or sieved by who asks: ChangedMachines feeds the roster.
		"wall": {reflect.TypeFor[store.Reader](), people + counts},
		// Of the installation; what the engine alone writes; what no space shares, and is read before it is deleted.
		"writeWall": {
			reflect.TypeFor[store.Writes](),
			"PutInstallation NextID JumpIDs PutUser DeleteUser PutTeam DeleteTeam PutUserRole DeleteUserRole PutSpace DeleteSpace " +
				"PutAPIKey DeleteAPIKey PutSession DeleteSession DeleteExpired PutTaskLeased PutTicket PutOutputs " +
				"DeleteProjectGroup DeleteLifecycle DeleteChannel DeleteMachinePolicy",
		},
		// Of the installation; what is in no project and no environment, and read on the way to what is; whether a pin
		// is free.
		"guard": {
			reflect.TypeFor[store.Reader](),
			people + counts + "MachineByPin Lifecycles LibrarySet LibrarySets Package Packages MachinePolicies",
		},
		// What each change needs: an id, and to be told.
		"writeGuard": {reflect.TypeFor[store.Writes](), "NextID AddEvent"},
	} {
		answered, open := methodsOf(t, receiver), strings.Fields(row.open)
		for i := range row.answers.NumMethod() {
			name := row.answers.Method(i).Name
			if slices.Contains(answered, name) == slices.Contains(open, name) {
				t.Errorf("%s: %s is answered: %v, is open: %v", receiver, name, slices.Contains(answered, name),
					slices.Contains(open, name))
			}
			open = slices.DeleteFunc(open, func(o string) bool { return o == name })
		}
		if len(open) > 0 {
			t.Errorf("%s: %v are not of the store", receiver, open)
		}
	}
}

// methodsOf are those with the receiver in the sources beside this one.
func methodsOf(t *testing.T, receiver string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("[wg]*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	method := regexp.MustCompile(`(?m)^func \(\w \*` + receiver + `\) ([A-Z]\w*)\(`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range method.FindAllStringSubmatch(string(source), -1) {
			names = append(names, found[1])
		}
	}
	return names
}
