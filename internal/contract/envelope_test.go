// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzEnvelope holds the short way of reading a head to the long one.
func FuzzEnvelope(f *testing.F) {
	for _, body := range []string{
		`{"method":"health","args":{}}`, `{"method":"script.status","args":{"ticket":"t}\"]"}}`, `{"method":"a","args":[1,{"b":2}]}`,
		`{"method":"a","args":null}`, `{"method":"a","args":1,"more":2}`, `{"method":"a","args":"x"} `, `{"method":"a\u0062","args":1}`,
		`{"args":1,"method":"a"}`, `{"method":"a","Method":"b","args":1}`, `{"method":"","args":1}`, `{"method":"a" ,"args":1}`,
		`{"method":"a","args":1,"args":2}`, `{"result":{"a":[{}]}}`, `{"result":1,"error":null}`, `{"result":null}`, `{"result":"}"}`,
		`{"error":{"kind":"denied","message":"m"}}`, `{}`, `null`, `[]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if checkShape(body) != nil {
			return
		}
		var short, long requestHead
		if short.open(body) {
			if err := decode(body, &long); err != nil || !cmp.Equal(long, short) {
				t.Errorf("request %q: %+v, the long way %+v, %v", body, short, long, err)
			}
		}
		var result, whole responseHead
		if result.open(body) {
			if err := decode(body, &whole); err != nil || !cmp.Equal(whole, result) {
				t.Errorf("answer %q: %+v, the long way %+v, %v", body, result, whole, err)
			}
		}
	})
}

func TestHeadsAreThoseOfJSON(t *testing.T) {
	args := CancelArgs{Ticket: "t-1", GraceMS: 5, By: "<é \"quoted\"> \u2028"}
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{ScriptCancel.Name, `odd "name"`, "", "é", strings.Repeat("a", 100)} {
		got, err := encodeRequest(method, args)
		if err != nil {
			t.Fatal(err)
		}
		want, err := encodeHead(requestHead{Method: method, Args: raw})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("request for %q (-want +got): %v\n%s", method, err, diff)
		}
	}
	got, err := encodeResult(args)
	if err != nil {
		t.Fatal(err)
	}
	want, err := encodeHead(responseHead{Result: raw})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("answer (-want +got): %v\n%s", err, diff)
	}
	if _, err := encodeResult(strings.Repeat("x", MaxHeadBytes)); err == nil {
		t.Error("an answer over the limit was taken")
	}
}
