// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// format writes a number or a time as .NET's ToString does in its invariant culture, but for C,
// which is in dollars. Arguments: a pattern, or a type and a pattern. Without a type a number is
// tried first.
func (in filterInput) format() (string, bool) {
	var kind, pattern string
	switch len(in.args) {
	case 1:
		pattern = in.args[0]
	case 2:
		kind, pattern = strings.ToLower(in.args[0]), in.args[1]
	default:
		return "", false
	}
	isTime := strings.HasPrefix(kind, "date")
	if !isTime {
		if number, err := strconv.ParseFloat(strings.TrimSpace(in.value), 64); err == nil {
			if text, ok := formatNumber(number, pattern); ok || kind != "" {
				return text, ok
			}
		}
		if kind != "" {
			return "", false
		}
	}
	at, ok := parseTime(in.value)
	if !ok {
		return "", false
	}
	return formatTime(at, pattern)
}

// nowDate takes a pattern, and "UTC" for the zone. Other zones would need files of this machine.
func (in filterInput) nowDate(utc bool) (string, bool) {
	if in.now.IsZero() || len(in.args) > 2 || !in.absent && in.value == "" {
		return "", false
	}
	pattern := ""
	for _, a := range in.args {
		switch {
		case strings.EqualFold(a, "UTC"):
			utc = true
		case pattern == "":
			pattern = a
		default:
			return "", false
		}
	}
	now := in.now
	if utc {
		now = now.UTC()
	}
	if pattern != "" {
		return formatTime(now, pattern)
	}
	text := now.Format("2006-01-02T15:04:05.0000000")
	if utc {
		text += "Z"
	}
	return text, true
}

// addTime moves a time by so many units; the result is in round-trip form.
func (in filterInput) addTime(unit time.Duration) (string, bool) {
	if len(in.args) != 1 {
		return "", false
	}
	n, err := strconv.ParseFloat(in.args[0], 64)
	at, ok := parseTime(in.value)
	const longest = 100 * 365 * 24 * time.Hour
	if err != nil || !ok || math.IsNaN(n) || math.Abs(n) > float64(longest/unit) {
		return "", false
	}
	return at.Add(time.Duration(n * float64(unit))).Format("2006-01-02T15:04:05.0000000Z07:00"), true
}

// parseTime reads the usual ways to write a time; without a zone it is UTC.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999 -07:00",
		"2006-01-02 15:04:05.999999999", "2006/01/02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "2006/01/02",
		"01/02/2006 15:04:05 -07:00", "01/02/2006 15:04:05", "01/02/2006", time.RFC1123, time.RFC1123Z,
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// formatTime writes a time by a .NET pattern. Source: .NET's standard and custom date and time
// format strings.
func formatTime(at time.Time, pattern string) (string, bool) {
	if len(pattern) == 1 {
		standard, utc := standardTime(pattern[0])
		if standard == "" {
			return "", false
		}
		if pattern = standard; utc {
			at = at.UTC()
		}
	}
	var out strings.Builder
	for pattern != "" {
		c := pattern[0]
		n := 1
		for n < len(pattern) && pattern[n] == c {
			n++
		}
		switch c {
		case '\'', '"':
			text, rest, closed := strings.Cut(pattern[1:], string(c))
			if !closed {
				return "", false
			}
			out.WriteString(text)
			pattern = rest
			continue
		case '\\':
			n = min(2, len(pattern))
			out.WriteString(pattern[1:n])
		case '%':
			n = 1
		default:
			if part, is := timePart(at, c, n); is {
				out.WriteString(part)
			} else {
				n = 1
				out.WriteByte(c)
			}
		}
		pattern = pattern[n:]
	}
	return out.String(), true
}

// standardTime is what one letter stands for, and whether the time is shown in UTC.
func standardTime(letter byte) (pattern string, utc bool) {
	switch letter {
	case 'd':
		return "MM/dd/yyyy", false
	case 'D':
		return "dddd, dd MMMM yyyy", false
	case 'f':
		return "dddd, dd MMMM yyyy HH:mm", false
	case 'F':
		return "dddd, dd MMMM yyyy HH:mm:ss", false
	case 'g':
		return "MM/dd/yyyy HH:mm", false
	case 'G':
		return "MM/dd/yyyy HH:mm:ss", false
	case 'M', 'm':
		return "MMMM dd", false
	case 'O', 'o':
		return "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK", false
	case 'R', 'r':
		return "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'", true
	case 's':
		return "yyyy'-'MM'-'dd'T'HH':'mm':'ss", false
	case 't':
		return "HH:mm", false
	case 'T':
		return "HH:mm:ss", false
	case 'u':
		return "yyyy'-'MM'-'dd HH':'mm':'ss'Z'", true
	case 'Y', 'y':
		return "yyyy MMMM", false
	}
	return "", false
}

// timePart writes n times the same letter of a pattern.
func timePart(at time.Time, letter byte, n int) (text string, is bool) {
	number := func(v int) string { return fmt.Sprintf("%0*d", min(n, 2), v) }
	switch letter {
	case 'y':
		if n <= 2 {
			return number(at.Year() % 100), true
		}
		return fmt.Sprintf("%0*d", n, at.Year()), true
	case 'M':
		if n > 2 {
			return at.Format(pick(n == 3, "Jan", "January")), true
		}
		return number(int(at.Month())), true
	case 'd':
		if n > 2 {
			return at.Format(pick(n == 3, "Mon", "Monday")), true
		}
		return number(at.Day()), true
	case 'H':
		return number(at.Hour()), true
	case 'h':
		return number((at.Hour()+11)%12 + 1), true
	case 'm':
		return number(at.Minute()), true
	case 's':
		return number(at.Second()), true
	case 't':
		return at.Format("PM")[:min(n, 2)], true
	case 'K':
		return strings.Repeat(at.Format("Z07:00"), n), true
	case 'z':
		return zonePart(at, n), true
	case 'f', 'F':
		const most = 7
		if n > most {
			return "", false
		}
		digits := fmt.Sprintf("%09d", at.Nanosecond())[:n]
		if letter == 'F' {
			digits = strings.TrimRight(digits, "0")
		}
		return digits, true
	}
	return "", false
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func zonePart(at time.Time, n int) string {
	switch n {
	case 1:
		zone := at.Format("-07")
		return zone[:1] + strings.TrimPrefix(zone[1:], "0")
	case 2:
		return at.Format("-07")
	}
	return at.Format("-07:00")
}

// formatNumber writes a number by a standard pattern (C, D, E, F, G, N, P, X with a precision) or a
// custom one of 0, #, commas and a point. Source: .NET's numeric format strings.
func formatNumber(number float64, pattern string) (string, bool) {
	if pattern == "" {
		return numberText(number), true
	}
	precision, letter := -1, pattern[0]
	if len(pattern) > 1 {
		n, err := strconv.Atoi(pattern[1:])
		const most = 99
		if err != nil || n < 0 || n > most {
			return customNumber(number, pattern)
		}
		precision = n
	}
	if text, is := standardNumber(number, letter, precision); is {
		return text, true
	}
	return customNumber(number, pattern)
}

func standardNumber(number float64, letter byte, precision int) (text string, is bool) {
	decimals := precision
	if decimals < 0 {
		decimals = 2
	}
	sign := pick(number < 0, "-", "")
	size := math.Abs(number)
	switch letter {
	case 'C', 'c':
		return sign + "$" + grouped(strconv.FormatFloat(size, 'f', decimals, 64)), true
	case 'F', 'f':
		return strconv.FormatFloat(number, 'f', decimals, 64), true
	case 'N', 'n':
		return sign + grouped(strconv.FormatFloat(size, 'f', decimals, 64)), true
	case 'P', 'p':
		return sign + grouped(strconv.FormatFloat(size*100, 'f', decimals, 64)) + " %", true
	case 'E', 'e':
		if precision < 0 {
			precision = 6
		}
		return exponent(number, letter, precision), true
	case 'G', 'g':
		return strconv.FormatFloat(number, 'G', max(precision, -1), 64), precision != 0
	}
	if size != math.Trunc(size) || size >= 1<<53 {
		return "", false
	}
	switch letter {
	case 'D', 'd':
		return fmt.Sprintf("%s%0*d", sign, max(precision, 1), int64(size)), true
	case 'X':
		return fmt.Sprintf("%0*X", max(precision, 1), uint64(int64(number))), true
	case 'x':
		return fmt.Sprintf("%0*x", max(precision, 1), uint64(int64(number))), true
	}
	return "", false
}

// exponent has three digits behind the letter.
func exponent(number float64, letter byte, precision int) string {
	text := strconv.FormatFloat(number, letter, precision, 64)
	const digits = 3
	at := len(text) - 1
	for text[at] >= '0' && text[at] <= '9' {
		at--
	}
	return text[:at+1] + strings.Repeat("0", max(0, digits-len(text[at+1:]))) + text[at+1:]
}

// grouped puts a comma before each three digits of the whole part.
func grouped(digits string) string {
	whole, fraction, point := strings.Cut(digits, ".")
	const group = 3
	for at := len(whole) - group; at > 0; at -= group {
		whole = whole[:at] + "," + whole[at:]
	}
	if point {
		return whole + "." + fraction
	}
	return whole
}

// customNumber understands one section of 0 and # with a point, commas between digits, and any
// text around them.
func customNumber(number float64, pattern string) (string, bool) {
	begin, end := strings.IndexAny(pattern, "0#"), strings.LastIndexAny(pattern, "0#")
	if begin < 0 {
		return "", false
	}
	if begin > 0 && pattern[begin-1] == '.' {
		begin--
	}
	digits := pattern[begin : end+1]
	if strings.Trim(digits, "0#,.") != "" || strings.Count(digits, ".") > 1 {
		return "", false
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if percent := strings.Contains(pattern[end+1:], "%"); percent {
		number *= 100
	}
	text := strconv.FormatFloat(math.Abs(number), 'f', len(fraction), 64)
	intPart, fracPart, _ := strings.Cut(text, ".")
	for least := strings.LastIndexByte(fraction, '0') + 1; len(fracPart) > least && strings.HasSuffix(fracPart, "0"); {
		fracPart = fracPart[:len(fracPart)-1]
	}
	least := 0
	if at := strings.IndexByte(whole, '0'); at >= 0 {
		least = strings.Count(whole[at:], "0") + strings.Count(whole[at:], "#")
	}
	intPart = strings.TrimLeft(intPart, "0")
	intPart = strings.Repeat("0", max(0, least-len(intPart))) + intPart
	if strings.Contains(whole, ",") {
		intPart = grouped(intPart)
	}
	if fracPart != "" {
		intPart += "." + fracPart
	}
	sign := pick(number < 0 && strings.Trim(intPart, "0.,") != "", "-", "")
	return sign + pattern[:begin] + intPart + pattern[end+1:], true
}
