// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"fairlead/fixtures"
	"fairlead/internal/archive"
)

// webAppFormats are the archive formats of the versions: users have both.
var webAppFormats = map[string]archive.Format{"1.0.0": archive.TarGz, "2.0.0": archive.Zip}

// PackWebApp makes the package webapp in a version, with the web server in it, in the folder dir. It returns the
// package's file name and path.
func (s *Site) PackWebApp(ctx context.Context, version string) (name, path string, err error) {
	tree := filepath.Join(s.Dir, "packages", "webapp-"+version)
	if err := fixtures.WriteWebApp(version, tree); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(filepath.Join(tree, "bin"), 0o755); err != nil {
		return "", "", err
	}
	if err := copyProgram(s.Programs.Web, filepath.Join(tree, "bin", "web")); err != nil {
		return "", "", err
	}
	name = fmt.Sprintf("webapp.%s.%s", version, webAppFormats[version])
	path = filepath.Join(s.Dir, "packages", name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", "", err
	}
	return name, path, errors.Join(archive.Create(ctx, file, webAppFormats[version], os.DirFS(tree)), file.Close())
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Page is what the deployed web application says of itself.
type Page struct {
	Package, Release, Environment, Machine, Greeting string
}

// pageFields finds the values in the application's page.
var pageFields = regexp.MustCompile(`<dd id="(release|environment|machine|package)">([^<]*)</dd>|<(h1)>([^<]*)</h1>`)

// ReadPage asks the web application at a port of this machine.
func ReadPage(ctx context.Context, port int) (p Page, err error) {
	const limit = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+Loopback(port)+"/", nil)
	if err != nil {
		return p, err
	}
	web := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := web.Do(request)
	if err != nil {
		return p, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode != http.StatusOK {
		return p, fmt.Errorf("ask the web application: status %d: %w", response.StatusCode, err)
	}
	for _, m := range pageFields.FindAllStringSubmatch(string(text), -1) {
		switch m[1] + m[3] {
		case "release":
			p.Release = m[2]
		case "environment":
			p.Environment = m[2]
		case "machine":
			p.Machine = m[2]
		case "package":
			p.Package = m[2]
		case "h1":
			p.Greeting = strings.TrimSpace(m[4])
		}
	}
	return p, nil
}
