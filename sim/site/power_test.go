// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site_test

import (
	"testing"
	"time"

	"fairlead/sim/history"
)

// TestAMachineThatIsNotServingBootsToo: power comes back to a machine whether or not a program is to
// run there, and its kernel answers again.
func TestAMachineThatIsNotServingBootsToo(t *testing.T) {
	h := carry(t, `
name = "standby"
seed = 5
safety = "3m"
settle = "3m"
[[server]]
name = "srv-1"
[[server]]
name = "srv-2"
[[agents]]
name = "web"
latency = "10ms"
target = "srv-2:10943"
[[fault]]
at = "30s"
for = "1m"
kind = "host.power"
on = "srv-2"
[expect]
online = "none"
`, options(t))
	var dark, last history.Event
	for _, e := range h.Of(history.LineDown) {
		if e.At > 40*time.Second && e.At < 80*time.Second {
			dark = e
		}
		last = e
	}
	if dark.Cause != "no_answer" || last.Cause != "port_closed" {
		t.Errorf("without power the cause is %q, in the end %q: want no_answer and port_closed", dark.Cause, last.Cause)
	}
}
