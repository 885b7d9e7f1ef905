// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// slowRetire says the same as retire, one folder at a time: it goes when it is ours, not in use,
// and either never succeeded or has keep others that are in use or newer.
func slowRetire(list []installation, mine installation, keep int, inUse func(string) bool) map[string]bool {
	gone := map[string]bool{}
	for i, one := range list {
		if one.key() != mine.key() || inUse(one.Folder) || one.Result == installing || keep == 0 {
			continue
		}
		better := 0
		for j, other := range list {
			if other.key() == mine.key() && other.Result == succeeded && j != i && (inUse(other.Folder) || j > i) {
				better++
			}
		}
		if one.Result != succeeded || better >= keep {
			gone[one.Folder] = true
		}
	}
	return gone
}

func TestRetireFitsTheSlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []installation
		for i := range rapid.IntRange(1, 12).Draw(t, "entries") {
			list = append(list, installation{
				Project: rapid.SampledFrom([]string{"p", "p", "q"}).Draw(t, "project"),
				Folder:  fmt.Sprintf("e/w/%d", i),
				Result:  rapid.SampledFrom([]result{succeeded, succeeded, failed, canceled, interrupted, installing}).Draw(t, "result"),
			})
		}
		current := list[rapid.IntRange(0, len(list)-1).Draw(t, "current")].Folder
		keep := rapid.IntRange(0, 5).Draw(t, "keep")
		inUse := func(folder string) bool { return folder == current }
		gone, kept := retire(list, installation{Project: "p"}, keep, inUse)
		got := map[string]bool{}
		for _, i := range gone {
			if i.Folder == current || i.Project != "p" {
				t.Fatalf("%s goes", i.Folder)
			}
			got[i.Folder] = true
		}
		if diff := cmp.Diff(slowRetire(list, installation{Project: "p"}, keep, inUse), got); diff != "" {
			t.Fatalf("(-model +got):\n%s", diff)
		}
		if keep > 0 && kept > keep {
			t.Fatalf("kept %d of %d", kept, keep)
		}
	})
}

func TestFolderNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(\.|%|/|_|~|1|a){1,8}`)).Draw(t, "text")
		if text == "" {
			return
		}
		name := folderName(text)
		if name[0] == '.' || name == currentName || name == journalName || strings.ContainsAny(name, "/\x00\n") || len(name) > 140 {
			t.Fatalf("%q becomes %q", text, name)
		}
		if other, taken := seen[name]; taken && other != text {
			t.Fatalf("%q and %q both become %q", other, text, name)
		}
		seen[name] = text
	})
	for text, want := range map[string]string{
		"1.2.3-beta+5": "1.2.3-beta+5", "..": "%2E%2E", ".a.": "%2Ea%2E", "current": "%63urrent",
		"a b/c": "a%20b%2Fc", "1.0_1": "%31.0_1", "a_b": "a_b",
	} {
		if got := folderName(text); got != want {
			t.Errorf("folderName(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"a.txt", "a.txt", true},
		{"*.txt", "a.txt", true},
		{"*.txt", "d/a.txt", false},
		{"**/*.txt", "a.txt", true},
		{"**/*.txt", "d/e/a.txt", true},
		{"d/**", "d/e/a.txt", true},
		{"d/**", "d", true},
		{"d/**", "e/d", false},
		{"**", "a/b", true},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/x/y/c", false},
		{"./a", "a", true},
		{"[ab].txt", "b.txt", true},
		{"?.txt", "ab.txt", false},
		{"**/**/**/x", "x", true},
	} {
		if got := matchGlob(c.glob, c.name); got != c.want {
			t.Errorf("matchGlob(%q, %q) = %v", c.glob, c.name, got)
		}
	}
}
