// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"path"
	"regexp"
	"sort"
	"strings"
)

// The words are put together so that this file does not hold them.
var marks = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b|(?i)not (yet )?imple` + `mented`)

func markRule() rule {
	return rule{
		name: "unfinished-marks",
		why:  "what is not finished is not there: a mark in the code is a promise nobody tracks",
		do:   "finish it, or take it out and write an issue; answer a request that is refused with a reason",
		check: func(tr *tree) []finding {
			texts := map[string]string{}
			for _, f := range tr.gofs {
				texts[f.path] = f.text
			}
			for p, text := range tr.texts {
				if path.Ext(p) != ".md" {
					texts[p] = text
				}
			}
			var out []finding
			for p, text := range texts {
				number := 0
				for line := range strings.Lines(text) {
					number++
					if m := marks.FindString(line); m != "" {
						out = append(out, finding{p, number, "says " + m})
					}
				}
			}
			sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
			return out
		},
	}
}
