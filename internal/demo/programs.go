// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Programs are the paths of the programs that a Site starts.
type Programs struct {
	Agent, Server string
	// Web is the web server that goes into the package webapp.
	Web string
}

// FindPrograms takes both programs from bin/ of the repository at root when they are newer than every Go file there,
// and builds into the folder dir what is missing. FAIRLEAD_PROGRAMS in the environment names a folder to take them
// from as they are: a release, for instance.
func FindPrograms(ctx context.Context, root, dir string) (Programs, error) {
	p := Programs{
		Agent: filepath.Join(root, "bin", "fairlead-agent"), Server: filepath.Join(root, "bin", "fairlead-server"),
		Web: filepath.Join(dir, "web"),
	}
	if err := buildProgram(ctx, root, p.Web, "./fixtures/packages/web"); err != nil {
		return p, err
	}
	if folder := os.Getenv("FAIRLEAD_PROGRAMS"); folder != "" {
		p.Agent, p.Server = filepath.Join(folder, "fairlead-agent"), filepath.Join(folder, "fairlead-server")
		return p, nil
	}
	changed, err := newestSource(root)
	if err != nil {
		return p, err
	}
	for _, program := range []struct {
		path   *string
		folder string
	}{{&p.Agent, "./agent"}, {&p.Server, "./server"}} {
		if info, err := os.Stat(*program.path); err == nil && info.ModTime().After(changed) {
			continue
		}
		*program.path = filepath.Join(dir, filepath.Base(*program.path))
		if err := buildProgram(ctx, root, *program.path, program.folder); err != nil {
			return p, err
		}
	}
	return p, nil
}

// FindRoot is the folder that holds go.mod, at or above the folder from.
func FindRoot(from string) (string, error) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", fmt.Errorf("find the repository: no go.mod at or above %s", from)
		}
		dir = above
	}
}

// buildProgram builds a package as `make build` does, so that both share what is cached.
func buildProgram(ctx context.Context, root, to, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func newestSource(root string) (newest time.Time, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // an editor's file that came and went
			return nil
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		name := d.Name()
		if strings.HasSuffix(name, "_test.go") || !strings.HasSuffix(name, ".go") && name != "go.mod" {
			return nil
		}
		info, err := d.Info()
		if err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	return newest, err
}
