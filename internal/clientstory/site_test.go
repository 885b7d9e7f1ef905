// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/internal/demo"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/client"
)

const (
	space       = "Spaces-1"
	environment = "Test"
	tag         = "web"
	// limit is more than any task here takes on a busy machine.
	limit = 90 * time.Second
)

// What all tests share: the programs under test, and ports that no two of them are given.
var (
	programs demo.Programs
	ports    demo.Ports
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fairlead-story-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	root, err := demo.FindRoot(filepath.Join("..", ".."))
	if err == nil {
		programs, err = demo.FindPrograms(context.Background(), root, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// office is a server with two agents, and the library that speaks to it.
type office struct {
	*demo.Site
	client             *client.Client
	polling, listening *demo.Agent
}

// openOffice starts a server that has an environment, with one polling and one listening agent on line.
func openOffice(t *testing.T) *office {
	t.Helper()
	dir, err := os.MkdirTemp("", "fairlead-story-")
	must(t, err)
	site, err := demo.NewSite(dir, programs, &ports)
	must(t, err)
	o := &office{Site: site}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the programs said last:\n%s", site.LastWords(30))
		}
		must(t, site.Close(context.Background(), false))
	})
	must(t, site.StartServer(t.Context()))
	must(t, site.SignIn(t.Context()))
	o.client = o.signIn(t)
	return o
}

// signIn makes a client as the library's users do: an address, a key and a space.
func (o *office) signIn(t *testing.T) *client.Client {
	t.Helper()
	key := try(os.ReadFile(o.KeyFile())).must(t)
	return o.clientWith(t, strings.TrimSpace(string(key)))
}

func (o *office) clientWith(t *testing.T, key string) *client.Client {
	t.Helper()
	address := &url.URL{Scheme: "http", Host: o.HTTP}
	return try(client.NewClient(&http.Client{Timeout: limit}, address, key, space)).must(t)
}

// staff lets both agents join the environment and waits until they are on line.
func (o *office) staff(t *testing.T) {
	t.Helper()
	o.polling, o.listening = o.hire(t, "web-1", false), o.hire(t, "web-2", true)
}

func (o *office) hire(t *testing.T, name string, listening bool) *demo.Agent {
	t.Helper()
	agent := try(o.AddAgent(name, listening)).must(t)
	token := try(o.Token(t.Context(), environment, tag)).must(t)
	try(o.Join(t.Context(), agent, token)).must(t)
	must(t, o.StartAgent(agent))
	must(t, o.AwaitOnline(t.Context(), agent))
	return agent
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// result is what a call returned.
type result[T any] struct {
	value T
	err   error
}

// try keeps what a call returned: try(call(x)).must(t).
func try[T any](value T, err error) result[T] { return result[T]{value, err} }

// must is the value; an error ends the test.
func (r result[T]) must(t *testing.T) T {
	t.Helper()
	must(t, r.err)
	return r.value
}

// refused ends the test when there was no error, and returns it.
func (r result[T]) refused(t *testing.T) error {
	t.Helper()
	if r.err == nil {
		t.Fatalf("the server accepted what it must refuse: %+v", r.value)
	}
	return r.err
}

// equal checks a value that a call returned.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// named finds the item of that name in a list and ends the test without it.
func named[T any](t *testing.T, items []T, name string, of func(T) string) T {
	t.Helper()
	names := make([]string, len(items))
	for i, item := range items {
		if names[i] = of(item); names[i] == name {
			return item
		}
	}
	t.Fatalf("%q is missing in %q", name, names)
	panic("not reached")
}

func contains(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is missing in:\n%s", want, text)
	}
}

func lacks(t *testing.T, text, unwanted string) {
	t.Helper()
	if strings.Contains(text, unwanted) {
		t.Errorf("%q is in:\n%s", unwanted, text)
	}
}
