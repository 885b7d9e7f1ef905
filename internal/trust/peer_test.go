// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"crypto/tls"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// makers are the exported functions that return a Peer, with their parameters. Whoever adds one
// must be able to say why its parameters cannot come from a message.
func makers() map[string]string {
	return map[string]string{
		"Door.Handshake":    "context.Context, net.Conn",
		"Door.Peer":         "tls.ConnectionState",
		"Dialler.Handshake": "context.Context, net.Conn",
		"Dialler.Peer":      "tls.ConnectionState",
	}
}

// TestQ1PeerComesFromHandshakesOnly walks all exported functions of the package: the only ways to a Peer
// take a connection, and no decoder can fill one.
func TestQ1PeerComesFromHandshakesOnly(t *testing.T) {
	got := map[string]string{}
	for _, function := range exportedFunctions(t) {
		if returnsPeer(function) {
			got[receiver(function)+function.Name.Name] = parameters(function)
		}
	}
	if want := makers(); !reflect.DeepEqual(got, want) {
		t.Errorf("ways to make a Peer: %v\nwant %v", got, want)
	}
	peer := reflect.TypeFor[trust.Peer]()
	for i := range peer.NumField() {
		if peer.Field(i).IsExported() {
			t.Errorf("field %s of Peer is exported", peer.Field(i).Name)
		}
	}
	pointer := reflect.PointerTo(peer)
	for i := range pointer.NumMethod() {
		method := pointer.Method(i)
		if takes := method.Type.NumIn() - 1; takes > 0 {
			t.Errorf("Peer.%s takes %d arguments: a Peer cannot be told anything", method.Name, takes)
		}
	}
	var made struct{ Peer trust.Peer }
	for _, text := range []string{`{}`, `{"pin":"x","proof":{}}`, `{"Proof":{"Pin":1}}`} {
		_ = json.Unmarshal([]byte(`{"Peer":`+text+`}`), &made)
	}
	wantKind(t, made.Peer.Check(), errkind.Untrusted, "no identity")
}

func TestQ1JoinRequestNamesNobody(t *testing.T) {
	request := reflect.TypeFor[trust.JoinRequest]()
	for i := range request.NumField() {
		field := request.Field(i)
		if field.Type == reflect.TypeFor[trust.Pin]() || slices.Contains([]string{"Pin", "MachineID", "Role"}, field.Name) {
			t.Errorf("a request carries %s: identity comes from the handshake", field.Name)
		}
	}
}

func exportedFunctions(t *testing.T) []*ast.FuncDecl {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []*ast.FuncDecl
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Name.IsExported() {
				found = append(found, function)
			}
		}
	}
	if len(found) < 50 {
		t.Fatalf("only %d exported functions found", len(found))
	}
	return found
}

func returnsPeer(function *ast.FuncDecl) bool {
	if function.Type.Results == nil {
		return false
	}
	for _, result := range function.Type.Results.List {
		if text := types.ExprString(result.Type); strings.Contains(text, "Peer") || text == "proof" || text == "*proof" {
			return true
		}
	}
	return false
}

func receiver(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	return strings.TrimPrefix(types.ExprString(function.Recv.List[0].Type), "*") + "."
}

func parameters(function *ast.FuncDecl) string {
	var names []string
	for _, parameter := range function.Type.Params.List {
		names = append(names, types.ExprString(parameter.Type))
	}
	return strings.Join(names, ", ")
}

func TestPeerNeedsAFinishedHandshake(t *testing.T) {
	h := newHouse(t)
	_, listen := h.dial(t, h.agent)
	good := listen.conn.ConnectionState()
	for name, spoil := range map[string]func(*tls.ConnectionState){
		"not complete":     func(s *tls.ConnectionState) { s.HandshakeComplete = false },
		"T4 resumed":       func(s *tls.ConnectionState) { s.DidResume = true },
		"T9 TLS 1.2":       func(s *tls.ConnectionState) { s.Version = tls.VersionTLS12 },
		"no certificate":   func(s *tls.ConnectionState) { s.PeerCertificates = nil },
		"P9 chain":         func(s *tls.ConnectionState) { s.PeerCertificates = slices.Repeat(s.PeerCertificates, 2) },
		"unknown protocol": func(s *tls.ConnectionState) { s.NegotiatedProtocol = "" },
		"portal, not complete": func(s *tls.ConnectionState) {
			s.NegotiatedProtocol, s.HandshakeComplete = trust.PortalProtocol, false
		},
	} {
		t.Run(name, func(t *testing.T) {
			state := good
			spoil(&state)
			peer, err := h.door.Peer(state)
			wantKind(t, err, errkind.Untrusted)
			if peer.Check() == nil {
				t.Error("a peer all the same")
			}
		})
	}
	if peer, err := h.door.Peer(good); err != nil || peer.Pin() != h.agent.Pin {
		t.Errorf("the good one: %v, %v", peer.Pin(), err)
	}
	if _, err := h.door.Peer(tls.ConnectionState{}); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("empty state: %v", err)
	}
}

func TestZeroPeer(t *testing.T) {
	var nobody trust.Peer
	wantKind(t, nobody.Check(), errkind.Untrusted)
	if !nobody.Pin().IsZero() || nobody.Role() != "" || nobody.Access() != trust.Refused || nobody.Subject() != "" ||
		nobody.Binding() != [32]byte{} || !nobody.NotAfter().IsZero() || nobody.Protocol() != "" || !nobody.Local().IsZero() {
		t.Errorf("nobody is somebody: %v", nobody.LogValue())
	}
}
