// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/demo"
)

// The server breaks the stream off twice: in the middle of an event, and with the end of the server.
func TestFollowGoesOnWhereTheStreamBroke(t *testing.T) {
	answers := map[string]string{
		"0":  "event: lines\nid: 10\ndata: [{\"Number\":1,\"MessageText\":\"a\"}]\n\n: still here\n\nevent: lines\nid: 20\ndata: [{\"Num",
		"10": "event: lines\nid: 20\ndata: [{\"Number\":2,\"MessageText\":\"b\"}]\n\nevent: done\nid: 20\ndata: {\"IsCompleted\":false}\n\n",
		"20": "event: lines\nid: 30\ndata: [{\"Number\":3,\"MessageText\":\"c\"}]\n\nevent: done\nid: 30\ndata: {\"IsCompleted\":true}\n\n",
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/tasks/T/log", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Octopus-ApiKey") != "API-KEY" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, answers[r.URL.Query().Get("offset")])
	})
	mux.HandleFunc("GET /api/tasks/T", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Id":"T","State":"Success","IsCompleted":true}`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	rest := demo.NewREST(strings.TrimPrefix(server.URL, "http://"), "API-KEY")
	var got []string
	task, err := rest.Follow(t.Context(), "T", func(l demo.LogLine) error {
		got = append(got, fmt.Sprint(l.Number, " ", l.Text))
		return nil
	})
	if err != nil || task.State != "Success" {
		t.Fatalf("Follow = %+v, %v", task, err)
	}
	if diff := cmp.Diff([]string{"1 a", "2 b", "3 c"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestFollowEndsWithARefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"ErrorMessage":"There is no task T.","Errors":["Look elsewhere."]}`)
	}))
	defer server.Close()
	rest := demo.NewREST(strings.TrimPrefix(server.URL, "http://"), "API-KEY")
	_, err := rest.Follow(t.Context(), "T", func(demo.LogLine) error { return nil })
	refused, is := errors.AsType[*demo.StatusError](err)
	if !is || refused.Status != http.StatusNotFound || refused.Message != "There is no task T. Look elsewhere." {
		t.Errorf("Follow = %v, want the refusal", err)
	}
}
