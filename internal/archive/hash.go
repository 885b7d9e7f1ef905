// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"fairlead/internal/errkind"
)

// Sum reads r to its end and returns its SHA-256 in 64 lower-case hex digits and its size.
// Errors: Canceled, or r's.
func Sum(ctx context.Context, r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	buffer := make([]byte, copyBufferBytes)
	for {
		n, err := r.Read(buffer)
		h.Write(buffer[:n])
		size += int64(n)
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), size, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return "", size, err
		}
	}
}

// CheckSum accepts 64 lower-case hex digits and nothing else, so that a sum may name a file.
// Errors: Invalid.
func CheckSum(sum string) error {
	if len(sum) != 2*sha256.Size {
		return errkind.Invalid.Errorf("hash %.80q: want 64 hex digits of SHA-256", sum)
	}
	for _, c := range []byte(sum) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return errkind.Invalid.Errorf("hash %.80q: want lower-case hex digits only", sum)
		}
	}
	return nil
}
