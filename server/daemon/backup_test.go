// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/internal/cli"
	"fairlead/internal/host"
	"fairlead/server/daemon"
)

func quiet() host.Env { return host.Real(slog.New(slog.DiscardHandler)) }

// newDaemon makes a server of the home, with ports of its own.
func newDaemon(t *testing.T, home string) *daemon.Daemon {
	t.Helper()
	s := daemon.DefaultSettings()
	s.HTTP, s.Link = "127.0.0.1:0", "127.0.0.1:0"
	d, err := daemon.New(t.Context(), daemon.Options{Home: daemon.Home(home), Settings: s, Version: "test"}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// start runs a server until stop is called.
func start(t *testing.T, home string) (d *daemon.Daemon, stop func()) {
	t.Helper()
	d = newDaemon(t, home)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var work sync.WaitGroup
	work.Go(func() { ended <- d.Run(ctx) })
	select {
	case <-d.Ready():
	case err := <-ended:
		t.Fatalf("the server ended: %v", err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		work.Wait()
	})
	t.Cleanup(stop)
	return d, stop
}

// outcome is what a command line gave.
type outcome struct {
	code     int
	out, err string
	kind     string // of the error
	hint     string
}

func command(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	std := cli.IO{Out: &out, Err: &errs}
	code := daemon.Main(t.Context(), append([]string{"--json"}, args...), std, "test", func(*slog.Logger) host.Env { return quiet() })
	var problem struct {
		Error struct{ Kind, Message, Hint string }
	}
	if code != 0 {
		if err := json.Unmarshal(errs.Bytes(), &problem); err != nil {
			t.Fatalf("%v: %q is no error in JSON: %v", args, errs.String(), err)
		}
	}
	return outcome{code, out.String(), problem.Error.Message, problem.Error.Kind, problem.Error.Hint}
}

func must(t *testing.T, result any, args ...string) {
	t.Helper()
	o := command(t, args...)
	if o.code != 0 {
		t.Fatalf("%v: %d, %s (%s)", args, o.code, o.err, o.hint)
	}
	if err := json.Unmarshal([]byte(o.out), result); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

func refused(t *testing.T, kind, message string, args ...string) {
	t.Helper()
	o := command(t, args...)
	if o.kind != kind || !strings.Contains(o.err, message) || o.hint == "" {
		t.Errorf("%v: kind %q, %q, hint %q; want %s, %q and a hint", args, o.kind, o.err, o.hint, kind, message)
	}
}

// site is a running server that is asked over its HTTP port.
type site struct {
	url, key string
}

func newSite(t *testing.T, home string, d *daemon.Daemon) site {
	t.Helper()
	var key struct{ ApiKey string }
	must(t, &key, "admin", "api-key", "--home", home)
	return site{"http://" + d.Bound().HTTP, key.ApiKey}
}

func (s site) ask(ctx context.Context, method, path string, body io.Reader, reply any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("X-Octopus-ApiKey", s.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	if err == nil && reply != nil {
		err = json.Unmarshal(text, reply)
	}
	return err
}

// write adds environments, packages and log lines until stop is closed; at tells how many were added.
func (s site) write(ctx context.Context, log *os.File, stop <-chan struct{}, at func(n int)) error {
	for n := 1; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		body := fmt.Sprintf(`{"Name":"Stage %d"}`, n)
		if err := s.ask(ctx, "POST", "/api/Spaces-1/environments", strings.NewReader(body), nil); err != nil {
			return err
		}
		content := tarball(fmt.Sprintf("content %d", n))
		path := fmt.Sprintf("/api/Spaces-1/packages/raw?fileName=Web.1.0.%d.tar", n)
		if err := s.ask(ctx, "POST", path, bytes.NewReader(content), nil); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(log, "{\"n\":%d}\n{\"torn\"", n); err != nil {
			return err
		}
		at(n)
	}
}

// counter is how many rows are known to be there.
type counter struct {
	mu      sync.Mutex
	n       int
	changed chan struct{}
}

func (c *counter) set(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n = n
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *counter) get() (int, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.changed
}

func (c *counter) wait(t *testing.T, least int) int {
	t.Helper()
	for {
		n, changed := c.get()
		if n >= least {
			return n
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("the writer came to no more rows")
		}
	}
}

// TestBackupOfAServerThatWorks backs up a server while rows, packages and logs are written, and
// starts another from that: everything acknowledged before the backup must be there.
func TestBackupOfAServerThatWorks(t *testing.T) {
	base := t.TempDir()
	home, folder, second := filepath.Join(base, "home"), filepath.Join(base, "backup"), filepath.Join(base, "second")
	d, stopServer := start(t, home)
	s := newSite(t, home, d)
	log, err := os.Create(filepath.Join(home, "logs", "ServerTasks-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	count := counter{changed: make(chan struct{})}
	stop, failed := make(chan struct{}), make(chan error, 1)
	var work sync.WaitGroup
	work.Go(func() {
		err := s.write(t.Context(), log, stop, count.set)
		failed <- err
	})
	before := count.wait(t, 20)
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	after, _ := count.get()
	count.wait(t, after+5) // the server goes on
	close(stop)
	work.Wait()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	stopServer()
	wholeLinesOnly(t, filepath.Join(folder, "logs", "ServerTasks-1.log"), before)

	var restored daemon.Restored
	must(t, &restored, "restore", folder, "--home", second)
	if restored.Pin != d.Pin() || restored.Installation != made.Installation || len(restored.Missing) > 0 {
		t.Errorf("restored %+v; want pin %s, installation %s, nothing missing", restored, d.Pin(), made.Installation)
	}
	again, _ := start(t, second)
	if again.Pin() != d.Pin() {
		t.Errorf("the restored server has pin %s, want %s", again.Pin(), d.Pin())
	}
	s.url = "http://" + again.Bound().HTTP // the key is a row as well
	environments := s.environments(t)
	if environments < before || environments > after+1 {
		t.Errorf("%d environments came back; %d were there before the backup, %d after", environments, before, after)
	}
	for n := 1; n <= before; n++ {
		if err := s.ask(t.Context(), "GET", fmt.Sprintf("/api/Spaces-1/packages/packages-Web.1.0.%d", n), nil, nil); err != nil {
			t.Errorf("package %d did not come back: %v", n, err)
		}
	}
	t.Logf("%d rows before, %d back, %d after; %d bytes", before, environments, after, made.Bytes)
}

// environments counts the environments of write, which have no gaps.
func (s site) environments(t *testing.T) int {
	t.Helper()
	var all []struct{ Name string }
	if err := s.ask(t.Context(), "GET", "/api/Spaces-1/environments/all", nil, &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	for n := 1; ; n++ {
		if !slices.Contains(names, fmt.Sprintf("Stage %d", n)) {
			if len(names) != n-1 {
				t.Errorf("environment %d is missing among %d", n, len(names))
			}
			return n - 1
		}
	}
}

func wholeLinesOnly(t *testing.T, file string, least int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(text, []byte("\n")) || bytes.Count(text, []byte("\n")) < least {
		t.Errorf("the copied log has %d lines and ends with %.20q; want %d whole lines or more",
			bytes.Count(text, []byte("\n")), text[max(0, len(text)-20):], least)
	}
}

// TestBackupWhereNoServerRuns opens the home itself, and leaves nothing in it.
func TestBackupWhereNoServerRuns(t *testing.T) {
	base := t.TempDir()
	home, folder := filepath.Join(base, "home"), filepath.Join(base, "backup")
	newDaemon(t, home).Close()
	if err := os.WriteFile(filepath.Join(home, "server.toml"), []byte("task_limit = 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := listing(t, home)
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	if after := listing(t, home); !slices.Equal(before, after) {
		t.Errorf("the home holds %v after the backup, %v before", after, before)
	}
	want := []string{"fairlead.db", "identity.pem", "manifest.json", "server.toml"}
	if got := listing(t, folder); !slices.Equal(got, want) {
		t.Errorf("the backup holds %v, want %v", got, want)
	}
	for _, name := range append(want, ".") {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v: want it private", name, info.Mode(), err)
		}
	}
}

// listing is every file below a folder, by path.
func listing(t *testing.T, folder string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(folder, path)
			files = append(files, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

func TestBackupRefusesPlaces(t *testing.T) {
	base := t.TempDir()
	home := filepath.Join(base, "home")
	newDaemon(t, home).Close()
	refused(t, "conflict", "it exists", "backup", base, "--home", home)
	refused(t, "invalid", "lies in the server's home", "backup", filepath.Join(home, "packages", "b"), "--home", home)
	refused(t, "not-found", "no such file", "backup", filepath.Join(base, "no", "b"), "--home", home)
	refused(t, "not-found", "has no fairlead.db", "backup", filepath.Join(base, "b"), "--home", filepath.Join(base, "other"))
	if _, err := os.Stat(filepath.Join(base, "b")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a backup that went wrong left its folder: %v", err)
	}
}

// TestBackupTakesAnUnfinishedFolderAway has a database that cannot be read.
func TestBackupTakesAnUnfinishedFolderAway(t *testing.T) {
	base := t.TempDir()
	home, folder := filepath.Join(base, "home"), filepath.Join(base, "backup")
	newDaemon(t, home).Close()
	put(t, filepath.Join(home, "fairlead.db"), "short")
	refused(t, "corrupt", "only 5 bytes", "backup", folder, "--home", home)
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a backup that went wrong left its folder: %v", err)
	}
}

// TestBackupTellsOfADamagedPackage copies what there is, and says what is not right.
func TestBackupTellsOfADamagedPackage(t *testing.T) {
	base := t.TempDir()
	home, folder := filepath.Join(base, "home"), filepath.Join(base, "backup")
	newDaemon(t, home).Close()
	sum := strings.Repeat("ab", 32)
	if err := os.MkdirAll(filepath.Join(home, "packages", "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ab/" + sum, "incoming-1", "ab/other"} {
		if err := os.WriteFile(filepath.Join(home, "packages", name), []byte("not this"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	if made.Packages != 1 || !slices.Equal(made.Damaged, []string{sum}) {
		t.Errorf("%+v; want one package, damaged", made)
	}
}
