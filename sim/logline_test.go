// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fairlead/netem"
	"fairlead/sim"
)

func TestLogLines(t *testing.T) {
	var said []netem.Entry
	var next bytes.Buffer
	log := slog.New(&sim.LogLines{
		Say: func(e netem.Entry) { said = append(said, e) }, Who: "web-1", Hide: "/dev/shm/run-17",
		Next: slog.NewTextHandler(&next, &slog.HandlerOptions{Level: slog.LevelInfo}),
	})
	log.Debug("nobody wants this")
	log.With("part", "port").Warn("line is down", "err", errors.New(`open "/dev/shm/run-17/web-1/home": no`), "wait", 2*time.Second)
	log.WithGroup("peer").With("pin", "ab12").Info("line is up", "name", "", slog.Group("at", "port", 10943))
	log.Info(strings.Repeat("é", 5000))
	want := []netem.Entry{
		{Kind: "log", Who: "web-1", Level: "WARN", What: `line is down part=port err="open \"~/web-1/home\": no" wait=2s`},
		{Kind: "log", Who: "web-1", Level: "INFO", What: `line is up peer.pin=ab12 peer.name="" peer.at.port=10943`},
		{Kind: "log", Who: "web-1", Level: "INFO", What: strings.Repeat("é", 2048) + "…"},
	}
	if len(said) != len(want) {
		t.Fatalf("%d lines: %q", len(said), said)
	}
	for i := range want {
		if said[i] != want[i] {
			t.Errorf("line %d is %q, want %q", i, said[i], want[i])
		}
	}
	if n := strings.Count(next.String(), "\n"); n != 3 || !strings.Contains(next.String(), "peer.at.port=10943") {
		t.Errorf("%d records went on:\n%.300s", n, next.String())
	}
}
