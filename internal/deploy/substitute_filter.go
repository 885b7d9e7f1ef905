// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filterInput is what a filter works on.
type filterInput struct {
	value  string
	args   []string
	now    time.Time
	absent bool // no name stands before the filter
}

// filter runs one filter; names ignore case. ok is false for an unknown filter, arguments it does
// not take, and input it cannot read: the expression then stays as it is.
func (v *Values) filter(name string, in filterInput) (result string, ok bool) {
	name = strings.ToLower(name)
	switch name {
	case "nowdate", "nowdateutc":
		return in.nowDate(name == "nowdateutc")
	case "append":
		return in.value + strings.Join(in.args, ""), len(in.args) > 0
	case "prepend":
		return strings.Join(in.args, "") + in.value, len(in.args) > 0
	}
	if in.absent {
		return "", false
	}
	if result, ok, known := plainFilter(name, in.value); known {
		return result, ok && len(in.args) == 0
	}
	if result, ok, known := in.argFilter(name); known {
		return result, ok
	}
	if extra, known := v.extra[name]; known {
		return extra(in.value, in.args)
	}
	return "", false
}

// MarkdownFilters are the names of those that internal/markdown has, which servers know and agents do not.
func MarkdownFilters() []string { return []string{"Markdown", "MarkdownToHtml"} }

// hasFilter reports whether servers have a filter of that name, in small letters.
func hasFilter(name string) bool {
	switch name {
	case "nowdate", "nowdateutc", "append", "prepend":
		return true
	}
	if _, _, known := plainFilter(name, ""); known {
		return true
	}
	if _, _, known := (filterInput{}).argFilter(name); known {
		return true
	}
	return slices.ContainsFunc(MarkdownFilters(), func(f string) bool { return strings.EqualFold(f, name) })
}

// plainFilter runs one of those that take no arguments.
func plainFilter(name, value string) (result string, ok, known bool) {
	switch name {
	case "tolower":
		return strings.ToLower(value), true, true
	case "toupper":
		return strings.ToUpper(value), true, true
	case "null":
		return "", false, true // no value, whatever came before
	}
	if result, known = escapeFilter(name, value); known {
		return result, true, true
	}
	result, known = versionFilter(name, value)
	return result, true, known
}

// argFilter runs one of those that may take arguments.
func (in filterInput) argFilter(name string) (result string, ok, known bool) {
	switch name {
	case "trim":
		result, ok = in.trim()
	case "tobase64":
		result, ok = in.toBase64()
	case "frombase64":
		result, ok = in.fromBase64()
	case "substring":
		result, ok = in.substring()
	case "truncate":
		result, ok = in.truncate()
	case "indent":
		result, ok = in.indent()
	case "replace":
		result, ok = in.replace()
	case "match", "contains", "startswith", "endswith":
		result, ok = in.test(name)
	case "format":
		result, ok = in.format()
	case "addhours":
		result, ok = in.addTime(time.Hour)
	case "adddays":
		result, ok = in.addTime(24 * time.Hour)
	case "addseconds":
		result, ok = in.addTime(time.Second)
	case "addminutes":
		result, ok = in.addTime(time.Minute)
	case "addweeks":
		result, ok = in.addTime(7 * 24 * time.Hour)
	case "lessthan":
		result, ok = in.compare("LessThan", func(a, b float64) bool { return a < b }), true
	case "lessthanorequal":
		result, ok = in.compare("LessThanOrEqual", func(a, b float64) bool { return a <= b }), true
	case "greaterthan":
		result, ok = in.compare("GreaterThan", func(a, b float64) bool { return a > b }), true
	case "greaterthanorequal":
		result, ok = in.compare("GreaterThanOrEqual", func(a, b float64) bool { return a >= b }), true
	case "hashbucket":
		result, ok = in.hashBucket(), true
	case "uripart":
		result, ok = in.uriPart(), true
	case "md5", "sha1", "sha256", "sha384", "sha512":
		result, ok = in.hash(name)
	default:
		return "", false, false
	}
	return result, ok, true
}

func (in filterInput) trim() (string, bool) {
	const space = " \t\r\n\v\f"
	switch {
	case len(in.args) == 0:
		return strings.TrimSpace(in.value), true
	case len(in.args) > 1:
		return "", false
	case strings.EqualFold(in.args[0], "start"):
		return strings.TrimLeft(in.value, space), true
	case strings.EqualFold(in.args[0], "end"):
		return strings.TrimRight(in.value, space), true
	}
	return "", false
}

// counts are the arguments as numbers that are not negative.
func (in filterInput) counts() (list []int, ok bool) {
	for _, a := range in.args {
		n, err := strconv.Atoi(a)
		if err != nil || n < 0 {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// substring takes a length, or a start and a length, in characters.
func (in filterInput) substring() (string, bool) {
	n, ok := in.counts()
	if !ok || len(n) == 0 || len(n) > 2 {
		return "", false
	}
	start, size := 0, n[0]
	if len(n) == 2 {
		start, size = n[0], n[1]
	}
	runes := []rune(in.value)
	if start > len(runes) || size > len(runes)-start {
		return "", false
	}
	return string(runes[start : start+size]), true
}

func (in filterInput) truncate() (string, bool) {
	n, ok := in.counts()
	if !ok || len(n) != 1 {
		return "", false
	}
	runes := []rune(in.value)
	if len(runes) <= n[0] {
		return in.value, true
	}
	return string(runes[:n[0]]) + "...", true
}

// maxIndent is how many spaces a number may stand for; a larger one is a text.
const maxIndent = 255

// indent puts something before each line: 4 spaces, "3" spaces, "/3" from the second line on,
// "3/2", a text, or one text for the first line and one for the others.
func (in filterInput) indent() (string, bool) {
	first, others := "    ", "    "
	switch len(in.args) {
	case 0:
	case 1:
		first, others = indents(in.args[0])
	case 2:
		first, others = in.args[0], in.args[1]
	default:
		return "", false
	}
	if in.value == "" {
		return "", true
	}
	return first + strings.ReplaceAll(in.value, "\n", "\n"+others), true
}

func indents(arg string) (first, others string) {
	if n, ok := spaces(arg); ok {
		return n, n
	}
	a, b, split := strings.Cut(arg, "/")
	others, ok := spaces(b)
	first, bothOK := spaces(a)
	if split && ok && (a == "" || bothOK) {
		return first, others
	}
	return arg, arg
}

func spaces(number string) (string, bool) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > maxIndent {
		return "", false
	}
	return strings.Repeat(" ", n), true
}

// replace is by a regular expression; $1 in what is put in stands for its first group. The
// expressions are Go's: RE2 without look-around, which .NET has.
func (in filterInput) replace() (string, bool) {
	if len(in.args) == 0 || len(in.args) > 2 {
		return "", false
	}
	expr, err := regexp.Compile(in.args[0])
	if err != nil {
		return "", false
	}
	with := ""
	if len(in.args) == 2 {
		with = groupNumbers(in.args[1])
	}
	return expr.ReplaceAllString(in.value, with), true
}

// groupNumbers writes $2X as ${2}X, which is how .NET reads it.
func groupNumbers(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		out.WriteByte(text[i])
		if text[i] != '$' || i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9' {
			continue
		}
		end := i + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		out.WriteString("{" + text[i+1:end] + "}")
		i = end - 1
	}
	return out.String()
}

// test answers "true" or "false".
func (in filterInput) test(name string) (string, bool) {
	if len(in.args) != 1 {
		return "", false
	}
	arg, holds := in.args[0], false
	switch name {
	case "match":
		expr, err := regexp.Compile(arg)
		if err != nil {
			return "", false
		}
		holds = expr.MatchString(in.value)
	case "contains":
		holds = strings.Contains(in.value, arg)
	case "startswith":
		holds = strings.HasPrefix(in.value, arg)
	case "endswith":
		holds = strings.HasSuffix(in.value, arg)
	}
	return strconv.FormatBool(holds), true
}
