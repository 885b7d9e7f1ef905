// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/daemon"
)

// tarball is a package with one file.
func tarball(text string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "a.txt", Mode: 0o600, Size: int64(len(text))}) // a buffer takes all
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// newBackup makes a small home and a backup of it.
func newBackup(t *testing.T) (base, folder string) {
	t.Helper()
	base = t.TempDir()
	home, folder := filepath.Join(base, "home"), filepath.Join(base, "backup")
	newDaemon(t, home).Close()
	put(t, filepath.Join(home, "server.toml"), "task_limit = 7\n")
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	return base, folder
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, string(f(text)))
}

func replaced(old, fresh string) func([]byte) []byte {
	return func(text []byte) []byte { return bytes.Replace(text, []byte(old), []byte(fresh), 1) }
}

func half(text []byte) []byte { return text[:len(text)/2] }

// flip alters one bit in the middle.
func flip(text []byte) []byte {
	text[len(text)/2] ^= 1
	return text
}

// TestB3DamagedBackup covers case B3: each is refused before the target is touched.
func TestB3DamagedBackup(t *testing.T) {
	_, sound := newBackup(t)
	for _, c := range []struct {
		name, file string
		change     func([]byte) []byte // nil removes the file
		kind, want string
	}{
		{"B3 truncated database", "fairlead.db", half, "corrupt", "the manifest says"},
		{"B3 altered database", "fairlead.db", flip, "corrupt", "was altered"},
		{"B3 altered key", "identity.pem", flip, "corrupt", "was altered"},
		{"B3 altered settings", "server.toml", flip, "corrupt", "was altered"},
		{"B3 missing file", "server.toml", nil, "corrupt", "is missing"},
		{"B3 unfinished", "manifest.json", nil, "corrupt", "not finished"},
		{"B3 truncated manifest", "manifest.json", half, "corrupt", "cannot be read"},
		{"B3 empty manifest", "manifest.json", func([]byte) []byte { return nil }, "corrupt", "cannot be read"},
		{
			"B3 manifest with more", "manifest.json",
			func(text []byte) []byte { return append(text, "{}"...) },
			"corrupt", "goes on",
		},
		{"B3 manifest of a newer version", "manifest.json", replaced("backup/1", "backup/2"), "invalid", "backup/2"},
		{"B3 unknown field", "manifest.json", replaced(`"version"`, `"virsion"`), "corrupt", "virsion"},
		{"B3 path outside", "manifest.json", replaced(`"server.toml"`, `"../server.toml"`), "corrupt", "no path inside"},
		{"B3 absolute path", "manifest.json", replaced(`"server.toml"`, `"/etc/passwd"`), "corrupt", "no path inside"},
		{"B3 path not clean", "manifest.json", replaced(`"server.toml"`, `"./server.toml"`), "corrupt", "no path inside"},
		{"B3 path of another", "manifest.json", replaced(`"server.toml"`, `"lock"`), "corrupt", "no server's home"},
		{
			"B3 package under another name", "manifest.json",
			replaced(`"server.toml"`, `"packages/aa/`+strings.Repeat("b", 64)+`"`), "corrupt", "no server's home",
		},
		{"B3 log with a path", "manifest.json", replaced(`"server.toml"`, `"logs/..log"`), "corrupt", "no server's home"},
		{"B3 path twice", "manifest.json", replaced(`"server.toml"`, `"fairlead.db"`), "corrupt", "twice"},
		{"B3 no database", "manifest.json", replaced(`"fairlead.db"`, `"logs/a.log"`), "corrupt", "does not name fairlead.db"},
		{"B3 negative size", "manifest.json", replaced(`"size":15`, `"size":-15`), "corrupt", "-15 bytes"},
		{"B3 another size", "manifest.json", replaced(`"size":15`, `"size":16`), "corrupt", "the manifest says 16"},
		{"B3 another installation", "manifest.json", replaced(`"installation":"`, `"installation":"x`), "corrupt", "installation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, folder := t.TempDir(), filepath.Join(t.TempDir(), "backup")
			if err := os.CopyFS(folder, os.DirFS(sound)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(folder, c.file)
			if c.change == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				change(t, path, c.change)
			}
			refusedUntouched(t, base, folder, c.kind, c.want)
		})
	}
}

// refusedUntouched restores into a new home, in which nothing may lie afterwards but a lock.
func refusedUntouched(t *testing.T, base, folder, kind, want string) {
	t.Helper()
	target := filepath.Join(base, "target")
	refused(t, kind, want, "restore", folder, "--home", target)
	if kind == "corrupt" && want == "installation" { // the database had to be opened
		if left := listing(t, target); len(left) != 1 || left[0] != "lock" {
			t.Errorf("the home holds %v, want its lock alone", left)
		}
		return
	}
	if _, err := os.Lstat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the target was touched: %v", listing(t, target))
	}
}

// TestB3StrangeFiles covers case B3 where the folder holds what no backup writes.
func TestB3StrangeFiles(t *testing.T) {
	t.Run("B3 extra file", func(t *testing.T) {
		base, folder := newBackup(t)
		put(t, filepath.Join(folder, "extra"), "")
		refusedUntouched(t, base, folder, "corrupt", `"extra", which the manifest does not name`)
	})
	t.Run("B3 extra file in a folder", func(t *testing.T) {
		base, folder := newBackup(t)
		if err := os.Mkdir(filepath.Join(folder, "logs"), 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(folder, "logs", "ServerTasks-1.log"), "")
		refusedUntouched(t, base, folder, "corrupt", "does not name")
	})
	t.Run("B3 link", func(t *testing.T) {
		base, folder := newBackup(t)
		path := filepath.Join(folder, "server.toml")
		if err := errors.Join(os.Rename(path, filepath.Join(base, "away")), os.Symlink("../away", path)); err != nil {
			t.Fatal(err)
		}
		refusedUntouched(t, base, folder, "corrupt", "no plain file")
	})
	t.Run("B3 no folder", func(t *testing.T) {
		base := t.TempDir()
		refusedUntouched(t, base, filepath.Join(base, "none"), "not-found", "look for the backup")
	})
}

func TestRestoreRefusesAUsedHome(t *testing.T) {
	base, folder := newBackup(t)
	used := filepath.Join(base, "used")
	_, stop := start(t, used)
	refused(t, "conflict", "in use", "restore", folder, "--home", used)
	stop()
	before := listing(t, used)
	refused(t, "conflict", "already", "restore", folder, "--home", used)
	if err := os.RemoveAll(filepath.Join(used, "packages")); err != nil {
		t.Fatal(err)
	}
	refused(t, "conflict", "holds logs already", "restore", folder, "--home", used)
	if after := listing(t, used); len(after) != len(before) {
		t.Errorf("a refused restore left %v, was %v", after, before)
	}
}

// TestRestoreAfterOneThatWasKilled finds what the first one left, and does it again.
func TestRestoreAfterOneThatWasKilled(t *testing.T) {
	base, folder := newBackup(t)
	target := filepath.Join(base, "target")
	if err := os.MkdirAll(filepath.Join(target, "restoring"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(target, "restoring", "fairlead.db"), "half")
	var r daemon.Restored
	must(t, &r, "restore", folder, "--home", target)
	if _, err := os.Stat(filepath.Join(target, "restoring")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder in the making is still there: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(target, "server.toml")); err != nil || string(text) != "task_limit = 7\n" {
		t.Errorf("server.toml is %q, %v", text, err)
	}
	newDaemon(t, target).Close()
}

// TestRestoreSettlesLogs has logs that were copied after the database and tell more or less.
func TestRestoreSettlesLogs(t *testing.T) {
	base := t.TempDir()
	home, folder, target := filepath.Join(base, "home"), filepath.Join(base, "backup"), filepath.Join(base, "target")
	newDaemon(t, home).Close()
	const line, mark = `{"n":1,"t":1,"c":"Info","s":"hello"}` + "\n", `{"finished":true}` + "\n"
	logs := filepath.Join(home, "logs")
	put(t, filepath.Join(logs, "ServerTasks-1.log"), line+mark) // had not ended for the database
	put(t, filepath.Join(logs, "ServerTasks-2.log"), line)      // had ended, and was not marked
	put(t, filepath.Join(logs, "ServerTasks-3.log"), line+mark)
	put(t, filepath.Join(logs, "ServerTasks-4.log"), line+`{"n":2`)
	put(t, filepath.Join(logs, "ServerTasks-9.log"), line) // came after the database
	addTasks(t, home)
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	var r daemon.Restored
	must(t, &r, "restore", folder, "--home", target)
	if made.Logs != 5 || r.Logs != 4 || r.Unfinished != 2 || len(r.Missing) != 1 {
		t.Errorf("%d logs saved, %d back, %d tasks unfinished, missing %q; want 5, 4, 2 and one package",
			made.Logs, r.Logs, r.Unfinished, r.Missing)
	}
	told := regexp.MustCompile(`\{"n":2,"t":[0-9]+,"c":"Fatal","s":"Failed: the server was restored from a backup of [^"]+"\}`)
	for name, want := range map[string]string{
		"1": line + "(told)\n" + mark, "2": line + mark, "3": line + mark, "4": line + "(told)\n" + mark, "9": "",
	} {
		got, err := os.ReadFile(filepath.Join(target, "logs", "ServerTasks-"+name+".log"))
		got = told.ReplaceAll(got, []byte("(told)"))
		if err != nil && (want != "" || !errors.Is(err, os.ErrNotExist)) || string(got) != want {
			t.Errorf("log %s is %q, %v; want %q", name, got, err, want)
		}
	}
}

// addTasks puts tasks, and a package without content, into the database of a home.
func addTasks(t *testing.T, home string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "fairlead.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1e9, 0)
	err = db.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(
			w.PutTask(deploy.Task{ID: "ServerTasks-1", Kind: deploy.HealthTask, State: deploy.TaskExecuting, QueuedAt: at}),
			w.PutTask(deploy.Task{ID: "ServerTasks-2", Kind: deploy.HealthTask, State: deploy.TaskSuccess, QueuedAt: at}),
			w.PutTask(deploy.Task{ID: "ServerTasks-3", Kind: deploy.HealthTask, State: deploy.TaskFailed, QueuedAt: at}),
			w.PutTask(deploy.Task{ID: "ServerTasks-4", Kind: deploy.HealthTask, State: deploy.TaskQueued, QueuedAt: at}),
			w.PutPackage(deploy.Package{ID: "Web", Version: "1.0.0", SHA256: strings.Repeat("a", 64), PublishedAt: at}),
		)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
