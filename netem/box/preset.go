// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import "fairlead/netem"

// Setup is what a preset cannot know.
type Setup struct {
	// To are the servers of a program that has some, "host:port".
	To []string
	// Authority and Name are for programs that end TLS.
	Authority *Authority
	Name      string
}

// FromPreset makes the program that a preset of package netem describes. ok is false for a name that is
// not known, and for a table.
func FromPreset(name string, s Setup) (p Program, ok bool) {
	known, ok := netem.FindPreset(name)
	if !ok {
		return nil, false
	}
	switch known.Kind {
	case netem.PresetConnectProxy:
		return &ConnectProxy{
			Idle: known.Idle, Lifetime: known.Lifetime, Connect: known.Connect, Request: known.Request,
		}, true
	case netem.PresetTCPProxy:
		return &TCPProxy{
			To: s.To, Idle: known.Idle, Tunnel: known.Tunnel, Connect: known.Connect, Preread: known.Preread,
		}, true
	case netem.PresetHTTPBalancer:
		return &HTTPBalancer{Authority: s.Authority, Name: s.Name, To: s.To, Idle: known.Idle}, true
	case netem.PresetTLSListener:
		return &TLSListener{Authority: s.Authority, Name: s.Name, To: s.To, Idle: known.Idle, Expiry: known.Expiry}, true
	case netem.PresetTLSInspector:
		return &TLSInspector{Authority: s.Authority, Idle: known.Idle}, true
	}
	return nil, false
}
