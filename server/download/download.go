// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package download answers requests with files that people save.
//
// It does not find or open them. Safe for concurrent use.
package download

import (
	"io"
	"mime"
	"net/http"
	"time"
)

// File is what is known of a file beside its content.
type File struct {
	Name   string // what it is saved as
	SHA256 string // in hex; the entity tag
	At     time.Time
}

// Serve answers with a file as an attachment, or with the ranges of it that were asked for. A browser never shows it in
// its window: who wrote it could have made a page with a script.
func Serve(w http.ResponseWriter, r *http.Request, f File, content io.ReadSeeker) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("ETag", `"`+f.SHA256+`"`)
	http.ServeContent(w, r, "", f.At, content)
}
