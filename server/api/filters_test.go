// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// noFilter are the parameters of templates that narrow no list: they page it, order it, or belong to another call.
var noFilter = []string{
	"skip", "take", "order", "clone", "ignoreChannelRules", "latest", "includeNotes", "includeSystem", "pendingOnly",
	"active", "running",
}

// TestTemplatesOfferFiltersThatWork asks each list for what nothing fits, by each filter that its link offers: clients
// send what the template has, and believe the answer.
func TestTemplatesOfferFiltersThatWork(t *testing.T) {
	s := newSite(t)
	s.fill()
	links := s.must(200, "GET", "/api/Spaces-1", nil)["Links"].(m)
	maps.Copy(links, s.must(200, "GET", "/api", nil)["Links"].(m))
	list := regexp.MustCompile(`^([^{]*)\{/id\}\{\?([^}]*)\}$`)
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(links)) {
		parts := list.FindStringSubmatch(links[name].(string))
		if parts == nil {
			continue
		}
		all := s.call("GET", parts[1], nil)
		if all.status != 200 || all.json["TotalResults"] == nil {
			continue
		}
		for _, filter := range strings.Split(parts[2], ",") {
			if slices.Contains(noFilter, filter) {
				continue
			}
			tried++
			a := s.call("GET", parts[1]+"?"+filter+"=nothing-fits-this&includeSystem=false", nil)
			if a.status/100 != 4 && fmt.Sprint(a.json["TotalResults"]) != "0" {
				t.Errorf("%s?%s=: %d with %v of %v, want none or a refusal",
					parts[1], filter, a.status, a.json["TotalResults"], all.json["TotalResults"])
			}
		}
	}
	if tried < 60 {
		t.Errorf("only %d filters were tried", tried)
	}
}

// TestFiltersLetThroughWhatFits holds the answer of each filter against what there is.
func TestFiltersLetThroughWhatFits(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.must(201, "POST", "/api/Spaces-1/projects?clone=Projects-1", m{"Name": "Copy"})
	for path, want := range map[string]int{
		"/api/Spaces-1/machines?deploymentId=deployments-1":        1,
		"/api/Spaces-1/machines?deploymentId=Deployments-9":        0,
		"/api/Spaces-1/machines?shellNames=unknown,Fish":           1,
		"/api/Spaces-1/machines?tenantIds=":                        1,
		"/api/Spaces-1/machines?isDisabled=False":                  1,
		"/api/Spaces-1/machines?isDisabled=true":                   0,
		"/api/Spaces-1/deployments?taskState=Queued,Failed":        1,
		"/api/Spaces-1/deployments?taskState=Failed":               0,
		"/api/Spaces-1/deployments?partialName=to%20dEV":           1,
		"/api/tasks?partialName=" + url.QueryEscape("release 1.0"): 1,
		"/api/tasks?hasWarningsOrErrors=false":                     1,
		"/api/tasks?hasWarningsOrErrors=true":                      0,
		"/api/tasks?hasPendingInterruptions=false":                 0,
		"/api/tasks?hasPendingInterruptions=true":                  1,
		"/api/teams?spaces=Spaces-1&includeSystem=false":           1,
		"/api/teams?spaces=spaces-1":                               3,
		"/api/scopeduserroles?spaces=spaces-1":                     2,
		"/api/scopeduserroles?includeSystem=false":                 1,
		"/api/Spaces-1/projects?clonedFromProjectId=projects-1":    1,
	} {
		if got := s.must(200, "GET", path, nil)["TotalResults"]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s finds %v, want %d", path, got, want)
		}
	}
	a := s.call("GET", "/api/Spaces-1/machines?isDisabled=perhaps", nil)
	if a.status != 400 || !strings.Contains(string(a.body), "want true or false") {
		t.Errorf("a filter that is neither true nor false: %d %s", a.status, a.body)
	}
}
