// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"time"

	"fairlead/internal/deploy"
)

type scopedRoleBody struct {
	ID           deploy.ScopedRoleID     `json:"id"`
	Role         deploy.RoleID           `json:"role"`
	Space        deploy.SpaceID          `json:"space,omitempty"`
	Projects     []deploy.ProjectID      `json:"projects,omitempty"`
	Groups       []deploy.ProjectGroupID `json:"groups,omitempty"`
	Environments []deploy.EnvironmentID  `json:"environments,omitempty"`
}

type teamBody struct {
	Space       deploy.SpaceID   `json:"space,omitempty"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Members     []deploy.UserID  `json:"members,omitempty"`
	Roles       []scopedRoleBody `json:"roles,omitempty"`
}

type userRoleBody struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	System      []string `json:"system,omitempty"`
}

type machinePolicyBody struct {
	Name             string           `json:"name"`
	Description      string           `json:"description,omitempty"`
	HealthInterval   time.Duration    `json:"health_interval,omitempty"`
	HealthCron       string           `json:"health_cron,omitempty"`
	HealthZone       string           `json:"health_zone,omitempty"`
	HealthRun        deploy.HealthRun `json:"health_run,omitempty"`
	HealthScript     string           `json:"health_script,omitempty"`
	OnlyConnectivity bool             `json:"only_connectivity,omitempty"`
	MayBeOffline     bool             `json:"may_be_offline,omitempty"`
	DeleteAfter      time.Duration    `json:"delete_after,omitempty"`
	Kept             deploy.Kept      `json:"kept,omitempty"`
}

// named is where things lie whose one key beside their id is their name.
type named struct{ table, what string }

func (n named) put(w *writer, id, name string, v any) error {
	err := w.free(n.what+" named "+name, "SELECT id FROM "+n.table+" WHERE folded = ? AND id <> ?", fold(name), id)
	if err != nil {
		return err
	}
	body, sum, err := seal(v)
	if err != nil {
		return err
	}
	_, err = w.exec("write "+n.what+" "+id, "INSERT INTO "+n.table+" (id, folded, body, sum) VALUES (?, ?, ?, ?) "+
		"ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		id, fold(name), body, sum)
	return err
}

func (n named) delete(w *writer, id string) error {
	what := n.what + " " + id
	return w.change("delete "+what, what, "DELETE FROM "+n.table+" WHERE id = ?", id)
}

func teams() named { return named{"team", "team"} }

func userRoles() named { return named{"user_role", "user role"} }

func (w *writer) DeleteUser(id deploy.UserID) error {
	w.people = true
	what := "user " + string(id)
	return w.change("delete "+what, what, "DELETE FROM user WHERE id = ?", id)
}

func scanTeam(row scanner) (t deploy.Team, err error) {
	var s sealed
	var body teamBody
	if err := row.Scan(&t.ID, &s.text, &s.sum); err != nil {
		return t, err
	}
	err = s.open("team "+string(t.ID), &body)
	t.Space, t.Name, t.Description, t.Members = body.Space, body.Name, body.Description, body.Members
	for _, r := range body.Roles {
		t.Roles = append(t.Roles, deploy.ScopedRole(r))
	}
	return t, err
}

func (r *reader) Team(id deploy.TeamID) (deploy.Team, error) {
	return one(r, "team "+string(id), scanTeam, "SELECT id, body, sum FROM team WHERE id = ?", id)
}

func (r *reader) Teams() ([]deploy.Team, error) {
	return list(r, "list teams", scanTeam, "SELECT id, body, sum FROM team ORDER BY folded")
}

func (w *writer) PutTeam(t deploy.Team) error {
	w.people = true
	body := teamBody{Space: t.Space, Name: t.Name, Description: t.Description, Members: t.Members}
	for _, r := range t.Roles {
		body.Roles = append(body.Roles, scopedRoleBody(r))
	}
	return teams().put(w, string(t.ID), t.Name, body)
}

func (w *writer) DeleteTeam(id deploy.TeamID) error {
	w.people = true
	return teams().delete(w, string(id))
}

func scanUserRole(row scanner) (u deploy.UserRole, err error) {
	var s sealed
	var body userRoleBody
	if err := row.Scan(&u.ID, &s.text, &s.sum); err != nil {
		return u, err
	}
	err = s.open("user role "+string(u.ID), &body)
	u.Name, u.Description, u.Permissions, u.System = body.Name, body.Description, body.Permissions, body.System
	return u, err
}

func (r *reader) UserRole(id deploy.RoleID) (deploy.UserRole, error) {
	return one(r, "user role "+string(id), scanUserRole, "SELECT id, body, sum FROM user_role WHERE id = ?", id)
}

func (r *reader) UserRoles() ([]deploy.UserRole, error) {
	return list(r, "list user roles", scanUserRole, "SELECT id, body, sum FROM user_role ORDER BY folded")
}

func (w *writer) PutUserRole(u deploy.UserRole) error {
	w.people = true
	return userRoles().put(w, string(u.ID), u.Name, userRoleBody{
		Name: u.Name, Description: u.Description, Permissions: u.Permissions, System: u.System,
	})
}

func (w *writer) DeleteUserRole(id deploy.RoleID) error {
	w.people = true
	return userRoles().delete(w, string(id))
}

func (r *reader) MachinePolicies(space deploy.SpaceID) ([]deploy.MachinePolicy, error) {
	return list(r, "list machine policies", func(row scanner) (p deploy.MachinePolicy, err error) {
		var s sealed
		var body machinePolicyBody
		if err := row.Scan(&p.ID, &p.Space, &s.text, &s.sum); err != nil {
			return p, err
		}
		err = s.open("machine policy "+string(p.ID), &body)
		return deploy.MachinePolicy{
			ID: p.ID, Space: p.Space, Name: body.Name, Description: body.Description, HealthInterval: body.HealthInterval,
			HealthCron: body.HealthCron, HealthZone: body.HealthZone, HealthRun: body.HealthRun, HealthScript: body.HealthScript,
			OnlyConnectivity: body.OnlyConnectivity, MayBeOffline: body.MayBeOffline, DeleteAfter: body.DeleteAfter,
			Kept: body.Kept,
		}, err
	}, "SELECT id, space, body, sum FROM machine_policy WHERE space = ? ORDER BY folded", space)
}

func (w *writer) PutMachinePolicy(p deploy.MachinePolicy) error {
	err := w.free("a machine policy named "+p.Name,
		"SELECT id FROM machine_policy WHERE space = ? AND folded = ? AND id <> ?", p.Space, fold(p.Name), p.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(machinePolicyBody{
		Name: p.Name, Description: p.Description, HealthInterval: p.HealthInterval, OnlyConnectivity: p.OnlyConnectivity,
		MayBeOffline: p.MayBeOffline, DeleteAfter: p.DeleteAfter, Kept: p.Kept,
		HealthCron: p.HealthCron, HealthZone: p.HealthZone, HealthRun: p.HealthRun, HealthScript: p.HealthScript,
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write machine policy "+string(p.ID),
		"INSERT INTO machine_policy (id, space, folded, body, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "+
			"SET space = excluded.space, folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		p.ID, p.Space, fold(p.Name), body, sum)
	return err
}

func (w *writer) DeleteMachinePolicy(id deploy.MachinePolicyID) error {
	what := "machine policy " + string(id)
	return w.change("delete "+what, what, "DELETE FROM machine_policy WHERE id = ?", id)
}
