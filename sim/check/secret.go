// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import "fairlead/sim/history"

func secrets() Statement {
	return Statement{
		ID: "S11", Says: "no secret stands in a log, a state file or a trace",
		Judge: func(r history.Run) (bad []Violation) {
			for _, what := range r.End.Secrets {
				bad = append(bad, Violation{At: r.Over, What: "found a secret: " + what})
			}
			return bad
		},
	}
}
