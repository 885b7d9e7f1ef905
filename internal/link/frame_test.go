// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/errkind"
)

// vector is one frame as hex, and what it means or which fault it is.
type vector struct {
	Name     string `json:"name"`
	Hex      string `json:"hex"` // header and payload; blanks are for the eye
	Type     string `json:"type,omitempty"`
	Stream   uint32 `json:"stream,omitempty"`
	Sequence uint32 `json:"sequence,omitempty"`
	Length   uint32 `json:"length,omitempty"`
	Fault    string `json:"fault,omitempty"`
}

// TestVectors reads fixtures/vectors/link: the frames that other implementations can test with.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/vectors/link/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %d vector files, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors []vector
		if err := json.Unmarshal(raw, &vectors); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range vectors {
			t.Run(filepath.Base(file)+"/"+v.Name, func(t *testing.T) { v.test(t) })
		}
	}
}

func (v vector) test(t *testing.T) {
	raw, err := hex.DecodeString(strings.ReplaceAll(v.Hex, " ", ""))
	if err != nil || len(raw) < HeaderBytes {
		t.Fatalf("hex %q: %v", v.Hex, err)
	}
	h, err := ParseHeader((*[HeaderBytes]byte)(raw))
	if err == nil {
		if int(h.Length) != len(raw)-HeaderBytes {
			t.Fatalf("the vector has %d payload bytes, its header says %d", len(raw)-HeaderBytes, h.Length)
		}
		err = checkPayload(h, raw[HeaderBytes:])
	}
	if v.Fault != "" {
		e, ok := errors.AsType[*ProtocolError](err)
		if !ok || string(e.Fault) != v.Fault || errkind.Of(err) != errkind.Corrupt {
			t.Fatalf("ended as %v: want fault %s", err, v.Fault)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if h.Type.String() != v.Type || h.Stream != v.Stream || h.Sequence != v.Sequence || h.Length != v.Length {
		t.Fatalf("read as %+v (%v): want %+v", h, h.Type, v)
	}
	again := make([]byte, HeaderBytes)
	if h.Put(again); string(again) != string(raw[:HeaderBytes]) {
		t.Fatalf("written again as % x", again)
	}
}

// checkPayload reads a payload as the machine does, without a session around it.
func checkPayload(h Header, payload []byte) error {
	var err error
	switch h.Type {
	case TypeHello:
		_, err = parseHello(payload)
	case TypeReset:
		_, _, err = parseReset(payload)
	case TypeDrain:
		_, err = parseText(payload)
	case TypeGoodbye:
		_, err = parseGoodbye(payload)
	}
	return err
}

func TestW1W2LengthsAreRefusedBeforeAllocation(t *testing.T) {
	for typ := range typeCount {
		for _, length := range []uint32{1 << 15, 1 << 20, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			var b [HeaderBytes]byte
			Header{Length: length, Type: typ, Stream: 1}.Put(b[:])
			allocations := testing.AllocsPerRun(1, func() {
				if _, err := ParseHeader(&b); err == nil {
					t.Errorf("%v frame of %d bytes was taken", typ, length)
				}
			})
			if allocations > 10 {
				t.Errorf("%v frame of %d bytes: %v allocations", typ, length, allocations)
			}
		}
	}
}

// TestW9OtherVersions meets peers of other versions; the whole conversations are the W9 scripts.
func TestW9OtherVersions(t *testing.T) {
	for _, c := range []struct {
		name           string
		newest, oldest uint16
		want           Fault
	}{
		{"same", 1, 1, ""},
		{"newer, speaks ours too", 2, 1, ""},
		{"much newer, speaks ours too", 65535, 1, ""},
		{"newer only", 3, 2, FaultVersion},
	} {
		m, peer := New(Servant, Settings{}), New(Caller, Settings{}).hello()
		peer.newest, peer.oldest = c.newest, c.oldest
		payload := append(peer.append(nil), "fields of a later version"...)
		if _, err := m.Step(scriptStart, Start{}); err != nil {
			t.Fatal(err)
		}
		header := Header{Length: uint32(len(payload)), Type: TypeHello}
		if _, err := m.Step(scriptStart, Received{Header: header, Payload: payload}); err != nil {
			t.Fatal(err)
		}
		if refused := m.state != working; refused != (c.want != "") || refused && m.goodbye.Code != GoodbyeVersion {
			t.Errorf("%s: the session is %v, goodbye %+v", c.name, m.state, m.goodbye)
		}
	}
}

func TestTextIsMadeHarmless(t *testing.T) {
	for _, text := range []string{"", "plain", "line\nfeed\x1b[31m", "bad \xff\xfe utf", strings.Repeat("ä", 200)} {
		clean := cleanText(text)
		if got, err := parseText([]byte(clean)); err != nil || got != clean {
			t.Errorf("%q became %q, which is refused: %v", text, clean, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	seed := New(Caller, Settings{}).hello().append(nil)
	header := make([]byte, HeaderBytes)
	Header{Length: uint32(len(seed)), Type: TypeHello}.Put(header)
	f.Add(append(header, seed...))
	Header{Length: 5, Type: TypeReset, Stream: 9, Sequence: 77}.Put(header)
	f.Add(append(header, 0, 1, 'a', 'b', 'c'))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < HeaderBytes {
			return
		}
		h, err := ParseHeader((*[HeaderBytes]byte)(b))
		if err != nil {
			if e, ok := errors.AsType[*ProtocolError](err); !ok || e.Fault == "" {
				t.Fatalf("an error without a name: %v", err)
			}
			return
		}
		if h.Length > MaxDataBytes {
			t.Fatalf("%v frame of %d bytes was taken", h.Type, h.Length)
		}
		again := make([]byte, HeaderBytes)
		if h.Put(again); string(again) != string(b[:HeaderBytes]) {
			t.Fatalf("% x is written again as % x", b[:HeaderBytes], again)
		}
		payload := b[HeaderBytes:min(len(b), HeaderBytes+int(h.Length))]
		if err := checkPayload(h, payload); err == nil && h.Type == TypeHello && len(payload) == helloBytes {
			parsed, _ := parseHello(payload)
			if second, err := parseHello(parsed.append(nil)); err != nil || second != parsed {
				t.Fatalf("hello %+v is read again as %+v, %v", parsed, second, err)
			}
		}
	})
}

// FuzzMachine feeds a machine any bytes after a right hello, frame by frame as the shell does.
func FuzzMachine(f *testing.F) {
	header := make([]byte, HeaderBytes)
	Header{Type: TypeOpen, Stream: 1, Sequence: 1}.Put(header)
	two := append([]byte(nil), header...)
	Header{Length: 3, Type: TypeData, Stream: 1, Sequence: 2}.Put(header)
	two = append(append(two, header...), 'a', 'b', 'c')
	f.Add(true, two)
	f.Add(false, two)
	f.Fuzz(func(t *testing.T, servant bool, b []byte) {
		role := Caller
		if servant {
			role = Servant
		}
		m := New(role, Settings{})
		now := scriptStart
		step := func(in Input) {
			if _, err := m.Step(now, in); err != nil && errkind.Of(err) == errkind.Internal {
				t.Fatal(err)
			}
			m.check(t)
		}
		step(Start{})
		greeting := New(Caller+Servant-role, Settings{}).hello().append(nil)
		step(Received{Header: Header{Length: helloBytes, Type: TypeHello}, Payload: greeting})
		for sequence := uint32(1); len(b) >= HeaderBytes; sequence++ {
			h, err := ParseHeader((*[HeaderBytes]byte)(b))
			b = b[HeaderBytes:]
			if err != nil {
				step(Broken{Err: err})
				break
			}
			size := min(int(h.Length), len(b))
			h.Length = max(uint32(size), shapeOf(h.Type).minBytes)
			payload := make([]byte, h.Length)
			copy(payload, b[:size])
			b = b[size:]
			if h.Sequence != 0xdead {
				h.Sequence = sequence // let the fuzzer pass the sequence check
			}
			step(Received{Header: h, Payload: payload})
			step(Open{Bulk: h.Flags&FlagBulk != 0})
			step(WriteReady{Room: RecordBytes})
			step(Tick{})
		}
		step(WriteReady{Room: RecordBytes})
		step(Lost{Err: errors.New("end of input")})
		if m.state != over {
			t.Fatalf("the session is %v after its transport was lost", m.state)
		}
	})
}
