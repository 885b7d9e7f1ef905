// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"encoding/base64"
	"io"
	"net"
	"strings"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/httphead"
)

const (
	// maxHeadBytes bounds the head of an answer, and those that come before it (status 1xx).
	maxHeadBytes = 16 << 10
	maxInterim   = 4
	// maxSchemes and maxSchemeBytes bound what is quoted of a 407.
	maxSchemes     = 6
	maxSchemeBytes = 20
)

// connect asks an HTTP proxy for a tunnel. Source: RFC 9110 9.3.6, RFC 7617.
func (e exchange) connect() (net.Conn, error) {
	request := "CONNECT " + e.address + " HTTP/1.1\r\nHost: " + e.address + "\r\nUser-Agent: fairlead\r\n"
	if e.credentials.set() {
		text := e.credentials.user + ":" + e.credentials.password
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n"
	}
	_, writeErr := io.WriteString(e.conn, request+"\r\n")
	for range maxInterim {
		head, behind, err := httphead.Read(e.conn, maxHeadBytes)
		switch kind := errkind.Of(err); {
		case err != nil && (kind == errkind.Corrupt || kind == errkind.Exhausted):
			return nil, e.refused(kind, diagnosis.NotProxy, "did not answer as one: %w", err)
		case err != nil && writeErr != nil:
			return nil, e.ended(writeErr)
		case err != nil:
			return nil, e.ended(err)
		case head.Status >= 200:
			return e.judge(head, behind)
		}
	}
	return nil, e.refused(errkind.Corrupt, diagnosis.NotProxy, "answered %d times without a result", maxInterim)
}

// judge takes the final answer.
func (e exchange) judge(head httphead.Head, behind []byte) (net.Conn, error) {
	switch status := head.Status; {
	case status < 300 && len(behind) > 0:
		return &tunnel{e.conn, behind}, nil
	case status < 300:
		return e.conn, nil
	case status < 400 || status == 511:
		return nil, e.refused(errkind.Denied, diagnosis.CaptivePortal, "answered %d and leads to %.80q",
			status, head.Value("Location"))
	case status == 407 && e.credentials.set():
		return nil, e.refused(errkind.Denied, diagnosis.ProxyAuth, "refused the credentials (407, it offers %s)",
			schemes(head))
	case status == 407:
		return nil, e.refused(errkind.Denied, diagnosis.ProxyAuth, "wants credentials (407, it offers %s)", schemes(head))
	case status == 401 || status == 403:
		return nil, e.refused(errkind.Denied, diagnosis.ProxyRefused, "forbids it (%d %.40q)", status, head.Reason)
	case status == 408 || status == 500 || status >= 502 && status <= 504:
		return nil, e.refused(errkind.Unavailable, diagnosis.ProxyUpstream, "cannot reach it (%d %.40q)", status, head.Reason)
	default:
		return nil, e.refused(errkind.Corrupt, diagnosis.NotProxy, "does not do CONNECT (%d %.40q)", status, head.Reason)
	}
}

// schemes lists the ways to authenticate that an answer offers, by name.
func schemes(head httphead.Head) string {
	var names []string
	for _, value := range head.Values("Proxy-Authenticate") {
		name, _, _ := strings.Cut(value, " ")
		name = strings.TrimRight(name, ",")
		if isToken(name) && len(names) < maxSchemes {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "no way that is known"
	}
	return strings.Join(names, ", ") + "; the agent speaks Basic"
}

func isToken(name string) bool {
	for _, c := range []byte(strings.ToLower(name)) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxSchemeBytes
}
