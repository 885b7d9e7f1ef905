// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

// Limits on what a browser may send.
const (
	maxFormBytes = 64 << 10
	maxURLBytes  = 4 << 10
	// formLimit is how long the sending of a form may take.
	formLimit = 30 * time.Second
)

// contentPolicy allows what comes from this server as files of their own, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded refuses what no page of ours sends, before anything is looked up.
func (p *Portal) guarded(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		v := &visit{ResponseWriter: w, Request: r}
		err := p.refuse(r)
		if err == nil && crossOrigin.Check(r) != nil {
			err = errCrossSite()
		}
		if err != nil {
			p.problem(v, err)
			return
		}
		if r.Method == http.MethodPost && r.ContentLength != 0 {
			r.Body = newTimedBody(w, r.Body)
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		next.ServeHTTP(w, r)
	})
}

// timedBody is one with a deadline that ends when it was read: while the answer is made the server reads on, and would
// take the deadline for somebody who leaves.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// newTimedBody begins the time; not every writer has deadlines.
func newTimedBody(w http.ResponseWriter, body io.ReadCloser) timedBody {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(formLimit))
	return timedBody{body, control}
}

func (b timedBody) Read(into []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(into)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with that, browsers send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// refuse checks what http.CrossOriginProtection leaves open: it lets requests pass that carry
// neither Origin nor Sec-Fetch-Site. Every browser sends one of them with a form.
func (p *Portal) refuse(r *http.Request) error {
	switch {
	case len(r.RequestURI) > maxURLBytes:
		return errkind.Invalid.Errorf("the address has %d bytes: want at most %d", len(r.RequestURI), maxURLBytes)
	case !p.knowsHost(r.Host):
		return errkind.Hinted(errOtherHost, "use a name that this server's settings list")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return nil
	case r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "":
		return errCrossSite()
	}
	return nil
}

// errOtherHost has a status of its own: 421.
var errOtherHost = errkind.Invalid.Errorf("this server does not answer to the host name of this request")

func errCrossSite() error {
	return errkind.Hinted(errkind.Denied.Errorf("this request does not come from a page of this server"),
		"open the page again and press the button there; programs use the API with a key")
}

func (p *Portal) knowsHost(host string) bool {
	if len(p.options.Hosts) == 0 {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return slices.ContainsFunc(p.options.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// localPage returns to if it leads to a page of the portal, else the dashboard. Whatever a
// browser could read as another host is none of our patterns.
func (p *Portal) localPage(to string) string {
	const home = "/app"
	if len(to) > maxURLBytes || strings.ContainsAny(to, "\\\r\n\t\x00") || strings.HasPrefix(to, "//") {
		return home
	}
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, home) {
		return home
	}
	_, pattern := p.mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: u.Path}, Host: ""})
	for _, r := range p.routes() {
		if r.page && pattern == r.method+" "+r.pattern {
			return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
		}
	}
	return home
}

// redirect leads to another page after an effect.
func redirect(v *visit, to string) error {
	v.ResponseWriter.Header().Set("Location", to)
	v.WriteHeader(http.StatusSeeOther)
	return nil
}
