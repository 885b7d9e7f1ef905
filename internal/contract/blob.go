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
