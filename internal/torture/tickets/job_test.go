// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestCanceledJobsAreNotCounted(t *testing.T) {
	const seed, tickets, agents = 3, 5000, 8
	sure, jobs := 0, jobsFor(seed, tickets, agents)
	for n := range jobs {
		if draw(seed, n+1).cancel == 0 {
			sure += agents
		}
	}
	if sure != tickets || jobs < tickets/agents || jobs > tickets/agents*11/10 {
		t.Errorf("%d jobs bring %d tickets for certain, want %d", jobs, sure, tickets)
	}
}
