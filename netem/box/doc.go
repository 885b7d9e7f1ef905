// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package box is the middleboxes that are programs: proxies, balancers that end connections,
// inspectors and captive portals, on hosts of a netem world.
//
// A program is a value that says how it behaves; Run puts it on a host and a port. A Prober checks
// the backends of a netem.Balancer, which is a table and cannot look by itself. An Authority issues
// the certificates of those that end TLS.
//
// They do as much as a peer can notice at the other end of a connection. They keep no logs, no
// caches and no statistics, and speak neither HTTP/2 nor UDP.
//
//  1. What Run starts ends with Close, which waits for it.
//  2. TCP keep-alive is off and is not traffic: only bytes keep a connection from being idle.
//  3. Certificates are a function of seed, date and names.
//  4. Every wait of a program has a limit, and its heads and greetings have one in bytes.
//  5. No mutex is held across a wait.
//
// What Run returns is safe for concurrent use. A program's fields are not to be changed while it runs;
// Trouble is for that.
//
// program.go runs programs, watch.go ends quiet connections, tunnel.go carries bytes, greeting.go reads
// the client's first ones. connectproxy.go, socks5.go, tcpproxy.go, httpbalancer.go, tlslistener.go,
// tlsinspector.go and captiveportal.go are the programs, trouble.go what can be wrong with them,
// authority.go their certificates, prober.go the health checks.
package box
