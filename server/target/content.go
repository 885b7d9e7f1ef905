// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"io"

	"fairlead/internal/contract"
)

// Content is a package on its way.
type Content struct {
	SHA256 string // hex
	Size   int64
	// IsForced sends all of it, whatever the machine holds, unless it is in use there.
	IsForced bool
	// Open opens the content; the reader is closed by the target.
	Open func() (io.ReadSeekCloser, error)
	// Sums returns the running sums; nil means that the machine checks the whole only.
	Sums func(context.Context) (contract.RunningSums, error)
	// Bases lists the hashes of older content that the machine may hold, the best first, and Patch
	// returns how to make this content of one of them, or nil when it is not worth it. Both are nil when
	// there are none.
	Bases func(context.Context) ([]string, error)
	Patch func(ctx context.Context, base string) (*Patch, error)
	// Patched, which may be nil, hears that a delta of so many bytes was enough.
	Patched func(bytes int64)
}

func (c Content) args() contract.BlobArgs { return contract.BlobArgs{SHA256: c.SHA256, Size: c.Size} }

// Patch makes one content of another.
type Patch struct {
	Args  contract.BlobPatchArgs
	Delta Content
}
