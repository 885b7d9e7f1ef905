// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/sim"
	"fairlead/sim/history"
)

// maxTasks bounds how many tasks of a run are looked at.
const maxTasks = 100_000

// look asks the living programs how things stand.
func (s *site) look(ctx context.Context, end *history.End) {
	end.Online, _ = s.desk.online(ctx)
	slices.Sort(end.Online)
	end.Logs = map[deploy.TaskID]string{}
	for _, e := range s.book.Events() {
		if e.Kind != history.Answered || e.Task == "" {
			continue
		}
		if _, have := end.Logs[e.Task]; have {
			continue
		}
		if text, err := s.desk.rest().RawLog(ctx, string(e.Task)); err == nil {
			end.Logs[e.Task] = text
			s.log.search("the log of "+string(e.Task), text)
		}
	}
	end.Agents = map[string]history.Agent{}
	for _, a := range s.agents {
		disk, _ := a.m.Disk()
		text, err := os.ReadFile(filepath.Join(disk, "home", "state.json"))
		if err != nil {
			continue
		}
		var state struct {
			Connected     bool
			Trouble, Hint string
		}
		if json.Unmarshal(text, &state) == nil {
			end.Agents[a.name] = history.Agent{Connected: state.Connected, Trouble: state.Trouble, Hint: state.Hint}
		}
		s.log.search("the state of "+a.name, string(text))
	}
}

// files compares what lies in the agents' application folders with what was deployed.
func (s *site) files(end *history.End) {
	for _, a := range s.agents {
		disk, _ := a.m.Disk()
		found, err := filepath.Glob(filepath.Join(disk, "home", "applications", "*", packageName, "current", contentName))
		if err != nil {
			s.fail("look for what was installed on %s: %v", a.name, err)
		}
		for _, path := range found {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				end.Files = append(end.Files, a.name+": current leads nowhere: "+err.Error())
				continue
			}
			version, _, _ := strings.Cut(filepath.Base(folder), "_") // a later folder of the same version has a number
			want, known := s.desk.deployed(version)
			got, err := os.ReadFile(path)
			switch {
			case err != nil:
				end.Files = append(end.Files, a.name+": "+err.Error())
			case !known:
				end.Files = append(end.Files, a.name+": version "+version+" is current and was never deployed")
			case !bytes.Equal(got, want):
				end.Files = append(end.Files, a.name+": "+contentName+" of version "+version+" is not what was deployed")
			}
		}
	}
}

// passes adds up the crash points that all programs passed.
func (s *site) passes() map[string]int {
	sum := map[string]int{}
	add := func(m *sim.Machine) {
		for point, n := range m.Passes() {
			sum[point] += n
		}
	}
	for _, v := range s.servers {
		add(v.m)
	}
	for _, a := range slices.Concat(s.agents, s.copies) {
		add(a.m)
	}
	return sum
}

// read opens what the last server left.
func (s *site) read(ctx context.Context, end *history.End) error {
	disk, _ := s.serving().m.Disk()
	db, err := sqlite.Open(ctx, filepath.Join(disk, "home", "fairlead.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(ctx, func(r store.Reader) (err error) {
		if end.Tasks, _, err = r.Tasks(store.TaskFilter{Take: maxTasks}); err != nil {
			return err
		}
		slices.Reverse(end.Tasks)
		end.Tickets = nil
		for _, t := range end.Tasks {
			tickets, err := r.Tickets(t.ID)
			if err != nil {
				return err
			}
			end.Tickets = append(end.Tickets, tickets...)
		}
		if end.Machines, err = r.Machines(store.MachineFilter{}); err != nil {
			return err
		}
		if err := story(r, end); err != nil {
			return err
		}
		artifacts, err := r.Artifacts(store.ArtifactFilter{})
		end.Artifacts = kept(filepath.Join(disk, "home", "artifacts"), artifacts)
		return err
	})
}

// story reads what came of deployments, oldest first.
func story(r store.Reader, end *history.End) (err error) {
	if end.Interruptions, err = r.Interruptions(store.InterruptionFilter{}); err != nil {
		return err
	}
	if end.Deployments, err = r.Deployments(store.DeploymentFilter{}); err != nil {
		return err
	}
	if end.Audit, err = r.Events(store.EventFilter{}); err != nil {
		return err
	}
	if end.Packages, err = r.Packages(store.PackageFilter{}); err != nil {
		return err
	}
	projects, err := r.Projects(deploy.DefaultSpace)
	end.Releases = nil
	for _, p := range projects {
		rows, err := r.Releases(p.ID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			one, err := r.Release(row.ID)
			if err != nil {
				return err
			}
			end.Releases = append(end.Releases, one)
		}
	}
	slices.Reverse(end.Interruptions)
	slices.Reverse(end.Deployments)
	slices.Reverse(end.Audit)
	return err
}

// kept reads the content of artifacts. One without any has no hash.
func kept(folder string, artifacts []deploy.Artifact) (all []history.Artifact) {
	for _, a := range artifacts {
		one := history.Artifact{Ticket: a.Ticket, Name: a.Name}
		if raw, err := os.ReadFile(filepath.Join(folder, a.SHA256[:2], a.SHA256)); err == nil {
			sum := sha256.Sum256(raw)
			one.Size, one.SHA256 = len(raw), hex.EncodeToString(sum[:])
		}
		all = append(all, one)
	}
	return all
}
