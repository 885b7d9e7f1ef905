// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"strings"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// TestResultIsChecked refuses what a reader could not keep, or would write where it must not.
func TestResultIsChecked(t *testing.T) {
	hash := strings.Repeat("a", 64)
	artifact := func(name, size string) string {
		return `{"artifacts":[{"name":"` + name + `","size":` + size + `,"sha256":"` + hash + `"}]}`
	}
	for text, want := range map[string]string{
		`{}`: "",
		`{"outputs":[{"name":"a","value":"x\n'\""},{"name":"B","value":"","is_sensitive":true}]}`: "",
		`{"outputs":[{"name":"","value":"x"}]}`:                                                   "follows the last",
		`{"outputs":[{"name":"a","value":"x"},{"name":"A","value":"y"}]}`:                         "follows the last",
		`{"outputs":[{"name":"b","value":"x"},{"name":"a","value":"y"}]}`:                         "follows the last",
		`{"outputs":[{"name":"a","value":"\u0000"}]}`:                                             "NUL",
		artifact("report.html", "0"):                                                              "",
		artifact("report.html", "1073741825"):                                                     "without a path",
		artifact("../report.html", "1"):                                                           "without a path",
		artifact("..", "1"):                                                                       "without a path",
		artifact("", "1"):                                                                         "without a path",
		`{"outputs":[` + strings.Repeat(`{"name":"a","value":""},`, 2000) + `{}]}`:                "2001 outputs",
	} {
		_, err := contract.ParseResult([]byte(text))
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || errkind.Of(err) != errkind.Corrupt) {
			t.Errorf("%.120s = %v, want %q", text, err, want)
		}
	}
	if _, err := contract.ParseResult(make([]byte, contract.MaxResultBytes+1)); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("a result that is too long: %v", err)
	}
}

// TestVerdictNamesItsResult refuses a verdict whose result could not be asked for.
func TestVerdictNamesItsResult(t *testing.T) {
	for result, want := range map[string]bool{
		`{"bytes":2,"sha256":"` + strings.Repeat("a", 64) + `"}`:       true,
		`{"bytes":0,"sha256":"` + strings.Repeat("a", 64) + `"}`:       false,
		`{"bytes":8388609,"sha256":"` + strings.Repeat("a", 64) + `"}`: false,
		`{"bytes":2,"sha256":""}`:                                      false,
	} {
		var s contract.TicketStatus
		body := `{"ticket":"t-1","state":"finished","verdict":{"outcome":"succeeded","code":0,"log_end":0,"result":` + result + `}}`
		if err := contract.Decode([]byte(body), &s); (err == nil) != want {
			t.Errorf("%s: %v, want it accepted: %v", result, err, want)
		}
	}
}

// TestProgressText reads back what was written, and nothing else.
func TestProgressText(t *testing.T) {
	for _, percent := range []int{0, 42, 100} {
		p, m, ok := contract.ParseProgress(contract.ProgressText(percent, "copying 3 files"))
		if p != percent || m != "copying 3 files" || !ok {
			t.Errorf("%d is read back as %d %q %v", percent, p, m, ok)
		}
	}
	for _, text := range []string{"", "12", "101 x", "-1 x", "x y"} {
		if _, _, ok := contract.ParseProgress(text); ok {
			t.Errorf("%q is read as progress", text)
		}
	}
}
