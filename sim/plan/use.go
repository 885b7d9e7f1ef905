// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

import (
	"reflect"
	"slices"
	"strings"
)

// usesOf lists, with spaces between, what things of a kind make use of beside what all of their table do.
func usesOf(table, kind string) (uses string, known bool) {
	const proxy, forwards = "listen idle user password allow", "listen idle to"
	uses, known = map[string]map[string]string{
		"box": {
			NAT:           "idle expired public ports",
			Firewall:      "idle expired out in refuse states",
			SecurityGroup: "idle out in",
			Balancer:      "idle expired public backends hide_client check check_from up down",
		},
		"program": {
			ConnectProxy: proxy, SOCKS5: proxy, TCPProxy: forwards + " send_proxy", HTTPBalancer: forwards,
			TLSListener: forwards + " send_proxy", TLSInspector: "listen idle takes ports", CaptivePortal: "listen takes ports",
		},
		"op": {
			DoScript:   "any on lasts lines exit ignores reboot restarts limit gives gives_up",
			DoDeploy:   "kb reboot restarts asks gives guided outputs turns stumbles retries repaints breaks",
			DoRedeploy: "back guided", DoRetention: "keep", DoAnswer: "choice guidance",
			DoCancel: "", DoHealth: "", DoRestart: "", DoFailover: "", DoRemove: "any on", DoBrowse: "url",
		},
	}[table][kind]
	return uses, known
}

// forAll is what everything of a table may say.
var forAll = map[string]string{
	"box": "name kind preset", "program": "name kind preset on addr", "op": "at every until do", "fault": "at for kind on",
}

// useless tells the keys of a thing that its kind has no use for. with are more that it may have.
func (q *problems) useless(where string, thing any, kind, with string) {
	uses, known := usesOf(q.table, kind)
	if !known && q.table != "fault" {
		return // what it is was told already
	}
	allowed := strings.Fields(forAll[q.table] + " " + uses + " " + with)
	for _, key := range said(reflect.ValueOf(thing)) {
		if !slices.Contains(allowed, key) {
			q.add("%s: a %s has no use for %s", where, kind, key)
		}
	}
}

// said lists the keys of a struct that have a value.
func said(v reflect.Value) (keys []string) {
	for field, value := range v.Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("toml"), ","); key != "" && !value.IsZero() {
			keys = append(keys, key)
		}
	}
	return keys
}
