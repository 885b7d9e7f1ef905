// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// scrapeLimit bounds what one scrape may cost.
const scrapeLimit = 5 * time.Second

// newMetrics answers /metrics from what the parts know at that moment; nothing is counted twice.
func (d *Daemon) newMetrics() http.Handler {
	registry := prometheus.NewRegistry()
	counter := func(name, help string, f func() uint64) {
		registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(f()) }))
	}
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "fairlead_machines_online", Help: "Machines whose line is up."},
			func() float64 { return float64(d.fleet.CountOnline()) }),
		prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{
				Name: "fairlead_refuses_new_work",
				Help: "1 while the disk is too full for new work or a restore was not accepted, else 0.",
			},
			d.refuses),
		&stored{d: d},
	)
	counter("fairlead_port_accepted_total", "Connections accepted on the agents' port.",
		func() uint64 { return d.line.Counts().Accepted })
	counter("fairlead_port_proved_total", "Connections whose peer was proved.",
		func() uint64 { return d.line.Counts().Proved })
	counter("fairlead_port_refused_total", "Connections refused: strangers, wrong pins, other protocols.",
		func() uint64 { return d.line.Counts().Refused })
	counter("fairlead_port_over_limit_total", "Connections closed because too many strangers were waiting.",
		func() uint64 { return d.line.Counts().OverLimit })
	counter("fairlead_port_checks_total", "Connections closed before their first byte: health checks, scanners.",
		func() uint64 { return d.line.Counts().Checks })
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// refuses is 1 while new work is refused.
func (d *Daemon) refuses() float64 {
	if d.notice() == "" {
		return 0
	}
	return 1
}

// stored counts what lies in the store.
type stored struct{ d *Daemon }

func machinesDesc() *prometheus.Desc {
	return prometheus.NewDesc("fairlead_machines", "Machines by health.", []string{"health"}, nil)
}

func tasksDesc() *prometheus.Desc {
	return prometheus.NewDesc("fairlead_tasks", "Tasks by state.", []string{"state"}, nil)
}

// Describe implements prometheus.Collector.
func (s *stored) Describe(ch chan<- *prometheus.Desc) {
	ch <- machinesDesc()
	ch <- tasksDesc()
}

// Collect implements prometheus.Collector.
func (s *stored) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	machines, tasks := map[deploy.HealthStatus]int{}, map[deploy.TaskState]int{}
	err := s.d.store.View(ctx, func(r store.Reader) error {
		clear(machines)
		all, err := r.Machines(store.MachineFilter{})
		for _, m := range all {
			machines[m.Health.Status]++
		}
		for _, state := range taskStates() {
			if err == nil {
				_, tasks[state], err = r.Tasks(store.TaskFilter{States: []deploy.TaskState{state}, Take: 1})
			}
		}
		return err
	})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(tasksDesc(), err)
		return
	}
	for status, n := range machines {
		ch <- prometheus.MustNewConstMetric(machinesDesc(), prometheus.GaugeValue, float64(n), string(status))
	}
	for state, n := range tasks {
		ch <- prometheus.MustNewConstMetric(tasksDesc(), prometheus.GaugeValue, float64(n), string(state))
	}
}

func taskStates() []deploy.TaskState {
	return []deploy.TaskState{
		deploy.TaskQueued, deploy.TaskExecuting, deploy.TaskCancelling, deploy.TaskSuccess, deploy.TaskFailed,
		deploy.TaskCanceled, deploy.TaskTimedOut,
	}
}
