// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import "fairlead/sim/history"

func content() Statement {
	return Statement{
		ID: "S10", Says: "installed files appear whole or not at all, with the content that was deployed",
		Judge: func(r history.Run) (bad []Violation) {
			for _, what := range r.End.Files {
				bad = append(bad, Violation{At: r.Over, What: what})
			}
			return bad
		},
	}
}
