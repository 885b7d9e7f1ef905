// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"

	"fairlead/internal/deploy"
)

// versionFilters are the parameters of a search for versions, as part of an address template.
const versionFilters = "take,skip,includePreRelease,versionRange,preReleaseTag,filter,includeReleaseNotes"

func feedLinks(self string) obj {
	return obj{
		"Self":                          self,
		"SearchPackagesTemplate":        self + "/packages/search{?term,take,skip}",
		"SearchPackageVersionsTemplate": self + "/packages/versions{?packageId," + versionFilters + "}",
	}
}

// versionFilter reads filter, versionRange, preReleaseTag and includePreRelease. Errors: Invalid.
func versionFilter(query map[string]string) (wanted func(version string) bool, err error) {
	rule, err := deploy.NewVersionRule(query["versionrange"], query["prereleasetag"])
	if err != nil {
		return nil, err
	}
	part := strings.ToLower(query["filter"])
	released := strings.EqualFold(query["includeprerelease"], "false")
	return func(version string) bool {
		v, err := deploy.ParseVersion(version)
		return err == nil && rule.Allows(v) && !(released && v.IsPrerelease()) &&
			strings.Contains(strings.ToLower(version), part)
	}, nil
}

func (a *api) feedStatistics(c *call) error {
	total, err := a.Catalog.CountPackages(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(obj{"TotalPackages": total, "Links": obj{"Self": spacePath + "feeds/stats"}})
}
