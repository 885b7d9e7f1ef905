// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"context"
	"io"
)

// Plain writes the plain form of an archive: an unpacked tar of the same entries in the same order,
// with the modes that Unpack would give them, times of 1980-01-01 and no owners. Equal archives have
// equal plain forms, whoever makes them, and both unpack to the same tree; what is left out of the
// one is not in the other. Errors: Walk's, or w's.
func Plain(ctx context.Context, w io.Writer, a *Archive, l Limits) error {
	t := tar.NewWriter(w)
	packer := tarPacker{t}
	buffer := make([]byte, copyBufferBytes)
	_, err := a.Walk(ctx, l, func(e Entry, content io.Reader) error {
		to, err := packer.begin(e)
		if err != nil || e.Kind != File {
			return err
		}
		_, err = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{content}, buffer)
		return err
	})
	if err != nil {
		return err
	}
	return t.Close()
}
