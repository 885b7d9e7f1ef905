// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package nearest_test

import (
	"strings"
	"testing"

	"fairlead/internal/nearest"
)

func TestOf(t *testing.T) {
	names := []string{"join", "run", "listen", "status", "doctor"}
	for word, want := range map[string]string{
		"jion": "join", "statsu": "status", "docter": "doctor", "rum": "run", "xyzzy": "", "": "",
		strings.Repeat("run", 1000): "",
	} {
		if got := nearest.Of(word, names); got != want {
			t.Errorf("Of(%.20q) = %q, want %q", word, got, want)
		}
	}
}
