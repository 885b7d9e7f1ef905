// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"regexp"
	"strings"

	"fairlead/internal/archive"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// MaxIDBytes is the longest package id. Source: NuGet.
const MaxIDBytes = 100

// Words joined by '.', '_' or '-'; a dot; one to four numbers; -prerelease; +build. The id takes
// as little as it can. Source: the file name rule of Octopus Deploy.
var fileName = regexp.MustCompile(`^([A-Za-z0-9_]+(?:[._-][A-Za-z0-9_]+)*?)` +
	`\.([0-9]+(?:\.[0-9]+){0,3}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)$`)

var packageID = regexp.MustCompile(`^[A-Za-z0-9_]+(?:[._-][A-Za-z0-9_]+)*$`)

// Names that some file systems keep for devices.
var deviceName = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// ParseFileName takes "Web.App.1.2.0-rc.1.tar.gz" apart: id "Web.App", version "1.2.0-rc.1",
// format "tar.gz". Formats are "zip", "nupkg", "tar" and "tar.gz". Errors: Invalid.
func ParseFileName(name string) (id, version, format string, err error) {
	stem, format := cutExtension(name)
	if format == "" {
		return "", "", "", errkind.Hinted(
			errkind.Invalid.Errorf("package file name %.200q does not end in .zip, .nupkg, .tar, .tar.gz or .tgz", name),
			"pack the files as one of these, named like Web.App.1.2.0.tar.gz")
	}
	parts := fileName.FindStringSubmatch(stem)
	if parts == nil {
		return "", "", "", errkind.Hinted(
			errkind.Invalid.Errorf("package file name %.200q is not <id>.<version>.%s", name, format),
			"name the file like Web.App.1.2.0.%s; id and version hold ASCII letters, digits, '.', '-' and '_' only", format)
	}
	if err := CheckID(parts[1]); err != nil {
		return "", "", "", err
	}
	if _, err := deploy.ParseVersion(parts[2]); err != nil {
		return "", "", "", err
	}
	return parts[1], parts[2], format, nil
}

func cutExtension(name string) (stem, format string) {
	for _, e := range []struct{ extension, format string }{
		{".zip", string(archive.Zip)},
		{".nupkg", string(archive.Nupkg)},
		{".tar", string(archive.Tar)},
		{".tar.gz", string(archive.TarGz)},
		{".tgz", string(archive.TarGz)},
	} {
		if n := len(name) - len(e.extension); n > 0 && strings.EqualFold(name[n:], e.extension) {
			return name[:n], e.format
		}
	}
	return "", ""
}

// CheckID accepts the ids that file names may carry. Errors: Invalid.
func CheckID(id string) error {
	switch {
	case len(id) == 0 || len(id) > MaxIDBytes:
		return errkind.Invalid.Errorf("package id %.120q has %d bytes: want 1 to %d", id, len(id), MaxIDBytes)
	case !packageID.MatchString(id):
		return errkind.Invalid.Errorf("package id %q: want words of ASCII letters, digits and '_', joined by '.', '_' or '-'",
			id)
	case deviceName.MatchString(id):
		return errkind.Invalid.Errorf("package id %q is the name of a device on some systems", id)
	}
	return nil
}
