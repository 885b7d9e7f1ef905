// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package archive lists, unpacks and makes package archives: zip, nupkg, tar and tar.gz.
//
// It trusts nothing an archive says. It does not know what a package is for, and it keeps no
// owners, extended attributes or times: a tree has paths, contents, links and an executable bit.
//
//  1. Every path passes CheckPath before any other code sees it.
//  2. No path comes twice, none differs from another only in case, none is file and folder at once.
//  3. A link's target lies inside the archive's own tree, whatever is made there later.
//  4. Nothing passes Limits: entries, bytes, ratio, path lengths. Memory does not grow with the
//     archive's size and by at most 64 bytes for each entry.
//  5. Unpack writes through an os.Root only and leaves the folder empty when it returns an error.
//  6. Equal trees make equal archives.
//
// An Archive may be walked by several goroutines at once when its reader allows it.
//
// path.go checks names, limits.go numbers, index.go clashes between entries, link.go targets;
// format.go tells formats apart, zip.go, zipdir.go and tar.go walk them; unpack.go and create.go
// are the two directions, plain.go is the form that formats share, hash.go names content.
package archive
