// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"slices"

	"fairlead/internal/deploy"
)

// machineConnection tells how a machine's line is, and what happened to it since the server started.
func (a *api) machineConnection(c *call) error {
	m, err := a.Catalog.Machine(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	online := a.Presence.Machine(m.ID)
	events := a.Presence.Log(m.ID)
	if !m.Health.CheckedAt.IsZero() {
		events = append(events, checked(m.Health))
		slices.SortStableFunc(events, func(x, y LineEvent) int { return x.At.Compare(y.At) })
	}
	return c.ok(obj{
		"Id": m.ID, "MachineId": m.ID, "SpaceId": m.Space, "Status": statusWord(m, online),
		"CurrentTentacleVersion": online.Version, "OnlineSince": at(online.Since),
		"LastSeen": at(online.LastSeen), "LastChecked": at(m.Health.CheckedAt),
		"Logs": each(events, func(e LineEvent) obj {
			return obj{"OccurredAt": at(e.At), "Category": e.Category, "MessageText": e.Text, "Detail": ""}
		}),
		"Links": obj{"Self": spacePath + "machines/" + string(m.ID) + "/connection"},
	})
}

// checked is the last health check as a line of the log.
func checked(h deploy.Health) LineEvent {
	e := LineEvent{
		At: h.CheckedAt, Category: "Info",
		Text: "Health check: " + string(h.Status) + ": " + cmp.Or(h.Summary, "nothing was said."),
	}
	switch h.Status {
	case deploy.HealthHasWarnings:
		e.Category = "Warning"
	case deploy.HealthUnhealthy, deploy.HealthUnavailable:
		e.Category = "Error"
	case deploy.HealthHealthy, deploy.HealthUnknown:
	}
	return e
}
