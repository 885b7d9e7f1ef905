// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strconv"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

// Duration is a time in words: "90s", "1h30m".
type Duration time.Duration

// D is the duration as package time has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String leaves out what is zero: "1h", not "1h0m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the duration in words.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "90s". Errors: Invalid.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return errkind.Invalid.Errorf("duration %.40q: want a number with a unit, as 250ms, 90s, 5m, 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}

// Rate is bits per second: "20Mbit".
type Rate int64

var rateUnits = [...]struct {
	name string
	size Rate
}{{"Gbit", 1e9}, {"Mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

// String uses the largest unit that leaves a whole number.
func (r Rate) String() string {
	for _, u := range rateUnits {
		if r%u.size == 0 && r != 0 {
			return strconv.FormatInt(int64(r/u.size), 10) + u.name
		}
	}
	return "0bit"
}

// MarshalText writes the rate with its unit.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads "20Mbit". Errors: Invalid.
func (r *Rate) UnmarshalText(text []byte) error {
	for _, u := range rateUnits {
		number, found := strings.CutSuffix(string(text), u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > int64(maxRate/u.size) {
			break
		}
		*r = Rate(n) * u.size
		return nil
	}
	return errkind.Invalid.Errorf("rate %.40q: want a whole number with a unit, as 512kbit, 20Mbit, 1Gbit", text)
}

// maxRate is 1 Tbit/s.
const maxRate Rate = 1e12
