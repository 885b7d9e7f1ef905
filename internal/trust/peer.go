// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"time"

	"fairlead/internal/errkind"
)

// Role is what a pinned key may be on the line. It is stored beside the pin.
type Role string

// The roles. An applicant is a well-formed certificate that nobody knows yet: it may ask to join.
const (
	RoleAgent     Role = "agent"
	RoleServer    Role = "server"
	RoleApplicant Role = "applicant"
)

// UnmarshalText accepts the roles that a pin can have.
func (r *Role) UnmarshalText(text []byte) error {
	switch role := Role(text); role {
	case RoleAgent, RoleServer:
		*r = role
		return nil
	}
	return errkind.Invalid.Errorf("role %.40q: want %s or %s", text, RoleAgent, RoleServer)
}

// Grant is what this side knows about a pin it accepts.
type Grant struct {
	Role Role
	// Subject is the machine id of an agent or the server id of a server.
	Subject string
}

// AcceptFunc says who the holder of a pin is, or why it is not welcome (Untrusted, with a hint). It is
// called inside the handshake, before the peer has proved that it holds the key, so it must be a
// quick look-up without effect.
type AcceptFunc func(Pin) (Grant, error)

// Peer is an identity that a TLS handshake on this connection has proved. Only Door and Dialler
// make one. The zero Peer is nobody: Check refuses it and its other methods return zero values.
type Peer struct{ proof *proof }

type proof struct {
	pin      Pin
	local    Pin
	grant    Grant
	ruling   Ruling
	notAfter time.Time
	key      crypto.PublicKey
	protocol string
	binding  [BindingBytes]byte
}

// BindingBytes is the length of a channel binding.
const BindingBytes = 32

// bindingLabel is the exporter label of RFC 9266.
const bindingLabel = "EXPORTER-Channel-Binding"

// Check returns Untrusted for the zero Peer.
func (p Peer) Check() error {
	if p.proof == nil {
		return errkind.Untrusted.Errorf("no identity was proved on this connection")
	}
	return nil
}

// Pin is the pin of the certificate whose key the peer holds.
func (p Peer) Pin() Pin { return p.get().pin }

// Local is the pin of the identity that this side proved to the peer.
func (p Peer) Local() Pin { return p.get().local }

// Role is the role of the peer's pin on this side.
func (p Peer) Role() Role { return p.get().grant.Role }

// Subject is the machine id or server id that belongs to the pin; "" for an applicant.
func (p Peer) Subject() string { return p.get().grant.Subject }

// Access is Full or Restricted; Refused for the zero Peer.
func (p Peer) Access() Access { return p.get().ruling.Access }

// Warning is a clause about the peer's dates for people, or "".
func (p Peer) Warning() string { return p.get().ruling.Reason }

// NotAfter is when the peer's certificate ends.
func (p Peer) NotAfter() time.Time { return p.get().notAfter }

// Protocol is the ALPN protocol of the connection.
func (p Peer) Protocol() string { return p.get().protocol }

// Binding is the channel binding of RFC 9266: both ends of this connection and nobody else have
// the same 32 bytes.
func (p Peer) Binding() [BindingBytes]byte { return p.get().binding }

// LogValue names the peer by role, subject and pin.
func (p Peer) LogValue() slog.Value {
	got := p.get()
	return slog.GroupValue(slog.String("role", string(got.grant.Role)),
		slog.String("subject", got.grant.Subject), slog.String("pin", got.pin.String()))
}

func (p Peer) get() proof {
	if p.proof == nil {
		return proof{}
	}
	return *p.proof
}

// check is what one side demands of its peer. VerifyConnection and the making of a Peer apply the
// very same check, so neither can be passed by without the other.
type check struct {
	accept   AcceptFunc // nil: any well-formed certificate is an applicant
	role     Role       // demanded of the pin
	use      x509.ExtKeyUsage
	protocol string
	wall     func() time.Time
	want     []Pin // set by a dialler: nobody else will do
}

func (c check) verify(state tls.ConnectionState) error {
	_, err := c.examine(state)
	return err
}

// peer makes a Peer of a finished handshake; local is the pin that this side proved.
func (c check) peer(state tls.ConnectionState, local Pin) (Peer, error) {
	if !state.HandshakeComplete {
		return Peer{}, errkind.Untrusted.Errorf("the handshake is not complete: nobody has proved anything")
	}
	made, err := c.examine(state)
	if err != nil {
		return Peer{}, err
	}
	binding, err := state.ExportKeyingMaterial(bindingLabel, nil, BindingBytes)
	if err != nil {
		return Peer{}, errkind.Internal.Errorf("channel binding: %w", err)
	}
	copy(made.binding[:], binding)
	made.local = local
	return Peer{proof: made}, nil
}

func (c check) examine(state tls.ConnectionState) (*proof, error) {
	switch {
	case state.Version != tls.VersionTLS13:
		return nil, errkind.Untrusted.Errorf("connection uses %s: want TLS 1.3", tls.VersionName(state.Version))
	case state.DidResume:
		return nil, errkind.Untrusted.Errorf("connection resumes an older session: want a full handshake")
	case state.NegotiatedProtocol != c.protocol:
		return nil, c.wrongProtocol(state)
	case len(state.PeerCertificates) == 0:
		return nil, errkind.Untrusted.Errorf("peer presents no certificate")
	}
	leaf := state.PeerCertificates[0]
	pin := PinOf(leaf.Raw)
	grant, err := c.identify(pin, leaf)
	if err != nil {
		return nil, err
	}
	chain := make([][]byte, len(state.PeerCertificates))
	for i, certificate := range state.PeerCertificates {
		chain[i] = certificate.Raw
	}
	if err := checkChainSize(chain); err != nil {
		return nil, err
	}
	ruling, err := c.judge(leaf, pin, grant.Role)
	if err != nil {
		return nil, err
	}
	return &proof{
		pin: pin, grant: grant, ruling: ruling, notAfter: leaf.NotAfter,
		key: leaf.PublicKey, protocol: state.NegotiatedProtocol,
	}, nil
}

func (c check) identify(pin Pin, leaf *x509.Certificate) (Grant, error) {
	if c.want != nil && !containsPin(c.want, pin) {
		return Grant{}, wrongPin(pin, leaf, c.want)
	}
	if c.accept == nil {
		return Grant{Role: c.role}, nil
	}
	grant, err := c.accept(pin)
	if err != nil {
		return Grant{}, err
	}
	if grant.Role != c.role {
		return Grant{}, errkind.Untrusted.Errorf("pin %s belongs to a peer with role %q: here it must be %q",
			pin, grant.Role, c.role)
	}
	return grant, nil
}

func (c check) judge(leaf *x509.Certificate, pin Pin, role Role) (Ruling, error) {
	if ruling := JudgeCertificate(leaf, c.use); ruling.Access == Refused {
		return ruling, errkind.Untrusted.Errorf("pin %s: %s", pin, ruling.Reason)
	}
	ruling := JudgeDates(leaf, role, c.wall())
	if ruling.Access == Refused {
		return ruling, errkind.Hinted(errkind.Untrusted.Errorf("pin %s: %s", pin, ruling.Reason),
			"compare the clocks of both machines; if they are right, join the machine again with a new identity")
	}
	return ruling, nil
}

func containsPin(pins []Pin, pin Pin) bool {
	found := false
	for _, p := range pins {
		found = p.Equal(pin) || found
	}
	return found
}
