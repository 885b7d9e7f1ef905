// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import "sync"

// maxHolders is how many keys' holders are remembered; then all are forgotten.
const maxHolders = 4 << 10

// holders remembers whom which key lets in, as long as nothing about people changes: every request asks for that, and a
// command makes many. The zero value remembers nobody.
type holders struct {
	mu    sync.Mutex
	mark  int64 // store.Store.PeopleMark as it was before they were read
	byKey map[string]Principal
}

// find looks a key up by its hash, with the mark as it is now.
func (h *holders) find(sum string, mark int64) (p Principal, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mark != mark {
		return Principal{}, false
	}
	p, ok = h.byKey[sum]
	return p, ok
}

// keep takes what was read after the mark.
func (h *holders) keep(sum string, mark int64, p Principal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if mark < h.mark {
		return // somebody read later and was quicker
	}
	if h.mark != mark || h.byKey == nil || len(h.byKey) >= maxHolders {
		h.mark, h.byKey = mark, map[string]Principal{}
	}
	h.byKey[sum] = p
}
