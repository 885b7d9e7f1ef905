// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/errkind"
)

func TestGodebugAddsWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		now, want string
		complete  bool
	}{
		{"", "asyncpreemptoff=1,randautoseed=0,tlsmlkem=0,adaptivestackstart=1", false},
		{"netdns=go", "netdns=go,asyncpreemptoff=1,randautoseed=0,tlsmlkem=0,adaptivestackstart=1", false},
		{"tlsmlkem=0,randautoseed=0", "tlsmlkem=0,randautoseed=0,asyncpreemptoff=1,adaptivestackstart=1", false},
		{
			"a=1,adaptivestackstart=1,randautoseed=0,tlsmlkem=0,asyncpreemptoff=1",
			"a=1,adaptivestackstart=1,randautoseed=0,tlsmlkem=0,asyncpreemptoff=1", true,
		},
	} {
		if got, complete := godebug(c.now); got != c.want || complete != c.complete {
			t.Errorf("godebug(%q) = %q, %v, want %q, %v", c.now, got, complete, c.want, c.complete)
		}
		if again, complete := godebug(c.want); again != c.want || !complete {
			t.Errorf("godebug(%q) = %q, %v: it must be complete now", c.want, again, complete)
		}
	}
}

func TestIdleTellsNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		idle := Idle{Every: time.Hour, Tell: func(now time.Time) {
			told++
			if !now.Equal(time.Now()) {
				t.Errorf("told %s, the bubble has %s", now, time.Now())
			}
		}}
		for range 10 * roundsPerLook {
			idle.Round()
		}
		if told != 1 {
			t.Errorf("told %d times within a second, want once", told)
		}
	})
}

// program is a main that runs a day inside a bubble and prints what it can see of the discipline.
const program = `package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"fairlead/sim/bubble"
)

func main() {
	out := os.Stdout
	err := bubble.Main(func(t *testing.T) error {
		cryptotest.SetGlobalRandom(t, 7)
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			time.Sleep(24 * time.Hour)
			b := make([]byte, 8)
			rand.Read(b)
			fmt.Fprintln(out, time.Since(began), hex.EncodeToString(b), runtime.GOMAXPROCS(0), debug.SetGCPercent(-1))
		})
		if len(os.Args) > 1 && os.Args[1] == "broken" {
			t.Error("something broke off")
			return nil
		}
		if len(os.Args) > 1 {
			return errors.New("arguments " + os.Args[1])
		}
		return nil
	})
	fmt.Fprintln(out, "error:", err)
}
`

// TestMainInAPlainProgram builds a program twice: with what it needs, and without.
func TestMainInAPlainProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to build with")
	}
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(name string, flags ...string) string {
		path := filepath.Join(t.TempDir(), name)
		args := append(append([]string{"build", "-o", path}, flags...), source)
		if out, err := exec.Command(goTool, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return path
	}
	run := func(path string, args ...string) string {
		out, err := exec.Command(path, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	right := build("right", "-ldflags", "-X testing.testBinary=1")
	first, second := run(right), run(right)
	if first != second || !strings.HasPrefix(first, "24h0m0s ") || !strings.HasSuffix(first, " 1 -1\nerror: <nil>\n") {
		t.Errorf("two runs said\n%s%s", first, second)
	}
	if got := run(right, "x"); !strings.Contains(got, "error: arguments x") {
		t.Errorf("with an error of its own: %s", got)
	}
	if got := run(right, "broken"); !strings.Contains(got, "a run broke off") || !strings.Contains(got, "something broke off") {
		t.Errorf("with a broken test: %s", got)
	}
	if got := run(build("wrong")); !strings.Contains(got, "built without") {
		t.Errorf("without the flag: %s", got)
	}
}

// TestOverlayKnowsTheRuntime: the place is in the Go that runs this test, once, and another list stays.
func TestOverlayKnowsTheRuntime(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to ask for GOROOT")
	}
	root, err := exec.Command(goTool, "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	also := filepath.Join(dir, "also.json")
	if err := os.WriteFile(also, []byte(`{"Replace": {"/a.go": "/b.go"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := Overlay(strings.TrimSpace(string(root)), dir, also)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(list), `"/a.go": "/b.go"`) || !strings.Contains(string(list), "runtime/proc.go") {
		t.Errorf("%v: the list is %s", err, list)
	}
	changed, err := os.ReadFile(filepath.Join(dir, "proc.go"))
	if err != nil || strings.Count(string(changed), changedTo) != 1 {
		t.Errorf("%v: the change is not in the copy", err)
	}
}

func TestOverlayRefusesAnotherRuntime(t *testing.T) {
	root := t.TempDir()
	if _, err := Overlay(root, root, ""); errkind.Of(err) != errkind.NotFound {
		t.Errorf("no runtime: %v, want NotFound", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "src", "runtime"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, changedFile), []byte("package runtime\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Overlay(root, root, ""); errkind.Of(err) != errkind.Conflict {
		t.Errorf("another runtime: %v, want Conflict", err)
	}
	if _, err := Overlay(root, root, filepath.Join(root, "none")); errkind.Of(err) != errkind.Invalid {
		t.Errorf("a list that is not there: %v, want Invalid", err)
	}
}
