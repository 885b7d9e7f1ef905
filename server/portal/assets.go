// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"

	"fairlead/internal/errkind"
)

//go:embed static templates
var embedded embed.FS

// assets are the files that pages load, by name.
type assets map[string]asset

type asset struct {
	content []byte
	kind    string
	tag     string // of the content
}

func loadAssets() assets {
	loaded := assets{}
	for name, kind := range map[string]string{
		"portal.css": "text/css; charset=utf-8", "portal.js": "text/javascript; charset=utf-8",
		"icons.svg": "image/svg+xml", "mark.svg": "image/svg+xml",
	} {
		content, err := embedded.ReadFile("static/" + name)
		if err != nil {
			panic("portal: " + err.Error()) // embedded by the compiler
		}
		sum := sha256.Sum256(content)
		loaded[name] = asset{content, kind, hex.EncodeToString(sum[:6])}
	}
	return loaded
}

// url is the address of a file; it changes with its content.
func (a assets) url(name string) string { return "/app/static/" + name + "?v=" + a[name].tag }

// asset answers with a file. An address with the right tag may be kept for ever.
func (p *Portal) asset(v *visit) error {
	name := v.PathValue("file")
	file, ok := p.assets[name]
	if !ok {
		return errkind.NotFound.Errorf("there is no file %s here", visible(name))
	}
	h := v.ResponseWriter.Header()
	h.Set("Content-Type", file.kind)
	h.Set("ETag", `"`+file.tag+`"`)
	h.Set("Cache-Control", "no-cache")
	if v.URL.Query().Get("v") == file.tag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(v.ResponseWriter, v.Request, name, time.Time{}, bytes.NewReader(file.content))
	return nil
}
