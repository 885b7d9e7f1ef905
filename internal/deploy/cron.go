// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

const (
	maxCronBytes = 200
	// cronHorizon is how far ahead Next looks: the 29th of February may be 8 years away, about 2100.
	cronHorizon = 9 * 366
	lastYear    = 9999
)

// Cron says at which times something happens: second, minute, hour, day of the month, month, day of the week (0 for
// Sunday) and, if one likes, year. A time fits when all of them do. Source: Octopus Deploy's documentation of
// scheduled triggers, whose expressions these are.
type Cron struct {
	second, minute, hour, month, year []span
	day, weekday                      []dayRule
}

// span is the numbers from first to last, in steps.
type span struct{ first, last, step int }

func holds(spans []span, n int) bool {
	return slices.ContainsFunc(spans, func(s span) bool {
		return n >= s.first && n <= s.last && (n-s.first)%s.step == 0
	})
}

// dayRule reports whether a day fits one item of a field.
type dayRule func(d time.Time) bool

func fitsDay(rules []dayRule, d time.Time) bool {
	return slices.ContainsFunc(rules, func(r dayRule) bool { return r(d) })
}

// ParseCron reads an expression. Errors: Invalid.
func ParseCron(text string) (c Cron, err error) {
	fields := strings.Fields(text)
	if len(text) > maxCronBytes || len(fields) < 6 || len(fields) > 7 {
		return c, errkind.Invalid.Errorf("the cron expression %.80q has %d fields: want second, minute, hour, day, month, "+
			"day of the week and perhaps year, in at most %d bytes", text, len(fields), maxCronBytes)
	}
	if len(fields) == 6 {
		fields = append(fields, "*")
	}
	r := cronReader{}
	c.second = r.spans(cronField{what: "second", last: 59}, fields[0])
	c.minute = r.spans(cronField{what: "minute", last: 59}, fields[1])
	c.hour = r.spans(cronField{what: "hour", last: 23}, fields[2])
	c.day = r.days(fields[3])
	c.month = r.spans(cronField{what: "month", first: 1, last: 12, names: monthNames()}, fields[4])
	c.weekday = r.weekdays(fields[5])
	c.year = r.spans(cronField{what: "year", first: 1, last: lastYear}, fields[6])
	return c, r.err
}

// Next is the first time after another that fits, in the zone of that; zero when none comes in the years that it looks
// ahead. A time that the clocks skip comes at the moment when they have; one that they repeat comes once, at first.
func (c Cron) Next(after time.Time) time.Time {
	year, month, day := after.Date()
	for i := range cronHorizon {
		noon := time.Date(year, month, day+i, 12, 0, 0, 0, after.Location())
		isRight := holds(c.year, noon.Year()) && holds(c.month, int(noon.Month())) && fitsDay(c.day, noon) &&
			fitsDay(c.weekday, noon)
		if !isRight {
			continue
		}
		if at := c.onDay(noon, after); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// onDay is the first time of a day that fits and lies after another; zero when there is none.
func (c Cron) onDay(noon, after time.Time) time.Time {
	year, month, day := noon.Date()
	at := func(hour, minute, second int) time.Time {
		return onClocks(time.Date(year, month, day, hour, minute, second, 0, time.UTC), after.Location())
	}
	for hour := range 24 {
		if !holds(c.hour, hour) || !at(hour, 59, 59).After(after) {
			continue
		}
		for minute := range 60 {
			if !holds(c.minute, minute) || !at(hour, minute, 59).After(after) {
				continue
			}
			for second := range 60 {
				if t := at(hour, minute, second); holds(c.second, second) && t.After(after) {
					return t
				}
			}
		}
	}
	return time.Time{}
}

// onClocks is the first moment at which the clocks of a zone show a time, or a later one: time.Date leaves open which
// moment that is when clocks change. So a later time never comes before an earlier one.
func onClocks(shown time.Time, zone *time.Location) time.Time {
	at := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), shown.Second(), 0, zone)
	from, to := at.ZoneBounds()
	switch is := clocksAt(at); {
	case is.After(shown): // it is skipped, and at lies after the change
		return from
	case is.Before(shown):
		return to
	}
	if from.IsZero() {
		return at
	}
	back := clocksAt(from.Add(-time.Second)).Add(time.Second).Sub(clocksAt(from)) // how far the last change went
	if earlier := at.Add(-back); back > 0 && earlier.Before(from) {
		return earlier
	}
	return at
}

// clocksAt is what the clocks show, as if it were in UTC.
func clocksAt(at time.Time) time.Time {
	_, offset := at.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// cronReader keeps the first thing that is wrong.
type cronReader struct{ err error }

func (r *cronReader) fail(what, item, want string) {
	if r.err == nil {
		r.err = errkind.Invalid.Errorf("the %s of the cron expression is %.40q: want %s", what, item, want)
	}
}

// cronField is what one field may hold.
type cronField struct {
	what        string
	first, last int
	names       []string // of first and those after it, in lower case
}

func (f cronField) want() string {
	return strconv.Itoa(f.first) + " to " + strconv.Itoa(f.last) + ", *, lists, ranges or steps"
}

func (r *cronReader) spans(f cronField, text string) (all []span) {
	for item := range strings.SplitSeq(text, ",") {
		all = append(all, r.span(f, item))
	}
	return all
}

func (r *cronReader) span(f cronField, item string) span {
	body, stepText, hasStep := strings.Cut(item, "/")
	s := span{first: f.first, last: f.last, step: 1}
	isRight := true
	if hasStep {
		n, err := strconv.Atoi(stepText)
		s.step, isRight = max(1, n), err == nil && n > 0
	}
	if body != "*" {
		from, to, isRange := strings.Cut(body, "-")
		var ok bool
		if s.first, ok = f.number(from); !ok {
			isRight = false
		}
		switch {
		case isRange:
			s.last, ok = f.number(to)
			isRight = isRight && ok && s.first <= s.last
		case !hasStep:
			s.last = s.first
		}
	}
	if !isRight {
		r.fail(f.what, item, f.want())
	}
	return s
}

func (f cronField) number(text string) (int, bool) {
	if i := slices.Index(f.names, strings.ToLower(text)); i >= 0 {
		return f.first + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.first && n <= f.last
}

func monthNames() []string {
	return []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
}

// days reads the days of a month: numbers, ? for any, L for the last one and 15W for the working day next to the 15th.
func (r *cronReader) days(text string) (all []dayRule) {
	f := cronField{what: "day of the month", first: 1, last: 31}
	for item := range strings.SplitSeq(text, ",") {
		near, isNear := strings.CutSuffix(strings.ToUpper(item), "W")
		n, isNumber := f.number(near)
		switch {
		case item == "?":
			all = append(all, func(time.Time) bool { return true })
		case strings.EqualFold(item, "L"):
			all = append(all, func(d time.Time) bool { return d.AddDate(0, 0, 1).Day() == 1 })
		case isNear && isNumber:
			all = append(all, func(d time.Time) bool { return workingDay(d, n) == d.Day() })
		case isNear:
			r.fail(f.what, item, "1W to 31W")
		default:
			s := r.span(f, item)
			all = append(all, func(d time.Time) bool { return holds([]span{s}, d.Day()) })
		}
	}
	return all
}

// workingDay is the day from Monday to Friday that is next to the nth of a month, in that month; 0 when it has no
// nth.
func workingDay(d time.Time, n int) int {
	nth := time.Date(d.Year(), d.Month(), n, 12, 0, 0, 0, time.UTC)
	if nth.Month() != d.Month() {
		return 0
	}
	isLast := nth.AddDate(0, 0, 1).Month() != d.Month()
	switch {
	case nth.Weekday() == time.Saturday && n == 1:
		return 3
	case nth.Weekday() == time.Saturday:
		return n - 1
	case nth.Weekday() == time.Sunday && isLast:
		return n - 2
	case nth.Weekday() == time.Sunday:
		return n + 1
	}
	return n
}

// weekdays reads the days of a week: numbers or names, ? for any, 5L for the last Friday of a month and 5#2 for its
// second.
func (r *cronReader) weekdays(text string) (all []dayRule) {
	f := cronField{what: "day of the week", last: 6, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}
	for item := range strings.SplitSeq(text, ",") {
		last, isLast := strings.CutSuffix(strings.ToUpper(item), "L")
		name, which, isNth := strings.Cut(item, "#")
		switch {
		case item == "?":
			all = append(all, func(time.Time) bool { return true })
		case isLast:
			n, ok := f.number(last)
			if !ok {
				r.fail(f.what, item, "0L to 6L")
			}
			all = append(all, func(d time.Time) bool {
				return int(d.Weekday()) == n && d.AddDate(0, 0, 7).Month() != d.Month()
			})
		case isNth:
			n, ok := f.number(name)
			k, err := strconv.Atoi(which)
			if !ok || err != nil || k < 1 || k > 5 {
				r.fail(f.what, item, "0#1 to 6#5")
			}
			all = append(all, func(d time.Time) bool { return int(d.Weekday()) == n && (d.Day()+6)/7 == k })
		default:
			s := r.span(f, item)
			all = append(all, func(d time.Time) bool { return holds([]span{s}, int(d.Weekday())) })
		}
	}
	return all
}
