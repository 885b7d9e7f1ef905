// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func retention() Statement {
	return Statement{
		ID: "S20", Says: "what was deployed last in a place stays: its deployment, its release and the release's packages",
		Judge: judgeRetention,
	}
}

// judgeRetention goes by what people saw succeed.
func judgeRetention(r history.Run) (bad []Violation) {
	x := newIndex(r)
	type where struct {
		project     deploy.ProjectID
		environment deploy.EnvironmentID
	}
	last := map[where]deploy.Task{}
	for _, e := range r.Of(history.Seen) {
		t, known := x.tasks[e.Task]
		if !known || t.Kind != deploy.DeployTask || deploy.TaskState(e.Text) != deploy.TaskSuccess {
			continue
		}
		if at := (where{t.Project, t.Environment}); last[at].QueuedAt.Before(t.QueuedAt) {
			last[at] = t
		}
	}
	for _, t := range r.End.Tasks {
		if last[where{t.Project, t.Environment}].ID != t.ID {
			continue
		}
		if lost := x.lostOf(t); lost != "" {
			what := fmt.Sprintf("%s is what was deployed last to %s, and %s is gone", t.ID, t.Environment, lost)
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}

// lostOf names what is not there any more of what a task deployed, "" for nothing.
func (x *index) lostOf(t deploy.Task) string {
	end := x.run.End
	d := slices.IndexFunc(end.Deployments, func(d deploy.Deployment) bool { return d.ID == t.Deployment })
	if d < 0 {
		return string(t.Deployment)
	}
	id := end.Deployments[d].Release
	r := slices.IndexFunc(end.Releases, func(r deploy.Release) bool { return r.ID == id })
	if r < 0 {
		return string(id)
	}
	for _, p := range end.Releases[r].Packages {
		kept := func(k deploy.Package) bool { return strings.EqualFold(k.ID, p.PackageID) && k.Version == p.Version }
		if !slices.ContainsFunc(end.Packages, kept) {
			return p.PackageID + " " + p.Version
		}
	}
	return ""
}
