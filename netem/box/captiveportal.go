// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
)

// CaptivePortal answers whatever a netem.Intercept leads to it by itself: HTTP requests with a
// redirection to a page where people log in, TLS with a certificate for that page's name.
type CaptivePortal struct {
	// Page is where people log in: "http://portal.example/login".
	Page string
	// Authority issues the certificate for Name.
	Authority *Authority
	Name      string
}

func (p *CaptivePortal) serve(v *visit) {
	g, client, err := greet(v.client, 0)
	if err != nil {
		return
	}
	if g.tls {
		certificate, err := p.Authority.Certificate(p.Name)
		if err != nil {
			return
		}
		t, err := endTLS(client, serverTerms(certificate))
		if err != nil {
			return
		}
		defer func() { _ = t.Close() }() // with a close_notify; the connection ends anyway
		client = t
	}
	within(v.client, greetingWait)
	p.answer(client)
}

// answer sends one request away.
func (p *CaptivePortal) answer(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, headBytes))); err != nil {
		return // no HTTP: there is nothing that could be said
	}
	page := fmt.Sprintf("<html><body>Log in at <a href=%q>%s</a>.</body></html>\n", p.Page, p.Page)
	_, _ = fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n"+
		"Connection: close\r\n\r\n%s", p.Page, len(page), page) // a client that is gone has been told enough
}
