// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

// trustMutants harm who is let in.
var trustMutants = []Mutant{
	{
		Name: "any-pin", Caught: []string{"expect", "S1"}, Plan: "inspector",
		Story: "an agent takes any server for its own",
		Edits: []Edit{
			{
				"internal/trust/peer.go",
				`	if c.want != nil && !containsPin(c.want, pin) {`,
				`	if c.want != nil && !containsPin(c.want, pin) && !active.Is("any-pin") {`,
			},
			{
				"internal/trust/tlsconfig.go",
				`		if containsPin(pins, pin) {`,
				`		if containsPin(pins, pin) || active.Is("any-pin") {`,
			},
		},
	},
	{
		Name: "pin-once", Caught: []string{"S2"}, Plan: "removed",
		Story: "a pin that was let in once is let in for ever, also after its machine was removed",
		Edits: []Edit{
			{
				"internal/trust/pinset.go",
				`	case entry.dead:
		return Grant{}, revokedError(pin)`,
				`	case entry.dead && !active.Is("pin-once"):
		return Grant{}, revokedError(pin)`,
			},
			{
				"server/fleet/session.go",
				`	m, ok := f.known[id]`,
				`	m, ok := f.known[id]
	if active.Is("pin-once") && !ok {
		m, ok = member{name: string(id)}, true
	}`,
			},
		},
	},
	{
		Name: "revoked-served", Caught: []string{"S2"}, Plan: "removed",
		Story: "a machine that was removed keeps the session that it has",
		Edits: []Edit{{
			"internal/trust/pinset.go",
			`	ended := entry.held`,
			`	ended := entry.held
	if active.Is("revoked-served") {
		ended = nil
	}`,
		}},
	},
}
