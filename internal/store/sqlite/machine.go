// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type machineBody struct {
	Name         string                 `json:"name"`
	Environments []deploy.EnvironmentID `json:"environments,omitempty"`
	Tags         []string               `json:"tags,omitempty"`
	Style        deploy.Style           `json:"style"`
	Address      string                 `json:"address,omitempty"`
	IsDisabled   bool                   `json:"is_disabled,omitempty"`
	Policy       deploy.MachinePolicyID `json:"policy,omitempty"`
	Quarantine   string                 `json:"quarantine,omitempty"`
	AddedAt      time.Time              `json:"added_at,omitzero"`
	Facts        machineFactsBody       `json:"facts,omitzero"`
	Health       healthBody             `json:"health,omitzero"`
}

type machineFactsBody struct {
	AgentVersion string `json:"agent_version,omitempty"`
	OS           string `json:"os,omitempty"`
	Distribution string `json:"distribution,omitempty"`
	Arch         string `json:"arch,omitempty"`
	Hostname     string `json:"hostname,omitempty"`
	Shell        string `json:"shell,omitempty"`
	ShellVersion string `json:"shell_version,omitempty"`
	StateID      string `json:"state_id,omitempty"`
	BootID       string `json:"boot_id,omitempty"`
	Journal      int64  `json:"journal,omitempty"`
	Rewinds      int    `json:"rewinds,omitempty"`
}

type healthBody struct {
	Status    deploy.HealthStatus `json:"status,omitempty"`
	Summary   string              `json:"summary,omitempty"`
	CheckedAt time.Time           `json:"checked_at,omitzero"`
	LastSeen  time.Time           `json:"last_seen,omitzero"`
	DiskFree  int64               `json:"disk_free,omitempty"`
}

const selectMachine = "SELECT m.id, m.space, m.pin, m.body, m.sum FROM machine m"

func scanMachine(row scanner) (m deploy.Machine, err error) {
	var s sealed
	var body machineBody
	if err := row.Scan(&m.ID, &m.Space, &m.Pin, &s.text, &s.sum); err != nil {
		return m, err
	}
	if err := s.open("machine "+string(m.ID), &body); err != nil {
		return m, err
	}
	return deploy.Machine{
		ID: m.ID, Space: m.Space, Pin: m.Pin, Name: body.Name, Environments: body.Environments, Tags: body.Tags,
		Style: body.Style, Address: body.Address, IsDisabled: body.IsDisabled, Policy: body.Policy, AddedAt: body.AddedAt,
		Quarantine: body.Quarantine,
		Facts:      deploy.MachineFacts(body.Facts), Health: deploy.Health(body.Health),
	}, nil
}

func sealMachine(m deploy.Machine) (body string, sum int64, err error) {
	m.Health.CheckedAt, m.Health.LastSeen = clean(m.Health.CheckedAt), clean(m.Health.LastSeen)
	return seal(machineBody{
		Name: m.Name, Environments: m.Environments, Tags: m.Tags, Style: m.Style, Address: m.Address,
		IsDisabled: m.IsDisabled, Policy: m.Policy, Quarantine: m.Quarantine, AddedAt: clean(m.AddedAt),
		Facts: machineFactsBody(m.Facts), Health: healthBody(m.Health),
	})
}

func (r *reader) Machine(id deploy.MachineID) (deploy.Machine, error) {
	return one(r, "machine "+string(id), scanMachine, selectMachine+" WHERE m.id = ?", id)
}

func (r *reader) MachineByPin(pin string) (deploy.Machine, error) {
	return one(r, "a machine with the pin "+pin, scanMachine, selectMachine+" WHERE m.pin = ? AND m.pin <> ''", pin)
}

func (r *reader) Machines(f store.MachineFilter) ([]deploy.Machine, error) {
	w := where{}
	w.add(f.Space != "", "m.space = ?", f.Space)
	w.add(f.Name != "", "m.folded = ?", fold(f.Name))
	w.add(f.Environment != "",
		"m.id IN (SELECT e.machine FROM machine_environment e WHERE e.environment = ?)", f.Environment)
	w.add(f.Tag != "", "m.id IN (SELECT t.machine FROM machine_tag t WHERE t.tag = ?)", f.Tag)
	return list(r, "list machines", scanMachine,
		selectMachine+w.clause()+" ORDER BY m.folded, m.number, m.id", w.args...)
}

func (r *reader) RetiredPins() ([]string, error) {
	return list(r, "list retired pins", text[string], "SELECT pin FROM retired_pin ORDER BY pin")
}

// Machine remembers what it read: whoever changes a machine reads it, and PutMachine wants it again.
func (w *writer) Machine(id deploy.MachineID) (deploy.Machine, error) {
	m, err := w.reader.Machine(id)
	if w.read = (deploy.Machine{}); err == nil {
		w.read = m
		w.read.Environments, w.read.Tags = slices.Clone(m.Environments), slices.Clone(m.Tags)
	}
	return m, err
}

// stored is a machine as the transaction sees it.
func (w *writer) stored(id deploy.MachineID) (deploy.Machine, error) {
	if id != "" && w.read.ID == id && w.usable() == nil {
		return w.read, nil
	}
	return w.reader.Machine(id)
}

// PutMachine also retires the pin that the machine had until now, if it gets another one.
func (w *writer) PutMachine(m deploy.Machine) error {
	stored, err := w.stored(m.ID)
	isNew := errkind.Of(err) == errkind.NotFound
	if err != nil && !isNew {
		return err
	}
	if err := w.freeMachine(m, stored); err != nil {
		return err
	}
	body, sum, err := sealMachine(m)
	if err != nil {
		return err
	}
	_, err = w.exec("write machine "+string(m.ID),
		"INSERT INTO machine (id, space, folded, pin, number, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (id) DO UPDATE SET space = excluded.space, folded = excluded.folded, pin = excluded.pin, "+
			"body = excluded.body, sum = excluded.sum",
		m.ID, m.Space, fold(m.Name), m.Pin, store.IDNumber(string(m.ID)), body, sum)
	if err != nil {
		return err
	}
	w.machines = append(w.machines, m.ID)
	if !isNew && stored.Pin != m.Pin {
		if err := w.retire(stored.Pin); err != nil {
			return err
		}
	}
	return w.putMemberships(m, stored)
}

// freeMachine checks what must be unique and differs from what is stored.
func (w *writer) freeMachine(m, stored deploy.Machine) error {
	if m.Name != stored.Name || m.Space != stored.Space {
		err := w.free("a machine named "+m.Name,
			"SELECT id FROM machine WHERE space = ? AND folded = ? AND id <> ?", m.Space, fold(m.Name), m.ID)
		if err != nil {
			return err
		}
	}
	if m.Pin == "" || m.Pin == stored.Pin {
		return nil
	}
	err := w.free("a machine with the pin "+m.Pin,
		"SELECT id FROM machine WHERE pin = ? AND pin <> '' AND id <> ?", m.Pin, m.ID)
	if err != nil {
		return err
	}
	retired, err := list(&w.reader, "look for the pin", text[string], "SELECT pin FROM retired_pin WHERE pin = ?", m.Pin)
	if err == nil && len(retired) > 0 {
		err = errkind.Hinted(errkind.Conflict.Errorf("the pin %s belonged to a machine once and is retired", m.Pin),
			"let the agent make a new identity and join again")
	}
	return err
}

func (w *writer) retire(pin string) error {
	if pin == "" {
		return nil
	}
	_, err := w.exec("retire the pin", "INSERT INTO retired_pin (pin) VALUES (?) ON CONFLICT (pin) DO NOTHING", pin)
	return err
}

// putMemberships keeps the tables that filters look into; most writes change neither list.
func (w *writer) putMemberships(m, stored deploy.Machine) error {
	if !slices.Equal(m.Environments, stored.Environments) {
		if err := replaceMembers(w, m.ID, m.Environments, "DELETE FROM machine_environment WHERE machine = ?",
			"INSERT INTO machine_environment (machine, environment) VALUES (?, ?) ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
	}
	if slices.Equal(m.Tags, stored.Tags) {
		return nil
	}
	return replaceMembers(w, m.ID, m.Tags, "DELETE FROM machine_tag WHERE machine = ?",
		"INSERT INTO machine_tag (machine, tag) VALUES (?, ?) ON CONFLICT DO NOTHING")
}

func replaceMembers[T ~string](w *writer, machine deploy.MachineID, members []T, remove, insert string) error {
	doing := "write the memberships of machine " + string(machine)
	if _, err := w.exec(doing, remove, machine); err != nil {
		return err
	}
	for _, member := range members {
		if _, err := w.exec(doing, insert, machine, string(member)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) DeleteMachine(id deploy.MachineID) error {
	stored, err := w.stored(id)
	if err != nil {
		return err
	}
	if err := w.retire(stored.Pin); err != nil {
		return err
	}
	w.machines = append(w.machines, id)
	what := "machine " + string(id)
	return w.change("delete "+what, what, "DELETE FROM machine WHERE id = ?", id)
}
