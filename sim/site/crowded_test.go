// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site_test

import (
	"strings"
	"testing"

	"fairlead/sim/plan"
	"fairlead/sim/site"
)

// TestASegmentWithoutRoomIsToldOf: the people's machine stands beside the first server, and needs an
// address there as well.
func TestASegmentWithoutRoomIsToldOf(t *testing.T) {
	p, err := plan.Parse([]byte(`
name = "crowded"
seed = 1
safety = "1m"
settle = "1m"
[[net]]
name = "lan"
prefix = "10.0.0.0/32"
[[server]]
name = "srv-1"
addr = "10.0.0.0"
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = site.History(t, p, options(t))
	if err == nil || !strings.Contains(err.Error(), "machine desk: segment lan (10.0.0.0/32) has no address left") {
		t.Errorf("got %v, want that the segment is full", err)
	}
}
