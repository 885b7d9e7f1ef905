// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bytes"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/masking"
)

// secretsOf is what an order's output is searched for: the values of its sensitive variables, and the same ones
// expanded, as shown has them. Errors: Invalid (a sensitive variable that the order does not hold), Exhausted (too
// many bytes of them).
func secretsOf(o *contract.Order, shown map[string]string) (*masking.Set, error) {
	values, err := secretValues(o, shown)
	if err != nil {
		return nil, err
	}
	return masking.New(values)
}

func secretValues(o *contract.Order, shown map[string]string) (values []string, err error) {
	if len(o.Sensitive) > 0 {
		byName := make(map[string][]string, len(o.Variables))
		for name, value := range o.Variables {
			folded := strings.ToLower(name)
			byName[folded] = append(byName[folded], value)
			if other, ok := shown[name]; ok && other != value {
				byName[folded] = append(byName[folded], other)
			}
		}
		for _, name := range o.Sensitive {
			found, ok := byName[strings.ToLower(name)]
			if !ok {
				return nil, errkind.Invalid.Errorf("sensitive variable %.80q: the order holds none of that name", name)
			}
			values = append(values, found...)
		}
	}
	return values, nil
}

// masker hides the secrets in one stream, see masking.Stream.
type masker interface {
	Write(to, p []byte) []byte
	Close(to []byte) []byte
	Widen(*masking.Set)
}

// hiddenLocked is what may be kept of a stream's next bytes, or of what it held back at its end. A
// masker that fails ends the keeping: output that nobody has searched is never written.
func (r *recorder) hiddenLocked(id contract.Source, p []byte, isEnd bool) (clean []byte) {
	m := r.masks[id-1]
	if m == nil {
		return p
	}
	l := &r.lines[id-1]
	defer func() {
		if !r.isBlind && recover() != nil { // its words might hold a secret
			r.isBlind, r.cut = true, true
			r.remarkLocked("the sensitive values could not be hidden in the output: what follows is counted, not kept")
			l.lost.bytes += int64(len(l.text))
			l.text = l.text[:0]
		}
		if r.isBlind {
			clean = nil
			l.lost.bytes += int64(len(p))
			l.lost.lines += int64(bytes.Count(p, []byte{'\n'}))
		}
	}()
	if r.isBlind {
		return nil
	}
	if r.clean = m.Write(r.clean[:0], p); isEnd {
		r.clean = m.Close(r.clean)
	}
	return r.clean
}
