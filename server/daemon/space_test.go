// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/server/daemon"
)

// machine is a host whose disk is as full, and as broken, as a test says.
type machine struct {
	host.Fsync
	free     atomic.Int64 // bytes of a disk of diskBytes
	isBroken atomic.Bool
}

const diskBytes = 1 << 30

func (m *machine) Sync(f *os.File) error {
	if m.isBroken.Load() {
		return &fs.PathError{Op: "sync", Path: f.Name(), Err: syscall.EIO}
	}
	return m.Fsync.Sync(f)
}

func (m *machine) env() host.Env {
	env := quiet()
	env.Disk = m
	env.Vitals = func(string) host.Vitals {
		return host.Vitals{DiskFreeBytes: m.free.Load(), DiskTotalBytes: diskBytes}
	}
	return env
}

// run starts a server on the machine and returns how it ended.
func (m *machine) run(t *testing.T, home string) (d *daemon.Daemon, ended <-chan error) {
	t.Helper()
	s := daemon.DefaultSettings()
	s.HTTP, s.Link, s.ReserveMB = "127.0.0.1:0", "127.0.0.1:0", 1
	d, err := daemon.New(t.Context(), daemon.Options{Home: daemon.Home(home), Settings: s, Version: "test"}, m.env())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	var work sync.WaitGroup
	work.Go(func() { end <- d.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		work.Wait()
	})
	<-d.Ready()
	return d, end
}

// TestNewWorkIsRefusedOnAFullDisk: what is new is refused with a sentence, what is there can be read,
// and it comes back by itself.
func TestNewWorkIsRefusedOnAFullDisk(t *testing.T) {
	m, home := new(machine), t.TempDir()
	m.free.Store(diskBytes / 2)
	d, _ := m.run(t, home)
	s := newSite(t, home, d)
	ask := func(method, path, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Octopus-ApiKey", s.key)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	const work = `{"Name":"Health"}`
	const full = "The disk that holds the server's home is full (50 MB of 1.0 GB are free)"
	look := func(isFull bool) {
		t.Helper()
		code, text := ask("POST", "/api/Spaces-1/tasks", work)
		if refused := code == http.StatusServiceUnavailable && strings.Contains(text, full); refused != isFull {
			t.Errorf("full %v: a new task answers %d %s", isFull, code, text)
		}
		if code, text := ask("GET", "/healthz", ""); code != http.StatusOK || strings.Contains(text, full) != isFull {
			t.Errorf("full %v: /healthz answers %d %s", isFull, code, text)
		}
		if code, text := ask("GET", "/api/serverstatus", ""); code != http.StatusOK || strings.Contains(text, full) != isFull {
			t.Errorf("full %v: the status is %d %s", isFull, code, text)
		}
		if code, _ := ask("GET", "/api/Spaces-1/environments", ""); code != http.StatusOK {
			t.Errorf("full %v: a list answers %d", isFull, code)
		}
		var status struct{ Warning string }
		if must(t, &status, "status", "--home", home); strings.Contains(status.Warning, full) != isFull {
			t.Errorf("full %v: the command's warning is %q", isFull, status.Warning)
		}
	}
	look(false)
	m.free.Store(50 << 20) // 95.1 % used
	look(true)
	m.free.Store(diskBytes / 2)
	look(false)
}

// TestServerEndsWhenASyncFails: nothing is acknowledged after it, and the program ends with an error.
func TestServerEndsWhenASyncFails(t *testing.T) {
	m, home := new(machine), t.TempDir()
	m.free.Store(diskBytes / 2)
	d, ended := m.run(t, home)
	s := newSite(t, home, d)
	m.isBroken.Store(true)
	began := time.Now()
	body := bytes.NewReader(tarball("content"))
	if err := s.ask(t.Context(), "POST", "/api/Spaces-1/packages/raw?fileName=Web.1.0.0.tar", body, nil); err == nil {
		t.Error("a package that was not synced is acknowledged")
	}
	err := <-ended
	if !errors.Is(err, syscall.EIO) || errkind.Hint(err) == "" || !strings.Contains(err.Error(), "disk: a sync failed") {
		t.Errorf("the server ended with %v (hint %q)", err, errkind.Hint(err))
	}
	t.Logf("it took %v", time.Since(began))
}

// TestDamageNamesTheCommand: a start that is refused says word for word how to restore.
func TestDamageNamesTheCommand(t *testing.T) {
	home := t.TempDir()
	newDaemon(t, home).Close()
	path := filepath.Join(home, "fairlead.db")
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(make([]byte, 8<<10), 4<<10)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	o := command(t, "run", "--home", home, "--http", "127.0.0.1:0", "--link", "127.0.0.1:0")
	want := "mv " + home + " " + home + ".damaged && fairlead-server restore BACKUP-FOLDER --home " + home
	if o.kind != "corrupt" || !strings.Contains(o.hint, want) {
		t.Errorf("kind %q, %s, hint %q; want corrupt and %q", o.kind, o.err, o.hint, want)
	}
}
