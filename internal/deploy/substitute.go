// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The language of #{...}, which Octopus calls Octostache:
//
//	#{Name}                      the variable's value, itself expanded; names ignore case and may be
//	#{A.B[0].C} #{A[#{I}].C}     dotted and indexed, and an index may be an expression
//	#{A[*].C}                    the first, in the order of names, that has any index there
//	#{Json.a[0].b}               a part of a value that is JSON, unless a variable has that name
//	#{Name | ToLower | Trim}     filters, from left to right; words, "texts" and #{Names} may follow
//	#{ | NowDateUtc "yyyy"}      filters that need no value
//	#{if X}…#{elseif Y}…#{else}…#{/if}   also #{if X == "text"} and #{if X != Y}
//	#{unless X}…#{else}…#{/unless}
//	#{each x in Y}…#{/each}      over an indexed set Y[key], over JSON, or over a list with commas;
//	                             Octopus.Template.Each.Index, .First, .Last
//	#{calc 3 + A * {odd-name}}   + - * / % and parentheses; see calculation
//	##{                          a literal #{
//
// What cannot be read as one of these stays as it is, so that text which merely looks similar
// (Ruby, SCSS) passes unharmed. A name without value stays too and is reported; a part that JSON
// lacks is empty. A value is expanded once, and one that IsVerbatim knows not at all. False are: no
// value, "", 0, no and false. The filters Markdown and MarkdownToHtml come from internal/markdown,
// by Values.With: the server has them, agents do not.
//
// Source: Octopus Deploy's documentation of variable substitutions and variable filters (2026).

const (
	// MaxExpandDepth is how deeply values may refer to values, and blocks may lie in blocks.
	MaxExpandDepth = 32
	// MaxExpandBytes is how much one expansion may produce, everything in between included: 64 MiB.
	MaxExpandBytes = 64 << 20
	// maxExpressionBytes is the longest text between #{ and its brace.
	maxExpressionBytes = 1024
)

// Values are variables to expand with. They are found whatever the case of their name; of names
// that differ only in case each is found exactly, and the first in byte order stands for other
// spellings. Values do not change and may be shared.
type Values struct {
	exact  map[string]string
	folded map[string]string // folded name to exact name
	names  []string          // exact ones, sorted
	now    time.Time         // of NowDate; zero when nobody said
	extra  map[string]Filter // by folded name
}

// Filter turns a value into another. False leaves the expression as it is.
type Filter func(value string, args []string) (string, bool)

// At returns the same values at a time, for NowDate and NowDateUtc. Without it those stay unexpanded.
func (v *Values) At(now time.Time) *Values {
	w := *v
	w.now = now
	return &w
}

// With returns the same values with one more filter. Names ignore case; the language's own win.
func (v *Values) With(name string, f Filter) *Values {
	w := *v
	w.extra = maps.Clone(v.extra)
	if w.extra == nil {
		w.extra = map[string]Filter{}
	}
	w.extra[strings.ToLower(name)] = f
	return &w
}

// NewValues copies vars.
func NewValues(vars map[string]string) *Values {
	v := &Values{exact: maps.Clone(vars), folded: make(map[string]string, len(vars))}
	v.names = slices.Sorted(maps.Keys(vars))
	for _, name := range v.names {
		key := strings.ToLower(name)
		if _, taken := v.folded[key]; !taken {
			v.folded[key] = name
		}
	}
	return v
}

// Get returns the value of a name as it is, unexpanded.
func (v *Values) Get(name string) (string, bool) {
	if value, ok := v.exact[name]; ok {
		return value, true
	}
	exact, ok := v.folded[strings.ToLower(name)]
	if !ok {
		return "", false
	}
	return v.exact[exact], true
}

// Expand replaces what #{...} stands for. missing lists what had no value, sorted, each once, as
// it is written between the braces. Errors: Invalid (a value refers to itself, or blocks or values
// are nested deeper than MaxExpandDepth), Exhausted (MaxExpandBytes).
func Expand(text string, values *Values) (result string, missing []string, err error) {
	e, err := ExpandAll(text, values)
	return e.Text, e.Missing, err
}

// Expansion is what Expand found.
type Expansion struct {
	Text     string
	Replaced int      // expressions and blocks that were replaced, those inside values not counted
	Missing  []string // sorted, each once
}

// ExpandAll is Expand with its counts.
func ExpandAll(text string, values *Values) (Expansion, error) {
	if !strings.Contains(text, "#{") {
		return Expansion{Text: text}, nil
	}
	nodes, err := parseTemplate(text)
	if err != nil {
		return Expansion{}, err
	}
	x := &expander{
		values: values, missing: map[string]bool{},
		parsed: map[string][]templateNode{}, json: map[string]*jsonNode{},
	}
	var out strings.Builder
	if err := x.run(nodes, &out); err != nil {
		return Expansion{}, err
	}
	return Expansion{Text: out.String(), Replaced: x.replaced, Missing: slices.Sorted(maps.Keys(x.missing))}, nil
}

// Speakable are missing names as they may be shown. One that stands in a value that nobody may read is told
// by the name of its variable: a "#{" in a password makes a part of it a name. sensitive are such variables.
func Speakable(missing, sensitive []string, vars map[string]string) []string {
	var shown []string
	for _, name := range missing {
		for _, v := range sensitive {
			if value := vars[v]; strings.Contains(value, "#{") && strings.Contains(value, name) {
				name = "(in the value of " + v + ")"
				break
			}
		}
		if !slices.Contains(shown, name) {
			shown = append(shown, name)
		}
	}
	return shown
}
