// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

// The ALPN protocols of the port.
const (
	LinkProtocol   = "fairlead/1"
	JoinProtocol   = "fairlead-join/1"
	PortalProtocol = "http/1.1"
)

const (
	// HandshakeTimeout bounds a handshake from the accepted connection to its end.
	HandshakeTimeout = 10 * time.Second
	// refusalDrainTime and refusalDrainBytes bound how long a refused connection is read to its
	// end. Without that the kernel answers unread bytes with a reset, which destroys the alert
	// that tells the peer why.
	refusalDrainTime  = time.Second
	refusalDrainBytes = 64 << 10

	sniPinBytes = 8 // bytes of the pin in the name, two hex digits each
	sniSuffix   = ".pin.invalid"
)

// base is what every configuration shares. Pins take the place of host names and authorities, and
// tickets stay off because a resumed session skips the peer's certificate.
func base(protocol string, wall func() time.Time, keyLog io.Writer) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		MaxVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		NextProtos:             []string{protocol},
		Time:                   wall,
		KeyLogWriter:           keyLog,
	}
}

// serverName is the name that asks a server to prove the identity with this pin.
func serverName(pin Pin) string { return hex.EncodeToString(pin[:sniPinBytes]) + sniSuffix }

// DoorTerms say who may come in at a listening port and what this side proves. Identities, Wall and at
// least one of Links, Applicants and Portal are required.
type DoorTerms struct {
	// Identities returns the identities this side can prove, the active one first; that one is
	// proved to peers that ask for none of them. It is read once or twice in each handshake.
	Identities func() []Identity
	// Links accepts the pins that may open a line; nil closes "fairlead/1". LinkRole is the role
	// they must have: RoleAgent at a server, RoleServer at a listening agent.
	Links    AcceptFunc
	LinkRole Role
	// Applicants opens "fairlead-join/1" to any well-formed certificate.
	Applicants bool
	// Portal opens "http/1.1" to peers without a certificate.
	Portal bool
	Wall   func() time.Time
	// KeyLog is host.Env's: nil but in a simulation.
	KeyLog io.Writer
}

// Door is the TLS server of a port.
type Door struct {
	terms  DoorTerms
	checks map[string]check // by protocol; none for the portal
	outer  *tls.Config
	inner  map[string]*tls.Config // by protocol
}

// NewDoor makes a door. Errors: Invalid.
func NewDoor(t DoorTerms) (*Door, error) {
	switch {
	case t.Identities == nil || t.Wall == nil:
		return nil, errkind.Invalid.Errorf("door: identities and a wall clock are required")
	case t.Links == nil && !t.Applicants && !t.Portal:
		return nil, errkind.Invalid.Errorf("door: no protocol is open")
	case t.Links != nil && t.LinkRole != RoleAgent && t.LinkRole != RoleServer:
		return nil, errkind.Invalid.Errorf("door: link role %q: want %s or %s", t.LinkRole, RoleAgent, RoleServer)
	}
	d := &Door{terms: t, checks: map[string]check{}, inner: map[string]*tls.Config{}}
	if t.Links != nil {
		d.open(check{accept: t.Links, role: t.LinkRole, protocol: LinkProtocol})
	}
	if t.Applicants {
		d.open(check{role: RoleApplicant, protocol: JoinProtocol})
	}
	if t.Portal {
		d.inner[PortalProtocol] = base(PortalProtocol, t.Wall, t.KeyLog)
		d.inner[PortalProtocol].GetCertificate = d.certificate
	}
	d.outer = base("", t.Wall, t.KeyLog)
	d.outer.NextProtos = nil // choose always names one of the inner configurations or fails
	d.outer.ClientAuth = tls.RequireAnyClientCert
	d.outer.VerifyConnection = func(tls.ConnectionState) error { return Peer{}.Check() }
	d.outer.GetConfigForClient = d.choose
	return d, nil
}

func (d *Door) open(c check) {
	c.use, c.wall = x509.ExtKeyUsageClientAuth, d.terms.Wall
	config := base(c.protocol, d.terms.Wall, d.terms.KeyLog)
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyConnection = c.verify
	config.GetCertificate = d.certificate
	d.checks[c.protocol], d.inner[c.protocol] = c, config
}

// choose picks the configuration by the first of our protocols that the peer offers.
func (d *Door) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	for _, protocol := range []string{LinkProtocol, JoinProtocol, PortalProtocol} {
		if config := d.inner[protocol]; config != nil && slices.Contains(hello.SupportedProtos, protocol) {
			return config, nil
		}
	}
	if !slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		return d.outer, nil // crypto/tls refuses the version with the right alert
	}
	return nil, foreignOffer(hello.SupportedProtos)
}

func (d *Door) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	id, err := d.pick(hello.ServerName)
	if err != nil {
		return nil, err
	}
	return &id.Certificate, nil
}

// pick finds the identity that name asks for. A lie makes us prove another of our own keys, which
// the peer then refuses.
func (d *Door) pick(name string) (Identity, error) {
	identities := d.terms.Identities()
	if len(identities) == 0 || !identities[0].valid() {
		return Identity{}, errkind.Internal.Errorf("no identity to prove to the peer")
	}
	for _, id := range identities[1:] {
		if id.valid() && strings.EqualFold(serverName(id.Pin), name) {
			return id, nil
		}
	}
	return identities[0], nil
}

// Handshake makes a TLS connection of an accepted one and proves who its peer is, within
// HandshakeTimeout. The Peer is zero for "http/1.1" alone; ask the connection's state for the
// protocol. On error the peer has been told by an alert and conn is closed. Errors: see Explain.
func (d *Door) Handshake(ctx context.Context, conn net.Conn) (*tls.Conn, Peer, error) {
	secured := tls.Server(conn, d.outer)
	if err := shake(ctx, secured); err != nil {
		return nil, Peer{}, turnAway(conn, d.bare(secured.ConnectionState(), err))
	}
	peer, err := d.Peer(secured.ConnectionState())
	if err != nil {
		return nil, Peer{}, turnAway(conn, err)
	}
	return secured, peer, nil
}

// Peer examines a connection that this door let in once more, as VerifyConnection did, and says
// who is there: a session that outlived a revocation fails here. Errors: Untrusted.
func (d *Door) Peer(state tls.ConnectionState) (Peer, error) {
	if state.HandshakeComplete && state.NegotiatedProtocol == PortalProtocol && d.terms.Portal {
		return Peer{}, nil
	}
	c, ok := d.checks[state.NegotiatedProtocol]
	if !ok {
		return Peer{}, errkind.Untrusted.Errorf("peer speaks %.40q: not served here", state.NegotiatedProtocol)
	}
	id, err := d.pick(state.ServerName)
	if err != nil {
		return Peer{}, err
	}
	return c.peer(state, id.Pin)
}

// DialTerms say what a dialler proves and whom it wants to find. All fields but KeyLog are required.
type DialTerms struct {
	Identity Identity
	// Pins are the only ones that will do, newest first. The newest is asked for by SNI.
	Pins []Pin
	// Accept is asked after Pins and says who that is; AcceptOnly where there is nothing to ask.
	Accept AcceptFunc
	// Role is what the peer's pin must be: RoleServer for an agent, RoleAgent for a server.
	Role     Role
	Protocol string // LinkProtocol or JoinProtocol
	Wall     func() time.Time
	// KeyLog is host.Env's: nil but in a simulation.
	KeyLog io.Writer
}

// AcceptOnly accepts these pins with one grant.
func AcceptOnly(grant Grant, pins ...Pin) AcceptFunc {
	return func(pin Pin) (Grant, error) {
		if containsPin(pins, pin) {
			return grant, nil
		}
		return Grant{}, errkind.Untrusted.Errorf("pin %s is not one that is expected here", pin)
	}
}

// Dialler is the TLS client of a connection. The host name that was dialled plays no part.
type Dialler struct {
	check  check
	local  Pin
	config *tls.Config
}

// NewDialler makes a dialler. Errors: Invalid.
func NewDialler(t DialTerms) (*Dialler, error) {
	switch {
	case !t.Identity.valid():
		return nil, errkind.Invalid.Errorf("dialler: no identity to prove")
	case len(t.Pins) == 0 || slices.Contains(t.Pins, Pin{}):
		return nil, errkind.Invalid.Errorf("dialler: no pin to look for, or an empty one")
	case t.Accept == nil || t.Wall == nil:
		return nil, errkind.Invalid.Errorf("dialler: accept and a wall clock are required")
	case t.Role != RoleAgent && t.Role != RoleServer:
		return nil, errkind.Invalid.Errorf("dialler: role %q: want %s or %s", t.Role, RoleAgent, RoleServer)
	case t.Protocol != LinkProtocol && t.Protocol != JoinProtocol:
		return nil, errkind.Invalid.Errorf("dialler: protocol %q: want %s or %s", t.Protocol, LinkProtocol, JoinProtocol)
	}
	d := &Dialler{local: t.Identity.Pin, check: check{
		accept: t.Accept, role: t.Role, use: x509.ExtKeyUsageServerAuth, protocol: t.Protocol, wall: t.Wall,
		want: slices.Clone(t.Pins),
	}}
	d.config = base(t.Protocol, t.Wall, t.KeyLog)
	d.config.ServerName = serverName(t.Pins[0])
	d.config.InsecureSkipVerify = true // the pin is checked instead, below
	d.config.VerifyConnection = d.check.verify
	d.config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &t.Identity.Certificate, nil // whatever authorities the peer names
	}
	return d, nil
}

// Handshake proves both ends of conn to each other within HandshakeTimeout. The peer's word on our
// own certificate comes only with the first read: pass that error through Explain. On error conn
// is closed. Errors: see Explain.
func (d *Dialler) Handshake(ctx context.Context, conn net.Conn) (*tls.Conn, Peer, error) {
	secured := tls.Client(conn, d.config)
	if err := shake(ctx, secured); err != nil {
		return nil, Peer{}, turnAway(conn, err)
	}
	peer, err := d.Peer(secured.ConnectionState())
	if err != nil {
		return nil, Peer{}, turnAway(conn, err)
	}
	return secured, peer, nil
}

// Peer examines a connection of this dialler once more. Errors: Untrusted.
func (d *Dialler) Peer(state tls.ConnectionState) (Peer, error) { return d.check.peer(state, d.local) }

func shake(ctx context.Context, conn *tls.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	err := conn.HandshakeContext(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return stalled(err)
	}
	return Explain(err)
}

// turnAway closes a refused connection in a way that lets the peer read the alert.
func turnAway(conn net.Conn, err error) error {
	defer conn.Close()
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || errkind.Of(err) != errkind.Untrusted || half.CloseWrite() != nil {
		return err
	}
	timer := time.AfterFunc(refusalDrainTime, func() { conn.Close() })
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, conn, refusalDrainBytes) // until the peer closes too; any end is fine
	return err
}
