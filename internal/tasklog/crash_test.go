// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"fairlead/internal/host"
	"fairlead/internal/tasklog"
)

// crashDir makes the test binary a writer that is going to be killed.
const crashDir = "FAIRLEAD_TASKLOG_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Println("failed:", writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever copies an endless ticket, whose n-th line ends at n, into the log, and says how far
// it came.
func writeForever(dir string) error {
	f, err := tasklog.Open(dir, host.Fsync{}, wall)
	if err != nil {
		return err
	}
	w, err := f.Writer(task)
	if err != nil {
		return err
	}
	for end := w.TicketEnd("t-1"); ; {
		lines := make([]tasklog.Line, 1+end%5)
		for i := range lines {
			end++
			lines[i] = tasklog.Line{Text: strings.Repeat(strconv.FormatInt(end, 10)+" ", 100), Ticket: "t-1", TicketEnd: end}
		}
		if err := w.Append(lines...); err != nil {
			return err
		}
		fmt.Println(end)
	}
}

// TestKillLosesAndRepeatsNothing kills a writer again and again; the log that several writers
// made must read like that of one.
func TestKillLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	acked := int64(0)
	for round := range 20 {
		c := exec.Command(self)
		c.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			end, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Errorf("the writer says %q", lines.Text())
				break
			}
			if acked = end; n == 20*(round+1) {
				_ = c.Process.Kill() // and read what it still said
			}
		}
		_ = c.Wait()
	}
	lines, _ := all(t, open(t, dir), 1<<20)
	if int64(len(lines)) < acked {
		t.Errorf("%d lines in the log, %d were acknowledged", len(lines), acked)
	}
	for i, l := range lines {
		n := int64(i + 1)
		if l.Number != n || l.TicketEnd != n || !strings.HasPrefix(l.Text, strconv.FormatInt(n, 10)+" ") {
			t.Fatalf("line %d is number %d, end %d, text %.20q", n, l.Number, l.TicketEnd, l.Text)
		}
	}
	t.Logf("%d lines by 20 killed writers", len(lines))
}
