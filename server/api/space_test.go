// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

// TestInSpaceReplacesWhatNamesTheSpace and nothing else, as two replacements one after the other would.
func TestInSpaceReplacesWhatNamesTheSpace(t *testing.T) {
	pieces := []string{
		`"/api/\u0000/`, `"SpaceId":"\u0000"`, `\u0000`, `"/api/`, `/`, `"`, `\`, `"SpaceId":"`, "machines", `"/api/\\u0000/`,
		`"/api/\u0000"`, "",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "text"), "")
		if strings.Contains(text, `\u0000"SpaceId":"\u0000"`) || strings.Contains(text, `\u0000"/api/\u0000`) {
			t.Skip("two members share a quote, as in no JSON")
		}
		space := rapid.SampledFrom([]deploy.SpaceID{"", "Spaces-1", "Spaces-23"}).Draw(t, "space")
		want := strings.ReplaceAll(text, `"/api/\u0000/`, `"/api/`+string(space.OrDefault())+`/`)
		want = strings.ReplaceAll(want, `"/api/\u0000"`, `"/api/`+string(space.OrDefault())+`"`)
		want = strings.ReplaceAll(want, `"SpaceId":"\u0000"`, `"SpaceId":"`+string(space.OrDefault())+`"`)
		var got bytes.Buffer
		eachInSpace([]byte(text), space, func(piece []byte) { got.Write(piece) })
		if got.String() != want {
			t.Fatalf("%s: %s, want %s", text, got.String(), want)
		}
	})
}
