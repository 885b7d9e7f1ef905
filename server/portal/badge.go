// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"fairlead/internal/deploy"
)

// badge shows a state by colour, shape and word: never by colour alone.
type badge struct {
	Tone  string // CSS class: good, bad, warn, busy, wait, off
	Shape string // symbol in icons.svg
	Word  string
}

var (
	done    = badge{"good", "check", "Success"}
	failed  = badge{"bad", "cross", "Failed"}
	running = badge{"busy", "run", "Running"}
	stopped = badge{"off", "stop", "Canceled"}
	unknown = badge{"off", "dash", "Unknown"}
)

func taskBadge(s deploy.TaskState, warnings, asking bool) badge {
	if asking && !s.IsCompleted() && s != deploy.TaskCancelling {
		return badge{"warn", "ask", "Waiting for an answer"}
	}
	switch s {
	case deploy.TaskQueued:
		return badge{"wait", "wait", "Queued"}
	case deploy.TaskExecuting:
		return running
	case deploy.TaskCancelling:
		return badge{"warn", "run", "Canceling"}
	case deploy.TaskSuccess:
		if warnings {
			return badge{"warn", "warn", "Success with warnings"}
		}
		return done
	case deploy.TaskFailed:
		return failed
	case deploy.TaskCanceled:
		return stopped
	case deploy.TaskTimedOut:
		return badge{"bad", "clock", "Timed out"}
	}
	return unknown
}

func activityBadge(a deploy.Activity) badge {
	switch a {
	case deploy.ActivityPending:
		return badge{"off", "wait", "Pending"}
	case deploy.ActivityRunning:
		return running
	case deploy.ActivitySuccess:
		return done
	case deploy.ActivityFailed:
		return failed
	case deploy.ActivitySkipped:
		return badge{"off", "skip", "Skipped"}
	case deploy.ActivityCanceled:
		return stopped
	}
	return unknown
}

func healthBadge(h deploy.HealthStatus) badge {
	switch h {
	case deploy.HealthHealthy:
		return badge{"good", "check", "Healthy"}
	case deploy.HealthHasWarnings:
		return badge{"warn", "warn", "Has warnings"}
	case deploy.HealthUnhealthy:
		return badge{"bad", "cross", "Unhealthy"}
	case deploy.HealthUnavailable:
		return badge{"bad", "gap", "Unavailable"}
	case deploy.HealthUnknown:
		return badge{"off", "dash", "Not checked yet"}
	}
	return badge{"off", "dash", "Not checked yet"}
}

// presenceBadge shows whether a machine is on the line.
func presenceBadge(m Machine) badge {
	switch {
	case m.IsDisabled:
		return badge{"off", "stop", "Disabled"}
	case m.Online:
		return badge{"good", "line", "On line"}
	case m.Since.IsZero() && m.LastSeen.IsZero():
		return badge{"off", "dash", "Never seen"}
	}
	return badge{"bad", "gap", "Off line"}
}
