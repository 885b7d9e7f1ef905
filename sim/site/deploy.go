// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing/fstest"

	"fairlead/internal/archive"
	"fairlead/internal/demo"
	"fairlead/sim/plan"
)

const (
	projectName = "Web"
	packageName = "webapp"
	contentName = "content.bin"
	packageStep = "Install"
)

// deploy pushes a new version of a package, makes a release of it and deploys that. It returns the
// task, "" when something failed on the way.
func (d *desk) deploy(ctx context.Context, op plan.Op, name string) string {
	d.asked("", "deploy "+name)
	task, err := d.deployNext(ctx, op, name)
	d.answered(task, "deploy "+name, err)
	return task
}

func (d *desk) deployNext(ctx context.Context, op plan.Op, name string) (task string, err error) {
	rest := d.rest()
	d.mu.Lock()
	d.versions++
	version, known := fmt.Sprintf("1.0.%d", d.versions), d.project
	d.mu.Unlock()
	if !known {
		if err := rest.CreateProject(ctx, projectName, []demo.Step{
			{Name: "Before", Tag: tag, Script: "echo before-#{Octopus.Release.Number}-#{Octopus.Machine.Name}"},
			{Name: packageStep, Tag: tag, Package: packageName},
		}, nil); err != nil && status(err) != statusConflict {
			return "", err
		}
		d.mu.Lock()
		d.project = true
		d.mu.Unlock()
	}
	content := content(d.s.plan.Seed, version, op.KB)
	d.mu.Lock()
	d.contents[version] = content
	d.mu.Unlock()
	var packed bytes.Buffer
	if err := archive.Create(ctx, &packed, archive.TarGz, fstest.MapFS{
		contentName:     {Data: content, Mode: 0o644},
		"PostDeploy.sh": {Data: []byte("echo installed-" + version + "-" + name + "\n"), Mode: 0o755},
	}); err != nil {
		return "", err
	}
	if err := rest.Upload(ctx, packageName+"."+version+".tar.gz", &packed); err != nil {
		return "", err
	}
	if err := rest.CreateRelease(ctx, projectName, version); err != nil {
		return "", err
	}
	return rest.Deploy(ctx, projectName, version, environment)
}

// deployed is the content of a version that was pushed.
func (d *desk) deployed(version string) (content []byte, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	content, known = d.contents[version]
	return content, known
}

// statusConflict is what a second project of the same name gets.
const statusConflict = 400

// content is what a version has in it: bytes that do not shrink when they are packed.
func content(seed uint64, version string, kb int) []byte {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(version))
	r := rand.New(rand.NewPCG(seed, sum.Sum64()))
	out := make([]byte, 0, kb<<10)
	for len(out) < kb<<10 {
		out = binary.LittleEndian.AppendUint64(out, r.Uint64())
	}
	return out
}
