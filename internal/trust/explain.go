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
	if leaf.Subject.String() != leaf.Issuer.String() {
		return errkind.Hinted(err, "the certificate was issued by %s, so something in the path ends TLS: "+
			"exempt this address from TLS inspection", shownName(leaf.Issuer.CommonName))
	}
	return errkind.Hinted(err, "usual causes: the address leads to another server; something in the path ends TLS; "+
		"the peer was set up anew or has rotated its key while this side was away. "+
		"Compare with the pin the other side shows (fairlead-server status, fairlead-agent status)")
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
		return errkind.Hinted(errkind.Corrupt.Errorf("the other side does not speak TLS: it begins with %q: %w",
			record.RecordHeader[:], err), "check the port, and that no proxy or load balancer ends TLS on the way")
	}
	_, fromKernel := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errkind.Timeout.Errorf("TLS: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), fromKernel:
		return errkind.Unavailable.Errorf("TLS: the connection ended: %w", err)
	}
	return errkind.Untrusted.Errorf("TLS: %w", err)
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
	alertCertificateNeeded  tls.AlertError = 116
	alertNoProtocol         tls.AlertError = 120
)

func explainAlert(err error, alert tls.AlertError) error {
	switch alert {
	case alertBadCertificate:
		return errkind.Hinted(errkind.Untrusted.Errorf("the other side refused this program's certificate: %w", err),
			"it does not know this pin, has revoked it, or its certificate ended: look into the other side's log; "+
				"an agent joins again with a new token")
	case alertCertificateUnknown, alertUnknownCA:
		return errkind.Hinted(errkind.Untrusted.Errorf("the other side wants a certificate of some authority: %w", err),
			"Fairlead never asks for one, so something in the path ends TLS: exempt this address from TLS inspection")
	case alertNoProtocol, alertInternalError:
		return errkind.Hinted(errkind.Untrusted.Errorf("the other side does not serve this protocol: %w", err),
			"check the address and port; is that a Fairlead of this or a newer version?")
	case alertProtocolVersion:
		return errkind.Hinted(errkind.Untrusted.Errorf("the other side does not speak TLS 1.3: %w", err),
			"Fairlead always does, so the address is wrong or something in the path ends TLS")
	case alertCertificateNeeded:
		return errkind.Hinted(errkind.Untrusted.Errorf("the other side saw no certificate of this program: %w", err),
			"something in the path ends TLS and does not pass certificates on")
	}
	return errkind.Untrusted.Errorf("the other side refused the TLS handshake: %w", err)
}
