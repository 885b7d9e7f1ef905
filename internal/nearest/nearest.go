// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package nearest finds the word that somebody meant who typed another one. It knows nothing of words: letters are
// bytes, and their case counts. It is pure, and its cost for each candidate is bounded.
package nearest

// Of returns the candidate that word was most likely meant to be, or "" when none is close: at most one edit
// for each three letters, and at least one.
func Of(word string, candidates []string) string {
	best, found := max(1, len(word)/3)+1, ""
	for _, candidate := range candidates {
		if gap := len(word) - len(candidate); max(gap, -gap) >= best {
			continue // each edit makes one byte of difference at most
		}
		if d := editDistance(word, candidate); d < best {
			best, found = d, candidate
		}
	}
	return found
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours, on bytes. Words longer than
// maxWordBytes are infinitely far apart, so that the cost is bounded.
func editDistance(a, b string) int {
	const maxWordBytes = 64
	if len(a) > maxWordBytes || len(b) > maxWordBytes {
		return len(a) + len(b)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
