// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

// A client whose only way out is a proxy, as squid ships it. The HTTP client is Go's own.
func Example() {
	ctx := context.Background()
	w := netem.New(netem.Options{Seed: 1})
	defer w.Close()
	lan := w.Net("lan", netip.MustParsePrefix("10.0.0.0/24"))
	client := lan.Host("client", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.1")})
	proxy := lan.Host("proxy", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.2")})
	server := lan.Host("server", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.3")})

	squid, _ := box.FromPreset("squid-connect", box.Setup{})
	running, err := box.Run(ctx, proxy, ":3128", squid)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = running.Close() }()

	l, _ := server.Listen(ctx, "tcp", ":80")
	site := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "you come from %s", r.RemoteAddr[:8])
	})}
	go func() { _ = site.Serve(l) }()
	defer func() { _ = site.Close() }()

	c, err := client.DialContext(ctx, "tcp", "proxy:3128")
	if err != nil {
		fmt.Println(err)
		return
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: "server:80"}, Host: "server:80"}
	_ = request.Write(c)
	answer := make([]byte, 39)
	_, _ = io.ReadFull(c, answer)
	fmt.Printf("%.12s\n", answer)
	_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	page, _ := io.ReadAll(c)
	fmt.Println(string(page[len(page)-22:]))
	// Output:
	// HTTP/1.1 200
	// you come from 10.0.0.2
}
