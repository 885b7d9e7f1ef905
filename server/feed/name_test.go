// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/server/feed"
)

func TestParseFileName(t *testing.T) {
	for _, c := range []struct{ name, id, version, format string }{
		{"Web.App.1.0.0.zip", "Web.App", "1.0.0", "zip"},
		{"web-app_x.2.tar.gz", "web-app_x", "2", "tar.gz"},
		{"a.1.2.3.4.TGZ", "a", "1.2.3.4", "tar.gz"},
		{"a.1.2.3.4.5.zip", "a.1", "2.3.4.5", "zip"},
		{"App.2.Tools.1.0.nupkg", "App.2.Tools", "1.0", "nupkg"},
		{"Web.1.2.0-rc.1+build.7.tar", "Web", "1.2.0-rc.1+build.7", "tar"},
		{"Web.1.2.0-feature-x.y.zip", "Web", "1.2.0-feature-x.y", "zip"},
		{"app-1.0.zip", "app-1", "0", "zip"}, // as Octopus reads it: the id wants its dot
	} {
		id, version, format, err := feed.ParseFileName(c.name)
		if err != nil || id != c.id || version != c.version || format != c.format {
			t.Errorf("%s: %q %q %q, %v", c.name, id, version, format, err)
		}
	}
}

// TestF2NamesThatArePaths refuses names that a path, a device or another spelling hides in.
func TestF2NamesThatArePaths(t *testing.T) {
	for _, name := range []string{
		"", ".zip", "Web.App.zip", "Web.App.1.0.0", "Web.App.1.0.0.exe", "1.zip",
		"../Web.1.0.0.zip", "a/../../Web.1.0.0.zip", "/etc/Web.1.0.0.zip", `..\Web.1.0.0.zip`, `C:\Web.1.0.0.zip`,
		"a%2fb.1.0.0.zip", "Web..1.0.0.zip", ".Web.1.0.0.zip", "Web.1.0.0.zip/", "Web.1.0.0.zip\n", "Web\x00.1.0.0.zip",
		"con.1.0.0.zip", "CON.x.1.0.0.zip", "lpt1.1.0.0.zip",
		"Wéb.1.0.0.zip", "Web.１.0.0.zip", "Ｗeb.1.0.0.zip", "We\u202eb.1.0.0.zip", "Web App.1.0.0.zip",
		strings.Repeat("x", feed.MaxIDBytes+1) + ".1.0.0.zip", "Web.1.0.0-" + strings.Repeat("x", 300) + ".zip",
	} {
		if _, _, _, err := feed.ParseFileName(name); err == nil || errkind.Of(err) != errkind.Invalid {
			t.Errorf("%.60q: %v, want Invalid", name, err)
		}
	}
}

func FuzzParseFileName(f *testing.F) {
	for _, seed := range []string{"Web.App.1.0.0.zip", "a.1.2.3.4.5.tar.gz", "../x.1.zip", "x.1-a.+b.nupkg"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		id, version, format, err := feed.ParseFileName(name)
		if err != nil {
			return
		}
		if !strings.HasPrefix(name, id+"."+version+".") || feed.CheckID(id) != nil || format == "" {
			t.Fatalf("%q read as %q %q %q", name, id, version, format)
		}
		if strings.ContainsAny(id+version, "/\\%\x00\n ") || strings.Contains(id+"."+version, "..") {
			t.Fatalf("%q lets a path through: %q %q", name, id, version)
		}
	})
}
