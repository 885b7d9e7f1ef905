// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	daemon "fairlead/server/daemon"
	"fairlead/sim"
	"fairlead/sim/plan"
)

// Templates keeps, in a folder, the homes of sites whose agents have joined, so that a run need not
// begin with that. It is for one process; runs come one after the other.
type Templates struct {
	dir  string
	made map[string]*template
}

// NewTemplates keeps homes in a folder of the caller's.
func NewTemplates(dir string) *Templates { return &Templates{dir: dir, made: map[string]*template{}} }

// template is one such site.
type template struct {
	homes map[string]*sim.Tree // by machine
	key   string               // an API key
}

// templateSeed decides the keys of all templates: the same agents have the same keys in every run.
const templateSeed = 1

// settleIn is how long agents of a template are on line before it is put away.
const settleIn = 5 * time.Second

// For returns the template of a plan, making it at first. It runs a bubble of its own, so it must be
// called outside of one.
func (ts *Templates) For(t *testing.T, p plan.Plan) (*template, error) {
	simple := simplified(p)
	key := templateKey(simple)
	if have := ts.made[key]; have != nil {
		return have, nil
	}
	one := &template{homes: map[string]*sim.Tree{}}
	dir := filepath.Join(ts.dir, "joined-"+key)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var err error
	InBubble(t, templateSeed, 0, func(t *testing.T) { err = one.make(t, simple, dir) })
	if err != nil {
		return nil, errkind.Internal.Errorf("make a site that has joined: %w", err)
	}
	ts.made[key] = one
	return one, nil
}

// simplified is the plan's server and agents side by side on one segment.
func simplified(p plan.Plan) plan.Plan {
	flat := plan.Plan{
		Name: "template", Seed: templateSeed, Nets: []plan.Net{{Name: "lan", Prefix: "10.0.0.0/8"}},
		Servers: []plan.Server{{Name: p.Servers[0].Name, On: "lan", Link: plan.LinkPort}},
		Safety:  plan.Duration(time.Minute), Settle: plan.Duration(time.Second), Join: p.Join,
	}
	for _, a := range p.Agents {
		if p.Join {
			break // only the server is needed
		}
		flat.Agents = append(flat.Agents, plan.Agents{
			Name: a.Name, Count: a.Count, On: "lan", Listening: a.Listening,
			Target: fmt.Sprintf("%s:%d", p.Servers[0].Name, plan.LinkPort),
		})
	}
	return flat
}

func templateKey(p plan.Plan) string {
	sum := sha256.Sum256(p.Format())
	return hex.EncodeToString(sum[:])[:12]
}

// make lets a server and its agents come to know each other.
func (one *template) make(t *testing.T, p plan.Plan, dir string) error {
	s, err := newSite(t.Context(), p, Options{}, dir)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.prepareServer(); err != nil {
		return err
	}
	one.key = s.desk.key
	s.servers[0].start()
	for _, a := range s.agents {
		if !a.join(s.ctx) {
			return errkind.Internal.Errorf("%s did not join", a.name)
		}
		a.start()
	}
	pause(s.ctx, settleIn)
	for _, a := range s.agents {
		a.stop()
	}
	s.servers[0].stop()
	if len(s.broken) > 0 {
		return errkind.Internal.Errorf("%s", strings.Join(s.broken, "; "))
	}
	return one.keep(s)
}

// keep reads the homes.
func (one *template) keep(s *site) error {
	save := func(m *sim.Machine) (err error) {
		disk, _ := m.Disk()
		one.homes[m.Name()], err = sim.ReadTree(filepath.Join(disk, "home"))
		return err
	}
	disk, _ := s.servers[0].m.Disk()
	// The commands that prepared it set space aside as they do by default; each copy would cost its size.
	if err := os.Remove(filepath.Join(disk, "home", "reserve")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := save(s.servers[0].m); err != nil {
		return err
	}
	for _, a := range s.agents {
		if err := save(a.m); err != nil {
			return err
		}
	}
	return nil
}

// prepareServer makes a server's home with an environment and an API key.
func (s *site) prepareServer() error {
	v := s.servers[0]
	life, err := v.m.Begin(sim.ServerLife)
	if err != nil {
		return err
	}
	defer life.Wait()
	defer life.Stop()
	first, err := daemon.New(s.ctx, daemon.Options{
		Home: daemon.Home(life.Home()), Settings: v.settings(), Version: version, NoAdminSocket: true,
	}, life.Env())
	if err != nil {
		return err
	}
	first.Close()
	if _, err := command(s.ctx, life, "environment", "create", "--home", life.Home(), environment); err != nil {
		return err
	}
	s.desk.key, err = command(s.ctx, life, "admin", "api-key", "--home", life.Home())
	return err
}

// command runs a command line of the server's program and returns what it printed.
func command(ctx context.Context, life *sim.Life, args ...string) (string, error) {
	var out, errs bytes.Buffer
	std := cli.IO{Out: &out, Err: &errs, Getenv: func(string) string { return "" }}
	if code := daemon.Main(ctx, args, std, version, func(*slog.Logger) host.Env { return life.Env() }); code != 0 {
		return "", errkind.Internal.Errorf("%v ended with %d: %s", args, code, errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}
