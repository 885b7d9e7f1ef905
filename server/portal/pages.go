// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

// How often, in seconds, a page that shows work in progress is read again.
const (
	refreshBusy = 3
	refreshIdle = 15
)

func (p *Portal) dashboard(v *visit) error {
	d, err := p.source.Dashboard(v.Context(), v.who)
	if err != nil {
		return err
	}
	data := view{Title: "Dashboard", Nav: "dashboard", Refresh: refreshIdle, Data: d}
	if d.Running+d.Queued > 0 {
		data.Refresh = refreshBusy
	}
	return p.ok(v, "dashboard", data)
}

func (p *Portal) projects(v *visit) error {
	list, err := p.source.Projects(v.Context(), v.who)
	if err != nil {
		return err
	}
	return p.ok(v, "projects", view{Title: "Projects", Nav: "projects", Refresh: refreshIdle, Data: list})
}

func (p *Portal) project(v *visit) error {
	project, err := p.source.Project(v.Context(), v.who, v.PathValue("project"))
	if err != nil {
		return err
	}
	return p.ok(v, "project", view{Title: project.Name, Nav: "projects", Refresh: refreshIdle, Data: project})
}

func (p *Portal) release(v *visit) error {
	release, err := p.source.Release(v.Context(), v.who, v.PathValue("project"), v.PathValue("version"))
	if err != nil {
		return err
	}
	data := view{Title: release.Project.Name + " " + release.Version, Nav: "projects", Refresh: refreshIdle, Data: release}
	for _, d := range release.Deployments {
		if !d.State.IsCompleted() {
			data.Refresh = refreshBusy
		}
	}
	return p.ok(v, "release", data)
}

func (p *Portal) findRelease(v *visit) error {
	project, version, err := p.source.FindRelease(v.Context(), v.who, v.PathValue("release"))
	if err != nil {
		return err
	}
	return redirect(v, releasePage(project, version))
}

func (p *Portal) findDeployment(v *visit) error {
	task, err := p.source.FindDeployment(v.Context(), v.who, v.PathValue("deployment"))
	if err != nil {
		return err
	}
	return redirect(v, taskPage(task))
}

func (p *Portal) machines(v *visit) error {
	list, err := p.source.Machines(v.Context(), v.who)
	if err != nil {
		return err
	}
	return p.ok(v, "machines", view{Title: "Machines", Nav: "machines", Refresh: refreshIdle, Data: machineList{list}})
}

type machineList struct{ All []Machine }

// Count counts the machines with this word on them: "online", "offline" or "disabled".
func (l machineList) Count(word string) (n int) {
	for _, m := range l.All {
		is := "offline"
		switch {
		case m.IsDisabled:
			is = "disabled"
		case m.Online:
			is = "online"
		}
		if is == word {
			n++
		}
	}
	return n
}

func (p *Portal) machine(v *visit) error {
	machine, err := p.source.Machine(v.Context(), v.who, v.PathValue("machine"))
	if err != nil {
		return err
	}
	return p.ok(v, "machine", view{Title: machine.Name, Nav: "machines", Refresh: refreshIdle, Data: machine})
}

func (p *Portal) packages(v *visit) error {
	find := v.FormValue("find")
	list, err := p.source.Packages(v.Context(), v.who, find)
	if err != nil {
		return err
	}
	return p.ok(v, "packages", view{Title: "Packages", Nav: "packages", Data: packageList{find, list}})
}

type packageList struct {
	Find string
	All  []Package
}

func (p *Portal) packageVersions(v *visit) error {
	id := v.PathValue("package")
	list, err := p.source.PackageVersions(v.Context(), v.who, id)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		id = list[0].ID
	}
	return p.ok(v, "package", view{Title: id, Nav: "packages", Data: versionList{id, list}})
}

type versionList struct {
	ID  string
	All []Package
}

// restorePage is where a restore is looked at and accepted.
const restorePage = "/app/restore"

func (p *Portal) restored(v *visit) error {
	last, err := p.source.Restored(v.Context(), v.who)
	if err != nil {
		return err
	}
	return p.ok(v, "restore", view{Title: "Restored", Data: last})
}

const eventsPerPage = 100

func (p *Portal) events(v *visit) error {
	number, err := pageNumber(v)
	if err != nil {
		return err
	}
	q := EventQuery{
		Subject: v.FormValue("subject"), User: v.FormValue("user"), Category: v.FormValue("category"),
		Skip: (number - 1) * eventsPerPage, Take: eventsPerPage,
	}
	list, more, err := p.source.Events(v.Context(), v.who, q)
	if err != nil {
		return err
	}
	data := eventList{Query: q, All: list, Pager: pager{Number: number, More: more, query: v.URL.Query()}}
	return p.ok(v, "events", view{Title: "Audit", Nav: "events", Data: data})
}

type eventList struct {
	Query EventQuery
	All   []Event
	Pager pager
}
