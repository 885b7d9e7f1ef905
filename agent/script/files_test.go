// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func readRecords(t testing.TB, path string) (records []contract.Record, raw []byte) {
	t.Helper()
	_, err := scanLog(path, 0, maxLogBytes, func(b []byte) error {
		raw = append(raw, b...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for rest, at := raw, int64(0); len(rest) > 0; {
		r, after, ok, err := contract.ParseRecord(rest, at)
		if !ok || err != nil {
			t.Fatalf("record at %d: %v, %v", at, ok, err)
		}
		records, rest, at = append(records, r), after, r.End()
	}
	return records, raw
}

func record(t testing.TB, path string, limit int64) *recorder {
	t.Helper()
	r, err := openRecorder(host.Fsync{}, path, limit, noSecrets, func() time.Time { return time.UnixMilli(1) }, make(chan struct{}, 1))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// However the output is cut into writes, and wherever a pause flushes, the bytes are the same.
func TestRecorderKeepsEveryByte(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "log")
		wake := make(chan struct{}, 1)
		r, err := openRecorder(host.Fsync{}, path, maxLogBytes, noSecrets, time.Now, wake)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		for range rapid.IntRange(0, 12).Draw(t, "writes") {
			piece := rapid.OneOf(
				rapid.StringMatching(`[a-c\n]{0,20}`),
				rapid.Just(strings.Repeat("x", contract.MaxRecordText-1)),
				rapid.Just(strings.Repeat("y", 3*contract.MaxRecordText)+"\n"),
			).Draw(t, "piece")
			want.WriteString(piece)
			if n, err := (source{r, contract.Stdout}).Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
			if rapid.Bool().Draw(t, "pause") {
				r.partials(time.Now().Add(time.Hour))
			}
		}
		end, hash, err := r.close()
		if err != nil {
			t.Fatal(err)
		}
		var raw []byte
		if _, err := scanLog(path, 0, maxLogBytes, func(b []byte) error { raw = append(raw, b...); return nil }); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(raw); int64(len(raw)) != end || hex.EncodeToString(sum[:]) != hash {
			t.Fatalf("log of %d bytes, close said %d", len(raw), end)
		}
		var got bytes.Buffer
		for rest, at := raw, int64(0); len(rest) > 0; {
			rec, after, ok, err := contract.ParseRecord(rest, at)
			if !ok || err != nil {
				t.Fatalf("record at %d: %v", at, err)
			}
			got.Write(rec.Text)
			if rec.Flags&contract.FlagMore == 0 {
				got.WriteByte('\n')
			}
			rest, at = after, rec.End()
		}
		if text := want.String(); text != "" && !strings.HasSuffix(text, "\n") {
			want.WriteByte('\n') // the end of the output ends its line
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// However valid text is cut into writes, wherever a pause or the longest record ends a piece, no
// record holds half a character.
func TestRecorderCutsBetweenCharacters(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "log")
		r, err := openRecorder(host.Fsync{}, path, maxLogBytes, noSecrets, time.Now, make(chan struct{}, 1))
		if err != nil {
			t.Fatal(err)
		}
		unit := rapid.StringMatching(`[aé€😀]{1,9}`).Draw(t, "unit")
		text := []byte(strings.Repeat(unit, rapid.IntRange(1, 30_000).Draw(t, "repeats")))
		for len(text) > 0 {
			n := min(len(text), rapid.IntRange(1, 2*contract.MaxRecordText).Draw(t, "bytes"))
			_, _ = source{r, contract.Stdout}.Write(text[:n])
			text = text[n:]
			if rapid.Bool().Draw(t, "pause") {
				r.partials(time.Now().Add(time.Hour))
			}
		}
		if _, _, err := r.close(); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		for at := int64(0); len(raw) > 0; {
			rec, after, ok, parseErr := contract.ParseRecord(raw, at)
			if err != nil || !ok || parseErr != nil {
				t.Fatalf("record at %d: %v, %v", at, err, parseErr)
			}
			if !utf8.Valid(rec.Text) {
				t.Fatalf("record at %d holds half a character: % x", at, rec.Text[max(0, len(rec.Text)-8):])
			}
			raw, at = after, rec.End()
		}
	})
}

func TestLogLimitLeavesAMarkerAndCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, 64<<10)
	line := strings.Repeat("z", 999) + "\n"
	for range 100 {
		_, _ = source{r, contract.Stdout}.Write([]byte(line))
	}
	_, _ = source{r, contract.Stderr}.Write([]byte("late\n"))
	end, _, err := r.close()
	if err != nil || end > 64<<10 {
		t.Fatalf("close = %d, %v", end, err)
	}
	records, _ := readRecords(t, path)
	kept := 0
	var remarks []string
	for _, rec := range records {
		switch rec.Source {
		case contract.Stdout:
			kept++
		case contract.Agent:
			remarks = append(remarks, string(rec.Text))
		}
	}
	want := []string{
		"the log has reached its limit of 65536 bytes: what follows is counted, not kept",
		fmt.Sprintf("not kept: %d lines, %d bytes of stdout; 1 lines, 4 bytes of stderr", 100-kept, 999*(100-kept)),
	}
	if diff := cmp.Diff(want, remarks); diff != "" || kept == 0 || kept == 100 {
		t.Errorf("kept %d, remarks (-want +got):\n%s", kept, diff)
	}
}

// Row 16: a full disk cuts the log; the script is not held up.
func TestFullDiskCutsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, maxLogBytes)
	_, _ = source{r, contract.Stdout}.Write([]byte("kept\n"))
	good := r.file
	var err error
	if r.file, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n, err := (source{r, contract.Stdout}).Write([]byte("lost\n")); n != 5 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	r.file = good // there is room again
	if _, _, err := r.close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.lost, "no space left on device: 3 lines, 12 bytes of stdout") {
		t.Errorf("the verdict would say %q", r.lost)
	}
	records, _ := readRecords(t, path)
	if len(records) != 2 || string(records[0].Text) != "kept" ||
		!strings.Contains(string(records[1].Text), "no space left on device: 3 lines, 12 bytes of stdout") {
		t.Errorf("records %+v", records)
	}
}

func TestExitRecord(t *testing.T) {
	dir := folder(t.TempDir())
	if v, err := dir.exit(); v != nil || err != nil {
		t.Errorf("no file: %v, %v", v, err)
	}
	file, err := dir.allocateExit()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if v, err := dir.exit(); v != nil || err != nil {
		t.Errorf("preallocated: %v, %v", v, err)
	}
	want := contract.Verdict{Outcome: contract.Failed, Code: 3, Reason: strings.Repeat("\x01<", 5000), LogEnd: 9, LogSHA256: emptySHA256}
	if err := writeExit(host.Fsync{}, file, want); err != nil {
		t.Fatal(err)
	}
	want.Reason = shorten(want.Reason, maxReasonBytes)
	got, err := dir.exit()
	if err != nil || got == nil || *got != want {
		t.Fatalf("exit() = %+v, %v, want %+v", got, err, want)
	}
	raw, err := dir.read("exit")
	if err != nil || len(raw) != exitRecordBytes {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	for i := range exitHeaderBytes + 20 { // any damage makes it none
		torn := bytes.Clone(raw)
		torn[i] ^= 0x40
		if err := os.WriteFile(dir.path("exit"), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if v, err := dir.exit(); v != nil || err != nil {
			t.Errorf("byte %d flipped: %+v, %v", i, v, err)
		}
	}
}

// TestRoomForTheExitRecordTakesNoneAway: a second shim may make room after the first has ended.
func TestRoomForTheExitRecordTakesNoneAway(t *testing.T) {
	for name, makeRoom := range map[string]func(folder) error{
		"set aside": func(f folder) error {
			file, err := f.allocateExit()
			return errors.Join(err, file.Close())
		},
		"filled": folder.fillExit,
	} {
		dir := folder(t.TempDir())
		file, err := dir.allocateExit()
		if err != nil {
			t.Fatal(err)
		}
		want := contract.Verdict{Outcome: contract.Succeeded, LogEnd: 7, LogSHA256: emptySHA256}
		// A byte is missing, so that whoever makes room has something to do.
		if err := errors.Join(writeExit(host.Fsync{}, file, want), file.Truncate(exitRecordBytes-1), file.Close()); err != nil {
			t.Fatal(err)
		}
		if err := makeRoom(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := dir.exit(); err != nil || got == nil || *got != want {
			t.Errorf("%s: exit() = %+v, %v, want %+v", name, got, err, want)
		}
		if raw, err := dir.read("exit"); len(raw) < exitRecordBytes || err != nil {
			t.Errorf("%s: room for %d bytes, %v, want %d", name, len(raw), err, exitRecordBytes)
		}
	}
}

func TestClaimHasOneWinner(t *testing.T) {
	dir := folder(t.TempDir())
	const rivals = 16
	won := make(chan bool, rivals)
	for range rivals {
		go func() {
			ok, err := dir.take(host.Fsync{}, claim{Process: host.ProcessID{Pid: 1}})
			won <- ok && err == nil
		}()
	}
	winners := 0
	for range rivals {
		if <-won {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d winners, want 1", winners)
	}
	// After a power cut the name may be there without content: a shim of another boot had it.
	if err := os.Truncate(dir.path("claim"), 0); err != nil {
		t.Fatal(err)
	}
	if c, err := dir.claim(); err != nil || c == nil || c.Verdict != nil || c.Process.BootID != "" {
		t.Errorf("claim() = %+v, %v", c, err)
	}
}

func TestH4PlantedLinksAreNotFollowed(t *testing.T) {
	dir, outside := folder(t.TempDir()), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"exit", "log", "claim.tmp-0"} {
		if err := os.Symlink(outside, dir.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dir.allocateExit(); err == nil {
		t.Error("allocateExit followed a link")
	}
	if _, err := openRecorder(host.Fsync{}, dir.path("log"), maxLogBytes, noSecrets, time.Now, nil); err == nil {
		t.Error("openRecorder followed a link")
	}
	if _, err := dir.read("log"); err == nil {
		t.Error("read followed a link")
	}
	if won, err := dir.take(host.Fsync{}, claim{}); !won || err != nil {
		t.Errorf("take beside a planted link = %v, %v", won, err)
	}
	if raw, _ := os.ReadFile(outside); string(raw) != "precious" {
		t.Errorf("the victim holds %q", raw)
	}
}

func TestLedgerSurvivesTearingAndCutting(t *testing.T) {
	path := filepath.Join(t.TempDir(), ledgerName)
	open := func() *ledger {
		t.Helper()
		l, err := openLedger(host.Fsync{}, path, 10)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	write := func(line string) {
		t.Helper()
		if err := l.write(line); err != nil {
			t.Fatal(err)
		}
		l.take(strings.TrimSuffix(line, "\n"))
	}
	for i := range 12 {
		write(forgotLine(contract.TicketID(fmt.Sprintf("t%d", i)), "Task \"x\"\n", int64(i)))
	}
	if !l.crowded() {
		t.Fatal("12 lines of 10 are not crowded")
	}
	shorter, err := l.cutBack()
	if err != nil {
		t.Fatal(err)
	}
	if l = shorter; l.knows("t1") || !l.knows("t2") || l.crowded() {
		t.Errorf("after cutting back: %d lines, forgotten %v", l.lines, l.forgotten)
	}
	write(epochLine("Other", 5))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("forgot torn 1 \"x"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	l = open()
	write(forgotLine("after", "Task", 1))
	l = open()
	for ticket, want := range map[contract.TicketID]bool{"t0": false, "t1": false, "t2": true, "t11": true, "torn": false, "after": true} {
		if got := l.knows(ticket); got != want {
			t.Errorf("knows(%s) = %v, want %v", ticket, got, want)
		}
	}
	if diff := cmp.Diff(map[string]int64{"Task \"x\"\n": 11, "Other": 5, "Task": 1}, l.epochs); diff != "" {
		t.Errorf("epochs (-want +got):\n%s", diff)
	}
}

// TestLedgerKeepsWhatFollowsALongLine: a line of a newer version may be longer than any of this one.
func TestLedgerKeepsWhatFollowsALongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), ledgerName)
	text := forgotLine("before", "Task", 1) + "newer - 0 \"" + strings.Repeat("x", 100<<10) + "\"\n" + forgotLine("after", "Task", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(host.Fsync{}, path, 10)
	if err != nil {
		t.Fatal(err)
	}
	shorter, err := l.cutBack()
	if err != nil {
		t.Fatal(err)
	}
	if !shorter.knows("before") || !shorter.knows("after") || shorter.lines != 3 {
		t.Errorf("%d lines were kept of 3, forgotten %v", shorter.lines, shorter.forgotten)
	}
}

func TestLedgerBoundsItsTasks(t *testing.T) {
	l := &ledger{epochs: map[string]int64{}, forgotten: map[uint64]struct{}{}}
	for i := range maxTaskCount + 5 {
		l.raise(fmt.Sprint("task", i), 1)
	}
	if len(l.epochs) != maxTaskCount || len(l.tasks) != maxTaskCount || l.epochs["task4"] != 0 || l.epochs["task5"] != 1 {
		t.Errorf("%d epochs, %d tasks", len(l.epochs), len(l.tasks))
	}
}

func TestFileLocksExcludeLikeTheQueue(t *testing.T) {
	locks := []contract.Isolation{none, full, named("a"), named("b")}
	for _, a := range locks {
		for _, b := range locks {
			dir := t.TempDir()
			first, ok, err := tryLock(dir, a)
			if !ok || err != nil {
				t.Fatalf("first %v: %v, %v", a, ok, err)
			}
			second, ok, err := tryLock(dir, b)
			if err != nil || ok == excludes(a, b) {
				t.Errorf("%v beside %v: %v, %v", b, a, ok, err)
			}
			first.release()
			if !ok {
				if second, ok, err = tryLock(dir, b); !ok || err != nil {
					t.Errorf("%v after %v: %v, %v", b, a, ok, err)
				}
			}
			second.release()
		}
	}
}

// H5: names go by a grammar and a deny-list; values never meet a shell.
func TestH5EnvironmentNames(t *testing.T) {
	for _, name := range []string{
		"", "A=B", "A\nB", "A;B", "A B", "$(touch x)", "1A", "BASH_FUNC_x%%", "BASH_FUNC_x", "LD_PRELOAD", "LD_LIBRARY_PATH",
		"LD_AUDIT", "BASH_ENV", "ENV", "IFS", "PATH", "SHELLOPTS", "BASHOPTS", "PS4", "PROMPT_COMMAND", "GCONV_PATH",
		"GLIBC_TUNABLES", "CDPATH", "Ä", "FAIRLEAD_HOME",
	} {
		if entries, err := exported(map[string]string{ExportPrefix + name: "x"}); errkind.Of(err) != errkind.Invalid || err == nil {
			t.Errorf("exported(%q) = %q, %v, want Invalid", name, entries, err)
		}
	}
	got, err := environment(map[string]string{
		"env:B_2": "a=b\n$(x);`y`", "env:_a": "", "env:HOME": "/srv", "PATH": "/evil", "LD_PRELOAD": "/evil.so", "Octopus.Name": "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]string{}
	for _, entry := range got {
		name, value, _ := strings.Cut(entry, "=")
		if _, twice := byName[name]; twice {
			t.Errorf("%s comes twice", name)
		}
		byName[name] = value
	}
	delete(byName, "USER")
	want := map[string]string{"B_2": "a=b\n$(x);`y`", "_a": "", "HOME": "/srv", "LANG": "C.UTF-8", "PATH": host.SearchPath}
	if diff := cmp.Diff(want, byName); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if _, err := exported(map[string]string{"env:A": strings.Repeat("x", maxExportBytes+1)}); errkind.Of(err) != errkind.Exhausted {
		t.Errorf("a long value = %v, want Exhausted", err)
	}
}

// noSpace is a disk without space for the content of files.
type noSpace struct{ host.Fsync }

func (noSpace) Sync(f *os.File) error {
	return &os.PathError{Op: "sync", Path: f.Name(), Err: syscall.ENOSPC}
}

// TestFullDiskClaims covers row 15 at the claim: not a byte is needed to prove that nothing was started.
func TestFullDiskClaims(t *testing.T) {
	dir := folder(filepath.Join(t.TempDir(), "t-1"))
	if err := dir.create(host.Fsync{}, "order.json", []byte(`{"ticket":"t-1"}`), 0); err != nil {
		t.Fatal(err)
	}
	dir.noteTrouble(fmt.Errorf("make room for the exit record: %w", syscall.ENOSPC))
	never := &contract.Verdict{Outcome: contract.NotStarted, Reason: "the shim ended", LogSHA256: emptySHA256}
	if won, err := dir.take(noSpace{}, claim{Verdict: never}); !won || err != nil {
		t.Fatalf("the agent's claim on a full disk: %v, %v", won, err)
	}
	got, err := dir.claim()
	if err != nil || got == nil || got.Verdict == nil || got.Verdict.Outcome != contract.NotStarted ||
		!strings.Contains(got.Verdict.Reason, "make room for the exit record") {
		t.Errorf("the claim says %+v, %v", got, err)
	}
	for name, late := range map[string]claim{"shim": {Process: host.ProcessID{Pid: 1}}, "agent": {Verdict: never}} {
		if won, err := dir.take(host.Fsync{}, late); won || err != nil {
			t.Errorf("a late claim of the %s: %v, %v", name, won, err)
		}
	}
}

// TestUnsavedVerdictIsTakenBack: a verdict whose sync failed is no verdict.
func TestUnsavedVerdictIsTakenBack(t *testing.T) {
	dir := folder(t.TempDir())
	file, err := dir.allocateExit()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = writeExit(noSpace{}, file, contract.Verdict{Outcome: contract.Succeeded, LogEnd: 7})
	if errkind.Of(err) != errkind.Exhausted {
		t.Errorf("writeExit = %v, want exhausted", err)
	}
	v, err := dir.exit()
	if err != nil || v == nil || v.Outcome != contract.Indeterminate || v.LogEnd != 7 ||
		!strings.Contains(v.Reason, "storage failed") || !strings.HasSuffix(v.Reason, "succeeded") {
		t.Errorf("the exit record says %+v, %v", v, err)
	}
}
