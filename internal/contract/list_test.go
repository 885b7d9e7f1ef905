// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"strings"
	"testing"

	"fairlead/internal/contract"
)

// TestTicketListIsChecked refuses what a reader would turn pages of for ever, or could not act on.
func TestTicketListIsChecked(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{"ticket":"t-1","state":"running"},`, contract.MaxListed+1), ",")
	for text, want := range map[string]string{
		`{"tickets":[]}`: "",
		`{"tickets":[{"ticket":"t-1","state":"running"},{"ticket":"t-2","state":"waiting"}],"more":true}`: "",
		`{"tickets":[],"more":true}`: "more to come",
		`{"tickets":[` + many + `]}`: "more to come",
		`{"tickets":[{"ticket":"t-2","state":"running"},{"ticket":"t-1","state":"running"}]}`: "listed after",
		`{"tickets":[{"ticket":"t-2","state":"running"},{"ticket":"t-2","state":"running"}]}`: "listed after",
		`{"tickets":[{"ticket":"t-1","state":"finished"}]}`:                                   "no verdict",
		`{"tickets":[{"ticket":"../x","state":"running"}]}`:                                   "not a letter",
	} {
		var list contract.TicketList
		err := contract.Decode([]byte(text), &list)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.120s = %v, want %q", text, err, want)
		}
	}
}
