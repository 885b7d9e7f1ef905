// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"io"
	"os"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// sumsEnd ends the name of the file with the running sums of a content. It is a memory, nothing
// else: it is compared with the content's hash when it is read, and made again when it is not there.
const sumsEnd = ".sums"

// maxSumsBytes is how long it may be: a package of 10 GiB has 80 KiB of running sums.
const maxSumsBytes = 1 << 20

// Sums returns the running sums of a package. Errors: Corrupt (the content is gone or damaged),
// Canceled, Internal.
func (f *Feed) Sums(ctx context.Context, p deploy.Package) (contract.RunningSums, error) {
	file, err := f.Open(p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // read only
	return sumsOf(ctx, f.path(p.SHA256), contract.BlobArgs{SHA256: p.SHA256, Size: p.Size}, file)
}

// sumsOf reads the sums that lie beside the content at path, or makes them.
func sumsOf(ctx context.Context, path string, content contract.BlobArgs, r io.Reader) (contract.RunningSums, error) {
	if info, err := os.Stat(path + sumsEnd); err == nil && info.Size() <= maxSumsBytes {
		sums, err := os.ReadFile(path + sumsEnd)
		if err == nil && contract.RunningSums(sums).Check(content) == nil {
			return sums, nil
		}
	}
	s := contract.NewSummer()
	buffer := make([]byte, bufferBytes)
	for {
		n, err := r.Read(buffer)
		_, _ = s.Write(buffer[:n]) // never fails
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, errkind.Of(err).Errorf("hash content %.12s…: %w", content.SHA256, err)
		}
	}
	if err := s.Sums().Check(content); err != nil {
		return nil, errkind.Hinted(errkind.Corrupt.Errorf("the content in the feed is damaged: %w", err),
			"push the package again with overwriteMode=OverwriteExisting")
	}
	keepSums(path, s.Sums())
	return s.Sums(), nil
}

// keepSums writes sums down beside the content at path. Without them the content is read once more.
func keepSums(path string, sums contract.RunningSums) {
	if len(sums) > contract.SumBytes { // a single chunk is proved by its hash
		_ = os.WriteFile(path+sumsEnd, sums, 0o600)
	}
}
