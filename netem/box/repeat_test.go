// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"testing/cryptotest"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

// TestProgramsRunTheSameTwice: clients by way of every program, all at once, with a fault in between,
// leave the same trace to the last byte in two runs.
func TestProgramsRunTheSameTwice(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var got [2]netem.Digest
	for i := range got {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 3)
			onStreet(t, func(t *testing.T, s *street) {
				everyProgram(t, s)
				var err error
				if got[i], err = s.w.Digest(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
	if got[0] != got[1] {
		t.Errorf("two runs differ: %+v, %+v", got[0], got[1])
	}
	if got[0].Lines < 500 {
		t.Errorf("%d lines: nothing happened", got[0].Lines)
	}
}

func everyProgram(t *testing.T, s *street) {
	t.Helper()
	cloud := authority(t, "Cloud CA")
	proxy := &box.ConnectProxy{Idle: 30 * time.Second}
	tcp := &box.TCPProxy{To: []string{"server:7"}, SendProxy: 2, Idle: 30 * time.Second}
	s.run(":3128", proxy)
	s.run(":1080", &box.SOCKS5{})
	s.run(":7", tcp)
	s.run(":8443", &box.TLSListener{Authority: cloud, Name: "mid", To: []string{"server:7"}})
	s.run(":443", &box.HTTPBalancer{Authority: cloud, Name: "mid", To: []string{"server:80"}})
	echo, web := s.listen(s.server, ":7"), s.listen(s.server, ":80")
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	site := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "good evening")
	})}
	go func() { _ = site.Serve(web) }()
	clients := []func() net.Conn{
		func() net.Conn { c := s.dial("mid:3128"); s.connect(c, "server:7", ""); return c },
		func() net.Conn {
			c := s.dial("mid:1080")
			s.socks(c, []byte{0}, "", "", 3, "\x06server", 7)
			return c
		},
		func() net.Conn { return s.dial("mid:7") },
		func() net.Conn {
			return tls.Client(s.dial("mid:8443"), &tls.Config{ServerName: "mid", RootCAs: pool(cloud)})
		},
		func() net.Conn {
			return tls.Client(s.dial("mid:443"), &tls.Config{ServerName: "mid", RootCAs: pool(cloud)})
		},
	}
	for i := range 4 * len(clients) {
		s.rest(time.Millisecond) // one cause at a time: dials of one instant have no order but that of the scheduler
		go func() {
			c := clients[i%len(clients)]()
			for range 5 {
				_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: mid\r\nX: %d\r\n\r\n", i)
				_, _ = c.Read(make([]byte, 1000))
				s.rest(7 * time.Second)
			}
			_ = c.Close()
		}()
	}
	s.rest(10 * time.Second)
	heal := s.w.Inject(proxy.Fault("proxy.slow", "mid", box.Misbehaviour{Delay: time.Second}))
	clog := s.w.Inject(netem.Clog{Host: s.mid})
	s.rest(10 * time.Second)
	clog()
	heal()
	s.rest(5 * time.Minute)
	_ = echo.Close()
	_ = site.Close()
}
