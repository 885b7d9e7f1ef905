// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"hash"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const benchBytes = 256 << 20

// BenchmarkReceive takes 256 MiB from a TLS 1.3 connection on the loopback through SHA-256 into a
// file: by receive, and by the loop that everybody would write first.
func BenchmarkReceive(b *testing.B) {
	dir := b.TempDir()
	store, err := New(dir, Options{Wall: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	listener, dial := tlsPair(b)
	run := func(name string, take func(io.Reader, hash.Hash, *os.File) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(benchBytes)
			for b.Loop() {
				f, err := os.Create(filepath.Join(dir, "out"))
				if err != nil {
					b.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- send(listener) }()
				conn := dial()
				if err := take(conn, sha256.New(), f); err != nil {
					b.Fatal(err)
				}
				if err := <-done; err != nil {
					b.Fatal(err)
				}
				conn.Close()
				f.Close()
			}
		})
	}
	run("receive", func(r io.Reader, h hash.Hash, f *os.File) error {
		store.mu.Lock()
		room := store.reserve(benchBytes)
		store.mu.Unlock()
		defer room.release()
		_, err := store.receive(r, benchBytes, h, f, room)
		return err
	})
	run("plain-loop", func(r io.Reader, h hash.Hash, f *os.File) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{io.TeeReader(r, h)}, make([]byte, bufferBytes))
		return err
	})
}

func send(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	buffer := make([]byte, 256<<10)
	for left := benchBytes; left > 0; left -= len(buffer) {
		if _, err := conn.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

func tlsPair(b *testing.B) (net.Listener, func() net.Conn) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	return listener, func() net.Conn {
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true})
		if err != nil {
			b.Fatal(err)
		}
		return conn
	}
}
