// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/httphead"
	"fairlead/internal/trust"
)

const (
	// questionLimit bounds the question and its answer: 5 s.
	questionLimit = 5 * time.Second
	// maxAnswerBytes bounds the head of the answer.
	maxAnswerBytes = 8 << 10
	// statusNetworkAuth is how a network says that somebody has to sign in. Source: RFC 6585 6.
	statusNetworkAuth = 511
)

// Ask puts one plain HTTP question, without secrets, to whoever answers at address in the place of
// the server. A server of ours gives no answer. Errors: those of Dial, and of httphead.Read.
func Ask(ctx context.Context, network host.Network, address string) (httphead.Head, error) {
	conn, err := Dial(ctx, network, address)
	if err != nil {
		return httphead.Head{}, err
	}
	defer conn.Close()
	return exchange(ctx, conn, address)
}

// exchange asks and reads the head of the answer.
func exchange(ctx context.Context, conn net.Conn, address string) (httphead.Head, error) {
	if err := conn.SetDeadline(time.Now().Add(questionLimit)); err != nil {
		return httphead.Head{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	question := "GET / HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\nUser-Agent: fairlead\r\n\r\n"
	if _, err := io.WriteString(conn, question); err != nil {
		return httphead.Head{}, err
	}
	head, _, err := httphead.Read(conn, maxAnswerBytes)
	return head, err
}

// Tell asks the same through TLS of whoever answers: a box that ends TLS carries the question in the
// clear to the server behind it, which then can name the box in its own log. What comes back is
// dropped. Errors: those of Dial and trust.Stranger, or that nobody took the question.
func Tell(ctx context.Context, network host.Network, address string) error {
	conn, err := Dial(ctx, network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	limited, cancel := context.WithTimeout(ctx, questionLimit)
	defer cancel()
	secured, err := trust.Stranger(limited, conn)
	if err != nil {
		return err
	}
	_, err = exchange(limited, secured, address)
	return err
}

// Refine looks once more at a handshake that ended with err, where one question can tell a captive
// portal from other boxes; else it returns err as it is. Where a box ends TLS the server is told.
func Refine(ctx context.Context, network host.Network, address string, err error) error {
	switch diagnosis.Of(err) {
	case diagnosis.TLSOffload:
		_ = Tell(ctx, network, address) // for the other end; this one knows
	case diagnosis.TLSInspect, diagnosis.NotTLS, diagnosis.WrongServer:
	default:
		return err
	}
	head, askErr := Ask(ctx, network, address)
	if askErr != nil || !isPortal(head, address) {
		return err
	}
	return diagnosis.Name(errkind.Of(err).Errorf("%w; asked in plain HTTP, it answers %d and leads to %.80q",
		err, head.Status, head.Value("Location")), diagnosis.CaptivePortal)
}

// isPortal tells an answer that leads to another host, which nobody asked for.
func isPortal(head httphead.Head, address string) bool {
	if head.Status == statusNetworkAuth {
		return true
	}
	if head.Status < 300 || head.Status > 399 {
		return false
	}
	to, err := url.Parse(head.Value("Location"))
	host, _, splitErr := net.SplitHostPort(address)
	return err == nil && splitErr == nil && to.Host != "" && !strings.EqualFold(to.Hostname(), host)
}

// curiosity refines each trouble once, and remembers what came of it.
type curiosity struct {
	about   string
	refined error
}

func (c *curiosity) refine(ctx context.Context, t Terms, err error) error {
	if c.refined == nil || err.Error() != c.about {
		c.about, c.refined = err.Error(), Refine(ctx, t.Net, t.Address, err)
	}
	return c.refined
}
