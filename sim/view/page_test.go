// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/internal/headless"
	"fairlead/sim/view"
)

const head = `{"k":"head","format":1,"name":"ward & </script>","hash":"ab12","seed":7,"program":"1.0.0","go":"go1.26",` +
	`"wall":"2026-11-23T09:00:00Z"}` + "\n"

// script writes a trace: each line is a time in milliseconds and the rest of the JSON object.
func script(lines ...string) string {
	var b strings.Builder
	b.WriteString(head)
	for i, line := range lines {
		at, rest, _ := strings.Cut(line, " ")
		t, _ := strconv.Atoi(at)
		fmt.Fprintf(&b, `{"t":%d,"n":%d,%s}`+"\n", t*ms, i+1, rest)
	}
	return b.String()
}

// drawn is what the page draws, as the script in it sees it.
type drawn struct {
	Hosts []struct{ Name, Group string }
	Conns []struct {
		S, F, O, A, U, B, C, X, Y, R, L int
		Q, E, W                         string
		P                               []int
	}
	Spans, Faults []struct {
		H, A, B int
		K, X    string
	}
	Marks, Checks, Phases []struct {
		H, T int
		K, X string
	}
	Quiet       [][2]int
	End, Bucket int
}

func page(t *testing.T, trace string) string {
	t.Helper()
	var out bytes.Buffer
	if err := view.Write(&out, strings.NewReader(trace)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var data = regexp.MustCompile(`(?s)<script type="application/json" id="run">(.*?)</script>`)

func read(t *testing.T, trace string) (d drawn) {
	t.Helper()
	found := data.FindStringSubmatch(page(t, trace))
	if found == nil {
		t.Fatal("the page has no data")
	}
	if err := json.Unmarshal([]byte(found[1]), &d); err != nil {
		t.Fatalf("the data of the page: %v", err)
	}
	return d
}

const ms = 1_000_000

// TestBars shows what a connection becomes, by how its packets end it.
func TestBars(t *testing.T) {
	dial := `10 "k":"dial","from":"web-1","to":"10.0.0.9:443","s":1`
	opening := []string{
		dial,
		`20 "k":"syn","from":"203.0.113.7:1024","to":"srv","s":1`,
		`30 "k":"synack","from":"10.0.0.9:443","to":"web-1","s":1,"d":1`,
		`40 "k":"data","from":"203.0.113.7:1024","to":"srv","s":1,"len":100`,
		`50 "k":"data","from":"10.0.0.9:443","to":"web-1","s":1,"d":1,"len":70`,
	}
	after := `9000 "k":"note","from":"web-1","why":"the run goes on"`
	for name, c := range map[string]struct {
		lines             []string
		end               string
		opened, ended, by int // ms; by is when the last end knew
		lost              string
	}{
		"closed": {append(opening[:5:5], `60 "k":"fin","to":"srv","s":1`, `70 "k":"fin","to":"web-1","s":1,"d":1`), "fin", 30, 70, 70, ""},
		"reset":  {append(opening[:5:5], `60 "k":"fin","to":"srv","s":1`, `70 "k":"rst","to":"web-1","s":1,"d":1`), "rst", 30, 70, 70, ""},
		"one end gives up": {append(
			opening[:5:5], `60 "k":"drop","from":"web-1","s":1,"q":100,"len":9,"why":"data edge cut"`,
			`80 "k":"drop","from":"web-1","s":1,"q":100,"len":9,"why":"data edge cut"`,
			`85 "k":"drop","from":"srv","s":1,"d":1,"why":"data edge nat"`,
			`90 "k":"giveup","from":"web-1","s":1`, `400 "k":"keepalive","from":"srv","s":1,"d":1`,
		), "time", 30, 90, 400, "2 × edge cut, 1 × edge nat"},
		"a reset that is lost": {append(
			opening[:5:5], `60 "k":"drop","from":"web-1","s":1,"why":"rst edge cut"`, `500 "k":"giveup","from":"srv","s":1,"d":1`,
		), "rst", 30, 60, 500, "1 × edge cut"},
		"open":    {opening, "open", 30, 9000, 9000, ""},
		"refused": {[]string{dial, opening[1], `30 "k":"rst","to":"web-1","s":1,"d":1`}, "refused", -1, 30, 30, ""},
		"silence": {[]string{
			dial, `10 "k":"drop","from":"web-1","s":1,"why":"syn edge cut"`, `1010 "k":"giveup","from":"web-1","s":1`,
		}, "none", -1, 1010, 1010, "1 × edge cut"},
		"no reply": {[]string{dial}, "none", -1, 10, 10, ""},
		"an earlier connection is reset first": {
			append([]string{dial, `12 "k":"rst","to":"srv","s":1`}, opening[1:]...), "open", 30, 9000, 9000, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := read(t, script(append(c.lines, after)...))
			if len(d.Conns) != 1 {
				t.Fatalf("%d bars", len(d.Conns))
			}
			got := d.Conns[0]
			wantOpened := c.opened * ms
			if c.opened < 0 {
				wantOpened = -1
			}
			if got.E != c.end || got.A != 10*ms || got.U != wantOpened || got.B != c.ended*ms || got.C != c.by*ms || got.W != c.lost {
				t.Errorf("%+v, want end %s after %d, %d, %d, lost %q", got, c.end, c.opened, c.ended, c.by, c.lost)
			}
			if d.Hosts[got.F].Name != "web-1" || got.Q != "10.0.0.9:443" || len(c.lines) > 3 && d.Hosts[got.O].Name != "srv" {
				t.Errorf("from lane %d to %d of %v, dialled %q", got.F, got.O, d.Hosts, got.Q)
			}
			if len(c.lines) > 4 && (got.X != 100 || got.Y != 70) {
				t.Errorf("%d bytes up, %d down", got.X, got.Y)
			}
		})
	}
}

// TestBarsShowWhenBytesArrived counts flights that came again, and the parts of the run with bytes.
func TestBarsShowWhenBytesArrived(t *testing.T) {
	lines := []string{`0 "k":"dial","from":"a","to":"b:1","s":4`, `0 "k":"synack","to":"a","s":4,"d":1`}
	for i := range 5000 {
		lines = append(lines, fmt.Sprintf(`%d "k":"data","to":"b","s":4,"q":%d,"len":1`, 10*i, i))
	}
	lines = append(lines, `49999 "k":"data","to":"b","s":4,"q":17,"len":1`, `100000 "k":"note","from":"a","why":"end"`)
	c := read(t, script(lines...)).Conns[0]
	last := 0
	for _, step := range c.P {
		last += step
	}
	if c.X != 5000 || c.R != 1 || len(c.P) < 990 || len(c.P) > 1001 || last < 995 || last > 1000 {
		t.Errorf("%d bytes, %d again, %d parts, the last is %d: want 5000, 1, about 1000 of the first half", c.X, c.R, len(c.P), last)
	}
}

func TestFaults(t *testing.T) {
	d := read(t, script(
		`1 "k":"proc.start","from":"web-1","why":"agent n=1"`,
		`1 "k":"proc.start","from":"web-11","why":"agent n=1"`,
		`100 "k":"at","why":"fault 1"`,
		`100 "k":"fault.on","from":"ward-internet","why":"box.idle"`, // what the network calls it
		`100 "k":"fault.on","from":"nat-ward","why":"nat.idle"`,      // what the plan calls it
		`100 "k":"at","why":"a fault on a group"`,
		`100 "k":"fault.on","from":"web-1 web-2","why":"swizzle-clog"`,
		`100 "k":"fault.on","from":"web","why":"swizzle-clog"`,
		`100 "k":"at","why":"fault 2"`,
		`100 "k":"fault.on","from":"web-1 up","why":"link.cut"`,
		`100 "k":"fault.on","from":"web-11 up","why":"link.cut"`,
		`200 "k":"fault.off","from":"web-1 up","why":"link.cut"`,
		`300 "k":"fault.off","from":"ward-internet","why":"box.idle"`,
		`300 "k":"fault.off","from":"nat-ward","why":"nat.idle"`,
		`400 "k":"fault.on","from":"nat-ward","why":"nat.flush"`,
		`900 "k":"fault.off","from":"nat-ward","why":"nat.flush"`,
		`950 "k":"fault.off","from":"nobody","why":"link.cut"`,
		`1000 "k":"note","from":"web-1","why":"end"`,
	))
	var got []string
	for _, f := range d.Faults {
		got = append(got, fmt.Sprintf("%s %s in lane %d: %d-%d", f.K, f.X, f.H, f.A/ms, f.B/ms))
	}
	want := []string{
		"nat.idle nat-ward in lane -1: 100-300", "swizzle-clog web in lane -1: 100-1000",
		"link.cut web-1 up in lane 0: 100-200", "link.cut web-11 up in lane 1: 100-1000",
		"nat.flush nat-ward in lane -1: 400-400",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestWhatMachinesDo covers marks, phases, violations, and what lasts: lines and scripts.
func TestWhatMachinesDo(t *testing.T) {
	d := read(t, script(
		`0 "k":"phase","why":"safety"`,
		`1 "k":"proc.start","from":"web-10","why":"agent n=1"`,
		`2 "k":"proc.start","from":"web-9","why":"agent n=1"`,
		`3 "k":"proc.start","from":"srv","why":"server n=1"`,
		`4 "k":"proc.start","from":"web-2","why":"agent n=1"`,
		`10 "k":"line.up","from":"web-9"`,
		`20 "k":"script.start","from":"web-9","why":"full task=1 n=1003"`,
		`25 "k":"script.start","from":"web-9","why":"full task=1 n=1004"`,
		`30 "k":"script.end","from":"web-9","why":"code=1 n=1003"`,
		`40 "k":"log","from":"web-2","level":"WARN","why":"line is down"`,
		`41 "k":"log","from":"web-2","level":"INFO","why":"nobody wants this"`,
		`50 "k":"proc.crash","from":"web-9","why":"shim n=2"`,
		`60 "k":"proc.crash","from":"web-9","why":"power"`,
		`70 "k":"line.up","from":"web-2"`,
		`80 "k":"line.down","from":"web-2","why":"read: timeout"`,
		`90 "k":"line.up","from":"web-2"`,
		`100 "k":"note","from":"srv","why":"end"`,
		`95 "k":"check","from":"web-9","why":"S14 left open"`,
		`96 "k":"check","from":"nat-ward","why":"S12 a storm"`,
	))
	names := ""
	for _, h := range d.Hosts {
		names += h.Name + "(" + h.Group + ") "
	}
	if names != "web-2(web) web-9(web) web-10(web) srv() " {
		t.Errorf("lanes %s", names)
	}
	var got []string
	for _, s := range d.Spans {
		got = append(got, fmt.Sprintf("%s %s %d-%d", d.Hosts[s.H].Name, s.K, s.A/ms, s.B/ms))
	}
	want := []string{
		"web-9 line 10-60", "web-9 script 20-30", "web-9 script 25-60", "web-2 line 70-80", "web-2 line 90-100",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spans %q, want %q", got, want)
	}
	if len(d.Marks) != 7 || d.Marks[4].K != "warn" || d.Hosts[d.Marks[4].H].Name != "web-2" || len(d.Phases) != 1 {
		t.Errorf("marks %+v, phases %+v", d.Marks, d.Phases)
	}
	if len(d.Checks) != 2 || d.Hosts[d.Checks[0].H].Name != "web-9" || d.Checks[1].H != -1 || d.Checks[1].X != "nat-ward: S12 a storm" {
		t.Errorf("violations %+v", d.Checks)
	}
}

func TestQuietStretches(t *testing.T) {
	d := read(t, script(
		`0 "k":"proc.start","from":"a","why":"agent n=1"`, `60000 "k":"dial","from":"a","to":"b:1","s":1`,
		`60500 "k":"drop","from":"a","s":1,"why":"syn cut"`, `3000000 "k":"proc.exit","from":"a","why":"n=1"`,
		`3600000 "k":"note","from":"a","why":"end"`,
	))
	want := [][2]int{{60500*ms + 18000*ms, 3000000*ms - 18000*ms}, {3000000*ms + 18000*ms, 3600000*ms - 18000*ms}}
	if !reflect.DeepEqual(d.Quiet, want) {
		t.Errorf("quiet %v, want %v", d.Quiet, want)
	}
}

// outside are ways in which a page can reach for something that is not in it.
var outside = regexp.MustCompile(`(?i)(src|href|srcset|action)\s*=|@import|url\(|https?://|fetch\(|XMLHttpRequest|WebSocket|import\(`)

func TestThePageStandsAlone(t *testing.T) {
	trace := script(
		`1 "k":"proc.start","from":"<img>","why":"</script><b>"`, `2 "k":"check","why":"S12 <i>much</i>"`,
	)
	text := page(t, trace)
	if found := outside.FindString(text); found != "" {
		t.Errorf("the page reaches for something outside: %q", found)
	}
	for _, raw := range []string{"<img>", "</script><b>", "<i>much", "ward & </script>"} {
		if strings.Contains(text, raw) {
			t.Errorf("%q stands in the page as it came", raw)
		}
	}
	if !strings.Contains(text, "S12 &lt;i&gt;much") || !strings.Contains(text, `content="default-src 'none'; `) {
		t.Error("the page lacks its violation or its policy")
	}
	if again := page(t, trace); again != text {
		t.Error("the same trace makes another page")
	}
}

func TestLimits(t *testing.T) {
	var b strings.Builder
	b.WriteString(head)
	for i := range 20_050 {
		fmt.Fprintf(&b, `{"t":%d,"n":%d,"k":"dial","from":"a","to":"b:1","s":%d}`+"\n", i, i, i+1)
		fmt.Fprintf(&b, `{"t":%d,"n":%d,"k":"op.asked","from":"a","why":"x"}`+"\n", i, i)
	}
	text := page(t, b.String())
	for _, want := range []string{"50 connections are left out", "50 marks are left out"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if d := read(t, b.String()); len(d.Conns) != 20_000 || len(d.Marks) != 20_000 {
		t.Errorf("%d connections, %d marks", len(d.Conns), len(d.Marks))
	}
}

func TestBrokenTraces(t *testing.T) {
	whole := script(`1 "k":"proc.start","from":"a","why":"agent n=1"`, `2 "k":"note","from":"a"`)
	if text := page(t, strings.TrimSuffix(whole, "}\n")); !strings.Contains(text, "the trace was cut off") {
		t.Error("the page does not say that its trace was cut off")
	}
	var out bytes.Buffer
	if err := view.Write(&out, strings.NewReader(whole+"{}\n")); errkind.Of(err) != errkind.Corrupt || out.Len() > 0 {
		t.Errorf("a broken line: %v, %d bytes were written", err, out.Len())
	}
	if err := view.Write(&out, strings.NewReader("<html>")); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("another file: %v", err)
	}
	if err := view.Write(full{}, strings.NewReader(whole)); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestTheScriptRuns opens the page in a browser: its table is filled by the last thing the script does
// before it draws, and its canvas has a size once it has drawn.
func TestTheScriptRuns(t *testing.T) {
	browser := headless.Need(t)
	lines := []string{`0 "k":"fault.on","from":"lan-internet","why":"link.cut"`}
	for i := range 30 {
		lines = append(lines, fmt.Sprintf(`%d "k":"dial","from":"web-%d","to":"srv:1","s":%d`, 1+i, i, 1+i))
	}
	lines = append(lines,
		`90000 "k":"fault.off","from":"lan-internet","why":"link.cut"`, `90000 "k":"check","from":"web-3","why":"S14 left open"`)
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(page(t, script(lines...))), 0o600); err != nil {
		t.Fatal(err)
	}
	dom := browser.Open(t, "file://"+path, "--virtual-time-budget=5000", "--dump-dom").Printed
	if n := strings.Count(dom, "never opened</span>"); n != 30 {
		t.Errorf("the table has %d rows of 30", n)
	}
	if !regexp.MustCompile(`<canvas id="lanes"[^>]*style="[^"]*height`).MatchString(dom) {
		t.Error("the lanes were not drawn")
	}
}
