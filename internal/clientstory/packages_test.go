// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/feeds"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/packages"
)

// push uploads a version of the web application through the library.
func (o *office) push(t *testing.T, version string, mode packages.OverwriteMode) (created bool) {
	t.Helper()
	name, path, err := o.PackWebApp(t.Context(), version)
	must(t, err)
	file := try(os.Open(path)).must(t)
	defer file.Close()
	answer := try(packages.UploadV2(o.client, space, name, file, mode, false)).must(t)
	equal(t, "package", answer.PackageId, "webapp")
	equal(t, "version", answer.Version, version)
	return answer.CreatedNewFile
}

func (o *office) packages(t *testing.T) {
	equal(t, "first push creates", o.push(t, "1.0.0", packages.OverwriteModeFailIfExists), true)
	equal(t, "second push creates", o.push(t, "1.0.0", packages.OverwriteModeIgnoreIfExists), false)
	o.push(t, "1.0.0", packages.OverwriteModeOverwriteExisting)
	equal(t, "other version creates", o.push(t, "2.0.0", packages.OverwriteModeFailIfExists), true)
	path := filepath.Join(o.Dir, "packages", "webapp.1.0.0.tar.gz")
	file := try(os.Open(path)).must(t)
	defer file.Close()
	// Other content under a version that is taken.
	_, err := packages.UploadV2(o.client, space, "webapp.1.0.0.zip", strings.NewReader("no archive"),
		packages.OverwriteModeFailIfExists, false)
	if err == nil {
		t.Error("a version that is taken was accepted")
	}
	delta := try(packages.UploadV2(o.client, space, "webapp.1.0.0.tar.gz", file,
		packages.OverwriteModeIgnoreIfExists, true)).must(t)
	equal(t, "why it went whole", delta.UploadInfo.DeltaBehaviour, packages.DeltaBehaviourNoPreviousFile)

	id := func(p *packages.Package) string { return p.PackageID }
	named(t, try(packages.List(o.client, space, "webapp", 100)).must(t).Items, "webapp", id)
	named(t, try(o.client.Packages.GetAll()).must(t), "webapp", id)
	versions := try(packages.Get(o.client, space, packages.PackagesQuery{NuGetPackageID: "webapp"})).must(t).Items
	equal(t, "versions", len(versions), 2)
	equal(t, "highest first", versions[0].Version, "2.0.0")
	equal(t, "one", try(packages.GetByID(o.client, space, versions[0].ID)).must(t).Version, "2.0.0")
}

func (o *office) feeds(t *testing.T) {
	service := o.client.Feeds
	builtIn := try(service.Get(feeds.FeedsQuery{FeedType: string(feeds.FeedTypeBuiltIn), Take: 1})).must(t).Items
	equal(t, "feeds", len(builtIn), 1)
	equal(t, "by its id", try(service.GetByID(builtIn[0].GetID())).must(t).GetName(), builtIn[0].GetName())
	equal(t, "all feeds", len(try(service.GetAll()).must(t)), 1)
	versions := try(feeds.SearchPackageVersions(o.client, space, builtIn[0].GetID(), "webapp", "", 10)).must(t)
	equal(t, "versions", len(versions.Items), 2)
	query := feeds.SearchPackageVersionsQuery{FeedID: builtIn[0].GetID(), PackageID: "webapp", Take: 1, VersionRange: "[1.0,2.0)"}
	linked := try(service.SearchFeedPackageVersions(builtIn[0], query)).must(t)
	equal(t, "highest version in range", linked.Items[0].Version, "1.0.0")
	found := try(service.SearchPackages(builtIn[0], feeds.SearchPackagesQuery{Term: "web", Take: 10})).must(t)
	equal(t, "found", found.Items[0].ID, "webapp")
	described := try(service.SearchPackageVersions(found.Items[0], feeds.SearchPackageVersionsQuery{})).must(t)
	equal(t, "versions of what was found", len(described.Items), 2)
	equal(t, "packages in the feed", try(service.GetBuiltInFeedStatistics()).must(t).TotalPackages, 2)
}
