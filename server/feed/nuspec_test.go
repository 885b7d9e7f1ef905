// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/server/feed"
)

// packed makes a zip of files by name.
func packed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func nuspec(description string) string {
	return `<?xml version="1.0" encoding="utf-8"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">` +
		`<metadata><id>Web</id><description>` + description + `</description></metadata></package>`
}

// TestDescriptionOfANupkg is kept with the package. A manifest that says none, or cannot be read, refuses nothing.
func TestDescriptionOfANupkg(t *testing.T) {
	deep := strings.Repeat("<a>", 20_000)
	for name, c := range map[string]struct {
		files map[string]string
		file  string
		want  string
	}{
		"plain":           {map[string]string{"Web.nuspec": nuspec(" The &lt;shop&gt;\n of ours ")}, "Web.1.0.nupkg", "The <shop>\n of ours"},
		"with a mark":     {map[string]string{"web.NUSPEC": "\ufeff" + nuspec("x")}, "Web.1.0.nupkg", "x"},
		"zip":             {map[string]string{"Web.nuspec": nuspec("x")}, "Web.1.0.zip", ""},
		"not at the top":  {map[string]string{"content/Web.nuspec": nuspec("x")}, "Web.1.0.nupkg", ""},
		"none":            {map[string]string{"a.txt": "x"}, "Web.1.0.nupkg", ""},
		"broken":          {map[string]string{"Web.nuspec": "<package><metadata><description>x"}, "Web.1.0.nupkg", ""},
		"deep":            {map[string]string{"Web.nuspec": deep}, "Web.1.0.nupkg", ""},
		"entities":        {map[string]string{"Web.nuspec": `<!DOCTYPE x [<!ENTITY a "b">]>` + nuspec("&a;")}, "Web.1.0.nupkg", ""},
		"long":            {map[string]string{"Web.nuspec": nuspec(strings.Repeat("é", 10_000))}, "Web.1.0.nupkg", strings.Repeat("é", 8<<10)},
		"too long by far": {map[string]string{"Web.nuspec": nuspec(strings.Repeat("x", 300_000))}, "Web.1.0.nupkg", ""},
	} {
		b := open(t, nil)
		p, _, err := b.feed.Push(t.Context(), c.file, bytes.NewReader(packed(t, c.files)), feed.FailIfExists, "ann")
		if err != nil || p.Description != c.want {
			t.Errorf("%s: %.60q, %v, want %.60q", name, p.Description, err, c.want)
		}
		held, err := b.feed.Get(t.Context(), deploy.DefaultSpace, "web", "1.0")
		if err != nil || held.Description != c.want {
			t.Errorf("%s: kept is %.60q, %v", name, held.Description, err)
		}
	}
}

func FuzzDescription(f *testing.F) {
	f.Add(nuspec("x"))
	f.Fuzz(func(t *testing.T, text string) {
		b := open(t, nil)
		content := packed(t, map[string]string{"Web.nuspec": text})
		p, _, err := b.feed.Push(t.Context(), "Web.1.0.nupkg", bytes.NewReader(content), feed.FailIfExists, "ann")
		if err != nil || len(p.Description) > 16<<10 {
			t.Errorf("%d bytes, %v", len(p.Description), err)
		}
	})
}
