// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package settings

import (
	"bytes"
	"errors"
	"math"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// entry is one expression of a text: a key with its value, or the head of a table with all below it.
type entry struct {
	key         string // with that of its table: "box.idle"
	table       string
	index       int // of the table, among those of its name
	first, last int // lines, from 1
	head        bool
	broken      bool // no TOML from here
}

// entries are those of a text, in order.
type entries []entry

// outline lists the expressions of a text.
func outline(text []byte) (all entries) {
	line := func(offset uint32) int { return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n")) }
	var p unstable.Parser
	p.Reset(text)
	times := map[string]int{}
	table, index := "", 0
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.KeyValue && e.Kind != unstable.Table && e.Kind != unstable.ArrayTable {
			continue
		}
		var words []string
		one := entry{}
		for key := e.Key(); key.Next(); {
			if words = append(words, string(key.Node().Data)); len(words) == 1 {
				one.first = line(key.Node().Raw.Offset)
			}
		}
		one.key = strings.Join(words, ".")
		if one.head = e.Kind != unstable.KeyValue; one.head {
			table = one.key
			index = times[table]
			times[table]++
		} else {
			one.key = strings.TrimPrefix(table+"."+one.key, ".")
		}
		one.table, one.index = table, index
		all = append(all, one)
	}
	if bad, is := errors.AsType[*unstable.ParserError](p.Error()); is {
		all = append(all, entry{table: table, index: index, first: line(p.Range(bad.Highlight).Offset), broken: true})
	}
	for i := range all {
		all[i].last = math.MaxInt
		for _, next := range all[i+1:] {
			if next.head || !all[i].head || next.broken {
				all[i].last = next.first - 1
				break
			}
		}
	}
	return all
}

// at is the entry that a line belongs to.
func (all entries) at(line int) (found entry) {
	found = entry{first: line, last: line}
	for _, e := range all {
		if e.first <= line {
			found = e
		}
	}
	return found
}
