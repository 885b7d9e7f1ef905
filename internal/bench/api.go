// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The goals of the REST surface, at the 99th percentile.
const (
	prefixLimit    = time.Millisecond
	listLimit      = 50 * time.Millisecond
	dashboardLimit = 100 * time.Millisecond
	// apiBlock is how many requests are made in one go, floor and candidate in turn.
	apiBlock = 25
)

// address is one that is measured.
type address struct {
	name  string
	path  string
	limit time.Duration
}

// addresses are the four documents that every client command fetches first, each list that can be long, and the
// dashboard.
func addresses(o stock) []address {
	middle := o.Machines / 2
	return []address{
		{"root document", "/api/", prefixLimit},
		{"spaces", "/api/spaces", prefixLimit},
		{"all spaces", "/api/spaces/all", prefixLimit},
		{"root document of the space", "/api/Spaces-1", prefixLimit},
		{"machines, first page", "/api/Spaces-1/machines", listLimit},
		{"machines, page of 100 in the middle", fmt.Sprintf("/api/Spaces-1/machines?skip=%d&take=100", middle), listLimit},
		{"machines by name", fmt.Sprintf("/api/Spaces-1/machines?name=host-%05d", middle), listLimit},
		{"machines by part of the name", fmt.Sprintf("/api/Spaces-1/machines?partialName=t-%05d", middle), listLimit},
		{"machines by tag", "/api/Spaces-1/machines?roles=web&take=30", listLimit},
		{"machines by health", "/api/Spaces-1/machines?healthStatuses=Unavailable&take=30", listLimit},
		{"projects, first page", "/api/Spaces-1/projects", listLimit},
		{"projects, all", "/api/Spaces-1/projects/all", listLimit},
		{"projects by part of the name", "/api/Spaces-1/projects?partialName=0007", listLimit},
		{"releases of a project", "/api/Spaces-1/projects/Projects-1/releases", listLimit},
		{"deployments, first page", "/api/Spaces-1/deployments", listLimit},
		{"deployments of a project", "/api/Spaces-1/deployments?projects=Projects-1", listLimit},
		{"tasks, first page", "/api/tasks", listLimit},
		{"tasks, page of 100 in the middle", fmt.Sprintf("/api/tasks?skip=%d&take=100", o.Tasks/2), listLimit},
		{"tasks by id", "/api/tasks?ids=ServerTasks-1,ServerTasks-2", listLimit},
		{"failed tasks", "/api/tasks?states=Failed", listLimit},
		{"events, first page", "/api/events", listLimit},
		{"progression of a project", "/api/Spaces-1/projects/Projects-1/progression", listLimit},
		{"dashboard", "/api/Spaces-1/dashboard", dashboardLimit},
	}
}

// visitor asks one server.
type visitor struct {
	base, key string
	web       *http.Client
}

func newVisitor(address, key string) *visitor {
	return &visitor{"http://" + address, key, &http.Client{Transport: &http.Transport{DisableCompression: true}}}
}

// get reads a path and returns how many bytes came and how long they took.
func (v *visitor) get(ctx context.Context, path string) (size int64, took time.Duration, err error) {
	began := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("X-Octopus-ApiKey", v.key)
	response, err := v.web.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	if size, err = io.Copy(io.Discard, response.Body); err != nil {
		return 0, 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return size, time.Since(began), nil
}

// block makes apiBlock requests.
func (v *visitor) block(ctx context.Context, path string) ([]float64, error) {
	took := make([]float64, apiBlock)
	for i := range took {
		_, one, err := v.get(ctx, path)
		if err != nil {
			return nil, err
		}
		took[i] = milliseconds(one)
	}
	return took, nil
}

// asked is what was measured of one address; times in ms.
type asked struct {
	Bytes            int64     `json:"bytes"`
	Floor, Candidate []float64 `json:"-"`
	Medians          pairs     `json:"medians"` // of each block
	P50, P99         float64
	FloorP50         float64
	FloorP99         float64
	CPU              float64 // of the server, for one request
}

// api measures the lists of a server whose store is full, beside a handler that has the same bytes ready in memory.
func (b *bench) api(ctx context.Context) error {
	o := stock{b.stock, b.machines, b.projects, b.tasks}
	if o.Home == "" {
		o.Home = filepath.Join(b.work, "stock")
	}
	if err := b.fillStockIn(ctx, o); err != nil {
		return err
	}
	server, opened, err := b.openServer(ctx, o.Home, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer server.kill()
	key, err := ask[string](server, "key", o.Home)
	if err != nil {
		return err
	}
	all := addresses(o)
	paths := make([]string, len(all))
	for i, a := range all {
		paths[i] = a.path
	}
	bare, err := start(ctx, b.work, "bare-web")
	if err != nil {
		return err
	}
	defer bare.kill()
	ready, err := ask[string](bare, "open", openBareWeb{opened.HTTP, key, paths})
	if err != nil {
		return err
	}
	floor, candidate := newVisitor(ready, key), newVisitor(opened.HTTP, key)
	raw := map[string]asked{}
	err = b.profiled(server, "api", func() error {
		for _, a := range all {
			if raw[a.name], err = b.ask(ctx, server, a, floor, candidate); err != nil {
				return err
			}
		}
		return nil
	})
	b.report.Raw["api"] = raw
	return err
}

// fillStockIn fills a home, unless it is there.
func (b *bench) fillStockIn(ctx context.Context, o stock) error {
	if _, err := os.Stat(o.Home); err == nil {
		return nil
	}
	began := time.Now()
	p, err := start(ctx, b.work, "server")
	if err != nil {
		return err
	}
	defer p.kill()
	err = p.tell("fill-stock", o)
	b.say("filled the store in %.0f s", time.Since(began).Seconds())
	return err
}

// ask measures one address and adds its row.
func (b *bench) ask(
	ctx context.Context, server *process, a address, floor, candidate *visitor,
) (m asked, err error) {
	for _, v := range []*visitor{floor, candidate} { // the first requests open connections and warm up
		for range 3 {
			if m.Bytes, _, err = v.get(ctx, a.path); err != nil {
				return m, err
			}
		}
	}
	for range b.blocks {
		floors, err := floor.block(ctx, a.path)
		if err != nil {
			return m, fmt.Errorf("floor: %w", err)
		}
		before, err := ask[usage](server, "usage", nil)
		if err != nil {
			return m, err
		}
		candidates, err := candidate.block(ctx, a.path)
		if err != nil {
			return m, err
		}
		after, err := ask[usage](server, "usage", nil)
		if err != nil {
			return m, err
		}
		m.CPU += milliseconds(after.CPU-before.CPU) / float64(apiBlock*b.blocks)
		m.Floor, m.Candidate = append(m.Floor, floors...), append(m.Candidate, candidates...)
		m.Medians.Floor = append(m.Medians.Floor, median(floors))
		m.Medians.Candidate = append(m.Medians.Candidate, median(candidates))
	}
	m.P50, m.P99 = median(m.Candidate), percentile(m.Candidate, 99)
	m.FloorP50, m.FloorP99 = median(m.Floor), percentile(m.Floor, 99)
	b.report.within(fmt.Sprintf("%s (%s), p99", a.name, kibibytes(m.Bytes)), "ms",
		milliseconds(a.limit), m)
	return m, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func kibibytes(n int64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/1024), ".0") + " KiB"
}

// percentile is the value that p of a hundred are not above.
func percentile(values []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// tailMax is how far the floor's 99th percentile may be from its median on a quiet machine.
const tailMax = 3

// within adds a row with an absolute goal beside a floor. It is missed only where the floor was quiet.
func (r *report) within(goal, unit string, most float64, m asked) {
	one := row{
		Goal: goal, Target: "<= " + figure(most, unit), Floor: figure(m.FloorP99, unit),
		Measured: fmt.Sprintf("%s, CPU %s", figure(m.P99, unit), figure(m.CPU, unit)),
		Ratio:    m.Medians.ratios(), Control: m.Medians.control(), Verdict: met,
	}
	switch {
	case m.P99 <= most:
	case !one.Control.quiet() || m.FloorP99 > tailMax*m.FloorP50:
		one.Verdict = noVerdict
	default:
		one.Verdict = missed
	}
	r.Rows = append(r.Rows, one)
}
