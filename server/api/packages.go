// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"io"
	"mime"
	"net/url"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/download"
	"fairlead/server/feed"
)

const (
	feedName = "Fairlead (built-in)"
	// packagePrefix, the id and the version are the wire's id of a package.
	packagePrefix = "packages-"
)

func packageID(p deploy.Package) string { return packagePrefix + p.ID + "." + p.Version }

func showPackage(p deploy.Package) obj {
	self := spacePath + "packages/" + url.PathEscape(packageID(p))
	return obj{
		"Id": packageID(p), "SpaceId": thisSpace, "PackageId": p.ID, "NuGetPackageId": p.ID, "FeedId": feedID,
		"NuGetFeedId": feedID, "Version": p.Version, "FileExtension": "." + p.Format, "PackageSizeBytes": p.Size,
		"Hash": p.SHA256, "Published": at(p.PublishedAt), "Title": p.ID, "Summary": "", "Description": p.Description,
		"ReleaseNotes":                   nil, // the client library takes any text here for a time and fails
		"PackageVersionBuildInformation": nil,
		"Links":                          obj{"Self": self, "Raw": self + "/raw"},
	}
}

// pushPackage streams: the content is never held in memory.
func (a *api) pushPackage(c *call) error {
	upload, err := c.upload()
	if err != nil {
		return err
	}
	p, result, err := a.Catalog.PushPackage(c.ctx(), c.principal, upload)
	if err != nil {
		return err
	}
	if result == feed.Ignored || result == feed.Unchanged {
		return c.ok(showPackage(p))
	}
	return c.created(showPackage(p))
}

// upload finds name and content: the first file of a form, or the whole body. Errors: Invalid.
func (c *call) upload() (u feed.Upload, err error) {
	query := c.query()
	if u.Mode, err = feed.ParseOverwriteMode(query["overwritemode"]); err != nil {
		return u, err
	}
	if query["overwritemode"] == "" && strings.EqualFold(query["replace"], "true") {
		u.Mode = feed.OverwriteExisting
	}
	u.SHA256, u.FileName = query["sha256"], query["filename"]
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		return u, c.formFile(&u)
	}
	if u.FileName == "" {
		_, parameters, _ := mime.ParseMediaType(c.r.Header.Get("Content-Disposition"))
		u.FileName = parameters["filename"]
	}
	if u.FileName == "" {
		return u, errkind.Invalid.Errorf("the package has no file name: " +
			"send a form with a file, or add ?fileName=Web.App.1.0.0.zip")
	}
	u.Content, u.Size = c.r.Body, max(0, c.r.ContentLength)
	return u, nil
}

func (c *call) formFile(u *feed.Upload) error {
	form, err := c.r.MultipartReader()
	if err != nil {
		return errkind.Invalid.Errorf("the form cannot be read: %w", err)
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return errkind.Invalid.Errorf("the form holds no file")
		}
		if err != nil {
			return errkind.Invalid.Errorf("the form cannot be read: %w", err)
		}
		if name := part.FileName(); name != "" {
			u.FileName, u.Content = name, part
			return nil
		}
	}
}

// listPackages answers the highest version of each package, or all versions of one.
func (a *api) listPackages(c *call) error {
	query := c.query()
	if id := query["nugetpackageid"]; id != "" {
		all, err := a.Catalog.PackageVersions(c.ctx(), c.principal, id)
		if err != nil {
			return err
		}
		return paged(c, "Package", all, showPackage)
	}
	all, err := a.Catalog.LatestPackages(c.ctx(), c.principal, query["filter"])
	if err != nil {
		return err
	}
	return paged(c, "Package", all, showPackage)
}

func fullName(c *call) string {
	id := c.param("id")
	if len(id) > len(packagePrefix) && strings.EqualFold(id[:len(packagePrefix)], packagePrefix) {
		return id[len(packagePrefix):]
	}
	return id
}

func (a *api) getPackage(c *call) error {
	p, err := a.Catalog.Package(c.ctx(), c.principal, fullName(c))
	if err != nil {
		return err
	}
	return c.ok(showPackage(p))
}

func (a *api) rawPackage(c *call) error {
	p, content, err := a.Catalog.OpenPackage(c.ctx(), c.principal, fullName(c))
	if err != nil {
		return err
	}
	defer content.Close()
	name := p.ID + "." + p.Version + "." + p.Format
	download.Serve(c.w, c.r, download.File{Name: name, SHA256: p.SHA256, At: p.PublishedAt}, content)
	return nil
}

func (a *api) noSignature(*call) error {
	return errkind.NotFound.Errorf("there is no package to build a delta on: push the whole file")
}

func (a *api) deletePackage(c *call) error {
	if err := a.Catalog.DeletePackage(c.ctx(), c.principal, fullName(c)); err != nil {
		return err
	}
	return c.deleted()
}

func showFeed(id string) obj {
	self := spacePath + "feeds/" + id
	return obj{
		"Id": id, "SpaceId": thisSpace, "Name": feedName, "Slug": "fairlead-built-in", "FeedType": "BuiltIn",
		"DeleteUnreleasedPackagesAfterDays": nil, "DeletePackagesAssociatedWithReleases": false,
		"IsBuiltInRepoSyncEnabled": false, "PackageAcquisitionLocationOptions": []string{"Server"},
		"Links": feedLinks(self),
	}
}

func (a *api) listFeeds(c *call) error {
	all := chosen(c, []string{feedID}, func(id string) (string, string) { return id, feedName })
	if kind := c.query()["feedtype"]; kind != "" && !strings.EqualFold(kind, "BuiltIn") {
		all = nil
	}
	return paged(c, "Feed", all, showFeed)
}

func (a *api) allFeeds(c *call) error { return c.ok([]obj{showFeed(feedID)}) }

func checkFeed(c *call) error {
	if id := c.param("id"); !isBuiltIn(id) {
		return errkind.NotFound.Errorf("there is no feed %q", id)
	}
	return nil
}

func (a *api) getFeed(c *call) error {
	if err := checkFeed(c); err != nil {
		return err
	}
	return c.ok(showFeed(feedID))
}

func (a *api) feedVersions(c *call) error {
	if err := checkFeed(c); err != nil {
		return err
	}
	query := c.query()
	if query["packageid"] == "" {
		return errkind.Invalid.Errorf("packageId is missing")
	}
	all, err := a.Catalog.PackageVersions(c.ctx(), c.principal, query["packageid"])
	if err != nil {
		return err
	}
	wanted, err := versionFilter(query)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p deploy.Package) bool { return !wanted(p.Version) })
	return paged(c, "PackageVersion", all, func(p deploy.Package) obj {
		return obj{
			"Id": feedID + "/" + p.ID + "." + p.Version, "PackageId": p.ID, "FeedId": feedID, "Version": p.Version,
			"Title": p.ID, "ReleaseNotes": "", "Published": at(p.PublishedAt), "SizeBytes": p.Size, "Links": obj{},
		}
	})
}

func (a *api) feedSearch(c *call) error {
	if err := checkFeed(c); err != nil {
		return err
	}
	all, err := a.Catalog.LatestPackages(c.ctx(), c.principal, c.query()["term"])
	if err != nil {
		return err
	}
	return paged(c, "PackageDescription", all, func(p deploy.Package) obj {
		return obj{
			"Id": p.ID, "Name": p.ID, "Description": p.Description, "LatestVersion": p.Version,
			"Links": obj{"SearchPackageVersionsTemplate": spacePath + "feeds/" + feedID + "/packages/versions?packageId=" +
				url.QueryEscape(p.ID) + "{&" + versionFilters + "}"},
		}
	})
}
