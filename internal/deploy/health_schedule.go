// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"time"

	"fairlead/internal/errkind"
)

// HealthSchedule is when machines of a policy are looked at.
type HealthSchedule struct {
	every time.Duration
	cron  *Cron
	zone  *time.Location
}

// NewHealthSchedule reads the times of a policy. Errors: Invalid; what comes along is the interval then.
func NewHealthSchedule(p MachinePolicy) (s HealthSchedule, err error) {
	s = HealthSchedule{every: p.HealthInterval, zone: time.UTC}
	if p.HealthZone != "" {
		zone, err := time.LoadLocation(p.HealthZone)
		if err != nil || p.HealthZone == "Local" {
			return s, errkind.Invalid.Errorf("the time zone of health checks is %.80q: want a name of the IANA database, "+
				"for instance Europe/Berlin or UTC", p.HealthZone)
		}
		s.zone = zone
	}
	if p.HealthCron == "" {
		return s, nil
	}
	cron, err := ParseCron(p.HealthCron)
	if err == nil {
		s.cron = &cron
	}
	return s, err
}

// IsDue reports whether a machine is to be looked at now: an interval after it was last looked at, or at the first
// time of the expression since. One that never was is due at once, unless it never is.
func (s HealthSchedule) IsDue(now time.Time, h Health) bool {
	switch {
	case s.cron == nil:
		return s.every > 0 && !now.Before(h.CheckedAt.Add(s.every))
	case h.CheckedAt.IsZero():
		return true
	}
	next := s.Next(h.CheckedAt)
	return !next.IsZero() && !now.Before(next)
}

// Next is when a machine that was looked at is to be looked at next; zero for never.
func (s HealthSchedule) Next(checked time.Time) time.Time {
	switch {
	case s.cron != nil:
		return s.cron.Next(checked.In(s.zone))
	case s.every > 0:
		return checked.Add(s.every)
	}
	return time.Time{}
}
