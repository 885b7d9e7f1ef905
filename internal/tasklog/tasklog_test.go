// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/tasklog"
)

const task deploy.TaskID = "ServerTasks-1"

func wall() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

func open(t testing.TB, dir string) *tasklog.Folder {
	t.Helper()
	f, err := tasklog.Open(dir, host.Fsync{}, wall)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	return f
}

func writer(t testing.TB, f *tasklog.Folder) *tasklog.Writer {
	t.Helper()
	w, err := f.Writer(task)
	if err != nil {
		t.Fatalf("Writer() = %v", err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func add(t testing.TB, w *tasklog.Writer, lines ...tasklog.Line) {
	t.Helper()
	if err := w.Append(lines...); err != nil {
		t.Fatalf("Append() = %v", err)
	}
}

// all reads a log in pieces of maxBytes.
func all(t testing.TB, f *tasklog.Folder, maxBytes int) (lines []tasklog.Line, end int64) {
	t.Helper()
	for {
		piece, next, err := f.Read(task, end, maxBytes)
		if err != nil {
			t.Fatalf("Read(%d) = %v", end, err)
		}
		if len(piece) == 0 {
			return lines, next
		}
		lines, end = append(lines, piece...), next
	}
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func path(dir string) string { return filepath.Join(dir, string(task)+".log") }

func TestLinesSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		f := open(t, dir)
		var want []tasklog.Line
		w := writer(t, f)
		defer w.Close()
		line := rapid.Custom(func(rt *rapid.T) tasklog.Line {
			return tasklog.Line{
				At:       time.UnixMicro(rapid.Int64Range(1, 1<<52).Draw(rt, "at")).UTC(),
				Category: rapid.SampledFrom([]tasklog.Category{tasklog.Info, tasklog.Error, tasklog.Wait}).Draw(rt, "category"),
				Node:     rapid.SampledFrom([]string{"", "2", "2/Machines-1"}).Draw(rt, "node"),
				Text:     rapid.String().Draw(rt, "text") + rapid.SampledFrom([]string{"", "\x00\n\r\u2028<"}).Draw(rt, "end"),
				More:     rapid.Bool().Draw(rt, "more"),
			}
		})
		for _, lines := range rapid.SliceOf(rapid.SliceOf(line)).Draw(rt, "appends") {
			add(t, w, lines...)
			for _, l := range lines {
				l.Number = int64(len(want) + 1)
				want = append(want, l)
			}
		}
		got, _ := all(t, f, rapid.IntRange(1, 1000).Draw(rt, "piece"))
		same(t, "lines", want, got)
		raw, err := os.ReadFile(path(dir))
		if err != nil || strings.Count(string(raw), "\n") != len(want) {
			rt.Fatalf("%d lines in the file (%v), want %d", strings.Count(string(raw), "\n"), err, len(want))
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
}

func TestTextIsStoredAsUTF8(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir())
	w := writer(t, f)
	add(t, w, tasklog.Line{Text: "a\xffb\x1b[31m"}, tasklog.Line{Text: strings.Repeat("\x01", tasklog.MaxTextBytes)},
		tasklog.Line{Text: "end"})
	lines, _ := all(t, f, 1)
	same(t, "text", "a\ufffdb\x1b[31m", lines[0].Text)
	same(t, "longest text", strings.Repeat("\x01", tasklog.MaxTextBytes), lines[1].Text)
	same(t, "text after it", "end", lines[2].Text)
	same(t, "time of a line without one", wall(), lines[2].At)
	err := w.Append(tasklog.Line{Text: strings.Repeat("x", tasklog.MaxTextBytes+1)})
	same(t, "kind of a text too long", errkind.Invalid, errkind.Of(err))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir())
	w := writer(t, f)
	add(t, w, tasklog.Line{Text: "one"}, tasklog.Line{Text: "two"})
	_, second := f.Writer(task)
	_, _, inside := f.Read(task, 5, 100)
	_, _, beyond := f.Read(task, 5000, 100)
	_, _, negative := f.Read(task, -1, 100)
	_, _, missing := f.Read("ServerTasks-2", 9, 100)
	_, escape := f.Writer("../../etc/passwd")
	_, empty := f.Writer("")
	_, _, dotted := f.Read("a.b", 0, 100)
	for what, c := range map[string]struct {
		err  error
		kind errkind.Kind
	}{
		"second writer": {second, errkind.Conflict}, "offset inside a line": {inside, errkind.Invalid},
		"offset beyond the end": {beyond, errkind.Invalid}, "negative offset": {negative, errkind.Invalid},
		"offset into no log": {missing, errkind.NotFound}, "F1 task id with a path": {escape, errkind.Invalid},
		"empty task id": {empty, errkind.Invalid}, "task id with a dot": {dotted, errkind.Invalid},
		"remove while written": {f.Remove(task), errkind.Conflict}, "remove nothing": {f.Remove("x"), errkind.NotFound},
	} {
		if c.err == nil || errkind.Of(c.err) != c.kind {
			t.Errorf("%s = %v, want %v", what, c.err, c.kind)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatalf("Finish() = %v", err)
	}
	same(t, "append to a finished log", errkind.Conflict, errkind.Of(w.Append(tasklog.Line{Text: "x"})))
	if err := w.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	same(t, "append to a closed writer", errkind.Unavailable, errkind.Of(w.Append(tasklog.Line{Text: "x"})))
	_, err := f.Writer(task)
	same(t, "writer of a finished log", errkind.Conflict, errkind.Of(err))
	if err := f.Finish(task); err != nil {
		t.Errorf("Finish() again = %v", err)
	}
	lines, _ := all(t, f, 1<<20)
	same(t, "lines", 2, len(lines))
	if err := f.Remove(task); err != nil {
		t.Errorf("Remove() = %v", err)
	}
	lines, _ = all(t, f, 1<<20)
	same(t, "lines of a removed log", 0, len(lines))
	same(t, "logs in memory", 0, f.Followed())
}

// TestTornTail cuts a log at every byte, as a crash may, and goes on writing: what was whole
// stays, what was torn is gone, numbers go on and each ticket goes on where its last whole line
// ended.
func TestTornTail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := writer(t, open(t, dir))
	const count = 12
	for i := range count {
		ticket := contract.TicketID([]string{"a", "b"}[i%2])
		add(t, w, tasklog.Line{Text: fmt.Sprintf("line %d é\x00", i), Ticket: ticket, TicketEnd: int64(10 * (i + 1))})
	}
	whole, err := os.ReadFile(path(dir))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		dir := t.TempDir()
		tail := strings.Repeat("\x00", cut%3) // pages that were never written
		if err := os.WriteFile(path(dir), append(whole[:cut:cut], tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		kept := strings.Count(string(whole[:cut]), "\n")
		if before, _ := all(t, f, 1<<20); len(before) != kept {
			t.Fatalf("cut at %d: %d lines before the repair, want %d", cut, len(before), kept)
		}
		w := writer(t, f)
		ends := []int64{w.TicketEnd("a"), w.TicketEnd("b")}
		same(t, fmt.Sprintf("cut at %d: ends", cut), []int64{endAfter(kept, 0), endAfter(kept, 1)}, ends)
		for i := kept - kept%2; i < count; i++ { // some of it again
			ticket := contract.TicketID([]string{"a", "b"}[i%2])
			add(t, w, tasklog.Line{Text: fmt.Sprintf("line %d é\x00", i), Ticket: ticket, TicketEnd: int64(10 * (i + 1))})
		}
		lines, _ := all(t, f, 1<<20)
		for i, l := range lines {
			same(t, fmt.Sprintf("cut at %d: line", cut), fmt.Sprintf("%d line %d é\x00", i+1, i),
				fmt.Sprintf("%d %s", l.Number, l.Text))
		}
		same(t, fmt.Sprintf("cut at %d: lines", cut), count, len(lines))
		if t.Failed() {
			return
		}
		_ = w.Close()
	}
}

// endAfter is the end of ticket number which after kept lines of TestTornTail.
func endAfter(kept, which int) int64 {
	end := int64(0)
	for i := range kept {
		if i%2 == which {
			end = int64(10 * (i + 1))
		}
	}
	return end
}

func TestDamageInTheMiddleHidesNothingElse(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"no JSON":   "{\"n\":2,\"s\":\"broken\n",
		"no object": "7\n",
		"too long":  strings.Repeat("x", 3*tasklog.MaxStoredLine) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := "{\"n\":1,\"c\":\"Info\",\"s\":\"one\"}\n" + damage + "{\"n\":3,\"c\":\"Info\",\"s\":\"three\"}\n"
			if err := os.WriteFile(path(dir), []byte(text+strings.Repeat("\x00", 2*tasklog.MaxStoredLine)), 0o600); err != nil {
				t.Fatal(err)
			}
			f := open(t, dir)
			w := writer(t, f)
			add(t, w, tasklog.Line{Text: "four"})
			lines, end := all(t, f, 1)
			if len(lines) != 4 || lines[0].Text != "one" || lines[2].Text != "three" || lines[3].Text != "four" {
				t.Fatalf("lines = %d %.200v", len(lines), lines)
			}
			if !strings.Contains(lines[1].Text, "damaged") || lines[3].Number != 4 {
				t.Errorf("lines = %+v", lines)
			}
			if info, err := os.Stat(path(dir)); err != nil || info.Size() != end {
				t.Errorf("file has %d bytes, the last line ends at %d (%v)", info.Size(), end, err)
			}
		})
	}
}

// TestHoleIsCut is what a power cut may leave of lines that were not flushed: sectors that were
// never written, before others that were. A ticket goes on before the hole.
func TestHoleIsCut(t *testing.T) {
	t.Parallel()
	const sector = 512
	dir := t.TempDir()
	w := writer(t, open(t, dir))
	for i := range 20 {
		add(t, w, tasklog.Line{Text: fmt.Sprintf("line %d of some length", i), Ticket: "a", TicketEnd: int64(10 * (i + 1))})
	}
	whole, err := os.ReadFile(path(dir))
	if err != nil {
		t.Fatal(err)
	}
	for hole := 0; hole+sector < len(whole); hole += sector {
		dir := t.TempDir()
		broken := []byte(string(whole[:hole]) + strings.Repeat("\x00", sector) + string(whole[hole+sector:]))
		if err := os.WriteFile(path(dir), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		w := writer(t, f)
		kept := strings.Count(string(whole[:hole]), "\n")
		same(t, fmt.Sprintf("hole at %d: end", hole), int64(10*kept), w.TicketEnd("a"))
		for i := kept; i < 20; i++ {
			add(t, w, tasklog.Line{Text: fmt.Sprintf("line %d of some length", i), Ticket: "a", TicketEnd: int64(10 * (i + 1))})
		}
		lines, _ := all(t, f, 1<<20)
		if len(lines) != 21 || !strings.Contains(lines[kept].Text, "power failure") {
			t.Fatalf("hole at %d: %d lines, %.200v", hole, len(lines), lines)
		}
		for i, l := range append(lines[:kept:kept], lines[kept+1:]...) {
			same(t, fmt.Sprintf("hole at %d", hole), fmt.Sprintf("line %d of some length", i), l.Text)
		}
		_ = w.Close()
	}
}

func TestSizeLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir)
	f.SetLimit(4000)
	w := writer(t, f)
	for i := range 100 {
		add(t, w, tasklog.Line{Text: strings.Repeat("x", 100), Ticket: "a", TicketEnd: int64(i + 1)})
	}
	same(t, "end of the ticket", int64(100), w.TicketEnd("a"))
	add(t, w, tasklog.Line{Text: "Failed."})
	_ = w.Close()
	w = writer(t, f)
	add(t, w, tasklog.Line{Text: "left out", Ticket: "a", TicketEnd: 101}, tasklog.Line{Text: "Still here."})
	lines, _ := all(t, f, 1<<20)
	markers := 0
	for _, l := range lines {
		if strings.Contains(l.Text, "size limit") {
			markers++
		}
	}
	n := len(lines)
	if markers != 1 || lines[n-2].Text != "Failed." || lines[n-1].Text != "Still here." || n > 40 {
		t.Errorf("%d lines, %d markers, the last two %q %q", n, markers, lines[n-2].Text, lines[n-1].Text)
	}
}

func TestX4Visible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "hello\tworld", "hello\tworld"},
		{"markup is the page's business", "<script>", "<script>"},
		{"letters", "Größe 日本 👩‍🚀", "Größe 日本 👩‍🚀"},
		{"colours go", "\x1b[1;31mred\x1b[0m\x1b[38:5:1m!", "red!"},
		{"title", "\x1b]0;evil\x07", `\x1b]0;evil\x07`},
		{"hyperlink", "\x1b]8;;http://x\x1b\\y", `\x1b]8;;http://x\x1b` + "\\y"},
		{"cursor", "\x1b[2J\x1b[31", `\x1b[2J\x1b[31`},
		{"endless colour", "\x1b[" + strings.Repeat("1", 99) + "m", `\x1b[` + strings.Repeat("1", 99) + "m"},
		{"L1 newline", "a\nuser=admin\r", `a\x0auser=admin\x0d`},
		{"one byte control", "\u009b31m\x7f", `\x9b31m\x7f`},
		{"direction of writing", "a\u202eb\u2066c\ufeff", `a\u202eb\u2066c\ufeff`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"tag characters", "\U000e0041", `\U000e0041`},
		{"no UTF-8", "a\xff\xc3", `a\xff\xc3`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tasklog.Visible(c.in); got != c.want {
				t.Errorf("Visible(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(rt, "in"))
		for _, r := range tasklog.Visible(in) {
			if r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) || r == 0x202e {
				rt.Fatalf("Visible(%q) holds %U", in, r)
			}
		}
	})
}

// A mark is no line: readers do not see it, numbers go on, and the next writer finds the last one.
func TestMarks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := writer(t, open(t, dir))
	add(t, w, tasklog.Line{Text: "one", Ticket: "t-1", TicketEnd: 30})
	for _, end := range []int64{30, 60} {
		if err := w.Mark("t-1", end, []byte{byte(end), 0xff}); err != nil {
			t.Fatal(err)
		}
	}
	add(t, w, tasklog.Line{Text: "two", Ticket: "t-1", TicketEnd: 90})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	again := writer(t, f)
	end, state := again.Marked("t-1")
	same(t, "the mark", []any{int64(60), []byte{60, 0xff}, int64(90)}, []any{end, state, again.TicketEnd("t-1")})
	end, state = again.Marked("t-2")
	same(t, "no mark", []any{int64(0), []byte(nil)}, []any{end, state})
	lines, _ := all(t, f, 1)
	var texts []string
	for _, l := range lines {
		texts = append(texts, fmt.Sprint(l.Number, " ", l.Text))
	}
	same(t, "lines", []string{"1 one", "2 two"}, texts)
}
