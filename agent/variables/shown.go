// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
)

// maxShownBytes is how much all values that refer to others may have together once they are expanded: 64 MiB.
const maxShownBytes = 64 << 20

// Shown are the values as scripts get them: with what #{...} in them stands for, as in Octopus. vars are an order's,
// see Here, and more what else is known where the script runs. Values that are verbatim stay as they are. A sensitive
// value is expanded with vars alone and without the time, wherever it is used, so that whoever hides it in the output
// finds the same. A value that cannot be expanded stays as it is; problems say why, without any value.
func Shown(vars, more map[string]string, sensitive []string, now time.Time) (
	shown map[string]string, problems []string,
) {
	e := expansion{shown: maps.Clone(vars), left: maxShownBytes}
	maps.Copy(e.shown, more)
	var secret, open []string
	for _, name := range slices.Sorted(maps.Keys(e.shown)) {
		switch isSecret := slices.ContainsFunc(sensitive, func(s string) bool { return strings.EqualFold(s, name) }); {
		case !strings.Contains(e.shown[name], "#{") || deploy.IsVerbatim(name):
		case isSecret:
			secret = append(secret, name)
		default:
			open = append(open, name)
		}
	}
	if len(secret)+len(open) == 0 {
		return e.shown, nil
	}
	all := maps.Clone(e.shown)
	e.expand(secret, deploy.NewValues(vars))
	for _, name := range secret {
		all[name] = strings.ReplaceAll(e.shown[name], "#{", "##{") // it is whole
	}
	e.expand(open, deploy.NewValues(all).At(now))
	return e.shown, e.problems
}

// expansion is one call of Shown.
type expansion struct {
	shown    map[string]string
	problems []string
	left     int // bytes; negative when there were too many
}

func (e *expansion) expand(names []string, values *deploy.Values) {
	for _, name := range names {
		if e.left < 0 {
			return
		}
		text, _, err := deploy.Expand(e.shown[name], values)
		switch e.left -= len(text); {
		case e.left < 0:
			e.problems = append(e.problems, fmt.Sprintf(
				"variables from %.80q on stay as they are: expanded, all have more than %d MiB", name, maxShownBytes>>20))
		case err != nil:
			e.problems = append(e.problems, fmt.Sprintf("variable %.80q stays as it is: what it refers to leads back to it, "+
				"lies deeper than %d values, or is too long", name, deploy.MaxExpandDepth))
		default:
			e.shown[name] = text
		}
	}
}
