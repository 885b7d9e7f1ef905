// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/errkind"
)

var rewrite = flag.Bool("rewrite", false, "write what the machine says into testdata/*.txt")

// TestScripts runs every conversation in testdata: prose, then blocks of inputs, ----, outputs.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d scripts (%v): want 20 at least", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(raw))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(raw), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// replay runs a script and returns it with what the machine said.
func replay(t *testing.T, script string) string {
	var b strings.Builder
	d := &director{t: t, now: scriptStart}
	for i, block := range strings.Split(strings.TrimRight(script, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		inputs, _, _ := strings.Cut(block, "----")
		b.WriteString(strings.TrimRight(inputs, "\n") + "\n")
		if strings.HasPrefix(block, "#") && !strings.Contains(block, "----") {
			continue
		}
		b.WriteString("----\n")
		for _, line := range strings.Split(strings.TrimSpace(inputs), "\n") {
			if line != "" && !strings.HasPrefix(line, "#") {
				b.WriteString(d.play(strings.Fields(line)))
			}
		}
	}
	return b.String()
}

var scriptStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type director struct {
	t        *testing.T
	m        *Machine
	now      time.Time
	sequence uint32
}

// words splits "open 1 bulk seq=3" into positions and options.
func words(fields []string) (at []string, options map[string]string) {
	options = map[string]string{}
	for _, field := range fields {
		if key, value, ok := strings.Cut(field, "="); ok {
			options[key] = value
		} else {
			at = append(at, field)
		}
	}
	return append(at, "", "", "", ""), options
}

func (d *director) play(fields []string) string {
	at, options := words(fields[1:])
	switch fields[0] {
	case "machine":
		d.m = New(d.role(at[0]), Settings{
			PingAfter: d.duration(options["ping"]), DeadAfter: d.duration(options["dead"]), Phase: d.duration(options["phase"]),
			Streams: uint16(d.number(options["streams"])), BulkStreams: uint16(d.number(options["bulk"])),
			ControlWindow: uint32(d.number(options["window"])),
		})
		return ""
	case "wait":
		d.now = d.now.Add(d.duration(at[0]))
		return ""
	case "repeat":
		var out strings.Builder
		for range d.number(at[0]) {
			out.WriteString(d.play(fields[2:]))
		}
		return out.String()
	}
	outs, err := d.m.Step(d.now, d.input(fields[0], at, options))
	d.m.check(d.t)
	if err != nil {
		return fmt.Sprintf("error %v: %v\n", errkind.Of(err), err)
	}
	var b strings.Builder
	for _, out := range outs {
		b.WriteString(d.show(out) + "\n")
	}
	return b.String()
}

func (d *director) input(verb string, at []string, options map[string]string) Input {
	id := func(i int) uint32 { return uint32(d.number(at[i])) }
	switch verb {
	case "start":
		return Start{}
	case "hello":
		payload := d.hello(at, options)
		return d.received(Header{Length: uint32(len(payload)), Type: TypeHello}, payload, options)
	case "recv":
		return d.frame(at, options)
	case "raw":
		raw, err := hex.DecodeString(at[0])
		if err != nil || len(raw) != HeaderBytes {
			d.t.Fatalf("raw %q: want 16 bytes of hex", at[0])
		}
		_, err = ParseHeader((*[HeaderBytes]byte)(raw))
		return Broken{Err: err}
	case "open":
		return Open{Bulk: at[0] == "bulk"}
	case "wrote":
		return Wrote{Stream: id(0), Bytes: d.number(at[1])}
	case "ended":
		return Ended{Stream: id(0)}
	case "abort":
		return Abort{Stream: id(0), Text: at[1], Keep: at[2] == "keep"}
	case "read":
		return ReadSome{Stream: id(0), Bytes: d.number(at[1])}
	case "ready":
		if at[0] == "" {
			return WriteReady{Room: RecordBytes}
		}
		return WriteReady{Room: d.number(at[0])}
	case "tick":
		return Tick{}
	case "drain":
		return Drain{Address: at[0]}
	case "hush":
		return Hush{Goodbye: Goodbye{Code: GoodbyeCode(id(0)), RetryAfter: d.duration(at[1]), Text: at[2]}}
	case "leave":
		return Leave{Goodbye: Goodbye{Code: GoodbyeCode(id(0)), RetryAfter: d.duration(at[1]), Text: at[2]}}
	case "lost":
		return Lost{Err: errors.New(at[0])}
	}
	d.t.Fatalf("unknown input %q", verb)
	return nil
}

func (d *director) hello(at []string, options map[string]string) []byte {
	h := New(Caller+Servant-d.m.role, Settings{
		PingAfter: d.duration(options["ping"]), DeadAfter: d.duration(options["dead"]),
		Streams: uint16(d.number(options["streams"])), BulkStreams: uint16(d.number(options["bulk"])),
	}).hello()
	if word := options["role"]; word != "" {
		h.role = d.role(word)
	}
	if word := options["versions"]; word != "" {
		oldest, newest, _ := strings.Cut(word, "-")
		h.oldest, h.newest = uint16(d.number(oldest)), uint16(d.number(newest))
	}
	if options["binding"] != "" {
		h.binding[0] = 0xff
	}
	for c, key := range []string{"window", "bulkwindow"} {
		if options[key] != "" {
			h.windows[c] = uint32(d.number(options[key]))
		}
	}
	return append(h.append(nil), at[0]...)
}

func (d *director) frame(at []string, options map[string]string) Input {
	h := Header{Stream: uint32(d.number(at[1]))}
	var payload []byte
	switch at[0] {
	case "open":
		h.Type = TypeOpen
		if at[2] == "bulk" {
			h.Flags = FlagBulk
		}
	case "data":
		h.Type, h.Length = TypeData, uint32(d.number(at[2]))
		return d.received(h, nil, options)
	case "credit":
		h.Type, payload = TypeCredit, binary.BigEndian.AppendUint32(nil, uint32(d.number(at[2])))
	case "end":
		h.Type = TypeEnd
	case "reset":
		h.Type, payload = TypeReset, appendReset(nil, ResetCode(d.number(at[2])), at[3])
	case "ping", "pong":
		h = Header{Type: TypePing}
		if at[0] == "pong" {
			h.Type = TypePong
		}
		payload = binary.BigEndian.AppendUint64(nil, uint64(d.number(at[1])))
	case "drain":
		h, payload = Header{Type: TypeDrain}, []byte(at[1])
		h.Stream = 0
	case "goodbye":
		h = Header{Type: TypeGoodbye}
		payload = Goodbye{Code: GoodbyeCode(d.number(at[1])), RetryAfter: d.duration(at[2]), Text: at[3]}.append(nil)
	case "extension":
		h, payload = Header{Type: 99, Flags: FlagIgnorable}, make([]byte, d.number(at[1]))
	default:
		d.t.Fatalf("unknown frame %q", at[0])
	}
	h.Length = uint32(len(payload))
	return d.received(h, payload, options)
}

func (d *director) received(h Header, payload []byte, options map[string]string) Input {
	h.Sequence = d.sequence
	if word := options["seq"]; word != "" {
		h.Sequence = uint32(d.number(word))
	}
	d.sequence = h.Sequence + 1
	return Received{Header: h, Payload: payload}
}

func (d *director) role(word string) Role {
	if word == "servant" {
		return Servant
	}
	return Caller
}

func (d *director) number(word string) int {
	if word == "" {
		return 0
	}
	n, err := strconv.Atoi(word)
	if err != nil {
		return 0
	}
	return n
}

func (d *director) duration(word string) time.Duration {
	if word == "" {
		return 0
	}
	v, err := time.ParseDuration(word)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// show is the script's word for an output.
func (d *director) show(out Output) string {
	switch o := out.(type) {
	case Send:
		return "send " + d.showFrame(o)
	case Arm:
		return fmt.Sprintf("arm +%v", o.At.Sub(scriptStart))
	case StreamOpened:
		return fmt.Sprintf("opened %d %v by-peer=%v", o.Stream, classOf(o.Bulk), o.ByPeer)
	case Deliver:
		return fmt.Sprintf("deliver %d %d", o.Stream, o.Bytes)
	case StreamEnded:
		return fmt.Sprintf("stream-ended %d", o.Stream)
	case StreamReset:
		return fmt.Sprintf("stream-reset %d code=%d %q by-peer=%v", o.Stream, o.Code, o.Text, o.ByPeer)
	case Forgotten:
		return fmt.Sprintf("forgotten %d", o.Stream)
	case PeerDrains:
		return fmt.Sprintf("peer-drains %q", o.Address)
	case Close:
		return fmt.Sprintf("close %s by-peer=%v silence=%v survived=%d: %v",
			o.Err.Reason, o.Err.ByPeer, o.Err.Silence, o.Err.Survived, o.Err)
	}
	return map[Output]string{Wake{}: "wake", Ready{}: "ready", HalfClose{}: "half-close", Cut{}: "cut"}[out]
}

func (d *director) showFrame(o Send) string {
	h := o.Header
	text := fmt.Sprintf("%v #%d", h.Type, h.Sequence)
	switch h.Type {
	case TypeOpen:
		return fmt.Sprintf("%s stream %d %v", text, h.Stream, classOf(h.Flags&FlagBulk != 0))
	case TypeData:
		return fmt.Sprintf("%s stream %d %d bytes", text, h.Stream, h.Length)
	case TypeCredit:
		return fmt.Sprintf("%s stream %d +%d", text, h.Stream, binary.BigEndian.Uint32(o.Payload))
	case TypeEnd:
		return fmt.Sprintf("%s stream %d", text, h.Stream)
	case TypeReset:
		code, reason, _ := parseReset(o.Payload)
		return fmt.Sprintf("%s stream %d code=%d %q", text, h.Stream, code, reason)
	case TypePing, TypePong:
		return fmt.Sprintf("%s token %d", text, binary.BigEndian.Uint64(o.Payload))
	case TypeDrain:
		return fmt.Sprintf("%s %q", text, o.Payload)
	case TypeGoodbye:
		g, _ := parseGoodbye(o.Payload)
		return fmt.Sprintf("%s code=%d after %v %q", text, g.Code, g.RetryAfter, g.Text)
	}
	return text
}

// check holds the machine's invariants as code.
func (m *Machine) check(t interface{ Fatalf(string, ...any) }) {
	var bulkCount uint16
	last := uint32(0)
	for _, f := range m.flows {
		window := m.ownWindow(f.class())
		switch {
		case f.id <= last || f.id > m.highest:
			t.Fatalf("stream %d stands after %d, highest is %d", f.id, last, m.highest)
		case f.granted > window || f.taken > window || f.granted+f.taken > window:
			t.Fatalf("stream %d: %d granted and %d taken of a window of %d", f.id, f.granted, f.taken, window)
		case f.credit > m.windows[f.class()]:
			t.Fatalf("stream %d: credit %d beyond the peer's window", f.id, f.credit)
		case f.pending < 0:
			t.Fatalf("stream %d: %d bytes pending", f.id, f.pending)
		case f.endSent && f.peerEnded:
			t.Fatalf("stream %d has ended and is not forgotten", f.id)
		}
		if f.bulk {
			bulkCount++
		}
		last = f.id
	}
	if bulkCount != m.bulkCount || len(m.flows) > int(m.settings.Streams) {
		t.Fatalf("%d streams, %d bulk, counted %d", len(m.flows), bulkCount, m.bulkCount)
	}
	if len(m.flows) == 0 && m.flows != nil {
		t.Fatalf("an idle machine holds a buffer for %d streams", cap(m.flows))
	}
	if m.state != working && len(m.flows) > 0 {
		t.Fatalf("%d streams while %v", len(m.flows), m.state)
	}
	if m.sendable() && !m.waking {
		t.Fatalf("frames wait and nobody was woken")
	}
}
