// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/server/api"
)

// TestEveryCategoryIsKnown looks for the words in the source: one that the list lacks could not be asked for.
func TestEveryCategoryIsKnown(t *testing.T) {
	spelled := regexp.MustCompile(`(?:\bevent\(|\bsaid\(|Category: +|category, word :?= |writeRole\(ctx, p, draft, )` +
		`"([A-Z][A-Za-z]+)"`)
	lines := []string{"Info", "Error", "Warning", "Task", "Highlight", "Verbose", "Wait", "Fatal"} // of logs
	found := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(os.DirFS(".."), path)
		for _, match := range spelled.FindAllStringSubmatch(string(text), -1) {
			if found++; !slices.Contains(api.OwnCategories(), match[1]) && !slices.Contains(lines, match[1]) {
				t.Errorf("%s: the category %s is not in the list of events.go", path, match[1])
			}
		}
		return err
	})
	if err != nil || found < 50 {
		t.Errorf("%d categories found, %v", found, err)
	}
}

func TestEventFilters(t *testing.T) {
	s := newSite(t)
	s.advance(time.Hour)
	s.fill()
	count := func(query string) int {
		t.Helper()
		return len(s.must(200, "GET", "/api/events?take=1000&"+query, nil)["Items"].([]any))
	}
	created := s.must(200, "GET", "/api/events?eventCategories=created&take=1000", nil)["Items"].([]any)
	for _, e := range created {
		if e.(m)["Category"] != "Created" {
			t.Errorf("%v is no event of something new", e)
		}
	}
	all := count("")
	if len(created) < 8 || len(created) >= all {
		t.Errorf("%d of %d events are of something new", len(created), all)
	}
	hour := url.QueryEscape(s.wall().Add(-time.Minute).Format(time.RFC3339))
	for query, want := range map[string]int{
		"from=" + hour: 11, "to=" + hour: all - 11, "from=2030-01-01T00:00:00%2B00:00": 0, "fromAutoId=3&toAutoId=5": 3,
		"regarding=Environments-1": 1, "regardingAny=Environments-1,Environments-2": 2, "documentTypes=environments": 2,
		"eventCategories=EnvironmentAdded": 2, "eventCategories=Unheard": 0, "users=Users-1": all - 2, "users=Users-99": 0,
		"user=system": 2, "eventGroups=Deployment": 1, "regarding=Environments-1&eventCategories=Deleted": 0,
	} {
		if got := count(query); got != want {
			t.Errorf("%s finds %d events, want %d of %d", query, got, want, all)
		}
	}
	for _, bad := range []string{"from=yesterday", "eventGroups=Unheard", "fromAutoId=x"} {
		s.must(400, "GET", "/api/events?"+bad, nil)
	}
	for _, list := range []string{"categories", "documenttypes", "groups", "agents"} {
		if a := s.call("GET", "/api/events/"+list, nil); a.status != 200 || !strings.HasPrefix(string(a.body), "[{") {
			t.Errorf("%s: %d %.100s", list, a.status, a.body)
		}
	}
}
