// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type substituteVectors struct {
	About     string            `json:"about"`
	Now       time.Time         `json:"now"`
	Variables map[string]string `json:"variables"`
	Cases     []struct {
		Name    string   `json:"name"`
		Text    string   `json:"text"`
		Want    string   `json:"want"`
		Missing []string `json:"missing"`
	} `json:"cases"`
}

func loadSubstitute(t testing.TB) substituteVectors {
	t.Helper()
	raw, err := os.ReadFile("testdata/substitute.json")
	if err != nil {
		t.Fatal(err)
	}
	var v substituteVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSubstituteVectors(t *testing.T) {
	v := loadSubstitute(t)
	values := deploy.NewValues(v.Variables).At(v.Now)
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got, missing, err := deploy.Expand(c.Text, values)
			if c.Missing == nil {
				if !errors.Is(err, errkind.Invalid) {
					t.Errorf("got %q, %v, want an Invalid error", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Want, got); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if len(missing)+len(c.Missing) > 0 {
				if diff := cmp.Diff(c.Missing, missing); diff != "" {
					t.Errorf("missing (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestSubstituteCounts(t *testing.T) {
	values := deploy.NewValues(map[string]string{"A": "#{B}#{B}", "B": "b"})
	e, err := deploy.ExpandAll("#{A} #{B} #{C} #{if B}x#{/if}", values)
	if err != nil || e.Replaced != 3 {
		t.Errorf("got %+v, %v, want 3 replaced", e, err)
	}
}

func TestValuesWith(t *testing.T) {
	plain := deploy.NewValues(map[string]string{"A": "a"})
	more := plain.With("Shout", func(value string, args []string) (string, bool) {
		return strings.ToUpper(value) + strings.Join(args, "!"), len(args) == 2
	})
	for text, want := range map[string]string{
		`#{A | shout x "y z"}`: "Ax!y z",
		`#{A | shout}`:         `#{A | shout}`,
		`#{ | NowDate}`:        `#{ | NowDate}`, // nobody said what time it is
	} {
		if got, _, err := deploy.Expand(text, more); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	if got, _, _ := deploy.Expand(`#{A | shout x y}`, plain); got != `#{A | shout x y}` {
		t.Errorf("a filter reached values that do not have it: %q", got)
	}
}

// TestCalcAgainstModel holds sums of products of small numbers against the same sums done by hand.
func TestCalcAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vars := map[string]string{}
		var text []string
		want := 0
		for i := range rapid.IntRange(1, 6).Draw(t, "terms") {
			a, b := rapid.IntRange(0, 99).Draw(t, "a"), rapid.IntRange(0, 99).Draw(t, "b")
			name := fmt.Sprintf("v-%d", i)
			vars[name] = fmt.Sprint(a)
			sign := " + "
			if rapid.Bool().Draw(t, "minus") {
				sign = " - "
			}
			switch {
			case i == 0:
				want += a * b
			case sign == " + ":
				want += a * b
			default:
				want -= a * b
			}
			if i > 0 {
				text = append(text, sign)
			}
			text = append(text, fmt.Sprintf("{%s}*%d", name, b))
		}
		got, _, err := deploy.Expand("#{calc "+strings.Join(text, "")+"}", deploy.NewValues(vars))
		if err != nil || got != fmt.Sprint(want) {
			t.Fatalf("%s: got %q, %v, want %d", text, got, err, want)
		}
	})
}

func TestSubstituteLimits(t *testing.T) {
	laughs := map[string]string{"L0": strings.Repeat("ha", 1000)}
	for i := 1; i < 12; i++ {
		laughs[fmt.Sprintf("L%d", i)] = strings.Repeat(fmt.Sprintf("#{L%d}", i-1), 10)
	}
	deep := map[string]string{"D0": "end"}
	for i := 1; i < 40; i++ {
		deep[fmt.Sprintf("D%d", i)] = fmt.Sprintf("#{D%d}", i-1)
	}
	set := map[string]string{"M": strings.Repeat(",", 10_000)}
	for i := range 100 {
		set[fmt.Sprintf("S[%d]", i)] = ""
	}
	many := map[string]string{"M": strings.Repeat(",", 10_000)}
	for name, c := range map[string]struct {
		text string
		vars map[string]string
		want errkind.Kind
	}{
		"billion laughs":           {"#{L11}", laughs, errkind.Exhausted},
		"laughs that are not used": {"#{if L11}#{/if}", laughs, errkind.Exhausted},
		"deep values":              {"#{D39}", deep, errkind.Invalid},
		"deep blocks":              {strings.Repeat("#{if A}", 33), nil, errkind.Invalid},
		"sets in loops": {
			"#{each a in M}#{each b in S}#{each c in S}#{each d in S}#{/each}#{/each}#{/each}#{/each}",
			set, errkind.Exhausted,
		},
		"loops in loops": {"#{each a in M}#{each b in M}#{each c in M}#{/each}#{/each}#{/each}", many, errkind.Exhausted},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _, err := deploy.Expand(c.text, deploy.NewValues(c.vars)); !errors.Is(err, c.want) {
				t.Errorf("got %.40q, %v, want %s", got, err, c.want)
			}
		})
	}
}

// TestSubstituteLeavesOtherTextAlone holds text without an opening brace to be its own expansion,
// and an escaped text to expand to itself.
func TestSubstituteLeavesOtherTextAlone(t *testing.T) {
	values := deploy.NewValues(map[string]string{"a": "x"})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a#{}|/ \n]|#\{a\}|#\{if a\}){0,12}`).Draw(t, "text")
		if !strings.Contains(text, "#{") {
			if got, missing, err := deploy.Expand(text, values); got != text || missing != nil || err != nil {
				t.Fatalf("got %q, %v, %v", got, missing, err)
			}
		}
		if escaped := strings.ReplaceAll(text, "#{", "##{"); !strings.Contains(text, "##") {
			if got, _, err := deploy.Expand(escaped, values); got != text || err != nil {
				t.Fatalf("%q: got %q, %v, want %q", escaped, got, err, text)
			}
		}
	})
}

func FuzzExpand(f *testing.F) {
	v := loadSubstitute(f)
	for _, c := range v.Cases {
		f.Add(c.Text, c.Want)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		values := deploy.NewValues(map[string]string{
			"V": value, "W": "#{V}", "X": "a,b", "J": `{a: [1, "#{V}"]}`, "S[1]": value, "S[b].c": "d",
		}).At(time.Unix(0, 0).UTC())
		one, missing, err := deploy.Expand(text, values)
		if err != nil && errkind.Of(err) != errkind.Invalid && errkind.Of(err) != errkind.Exhausted {
			t.Errorf("an error without a kind: %v", err)
		}
		two, again, _ := deploy.Expand(text, values)
		if one != two || !cmp.Equal(missing, again) {
			t.Error("two expansions differ")
		}
	})
}

// TestMembersOfLargeObjects are found without a walk over all of them, with the rules for their names.
func TestMembersOfLargeObjects(t *testing.T) {
	large := `{"Dup":1,"dup":2,"dup":3,"DUP":4,` + strings.Repeat(`"a":1,`, 100_000) + `"b":{"C":"deep"}}`
	values := deploy.NewValues(map[string]string{"O": large})
	for text, want := range map[string]string{
		"#{O.dup} #{O.Dup} #{O.dUP} #{O.B.c} #{O[b][C]}": "2 1 1 deep deep",
		strings.Repeat("#{O.b.C}", 20_000):               strings.Repeat("deep", 20_000),
	} {
		began := time.Now()
		got, missing, err := deploy.Expand(text, values)
		if err != nil || got != want || len(missing) > 0 {
			t.Errorf("%.60s became %.60q, missing %v, %v", text, got, missing, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%.60s took %v", text, took)
		}
	}
}

// TestMissingNamesShowNoSecret: what looks like a name in a password is none.
func TestMissingNamesShowNoSecret(t *testing.T) {
	const secret = "pa#{cAnArY}ss#{ word | ToLower }"
	vars := map[string]string{"Password": secret, "Plain": "x"}
	values := deploy.NewValues(vars)
	_, missing, err := deploy.Expand("#{Password} #{Other} #{cAn}", values)
	if err != nil || len(missing) != 4 {
		t.Fatalf("missing %q, %v", missing, err)
	}
	got := deploy.Speakable(missing, []string{"Plain", "Password"}, vars)
	if !slices.Equal(got, []string{"Other", "(in the value of Password)"}) {
		t.Errorf("speakable are %q of %q", got, missing)
	}
}

// TestOutputsStandForThemselves: what an action has handed over, and what is told of a failure, is data, wherever it is
// used and however it hides what it refers to. A value that was expanded already is not expanded again.
func TestOutputsStandForThemselves(t *testing.T) {
	t.Parallel()
	const out = "Octopus.Action[Ask].Output.Manual.Notes"
	values := deploy.NewValues(map[string]string{
		"Secret": "hush", out: "#{Secret}", "Octopus.Action[Build].Output[web-1].List": `["#{Secret}"]`,
		"Octopus.Action[Build].Output.Coded": `["#\u007bSecret}"]`, "Notes": "#{" + out + "}",
		"Coded": "#{Octopus.Action[Build].Output.Coded}", "List": `["##{Secret}"]`, "Octopus.Action[Build].Outputs": "#{Secret}",
		"Octopus.Deployment.Error": "was aborted: ann answered Abort. Notes: #{Secret}", "Octopus.Deployment.Errors": "#{Secret}",
		"Octopus.Deployment.ErrorDetail": "Failed: #{Secret}.", "Octopus.Step[Ask].Status.Error": "#{Secret}",
		"Told": "#{Octopus.Deployment.Error}", "Octopus.Deployment.Comments": "#{Secret}", "Octopus.Release.Notes": "#{Secret}",
		"Octopus.Release.CustomFields[Ticket]": "#{Secret}",
	})
	for text, want := range map[string]string{
		"#{octopus.action[ask].output.manual.notes}": "#{Secret}",
		"#{Notes}":           "#{Secret}",
		"#{Notes | ToLower}": "#{secret}",
		"#{Octopus.Action[Build].Output[web-1].List[0]}":                    "#{Secret}",
		"#{Octopus.Action[*].Output[web-1].List}":                           `["#{Secret}"]`,
		"#{each x in Octopus.Action[Build].Output[web-1].List}#{x}#{/each}": "#{Secret}",
		"#{each x in Octopus.Action[Build].Output.Coded}#{x}#{/each}":       "#{Secret}",
		"#{Octopus.Action[Build].Output.Coded[0]}":                          "#{Secret}",
		"#{Coded[0]}":                              "#{Secret}",
		"#{each x in Coded}#{x}#{/each}":           "#{Secret}",
		"#{each x in List}#{x}#{/each} #{List[0]}": "#{Secret} #{Secret}",
		"#{if Octopus.Action[Ask].Output.Manual.Notes == \"#{Secret}\"}same#{/if}": "same",
		"#{Octopus.Action[Build].Outputs}":                                         "hush",
		"#{Told}":                                                                  "was aborted: ann answered Abort. Notes: #{Secret}",
		"#{Octopus.Deployment.ErrorDetail}":                                        "Failed: #{Secret}.",
		"#{octopus.step[ask].status.error}":                                        "#{Secret}",
		"#{Octopus.Deployment.Comments}":                                           "#{Secret}", "#{Octopus.Release.Notes}": "#{Secret}",
		"#{Octopus.Release.CustomFields[Ticket]}": "#{Secret}",
		"#{Octopus.Deployment.Errors}":            "hush",
	} {
		if got, _, err := deploy.Expand(text, values); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}
