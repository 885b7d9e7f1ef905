// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

const (
	// MaxNameBytes is the longest machine name or server id.
	MaxNameBytes = 63
	// maxAddressBytes fits the length byte of a join token.
	maxAddressBytes = 255
	maxLabelBytes   = 63
)

// CheckMachineName checks the grammar [a-z0-9][a-z0-9-]{0,62}: nothing in it needs escaping
// anywhere, and no two names look alike by accident of script or case. Errors: Invalid.
func CheckMachineName(name string) error { return checkName("machine name", name) }

func checkName(what, name string) error {
	if len(name) == 0 || len(name) > MaxNameBytes {
		return errkind.Invalid.Errorf("%s %.80q has %d bytes: want 1 to %d", what, name, len(name), MaxNameBytes)
	}
	for i, c := range []byte(name) {
		if !isNameByte(c) && (c != '-' || i == 0) {
			err := errkind.Invalid.Errorf("%s %q: byte %d is not a letter a-z, a digit or an inner dash", what, name, i)
			if better := MachineNameFrom(name); better != "" {
				return errkind.Hinted(err, "for example %s", better)
			}
			return err
		}
	}
	return nil
}

func isNameByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// MachineNameFrom makes a machine name of a host name: "Web_01.example.com" becomes
// "web-01-example-com". The result is "" when nothing usable is in it.
func MachineNameFrom(hostname string) string {
	var name []byte
	for _, c := range []byte(strings.ToLower(hostname)) {
		if len(name) == MaxNameBytes {
			break
		}
		switch {
		case isNameByte(c):
			name = append(name, c)
		case len(name) > 0 && name[len(name)-1] != '-':
			name = append(name, '-')
		}
	}
	return strings.TrimRight(string(name), "-")
}

// CheckAddress checks host:port, where the host is a DNS name in ASCII, an IPv4 address or an
// IPv6 address in brackets, and the port is 1 to 65535. Errors: Invalid.
func CheckAddress(address string) error {
	if len(address) > maxAddressBytes {
		return errkind.Invalid.Errorf("address %.80q has %d bytes: limit is %d", address, len(address), maxAddressBytes)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errkind.Hinted(errkind.Invalid.Errorf("address %q: %w", address, err),
			"write host:port, an IPv6 address in brackets: [2001:db8::1]:10943")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return errkind.Invalid.Errorf("address %q: port %q is not a number from 1 to 65535", address, port)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return errkind.Invalid.Errorf("address %q: zone %q means nothing on another machine", address, ip.Zone())
		}
		return nil
	}
	if !isHostName(host) {
		return errkind.Invalid.Errorf("address %q: host %q is neither a DNS name in ASCII nor an IP address", address, host)
	}
	return nil
}

func isHostName(host string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > maxLabelBytes || label[0] == '-' {
			return false
		}
		for _, c := range []byte(strings.ToLower(label)) {
			if !isNameByte(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
