// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"fairlead/internal/deploy"
)

// ago says when something was or will be, as people say it.
func ago(at, now time.Time) string {
	past := now.Sub(at)
	if past < 0 && past > -45*time.Second {
		past = 0
	}
	amount := past.Abs()
	var words string
	switch {
	case amount < 45*time.Second:
		return "just now"
	case amount < 90*time.Minute:
		words = fmt.Sprintf("%d min", (amount+30*time.Second)/time.Minute)
	case amount < 36*time.Hour:
		words = fmt.Sprintf("%d h", (amount+30*time.Minute)/time.Hour)
	case amount < 60*24*time.Hour:
		words = fmt.Sprintf("%d days", (amount+12*time.Hour)/(24*time.Hour))
	default:
		return at.Format("2006-01-02")
	}
	if past < 0 {
		return "in " + words
	}
	return words + " ago"
}

// span is a length of time in its two largest units.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d days %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// duration of a task: until its end, or until now.
func duration(t Task, now time.Time) string {
	switch {
	case t.StartedAt.IsZero():
		return ""
	case t.CompletedAt.IsZero():
		return span(now.Sub(t.StartedAt))
	}
	return span(t.CompletedAt.Sub(t.StartedAt))
}

// size in bytes as people say it; units of 1024.
func size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value /= 1024; value < 1000 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

func actionWord(kind deploy.ActionKind) string {
	switch kind {
	case deploy.ScriptAction:
		return "Run a script"
	case deploy.PackageAction:
		return "Deploy a package"
	case deploy.ManualAction:
		return "Manual intervention"
	}
	return visible(string(kind))
}

func kindWord(kind deploy.TaskKind) string {
	switch kind {
	case deploy.DeployTask:
		return "Deployment"
	case deploy.ScriptTask:
		return "Script"
	case deploy.HealthTask:
		return "Health check"
	case deploy.RetentionTask:
		return "Retention"
	}
	return visible(string(kind))
}

// conditionWord says when a step runs, unless it is the usual case.
func conditionWord(c deploy.Condition) string {
	switch c {
	case deploy.OnFailure:
		return "only after a failure"
	case deploy.Always:
		return "always, also after a failure"
	case deploy.OnExpression:
		return "when its expression is true"
	case deploy.OnSuccess:
	}
	return ""
}

// eventWord turns "MachineAdded" into "Machine added", and "APIKeyCreated" into "API key created".
func eventWord(category string) string {
	var b strings.Builder
	letters := []rune(visible(category))
	for i, r := range letters {
		endsRun := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if i > 0 && unicode.IsUpper(r) && (endsRun || unicode.IsLower(letters[i-1])) {
			b.WriteByte(' ')
			if endsRun {
				r = unicode.ToLower(r)
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plural of a count and a noun that takes an s.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// loudWord marks a log line that wants to be seen: not by colour alone.
func loudWord(category string) string {
	switch category {
	case "Warning":
		return "warning"
	case "Error":
		return "error"
	case "Fatal":
		return "fatal"
	case "Wait":
		return "waits"
	}
	return ""
}
