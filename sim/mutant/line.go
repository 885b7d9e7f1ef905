// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

// lineMutants harm the line and whoever keeps it up.
var lineMutants = []Mutant{
	{
		Name: "heartbeat-one-sided", Caught: []string{"L3"}, Plan: "cut",
		Story: "the server alone pings and counts silence; an agent waits for its kernel to find out",
		Edits: []Edit{
			{
				"internal/link/liveness.go",
				`	next := m.lastHeard.Add(m.dead)`,
				`	next := m.lastHeard.Add(m.dead)
	if active.Is("heartbeat-one-sided") && m.role == Servant {
		next = time.Time{}
	}`,
			},
			{
				"internal/link/liveness.go",
				`	case !now.Before(m.lastHeard.Add(m.dead)):`,
				`	case !now.Before(m.lastHeard.Add(m.dead)) && !(active.Is("heartbeat-one-sided") && m.role == Servant):`,
			},
			{
				"internal/link/liveness.go",
				`	after := m.ping - min(m.settings.Phase, m.ping/2)`,
				`	after := m.ping - min(m.settings.Phase, m.ping/2)
	if active.Is("heartbeat-one-sided") && m.role == Servant {
		after = 24 * time.Hour
	}`,
			},
		},
	},
	{
		Name: "backoff-without-jitter", Caught: []string{"S12"}, Plan: "outages",
		Story: "a fleet that loses its server comes back in one moment",
		Edits: []Edit{{
			"internal/link/backoff.go",
			`	return time.Duration(r.Int64N(int64(bound) + 1))`,
			`	if active.Is("backoff-without-jitter") {
		return bound
	}
	return time.Duration(r.Int64N(int64(bound) + 1))`,
		}},
	},
	{
		Name: "backoff-flat", Caught: []string{"S12"}, Plan: "outages",
		Story: "the wait before a new try never grows",
		Edits: []Edit{{
			"internal/link/backoff.go",
			`		b.tries++`,
			`		if !active.Is("backoff-flat") {
			b.tries++
		}`,
		}},
	},
	{
		Name: "backoff-not-reset", Caught: []string{"S12"}, Plan: "outages",
		Story: "the wait stays long after a session that worked",
		Edits: []Edit{{
			"internal/link/backoff.go",
			`func (b *Backoff) Proven() { b.tries = 0 }`,
			`func (b *Backoff) Proven() {
	if !active.Is("backoff-not-reset") {
		b.tries = 0
	}
}`,
		}},
	},
	{
		Name: "redial-gives-up", Caught: []string{"L1"}, Plan: "outages",
		Story: "an agent gives up after ten tries in a row",
		Edits: []Edit{
			{
				"internal/redial/redial.go",
				`	var known curiosity`,
				`	var known curiosity
	failed := 0`,
			},
			{
				"internal/redial/redial.go",
				`		if lived == 0 && ctx.Err() == nil {`,
				`		if failed++; lived > 0 {
			failed = 0
		}
		if active.Is("redial-gives-up") && failed > 10 {
			<-ctx.Done()
		}
		if lived == 0 && ctx.Err() == nil {`,
			},
		},
	},
	{
		Name: "credit-ignored", Caught: []string{"S9"}, Plan: "package",
		Story: "a sender does not count the credit that it uses, and goes on without",
		Edits: []Edit{
			{
				"internal/link/flow.go",
				`	return !f.openDue && (f.endReady() || f.pending > 0 && f.credit > 0)`,
				`	return !f.openDue && (f.endReady() || f.pending > 0 && (f.credit > 0 || active.Is("credit-ignored")))`,
			},
			{
				"internal/link/send.go",
				`	size := min(f.pending, int(f.credit), MaxDataBytes, room)`,
				`	size := min(f.pending, int(f.credit), MaxDataBytes, room)
	if active.Is("credit-ignored") {
		size = min(f.pending, MaxDataBytes, room)
		f.credit += uint32(size)
	}`,
			},
		},
	},
	{
		Name: "connection-leaked", Caught: []string{"S14"}, Plan: "removed",
		Story: "whoever turns a peer away leaves the connection open",
		Edits: []Edit{{
			"internal/trust/tlsconfig.go",
			`	defer conn.Close()
	half, ok :=`,
			`	if active.Is("connection-leaked") {
		return err
	}
	defer conn.Close()
	half, ok :=`,
		}},
	},
}
