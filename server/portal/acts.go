// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"net/url"
	"strconv"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

func taskPage(id deploy.TaskID) string { return "/app/tasks/" + url.PathEscape(string(id)) }

func (p *Portal) createRelease(v *visit) error {
	project := v.PathValue("project")
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	if err := v.checkSpace(); err != nil {
		return err
	}
	version, err := p.source.CreateRelease(v.Context(), v.who, NewRelease{
		Project: project, Version: v.PostForm.Get("version"), Notes: v.PostForm.Get("notes"),
	})
	if err != nil {
		return err
	}
	return redirect(v, releasePage(project, version))
}

func (p *Portal) deploy(v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	if err := v.checkSpace(); err != nil {
		return err
	}
	d := NewDeployment{
		Project: v.PathValue("project"), Version: v.PostForm.Get("version"),
		Environment: deploy.EnvironmentID(v.PostForm.Get("environment")),
	}
	if d.Version == "" || d.Environment == "" {
		return errkind.Hinted(errkind.Invalid.Errorf("a deployment needs a release and an environment"),
			"go back and choose both")
	}
	id, err := p.source.Deploy(v.Context(), v.who, d)
	if err != nil {
		return err
	}
	return redirect(v, taskPage(id))
}

func (p *Portal) cancel(v *visit) error {
	id := deploy.TaskID(v.PathValue("task"))
	if err := p.source.Cancel(v.Context(), v.who, id); err != nil {
		return err
	}
	return redirect(v, taskPage(id))
}

func (p *Portal) answer(v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	a := NewAnswer{
		Task: deploy.TaskID(v.PathValue("task")), Question: deploy.InterruptionID(v.PathValue("question")),
		Choice: v.PostForm.Get("choice"), Notes: v.PostForm.Get("notes"),
	}
	if err := p.source.Answer(v.Context(), v.who, a); err != nil {
		return err
	}
	return redirect(v, taskPage(a.Task))
}

func (p *Portal) checkHealth(v *visit) error {
	id, err := p.source.CheckHealth(v.Context(), v.who, v.PathValue("machine"))
	if err != nil {
		return err
	}
	return redirect(v, taskPage(id))
}

func (p *Portal) forgetOrphan(v *visit) error {
	machine := v.PathValue("machine")
	if err := p.source.ForgetOrphan(v.Context(), v.who, machine, v.PathValue("ticket")); err != nil {
		return err
	}
	return redirect(v, "/app/machines/"+url.PathEscape(machine))
}

func (p *Portal) acceptMachine(v *visit) error {
	machine := v.PathValue("machine")
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	if err := p.source.AcceptMachine(v.Context(), v.who, machine, v.PostForm.Get("why")); err != nil {
		return err
	}
	return redirect(v, "/app/machines/"+url.PathEscape(machine))
}

func (p *Portal) acceptRestore(v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	number, err := strconv.ParseInt(v.PostForm.Get("restore"), 10, 64)
	if err != nil || number < 1 {
		return errkind.Hinted(errkind.Invalid.Errorf("the form does not say which restore is accepted"),
			"open the page again")
	}
	if err := p.source.AcceptRestore(v.Context(), v.who, number); err != nil {
		return err
	}
	return redirect(v, restorePage)
}

func badForm(err error) error { return errkind.Invalid.Errorf("read the form: %w", err) }

func releasePage(project, version string) string {
	return "/app/projects/" + url.PathEscape(project) + "/releases/" + url.PathEscape(version)
}
