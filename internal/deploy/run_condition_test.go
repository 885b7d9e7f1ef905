// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// TestCheckCondition takes whatever can be read, with values or without, and says of the rest where it is broken.
func TestCheckCondition(t *testing.T) {
	for expression, want := range map[string]string{
		"True": "", "#{X}": "", "##{X": "", "#{A[#{I | ToLower}].C}": "", "#{ | NowDateUtc \"yyyy\"}": "",
		"#{if Nobody}true#{elseif B == \"x\"}a#{else}b#{/if}":                   "",
		"#{unless Octopus.Deployment.Error}true#{/unless}":                      "",
		"#{each x in Y}#{x | Replace \"a\" #{B | Trim}}#{/each}":                "",
		"#{if X | Contains \"a\"}true#{/if}":                                    "",
		"#{calc 3 + A}":                                                         "",
		"#{X | markdown}":                                                       "",
		"#{if X":                                                                `no } ends what begins at "#{if X"`,
		"yes #{X":                                                               `begins at "#{X"`,
		"#{if\nX}a#{/if}":                                                       "on the same line",
		"#{if X}true":                                                           `the block "#{if X}" is not closed: end it with #{/if}`,
		"#{if X}#{unless Y}true#{/unless}":                                      `"#{if X}"`,
		"#{each x in Y}#{x}":                                                    "#{/each}",
		"#{if X}true#{/unless}":                                                 `"#{/unless}"`,
		"true#{/if}":                                                            `"#{/if}"`,
		"#{else}":                                                               `"#{else}"`,
		"#{if X == }true#{/if}":                                                 `"#{if X == }"`,
		"#{}":                                                                   `"#{}"`,
		"#{X | Upside}":                                                         `no filter "Upside"`,
		"#{if X | Upside}true#{/if}":                                            `no filter "Upside"`,
		"#{if X == Y | Upside}true#{/if}":                                       `no filter "Upside"`,
		"#{if X}#{Y | Upside}#{/if}":                                            `no filter "Upside"`,
		"#{if X}#{else}#{Y | Upside}#{/if}":                                     `no filter "Upside"`,
		"#{each x in Y | Upside}#{/each}":                                       `no filter "Upside"`,
		"#{each x in Y}#{x | Upside}#{/each}":                                   `no filter "Upside"`,
		"#{A[#{I | Upside}].C}":                                                 `no filter "Upside"`,
		"#{X | Append #{Y | Upside}}":                                           `no filter "Upside"`,
		strings.Repeat("#{if X}", deploy.MaxExpandDepth+1):                      "nested deeper",
		"#{if X}true#{/if}#{" + strings.Repeat("x", 2000) + "}" /* too long */ : "1024 bytes",
	} {
		err := deploy.CheckCondition(expression)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", expression, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || errkind.Of(err) != errkind.Invalid):
			t.Errorf("%q: %v, want Invalid with %q", expression, err, want)
		}
	}
}
