// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"testing"

	"fairlead/server/api"
)

// TestOpenAPIHasEveryRoute walks the table beside the document.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	s := newSite(t)
	document := s.must(200, "GET", "/api/swagger.json", nil)
	paths, ids, operations := document["paths"].(m), map[string]bool{}, 0
	for _, entry := range paths {
		operations += len(entry.(m))
	}
	if got := len(api.Routes()); operations != got || document["openapi"] != "3.0.3" {
		t.Errorf("%d operations, want %d", operations, got)
	}
	for _, r := range api.Routes() {
		path := strings.Replace(r.Pattern, "/api/S/", "/api/Spaces-1/", 1)
		entry, _ := paths[path].(m)
		o, _ := entry[strings.ToLower(r.Method)].(m)
		if o == nil {
			t.Errorf("%s %s is missing", r.Method, r.Pattern)
			continue
		}
		id, _ := o["operationId"].(string)
		if ids[id] || id == "" || o["summary"] == "" || o["x-permission"] != string(r.Need) {
			t.Errorf("%s %s: %v", r.Method, r.Pattern, o)
		}
		ids[id] = true
		answers := o["responses"].(m)
		_, has401 := answers["401"]
		_, has403 := answers["403"]
		_, has404 := answers["404"]
		if has401 == r.Public || has403 == r.Public || has404 != strings.Contains(path, "{") ||
			len(o["parameters"].([]any)) != strings.Count(path, "{") {
			t.Errorf("%s %s answers %v with %v", r.Method, r.Pattern, answers, o["parameters"])
		}
	}
}
