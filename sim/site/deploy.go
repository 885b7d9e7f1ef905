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
	"fairlead/internal/errkind"
	"fairlead/sim/plan"
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
	project := projectOf(op)
	version, known := fmt.Sprintf("1.0.%d", d.versions), d.projects[project]
	d.mu.Unlock()
	if !known {
		err := rest.CreateProject(ctx, project, steps(op, d.s.agentNames()), paint(op, dryPaint))
		if err != nil && status(err) != statusConflict {
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
		"PostDeploy.sh": {Data: []byte(lastScript(op, version+"-"+name)), Mode: 0o755},
	}); err != nil {
		return "", err
	}
	if err := rest.Upload(ctx, packageName+"."+version+".tar.gz", &packed); err != nil {
		return "", err
	}
	if err := rest.CreateRelease(ctx, project, version); err != nil {
		return "", err
	}
	d.mu.Lock()
	d.latest, d.releases[project] = project, append(d.releases[project], version)
	d.mu.Unlock()
	if task, err = d.queue(ctx, op, project, version); op.Repaints > 0 {
		d.s.world.At(d.s.world.Now()+op.Repaints.D(), "repaint "+name, func() { d.repaint(ctx, op, project, version, name) })
	}
	return task, err
}

// repaint changes the variable of a project and has a release take it afresh.
func (d *desk) repaint(ctx context.Context, op plan.Op, project, version, name string) {
	d.asked("", "repaint "+name)
	err := d.rest().SaveVariables(ctx, project, paint(op, wetPaint))
	if err == nil {
		err = d.rest().RetakeVariables(ctx, project, version)
	}
	d.answered("", "repaint "+name, err)
}

// lastScript is the package's own.
func lastScript(op plan.Op, what string) string {
	script := "echo installed-" + what + " by $$"
	if op.Breaks {
		script += "\nexit 1"
	}
	return script + "\n"
}

// queue makes a deployment of a release.
func (d *desk) queue(ctx context.Context, op plan.Op, project, version string) (task string, err error) {
	if op.Guided {
		return d.rest().DeployGuided(ctx, project, version, environment)
	}
	return d.rest().Deploy(ctx, project, version, environment)
}

// redeploy deploys a release again, of the project that was deployed last, and returns the task, "" when that failed.
func (d *desk) redeploy(ctx context.Context, op plan.Op, name string) (task string) {
	d.mu.Lock()
	project, known := d.latest, d.releases[d.latest]
	d.mu.Unlock()
	d.asked("", "redeploy "+name)
	err := errkind.NotFound.Errorf("the project %q has %d releases: none is %d before the newest",
		project, len(known), op.Back)
	if len(known) > op.Back {
		task, err = d.queue(ctx, op, project, known[len(known)-1-op.Back])
	}
	d.answered(task, "redeploy "+name, err)
	return task
}

// retain makes all lifecycles keep few releases, has the others deleted, and returns the task, "" when that failed.
func (d *desk) retain(ctx context.Context, op plan.Op, name string) string {
	d.asked("", "retention "+name)
	var made struct{ Id string }
	err := d.keepFew(ctx, op.Keep)
	if err == nil {
		err = d.rest().Post(ctx, "/api/tasks", map[string]any{
			"Name": "Retention", "Description": name, "Arguments": map[string]any{},
		}, &made)
	}
	d.answered(made.Id, "retention "+name, err)
	return made.Id
}

// keepFew has all lifecycles keep so many releases.
func (d *desk) keepFew(ctx context.Context, releases int) error {
	const path = "/api/Spaces-1/lifecycles/"
	var all []map[string]any
	if err := d.rest().Get(ctx, path+"all", &all); err != nil {
		return err
	}
	for _, one := range all {
		one["ReleaseRetentionPolicy"] = map[string]any{"Strategy": "Count", "Unit": "Items", "QuantityToKeep": releases}
		if err := d.rest().Put(ctx, path+fmt.Sprint(one["Id"]), one, nil); err != nil {
			return err
		}
	}
	return nil
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
