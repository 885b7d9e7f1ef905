// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package diagnosis names the box in the path that a failed connection points at, in a word for
// programs and a sentence for people.
//
// It does not look at connections: whoever sees one fail calls Name with the cause it has seen.
//
//  1. The words and sentences are part of the product: they stand in logs, in `status` and in
//     `doctor`, and are changed only on purpose.
//  2. Name leaves kind and message of an error as they are.
//  3. The outermost cause of an error is the one that counts.
//
// Safe for concurrent use: every value is immutable.
package diagnosis

import (
	"errors"
	"log/slog"
	"net"
	"syscall"

	"fairlead/internal/errkind"
)

// Cause is the code word of a box or a state in the path; "" when nothing is known.
type Cause string

// The causes that a dial ends with.
const (
	UnknownName Cause = "unknown_name" // DNS says there is no such name
	DNSSilent   Cause = "dns_silent"   // DNS does not answer, or in error
	PortClosed  Cause = "port_closed"  // RST instead of an answer
	NoRoute     Cause = "no_route"     // ICMP unreachable, or no route here
	NoAnswer    Cause = "no_answer"    // silence
	Cut         Cause = "cut"          // opened, then ended from outside
	Stalled     Cause = "stalled"      // opened, then silence
)

// The causes on the way through an outbound proxy.
const (
	ProxyAuth     Cause = "proxy_auth"     // it wants credentials, or others
	ProxyRefused  Cause = "proxy_refused"  // its rules forbid this address or port
	ProxyUpstream Cause = "proxy_upstream" // it cannot reach the server
	ProxyClosed   Cause = "proxy_closed"   // it ended the connection without a word
	NotProxy      Cause = "not_proxy"      // what answers there is no proxy of this sort
)

// The causes that a handshake ends with.
const (
	TLSOffload    Cause = "tls_offload"
	TLSInspect    Cause = "tls_inspect"
	CaptivePortal Cause = "captive_portal"
	ProxyProtocol Cause = "proxy_protocol" // a PROXY header where none is wanted, or none where one is
	NotTLS        Cause = "not_tls"        // some other protocol
	WrongServer   Cause = "wrong_server"
	UnknownPeer   Cause = "unknown_peer" // the other side does not know our pin
)

// words are what people read of a cause: which box it is, what its reader can do himself, and what
// to ask the network team for; at least one of the two.
type words struct{ box, check, please string }

var sentences = map[Cause]words{
	UnknownName: {
		"the name is not known to this machine's DNS",
		"check the spelling and the resolver", "make a DNS entry for the server",
	},
	DNSSilent: {
		"the DNS did not answer",
		"check the resolver", "let this machine reach its DNS",
	},
	PortClosed: {
		"the machine is there and nothing listens on that port, or a firewall rejects it",
		"check that the server runs", "let this machine connect to that port over TCP",
	},
	NoRoute: {
		"there is no route to that address",
		"check the network", "give this machine a route to that address and let it connect over TCP",
	},
	NoAnswer: {
		"no answer: a firewall in the path drops the connection, or the address is wrong",
		"check the address", "let this machine connect to that address and port over TCP",
	},
	Cut: {
		"something in the path cut the connection while it was opened",
		"look into the server's log, which names what reached it",
		"look whether a firewall resets the connection, and whether a load balancer there has a healthy server behind it " +
			"and sends no PROXY header",
	},
	Stalled: {
		"TCP opens, and then nothing gets through", "",
		"look whether packets of full size pass (path MTU), and whether a load balancer there has a healthy server behind it",
	},
	ProxyAuth: {
		"the proxy wants credentials, or others than it got",
		"put user:password into the agent's file proxy-credentials (mode 0600)",
		"offer Basic authentication at the proxy, or let this machine through without any",
	},
	ProxyRefused: {
		"the rules of the proxy forbid this connection", "",
		"allow CONNECT to the server's address and port at the proxy, where often 443 alone is allowed",
	},
	ProxyUpstream: {
		"the proxy cannot reach the server",
		"check the server's address", "let the proxy connect to the server over TCP",
	},
	ProxyClosed: {
		"the proxy ended the connection without an answer", "",
		"look what the proxy's log says of it, and whether it lets this machine in",
	},
	NotProxy: {
		"what answers at the proxy's address is no proxy of this sort",
		"check the setting proxy: http:// is for a proxy that does CONNECT, socks5:// for a SOCKS5 one, each with its " +
			"own port", "",
	},
	TLSOffload: {
		"something in the path ends TLS, most likely a load balancer or reverse proxy that offloads it", "",
		"pass this port through as plain TCP (layer 4), without TLS or HTTP on the way",
	},
	TLSInspect: {
		"something in the path ends TLS, most likely a proxy or firewall that inspects it", "",
		"exempt the server's address and port from TLS inspection",
	},
	CaptivePortal: {
		"a captive portal answers in place of the server", "",
		"let this machine out to the server's address and port without signing in",
	},
	ProxyProtocol: {
		"a load balancer and the server disagree on the PROXY protocol",
		"list the balancer in proxy_protocol_from if it is to send the header",
		"let the balancer send the header only where the server expects it",
	},
	NotTLS: {
		"what speaks there is not Fairlead and not TLS",
		"check address and port, and what is forwarded to them", "",
	},
	WrongServer: {
		"usual causes: the address leads to another server; something in the path ends TLS; the peer was set up anew or " +
			"has rotated its key while this side was away",
		"compare with the pin the other side shows (fairlead-server status, fairlead-agent status)", "",
	},
	UnknownPeer: {
		"the other side does not know this pin, has revoked it, or its certificate ended",
		"look into the other side's log; an agent joins again with a new token", "",
	},
}

// All lists every cause, in no order that matters.
func All() []Cause {
	all := make([]Cause, 0, len(sentences))
	for cause := range sentences {
		all = append(all, cause)
	}
	return all
}

// Box says which kind of box, or which state, the cause is; "" for none.
func (c Cause) Box() string { return sentences[c].box }

// Check says what its reader can do; "" for nothing.
func (c Cause) Check() string { return sentences[c].check }

// Please is what to ask the network team for, to follow that word; "" when it is none of theirs.
func (c Cause) Please() string { return sentences[c].please }

// Sentence says all of it in one, as the hint of an error; "" for no cause.
func (c Cause) Sentence() string {
	text, check, please := c.Box(), c.Check(), c.Please()
	switch {
	case check != "" && please != "":
		return text + ": " + check + ", and ask the network team to " + please
	case please != "":
		return text + ": ask the network team to " + please
	case check != "":
		return text + ": " + check
	}
	return text
}

// named is an error with a cause.
type named struct {
	cause Cause
	err   error
}

func (n *named) Error() string { return n.err.Error() }

func (n *named) Unwrap() error { return n.err }

// Name says which cause an error has and makes its sentence the hint. Kind and message stay.
func Name(err error, cause Cause) error {
	return &named{cause, errkind.Hinted(err, "%s", cause.Sentence())}
}

// Of returns the outermost cause of err, or "".
func Of(err error) Cause {
	if n, ok := errors.AsType[*named](err); ok {
		return n.cause
	}
	return ""
}

// OfDial says what usually lies behind a TCP connection that could not be opened.
func OfDial(err error) Cause {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return UnknownName
	case errors.As(err, &dns):
		return DNSSilent
	case errors.Is(err, syscall.ECONNREFUSED):
		return PortClosed
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return NoRoute
	case errors.Is(err, syscall.ECONNRESET):
		return Cut
	}
	return NoAnswer
}

// Attr is the cause of err for the log, key "cause"; an empty attribute, which handlers leave out,
// when there is none.
func Attr(err error) slog.Attr {
	if cause := Of(err); cause != "" {
		return slog.String("cause", string(cause))
	}
	return slog.Attr{}
}
