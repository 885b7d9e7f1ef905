// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"
	"strings"
	"unicode"

	"fairlead/internal/errkind"
)

// index remembers every path of an archive by hash, so that its size does not depend on the
// length of names, and finds clashes.
type index struct {
	nodes map[foldedKey]node
	limit int
}

type (
	foldedKey [16]byte
	exactKey  [8]byte
)

type node struct {
	exact exactKey
	kind  Kind
	// implied folders have no entry of their own yet.
	implied bool
}

func newIndex(limit int) *index { return &index{nodes: map[foldedKey]node{}, limit: limit} }

// add enters a path that passed CheckPath. Errors: Invalid (a clash), Exhausted.
func (x *index) add(path string, kind Kind) error {
	if err := x.addParents(path); err != nil {
		return err
	}
	key, exact := keysOf(path)
	old, known := x.nodes[key]
	switch {
	case !known:
		return x.put(path, key, node{exact: exact, kind: kind})
	case old.exact != exact:
		return errkind.Invalid.Errorf("path %.200q: another entry differs from it only in case", path)
	case old.implied && kind == Folder:
		x.nodes[key] = node{exact: exact, kind: Folder}
		return nil
	case (old.kind == Folder) != (kind == Folder):
		return errkind.Invalid.Errorf("path %.200q is both a file and a folder", path)
	}
	return errkind.Invalid.Errorf("path %.200q comes twice", path)
}

// addParents walks up until a folder that is known already: its own parents are known too.
func (x *index) addParents(path string) error {
	for {
		slash := strings.LastIndexByte(path, '/')
		if slash < 0 {
			return nil
		}
		path = path[:slash]
		key, exact := keysOf(path)
		old, known := x.nodes[key]
		switch {
		case !known:
			if err := x.put(path, key, node{exact: exact, kind: Folder, implied: true}); err != nil {
				return err
			}
		case old.exact != exact:
			return errkind.Invalid.Errorf("folder %.200q: another entry differs from it only in case", path)
		case old.kind != Folder:
			return errkind.Invalid.Errorf("path %.200q is both a %s and a folder", path, old.kind)
		default:
			return nil
		}
	}
}

func (x *index) put(path string, key foldedKey, n node) error {
	if len(x.nodes) >= x.limit {
		return errkind.Exhausted.Errorf("archive has more than %d entries, at %.200q", x.limit, path)
	}
	x.nodes[key] = n
	return nil
}

// kind returns what lies under exactly this path.
func (x *index) kind(path string) (Kind, bool) {
	key, exact := keysOf(path)
	n, known := x.nodes[key]
	return n.kind, known && n.exact == exact
}

func keysOf(path string) (key foldedKey, exact exactKey) {
	whole := sha256.Sum256([]byte(path))
	copy(exact[:], whole[:])
	folded := strings.Map(fold, path)
	if folded != path {
		whole = sha256.Sum256([]byte(folded))
	}
	copy(key[:], whole[8:])
	return key, exact
}

// fold maps all runes that differ only in case to one of them.
func fold(r rune) rune {
	if r < unicode.MaxASCII {
		if 'A' <= r && r <= 'Z' {
			// k and s have relatives beyond ASCII; the smallest of each orbit is the capital.
			return r
		}
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
