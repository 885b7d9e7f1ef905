// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

func TestCronTimes(t *testing.T) {
	saturday := time.Date(2026, 11, 28, 4, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"0 0 06 * * Mon-Fri":   "2026-11-30 06:00:00",
		"0 30 4 * * *":         "2026-11-29 04:30:00", // after, not at
		"*/20 * * * * *":       "2026-11-28 04:30:20",
		"5/20 30 4 * * ?":      "2026-11-28 04:30:05",
		"0 0 0 L * ?":          "2026-11-30 00:00:00",
		"0 0 0 29 2 *":         "2028-02-29 00:00:00",
		"0 0 12 ? * 5L":        "2026-12-25 12:00:00",
		"0 0 12 ? jan,feb 1#2": "2027-01-11 12:00:00",
		"0 0 0 15W aug *":      "2027-08-16 00:00:00", // the 15th is a Sunday
		"0 0 0 1W aug *":       "2027-08-02 00:00:00",
		"0 0 0 31W oct *":      "2027-10-29 00:00:00", // the 31st is a Sunday
		"0 0 0 1W may * 2027":  "2027-05-03 00:00:00", // the 1st is a Saturday
		"0 0 0 1 1 * 2031":     "2031-01-01 00:00:00",
		"0 0 0 30 2 *":         "0001-01-01 00:00:00",
		"0 0 0 * * * 2025":     "0001-01-01 00:00:00",
	} {
		c, err := deploy.ParseCron(text)
		if got := c.Next(saturday).Format(time.DateTime); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestCronRefusesWhatItDoesNotMean(t *testing.T) {
	for _, text := range []string{
		"", "* * * * *", "0 0 0 0 * *", "60 * * * * *", "* * 24 * * *", "* * * 32 * *", "* * * * 13 *", "* * * * * 7",
		"* * * * * mon-xyz", "*/0 * * * * *", "5-3 * * * * *", "1,,2 * * * * *", "* * * 0W * *", "* * * * * 1#6",
		"* * * * * 8L", "-1 * * * * *", "* * * * * * 0", "a b c d e f", strings.Repeat("0,", 200) + "0 * * * * *",
	} {
		if _, err := deploy.ParseCron(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestCronFindsWhatLookingAtEverySecondFinds compares Next with a walk from second to second, for up to two days.
func TestCronFindsWhatLookingAtEverySecondFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := func(first, last int, name string) (string, []int) {
			some := rapid.SliceOfNDistinct(rapid.IntRange(first, last), 1, 4, rapid.ID[int]).Draw(t, name)
			if rapid.IntRange(0, 2).Draw(t, name+" any") == 0 {
				return "*", nil
			}
			words := make([]string, len(some))
			for i, n := range some {
				words[i] = strconv.Itoa(n)
			}
			return strings.Join(words, ","), some
		}
		in := func(list []int, n int) bool { return list == nil || slices.Contains(list, n) }
		st, seconds := field(0, 59, "second")
		mt, minutes := field(0, 59, "minute")
		ht, hours := field(0, 23, "hour")
		dt, days := field(1, 31, "day")
		wt, weekdays := field(0, 6, "weekday")
		c, err := deploy.ParseCron(fmt.Sprintf("%s %s %s %s * %s", st, mt, ht, dt, wt))
		if err != nil {
			t.Fatal(err)
		}
		after := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(t, "after"), 0).UTC()
		got := c.Next(after)
		for i := 1; i <= 2*24*60*60; i++ {
			at := after.Add(time.Duration(i) * time.Second)
			if in(seconds, at.Second()) && in(minutes, at.Minute()) && in(hours, at.Hour()) && in(days, at.Day()) &&
				in(weekdays, int(at.Weekday())) {
				if !got.Equal(at) {
					t.Fatalf("after %s comes %s, want %s", after, got, at)
				}
				return
			}
		}
		if !got.IsZero() && !got.After(after.AddDate(0, 0, 2)) {
			t.Fatalf("after %s comes %s, want nothing for two days", after, got)
		}
	})
}

func TestCronWhenClocksChange(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c, err := deploy.ParseCron("0 30 2 * * *")
	if err != nil {
		t.Fatal(err)
	}
	at, days := time.Date(2026, 3, 27, 12, 0, 0, 0, zone), 0
	for end := at.AddDate(1, 0, 0); at.Before(end); days++ { // over both changes
		next := c.Next(at)
		if wait := next.Sub(at); wait <= 0 || wait > 26*time.Hour {
			t.Fatalf("after %s comes %s", at, next)
		}
		at = next
	}
	if days != 365 && days != 366 {
		t.Errorf("it came %d times in a year", days)
	}
}

// TestCronWhereverClocksChange compares Next with a walk from second to second over changes of clocks, also by half an
// hour, at midnight and west of Greenwich. The walk keeps the latest time that clocks have shown: what they show again
// is no news, and what they skip comes with the first second after.
func TestCronWhereverClocksChange(t *testing.T) {
	zones := map[string]*time.Location{}
	names := []string{"Australia/Lord_Howe", "Europe/Berlin", "Europe/London", "America/New_York", "America/Havana", "Asia/Beirut"}
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones[name] = zone
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := zones[rapid.SampledFrom(names).Draw(t, "zone")]
		_, change := time.Date(2026, time.Month(rapid.SampledFrom([]int{1, 7}).Draw(t, "month")), 1, 0, 0, 0, 0, zone).ZoneBounds()
		after := change.Add(time.Duration(rapid.IntRange(-3*60*60, 3*60*60).Draw(t, "after")) * time.Second)
		clock := func(at time.Time) time.Time {
			_, offset := at.Zone()
			return at.UTC().Add(time.Duration(offset) * time.Second)
		}
		minute, second := rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second")
		other, hour := rapid.IntRange(0, 59).Draw(t, "other"), (clock(change).Hour()+rapid.IntRange(21, 26).Draw(t, "hour"))%24
		c, err := deploy.ParseCron(fmt.Sprintf("%d %d,%d %d * * *", second, minute, other, hour))
		if err != nil {
			t.Fatal(err)
		}
		latest := clock(after.Add(-26 * time.Hour))
		got := c.Next(after)
		for at := after.Add(-26 * time.Hour); !at.After(after.Add(50 * time.Hour)); at = at.Add(time.Second) {
			for ; latest.Before(clock(at)); latest = latest.Add(time.Second) {
				shown := latest.Add(time.Second)
				if !at.After(after) || shown.Hour() != hour || shown.Minute() != minute && shown.Minute() != other ||
					shown.Second() != second {
					continue
				}
				if !got.Equal(at) {
					t.Fatalf("after %s comes %s, want %s", after, got, at)
				}
				return
			}
		}
		t.Fatalf("after %s comes %s, want nothing for two days", after, got)
	})
}
