// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/masking"
	"fairlead/internal/servicemessage"
)

const (
	// maxOutputBytes is what the output variables of one ticket may take in JSON. It leaves room for
	// the artifacts in contract.MaxResultBytes.
	maxOutputBytes = 7 << 20
	// maxProgressBytes is the longest message beside a percentage.
	maxProgressBytes = 1 << 10
)

// spoken is what a script has said by service messages. It belongs to a recorder, under its lock.
type spoken struct {
	parsers   [2]servicemessage.Parser // of stdout and stderr
	levels    [2]contract.Level        // of what they bring next
	known     []string                 // the order's sensitive values
	outputs   map[string]contract.Output
	bytes     int // of the outputs in JSON
	artifacts []servicemessage.Message
	reason    string // why the script is going to fail
	lost      string // the first thing that could not be kept, in a clause
}

// heard acts on what a stream brings. Its methods are called under the recorder's lock.
type heard struct {
	r  *recorder
	id contract.Source
}

func (h heard) Text(p []byte) { h.r.splitLocked(h.id, h.r.hiddenLocked(h.id, p, false)) }

func (h heard) Message(m servicemessage.Message) {
	r := h.r
	switch m.Kind {
	case servicemessage.SetLevel:
		id := h.id
		if m.IsStderr {
			id = contract.Stderr
		}
		r.turnLocked(id, m.Level)
	case servicemessage.SetVariable:
		r.outputLocked(contract.Output{Name: m.Name, Value: m.Value, IsSensitive: m.IsSensitive})
	case servicemessage.CreateArtifact:
		if len(r.spoken.artifacts) == contract.MaxArtifacts {
			r.loseLocked(fmt.Sprintf("artifacts after the first %d", contract.MaxArtifacts))
			return
		}
		r.spoken.artifacts = append(r.spoken.artifacts, m)
	case servicemessage.Progress:
		text := contract.ProgressText(m.Percent, shorten(r.secrets.Text(m.Value), maxProgressBytes))
		r.recordLocked(contract.Agent, contract.LevelFlags(contract.LevelProgress), []byte(text))
	case servicemessage.ResultMessage:
		r.spoken.reason = m.Value
	case servicemessage.Refused:
		r.warnLocked("a service message was not understood: " + m.Value)
	}
}

// turnLocked changes how loud a stream is. What it said before is a line of its own, but for what may be
// the beginning of a secret: that goes on as what comes next.
func (r *recorder) turnLocked(id contract.Source, to contract.Level) {
	if r.spoken.levels[id-1] == to {
		return
	}
	if l := &r.lines[id-1]; len(l.text) > 0 || l.open {
		r.lineLocked(id, l.text)
		l.text, l.turned = l.text[:0], true
	}
	r.spoken.levels[id-1] = to
}

func (r *recorder) outputLocked(o contract.Output) {
	said, key := &r.spoken, strings.ToLower(o.Name)
	o.IsSensitive = o.IsSensitive || r.secrets.Text(o.Value) != o.Value
	before, isKnown := said.outputs[key]
	more := jsonBytes(o)
	if isKnown {
		more -= jsonBytes(before)
	}
	switch {
	case !isKnown && len(said.outputs) == contract.MaxOutputs:
		r.loseLocked(fmt.Sprintf("output variables after the first %d", contract.MaxOutputs))
		return
	case said.bytes+more > maxOutputBytes:
		r.loseLocked(fmt.Sprintf(
			"the output variable %.80q, with which all together have more than %d bytes", o.Name, maxOutputBytes))
		return
	}
	if said.outputs == nil {
		said.outputs = map[string]contract.Output{}
	}
	said.outputs[key] = o
	said.bytes += more
	if o.IsSensitive {
		r.hideLocked(o)
	}
}

// hideLocked lets a new sensitive value be looked for, in all that comes. One that cannot be ends the
// keeping.
func (r *recorder) hideLocked(o contract.Output) {
	if slices.Contains(r.spoken.known, o.Value) {
		return
	}
	secrets, err := masking.New(append(r.spoken.known, o.Value))
	if err != nil {
		const text = "the output variable %.80q cannot be hidden in the output, and what follows is counted, not kept: %v"
		r.warnLocked(fmt.Sprintf(text, o.Name, err))
		r.isBlind, r.cut = true, true
		return
	}
	r.spoken.known = append(r.spoken.known, o.Value)
	r.secrets = secrets
	if r.isBlind || secrets.Empty() {
		return
	}
	for i, m := range r.masks {
		if m == nil {
			r.masks[i] = secrets.Stream()
			continue
		}
		m.Widen(secrets)
	}
}

// jsonBytes is how long an output is as a member of a Result.
func jsonBytes(o contract.Output) int { return len(encodeResult(o)) }

// encodeResult is a Result, or a part of one, in JSON. Its strings were checked before.
func encodeResult(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings, numbers and flags
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (r *recorder) loseLocked(what string) {
	if r.spoken.lost == "" {
		r.spoken.lost = what
	}
	r.warnLocked("not kept: " + what)
}

// hide takes out of a text what is sensitive by now.
func (r *recorder) hide(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.secrets.Text(text)
}

// warn adds a remark that people ought to see.
func (r *recorder) warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stampLocked()
	r.warnLocked(text)
	r.flushLocked()
}

func (r *recorder) warnLocked(text string) {
	text = shorten(r.secrets.Text(text), logReserveBytes/8)
	r.recordLocked(contract.Agent, contract.LevelFlags(contract.LevelWarning), []byte(text))
}

// handedOver is what the script has said so far: outputs by name, artifacts as they are wanted.
func (r *recorder) handedOver() (outputs []contract.Output, artifacts []servicemessage.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(r.spoken.outputs)) {
		outputs = append(outputs, r.spoken.outputs[key])
	}
	return outputs, r.spoken.artifacts
}

// explain puts what the script said itself into its verdict.
func (r *recorder) explain(v *contract.Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.Outcome == contract.Failed && r.spoken.reason != "" && !r.isBlind {
		said := shorten(r.secrets.Text(r.spoken.reason), maxReasonBytes/2) // cut first, a secret would not be found
		v.Reason = strings.TrimSpace(said + " (" + v.Reason + ")")
	}
	if r.spoken.lost != "" {
		v.Reason = strings.TrimPrefix(v.Reason+"; not kept: "+r.spoken.lost, "; ")
	}
}
