// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"

	"fairlead/internal/deploy"
)

// members are JSON values by their names on the wire.
type members map[string]json.RawMessage

// keep turns members of a request that nothing acts on into what is stored. What is absent or null
// is left as it is.
func keep(given members) deploy.Kept {
	kept := deploy.Kept{}
	for name, text := range given {
		if len(text) > 0 && string(text) != "null" {
			kept[name] = string(text)
		}
	}
	return kept
}

// withKept shows what was kept in place of the defaults.
func withKept(kept deploy.Kept, shown obj) obj {
	for name, text := range kept {
		shown[name] = json.RawMessage(text)
	}
	return shown
}

// keptOr is what was kept under a name, or the default.
func keptOr(kept deploy.Kept, name, otherwise string) json.RawMessage {
	if text, is := kept[name]; is {
		return json.RawMessage(text)
	}
	return json.RawMessage(otherwise)
}
