// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"testing/fstest"
	"time"

	"fairlead/internal/archive"
	"fairlead/internal/demo"
	"fairlead/internal/deploy"
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

// projectOf names the project for an op: each sort of process has one.
func projectOf(op plan.Op) string {
	name := projectName
	if op.Reboot {
		name += " with a reboot"
	}
	if op.Restarts {
		name += " declared"
	}
	if op.Asks {
		name += " with a question"
	}
	if op.Gives > 0 {
		name += " with a file"
	}
	return name
}

// steps are a project's process.
func steps(op plan.Op) []demo.Step {
	script := "echo before-#{Octopus.Release.Number}-#{Octopus.Machine.Name}"
	if op.Gives > 0 {
		script += fmt.Sprintf("\ngive #{Octopus.Release.Number}-#{Octopus.Machine.Name}.bin %d", op.Gives)
	}
	if op.Reboot {
		script += "\nreboot"
	}
	before := demo.Step{Name: "Before", Tag: tag, Script: script, Settings: settings(op)}
	install := demo.Step{Name: packageStep, Tag: tag, Package: packageName}
	if op.Asks {
		return []demo.Step{before, {Name: "Approve", Instructions: "Shall #{Octopus.Release.Number} go on?"}, install}
	}
	return []demo.Step{before, install}
}

// settings are the properties of a script's action.
func settings(op plan.Op) map[string]string {
	set := map[string]string{}
	if op.Restarts {
		set[deploy.PropRestarts] = "True"
	}
	if op.Limit > 0 {
		set[deploy.PropTimeoutMinutes] = strconv.Itoa(int(op.Limit.D() / time.Minute))
	}
	return set
}

func (d *desk) deployNext(ctx context.Context, op plan.Op, name string) (task string, err error) {
	rest := d.rest()
	d.mu.Lock()
	d.versions++
	project := projectOf(op)
	version, known := fmt.Sprintf("1.0.%d", d.versions), d.projects[project]
	d.mu.Unlock()
	if !known {
		if err := rest.CreateProject(ctx, project, steps(op), nil); err != nil && status(err) != statusConflict {
			return "", err
		}
		d.mu.Lock()
		d.projects[project] = true
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
	if err := rest.CreateRelease(ctx, project, version); err != nil {
		return "", err
	}
	return rest.Deploy(ctx, project, version, environment)
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
