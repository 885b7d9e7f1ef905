// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata from what the program prints")

// mooring is a program with every shape of command.
func mooring() cli.Program {
	var port int
	var wait time.Duration
	var loud bool
	var where string
	return cli.Program{
		Name: "mooring", Version: "v1.2.3", Summary: "ties ships to a pier.",
		Examples: []string{"# tie one ship", "mooring tie --wait 5m argo"},
		Commands: []cli.Command{
			{
				Name: "tie", Summary: "tie ships", Usage: "SHIP [LINE...]",
				Details:  "Takes each line in turn.\nA ship without lines gets one.",
				Examples: []string{"mooring tie argo bow stern"},
				Flags: func(fs *flag.FlagSet) {
					fs.IntVar(&port, "port", 7, "berth `number`, 1 to 99")
					fs.DurationVar(&wait, "wait", 0, "give up after this `duration`; 0 waits for ever and this text "+
						"is long enough to be broken into two lines")
					fs.BoolVar(&loud, "loud", false, "sound the horn")
					fs.Func("where", "the `side`: port or starboard", func(text string) error {
						if text != "port" && text != "starboard" {
							return errors.New("it is neither")
						}
						where = text
						return nil
					})
				},
				Run: func(_ context.Context, std *cli.IO, args []string) error {
					text := fmt.Sprintf("%q %d %s %v %s\n", args, port, wait, loud, where)
					return std.Show(map[string]any{"args": args, "port": port}, text)
				},
			},
			{
				Name: "rope list", Summary: "list the ropes",
				Run: func(_ context.Context, std *cli.IO, _ []string) error {
					t := cli.Table{Columns: []cli.Column{{Title: "ROPE", Keep: true}, {Title: "METRES", Right: true}, {Title: "NOTE"}}}
					t.Add("bow", "12", "frayed \x1b[2J and a very long remark that goes on")
					t.Add("stern-line", "7")
					_, err := std.Out.Write([]byte(t.Text(std)))
					return err
				},
			},
			{Name: "rope cut", Summary: "cut a rope", Usage: "ROPE", Run: func(_ context.Context, _ *cli.IO, args []string) error {
				err := errkind.NotFound.Errorf("no rope %q\nhere", args[0])
				return errkind.Hinted(err, "mooring rope list\nlooks at all of them")
			}},
			{Name: "drift", Hidden: true, Run: func(context.Context, *cli.IO, []string) error { return errors.New("aground") }},
		},
	}
}

// Each block of testdata/*.txt is a command line ("$ …", after an optional "@ columns" line for a terminal of that
// width), what it prints ("| " on Out, "! " on Err) and its exit code. Other lines are prose.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want), got); diff != "" && !*rewrite {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

func replay(t *testing.T, script string) string {
	t.Helper()
	var b strings.Builder
	columns := 0
	for line := range strings.Lines(script) {
		switch {
		case strings.HasPrefix(line, "@ "):
			if _, err := fmt.Sscan(line[2:], &columns); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			b.WriteString(line)
		case strings.HasPrefix(line, "$ "):
			b.WriteString(line)
			b.WriteString(transcript(t, strings.Fields(line)[2:], columns))
			columns = 0
		case strings.HasPrefix(line, "| "), strings.HasPrefix(line, "! "), strings.HasPrefix(line, "exit "), line == "|\n":
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

func transcript(t *testing.T, args []string, columns int) string {
	var out, errs bytes.Buffer
	code := mooring().Main(t.Context(), args, cli.IO{Out: &out, Err: &errs, Columns: columns, ErrColumns: columns, Color: true})
	var b strings.Builder
	for line := range strings.Lines(out.String()) {
		b.WriteString(strings.TrimRight("| "+line, " \n") + "\n")
	}
	for line := range strings.Lines(errs.String()) {
		b.WriteString("! " + line)
	}
	fmt.Fprintf(&b, "exit %d\n", code)
	text := strings.ReplaceAll(b.String(), "\x1b", "<ESC>")
	return strings.ReplaceAll(text, runtime.GOOS+"/"+runtime.GOARCH+", "+runtime.Version(), "PLATFORM, GO")
}

func TestExitCodesHoldEveryKindOnce(t *testing.T) {
	seen := map[errkind.Kind]int{}
	for _, row := range cli.ExitCodes() {
		if row.Code <= 0 || row.Meaning == "" {
			t.Errorf("row %+v needs a code above 0 and a meaning", row)
		}
		for _, kind := range row.Kinds {
			seen[kind]++
		}
	}
	for _, kind := range errkind.All() {
		if seen[kind] != 1 {
			t.Errorf("kind %s stands in %d rows of ExitCodes, want 1", kind, seen[kind])
		}
		if got := cli.ExitCode(kind.Errorf("x")); got == 0 {
			t.Errorf("ExitCode(%s) = 0, want a failure", kind)
		}
	}
	if got := cli.ExitCode(nil); got != 0 {
		t.Errorf("ExitCode(nil) = %d, want 0", got)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KB", 35_000: "34 KB", 1 << 30: "1.0 GB", 1<<63 - 1: "8.0 EB",
	} {
		if got := cli.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}
