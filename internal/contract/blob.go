// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

// BlobArgs names content by its hash.
type BlobArgs struct {
	SHA256 string `json:"sha256"` // hex, lower case
	Size   int64  `json:"size"`
}

// BlobPutArgs sends content from an offset, which BlobState named.
type BlobPutArgs struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Offset int64  `json:"offset"`
}

// BlobState says how much of some content the agent holds.
type BlobState struct {
	Complete bool `json:"complete"` // whole, checked and durable
	// Offset is how many bytes lie there already; the next put starts here.
	Offset int64 `json:"offset"`
}

// BlobWhichArgs asks which of some contents lie on the machine, 64 at most.
type BlobWhichArgs struct {
	SHA256 []string `json:"sha256"`
}

// MaxWhich is how many hashes one blob.which takes.
const MaxWhich = 64

// BlobHeld names those that do, whole or in their plain form, in the order they were asked for.
type BlobHeld struct {
	SHA256 []string `json:"sha256"`
}

// BlobPatchArgs makes a package of an older one that the machine holds and of a delta. What is made is
// the plain form (archive.Plain); it stands for the package from then on.
type BlobPatchArgs struct {
	Package    BlobArgs `json:"package"`
	Plain      BlobArgs `json:"plain"` // its plain form
	Base       BlobArgs `json:"base"`  // the older package
	BaseFormat string   `json:"base_format"`
	BasePlain  BlobArgs `json:"base_plain"`
	// Delta leads from BasePlain to Plain. It was sent like any other content and is removed.
	Delta BlobArgs `json:"delta"`
}

// FilePutArgs describes a file to write.
type FilePutArgs struct {
	Path   string `json:"path"` // relative, slashes, below the files folder
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode"` // permission bits; only 0700 are kept
}

// FileGetArgs names a file to read.
type FileGetArgs struct {
	Path string `json:"path"`
}

// FileInfo describes a file that is being sent.
type FileInfo struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
