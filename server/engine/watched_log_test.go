// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"
	"testing/synctest"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/server/target"
)

// TestErrorLinesMarkTheTask: what goes to stderr fails nothing, and is seen on the task, also when the
// server dies after it.
func TestErrorLinesMarkTheTask(t *testing.T) {
	for name, c := range map[string]struct {
		record contract.Record
		killAt string
		want   bool
	}{
		"stdout":        {contract.Record{Source: contract.Stdout, Text: []byte("fine")}, "", false},
		"stderr":        {contract.Record{Source: contract.Stderr, Text: []byte("hm")}, "", true},
		"before a kill": {contract.Record{Source: contract.Stderr, Text: []byte("hm")}, "engine.ticket.settled", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(twoSteps))
				defer b.store.Close()
				runs := 0
				m := &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
					end := int64(0)
					if runs++; runs == 1 {
						raw := contract.AppendRecord(nil, c.record)
						record, _, _, err := contract.ParseRecord(raw, 0)
						b.must(err)
						b.must(f([]contract.Record{record}, nil))
						end = record.End()
					}
					return f(nil, verdictOf(contract.Succeeded, end))
				}}
				if c.killAt != "" {
					b.run(m, nil, c.killAt, nil)
				}
				b.run(m, nil, "", nil)
				if task := b.task(); task.State != deploy.TaskSuccess || task.HasWarnings != c.want {
					t.Errorf("%s, warnings %v, want %v\n%s", task.State, task.HasWarnings, c.want, b.log())
				}
			})
		})
	}
}
