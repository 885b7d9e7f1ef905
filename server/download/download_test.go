// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package download_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairlead/server/download"
)

// A file that a script or a person brought is saved, never shown, whatever its name says it is.
func TestFilesAreSavedNotShown(t *testing.T) {
	const page = "<script>document.cookie</script>"
	f := download.File{Name: "a b\"\r\nX: y.html", SHA256: "ab12", At: time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)}
	serve := func(header, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/f", nil)
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		download.Serve(w, r, f, strings.NewReader(page))
		return w
	}
	w := serve("Accept", "text/html")
	if h := w.Header(); w.Code != 200 || w.Body.String() != page || h.Get("Content-Type") != "application/octet-stream" ||
		h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
		!strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") || strings.ContainsAny(h.Get("Content-Disposition"), "\r\n") {
		t.Errorf("%d %q %v", w.Code, w.Body, h)
	}
	if w := serve("Range", "bytes=1-6"); w.Code != 206 || w.Body.String() != "script" {
		t.Errorf("bytes 1 to 6: %d %q", w.Code, w.Body)
	}
	if w := serve("If-None-Match", `"ab12"`); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("known already: %d %q", w.Code, w.Body)
	}
}
