// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
)

// maxShownName bounds what is quoted from a stranger's certificate, in bytes.
const maxShownName = 80

func wrongPin(got Pin, leaf *x509.Certificate, want []Pin) error {
	names := make([]string, len(want))
	for i, pin := range want {
		names[i] = pin.String()
	}
	err := errkind.Untrusted.Errorf("peer proved pin %s, want %s (its certificate says subject %s, issuer %s)",
		got, strings.Join(names, " or "), shownName(leaf.Subject.CommonName), shownName(leaf.Issuer.CommonName))
	return diagnosis.Name(err, impostor(leaf))
}

// impostor says who shows a certificate like this one. Ours are self-signed and name no host. An
// inspector makes one in the name it was asked for, our SNI, or copies what the server behind it
// shows; an offloader has one of its own, in the name of the site.
func impostor(leaf *x509.Certificate) diagnosis.Cause {
	issued := leaf.Subject.String() != leaf.Issuer.String()
	named := len(leaf.DNSNames)+len(leaf.IPAddresses) > 0
	minted := strings.HasSuffix(strings.ToLower(leaf.Subject.CommonName), sniSuffix)
	for _, name := range leaf.DNSNames {
		minted = minted || strings.HasSuffix(strings.ToLower(name), sniSuffix)
	}
	switch {
	case issued && (minted || !named):
		return diagnosis.TLSInspect
	case issued, named && !minted:
		return diagnosis.TLSOffload
	}
	return diagnosis.WrongServer
}

func shownName(name string) string { return fmt.Sprintf("%.*q", maxShownName, name) }

// Explain gives an error of a TLS connection its kind and says what it usually means. Errors that
// have a kind already come back as they are. A dialler learns that it was refused only when it
// first reads, so pass the errors of later reads through Explain too.
//
// Kinds: Untrusted (the other side refused, or its handshake is not acceptable), Corrupt (it does
// not speak TLS), Unavailable (the connection ended), Timeout, Canceled.
func Explain(err error) error {
	if err == nil || errkind.Of(err) != errkind.Internal {
		return err
	}
	if alert, ok := remoteAlert(err); ok {
		return explainAlert(err, alert)
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return diagnosis.Name(errkind.Corrupt.Errorf("the other side does not speak TLS: it begins with %q: %w",
			record.RecordHeader[:], err), plainSpeaker(record.RecordHeader))
	}
	_, fromKernel := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errkind.Timeout.Errorf("TLS: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), fromKernel:
		return diagnosis.Name(errkind.Unavailable.Errorf("TLS: the connection ended: %w", err), diagnosis.Cut)
	}
	return errkind.Untrusted.Errorf("TLS: %w", err)
}

// plainSpeaker says who answers a ClientHello with these bytes: whoever answers in HTTP expects
// HTTP, so TLS was to end before it.
func plainSpeaker(begin [5]byte) diagnosis.Cause {
	if string(begin[:]) == "HTTP/" {
		return diagnosis.TLSOffload
	}
	return diagnosis.NotTLS
}

// remoteAlert finds the alert that the other side sent. crypto/tls keeps the type to itself except
// for QUIC, but says its place: the cause of a net.OpError "remote error", one byte.
func remoteAlert(err error) (tls.AlertError, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	value := reflect.ValueOf(op.Err)
	if value.Kind() != reflect.Uint8 {
		return 0, false
	}
	return tls.AlertError(value.Uint()), true
}

// Alerts of RFC 8446 section 6 that have a meaning of their own here.
const (
	alertBadCertificate     tls.AlertError = 42
	alertCertificateUnknown tls.AlertError = 46
	alertUnknownCA          tls.AlertError = 48
	alertProtocolVersion    tls.AlertError = 70
	alertInternalError      tls.AlertError = 80
	alertUnrecognizedName   tls.AlertError = 112
	alertCertificateNeeded  tls.AlertError = 116
	alertNoProtocol         tls.AlertError = 120
)

func explainAlert(err error, alert tls.AlertError) error {
	switch alert {
	case alertBadCertificate:
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side refused this program's certificate: %w", err),
			diagnosis.UnknownPeer)
	case alertCertificateUnknown, alertUnknownCA: // Fairlead never asks for one
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side wants a certificate of some authority: %w", err),
			diagnosis.TLSInspect)
	case alertInternalError:
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side does not serve this protocol: %w", err),
			diagnosis.WrongServer)
	case alertNoProtocol: // a door of ours ends in an internal error
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side speaks TLS for other protocols: %w", err),
			diagnosis.TLSOffload)
	case alertProtocolVersion: // Fairlead always does
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side does not speak TLS 1.3: %w", err),
			diagnosis.TLSOffload)
	case alertUnrecognizedName:
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side does not serve the name Fairlead asks for: %w", err),
			diagnosis.TLSOffload)
	case alertCertificateNeeded:
		return diagnosis.Name(errkind.Untrusted.Errorf("the other side saw no certificate of this program: %w", err),
			diagnosis.TLSOffload)
	}
	return errkind.Untrusted.Errorf("the other side refused the TLS handshake: %w", err)
}

func stalled(err error) error {
	return diagnosis.Name(errkind.Timeout.Errorf("TLS handshake was not over within %s: %w", HandshakeTimeout, err),
		diagnosis.Stalled)
}

// wrongProtocol explains a handshake that agreed on no protocol of ours. A box that ends TLS
// agrees on none, so who stands there is said first.
func (c check) wrongProtocol(state tls.ConnectionState) error {
	if c.want != nil && len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		if pin := PinOf(leaf.Raw); !containsPin(c.want, pin) {
			return wrongPin(pin, leaf, c.want)
		}
	}
	return errkind.Untrusted.Errorf("peer speaks %.40q: want %q", state.NegotiatedProtocol, c.protocol)
}

// foreignOffer explains a ClientHello that offers none of the protocols that are open here.
func foreignOffer(protocols []string) error {
	if len(protocols) == 0 {
		return diagnosis.Name(errkind.Untrusted.Errorf("peer offers no ALPN protocol: "+
			"a load balancer that makes TLS of its own, its health check, a port scanner, or a stock Tentacle (Halibut), "+
			"which is not served on this port"), diagnosis.TLSOffload)
	}
	return errkind.Hinted(errkind.Untrusted.Errorf("peer offers ALPN %.*q: none is served here",
		maxShownName, strings.Join(protocols, " ")),
		"the peer is something else than Fairlead, or of a version this one does not speak")
}

// bare explains a handshake that this side refused because the peer brought no certificate;
// crypto/tls has no type for that. A peer that chose our protocol and has none to show is a box
// that opened TLS anew. Other errors come back as they are.
func (d *Door) bare(state tls.ConnectionState, err error) error {
	_, asks := d.checks[state.NegotiatedProtocol]
	_, toldSo := remoteAlert(err)
	if !asks || toldSo || len(state.PeerCertificates) > 0 || errkind.Of(err) != errkind.Untrusted {
		return err
	}
	return diagnosis.Name(errkind.Untrusted.Errorf("peer brought no certificate: %w", err), diagnosis.TLSOffload)
}
