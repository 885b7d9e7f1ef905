// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"

	"fairlead/internal/archive"
)

const (
	// maxManifestBytes is the longest manifest that is read: 256 KiB.
	maxManifestBytes = 256 << 10
	// maxDescriptionBytes is how much of a description is kept: 16 KiB.
	maxDescriptionBytes = 16 << 10
)

// isManifest reports whether an entry is the .nuspec that a nupkg has in its top folder.
func isManifest(e archive.Entry, format string) bool {
	return format == string(archive.Nupkg) && e.Kind == archive.File && e.Size <= maxManifestBytes &&
		!strings.Contains(e.Path, "/") && strings.HasSuffix(strings.ToLower(e.Path), ".nuspec")
}

// description is what a manifest says of its package. One that cannot be read says nothing: the package is what is
// deployed, and its files are whole.
func description(content io.Reader) string {
	raw, err := io.ReadAll(io.LimitReader(content, maxManifestBytes))
	if err != nil {
		return ""
	}
	var manifest struct {
		Metadata struct {
			Description string `xml:"description"`
		} `xml:"metadata"`
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if xml.Unmarshal(raw, &manifest) != nil {
		return ""
	}
	text := strings.TrimSpace(manifest.Metadata.Description)
	return strings.ToValidUTF8(text[:min(len(text), maxDescriptionBytes)], "")
}
