// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionsOfAFeedAreFiltered(t *testing.T) {
	s := newSite(t)
	for _, version := range []string{"1.0.0", "1.5.0-beta.1", "1.5.0", "2.0.0"} {
		s.must(201, "POST", "/api/Spaces-1/packages/raw?fileName=App."+version+".zip", zipped(t, version))
	}
	for _, c := range []struct {
		filter string
		want   []any
	}{
		{"", []any{"2.0.0", "1.5.0", "1.5.0-beta.1", "1.0.0"}},
		{"&versionRange=" + url.QueryEscape("[1.0,2.0)"), []any{"1.5.0", "1.5.0-beta.1", "1.0.0"}},
		{"&includePreRelease=false", []any{"2.0.0", "1.5.0", "1.0.0"}},
		{"&preReleaseTag=" + url.QueryEscape("^beta"), []any{"1.5.0-beta.1"}},
		{"&filter=1.5", []any{"1.5.0", "1.5.0-beta.1"}},
	} {
		page := s.must(200, "GET", "/api/Spaces-1/feeds/feeds-builtin/packages/versions?packageId=App"+c.filter, nil)
		got := []any{}
		for _, item := range page["Items"].([]any) {
			got = append(got, item.(m)["Version"])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.filter, diff)
		}
	}
	s.must(400, "GET", "/api/Spaces-1/feeds/feeds-builtin/packages/versions?packageId=App&versionRange=%5B1.0", nil)
	if got := s.must(200, "GET", "/api/Spaces-1/feeds/stats", nil)["TotalPackages"]; got != 4.0 {
		t.Errorf("the feed holds %v packages, want 4", got)
	}
}
