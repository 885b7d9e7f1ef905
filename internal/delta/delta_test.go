// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package delta_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/delta"
	"fairlead/internal/errkind"
)

func source(b []byte) delta.Source {
	return delta.Source{ReaderAt: bytes.NewReader(b), Size: int64(len(b))}
}

func made(t testing.TB, old, fresh []byte) []byte {
	t.Helper()
	var d bytes.Buffer
	if err := delta.Make(t.Context(), &d, old, fresh, 1<<40); err != nil {
		t.Fatal(err)
	}
	return d.Bytes()
}

func check(t testing.TB, old, fresh, d []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := delta.Apply(t.Context(), &got, source(old), source(d), int64(len(fresh))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), fresh) {
		t.Fatalf("%d bytes of %d came out otherwise", got.Len(), len(fresh))
	}
}

func random(seed byte, size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// program is like machine code: addresses lie between what does not change, and all of them move
// when something is inserted.
func program(seed byte, size int, base uint32) []byte {
	b := random(seed, size)
	for i := 0; i+40 <= size; i += 40 {
		binary.LittleEndian.PutUint32(b[i:], base+uint32(i))
	}
	return b
}

func TestWhatIsMadeApplies(t *testing.T) {
	long := random(1, 5<<20) // more than a block
	for name, c := range map[string]struct {
		old, fresh []byte
		most       int // bytes of the delta
	}{
		"nothing from nothing":    {nil, nil, 20},
		"something from nothing":  {nil, random(2, 100), 200},
		"nothing from something":  {random(2, 100), nil, 20},
		"the same":                {long, long, 300},
		"a byte more in front":    {long, append([]byte{7}, long...), 300},
		"halves change places":    {long, append(bytes.Clone(long[2<<20:]), long[:2<<20]...), 300},
		"the end is gone":         {long, long[:3<<20], 300},
		"nothing alike":           {long, random(3, 1<<20), 1<<20 + 1000},
		"addresses moved":         {program(4, 1<<20, 0x1000), program(4, 1<<20, 0x1050), 250 << 10},
		"shorter than a seed":     {[]byte("abc"), []byte("abd"), 40},
		"exactly a block":         {long[:4<<20], long[:4<<20], 100},
		"old much longer than it": {long, long[100:200], 100},
	} {
		d := made(t, c.old, c.fresh)
		check(t, c.old, c.fresh, d)
		if len(d) > c.most {
			t.Errorf("%s: delta of %d bytes, want at most %d", name, len(d), c.most)
		}
	}
}

// TestEverythingApplies makes the new of pieces of the old, edited, and of strange ones.
func TestEverythingApplies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		old := random(byte(rapid.Int().Draw(rt, "seed")), rapid.IntRange(0, 20_000).Draw(rt, "old"))
		if rapid.Bool().Draw(rt, "repetitive") {
			for i := range old {
				old[i] &= 1
			}
		}
		var fresh []byte
		for range rapid.IntRange(0, 8).Draw(rt, "pieces") {
			from := rapid.IntRange(0, len(old)).Draw(rt, "from")
			piece := bytes.Clone(old[from:rapid.IntRange(from, len(old)).Draw(rt, "to")])
			for range rapid.IntRange(0, 4).Draw(rt, "edits") {
				if len(piece) > 0 {
					piece[rapid.IntRange(0, len(piece)-1).Draw(rt, "at")]++
				}
			}
			fresh = append(append(fresh, piece...), rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "strange")...)
		}
		var d, again, got bytes.Buffer
		err := errors.Join(delta.Make(t.Context(), &d, old, fresh, 1<<40), delta.Make(t.Context(), &again, old, fresh, 1<<40))
		if err != nil || !bytes.Equal(d.Bytes(), again.Bytes()) {
			rt.Fatalf("two deltas differ: %v", err)
		}
		if err := delta.Apply(t.Context(), &got, source(old), source(d.Bytes()), int64(len(fresh))); err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), fresh) {
			rt.Fatal("something else came out")
		}
	})
}

func TestLimitAndCancel(t *testing.T) {
	old, fresh := random(1, 1<<20), random(2, 1<<20)
	if err := delta.Make(t.Context(), io.Discard, old, fresh, 1<<19); errkind.Of(err) != errkind.Exhausted {
		t.Errorf("a delta longer than its limit: %v, want Exhausted", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := delta.Make(ended, io.Discard, old, old, 1<<40); errkind.Of(err) != errkind.Canceled {
		t.Errorf("make, canceled: %v", err)
	}
	d := made(t, old, fresh)
	if err := delta.Apply(ended, io.Discard, source(old), source(d), 1<<20); errkind.Of(err) != errkind.Canceled {
		t.Errorf("apply, canceled: %v", err)
	}
}

// TestDamageIsCorrupt cuts and changes deltas anywhere: never another error than Corrupt, never
// more bytes than announced.
func TestDamageIsCorrupt(t *testing.T) {
	old := program(1, 10_000, 0x1000)
	fresh := append(random(9, 200), program(1, 10_000, 0x1040)...)
	d := made(t, old, fresh)
	apply := func(d []byte) error {
		var got bytes.Buffer
		err := delta.Apply(t.Context(), &got, source(old), source(d), int64(len(fresh)))
		if got.Len() > len(fresh) {
			t.Fatalf("%d bytes came out of a delta that announces %d", got.Len(), len(fresh))
		}
		return err
	}
	for n := 0; n < len(d); n += 7 {
		if err := apply(d[:n]); errkind.Of(err) != errkind.Corrupt {
			t.Fatalf("cut after %d of %d bytes: %v, want Corrupt", n, len(d), err)
		}
	}
	if err := apply(append(bytes.Clone(d), 0)); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("a byte at its end: %v", err)
	}
	for i := range d {
		bad := bytes.Clone(d)
		bad[i] ^= 1 << (i % 8)
		if err := apply(bad); err != nil && errkind.Of(err) != errkind.Corrupt {
			t.Fatalf("byte %d changed: %v, want Corrupt or another content", i, err)
		}
	}
	if err := delta.Apply(t.Context(), io.Discard, source(old[1:]), source(d), int64(len(fresh))); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("another old: %v", err)
	}
	if err := delta.Apply(t.Context(), io.Discard, source(old), source(d), int64(len(fresh))-1); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("another length: %v", err)
	}
}

func TestErrorsOfOthersPass(t *testing.T) {
	old := random(1, 1<<20)
	d := made(t, old, old)
	full := errors.New("disk full")
	if err := delta.Make(t.Context(), failing{full}, old, old, 1<<40); !errors.Is(err, full) {
		t.Errorf("make: %v", err)
	}
	if err := delta.Apply(t.Context(), failing{full}, source(old), source(d), 1<<20); !errors.Is(err, full) {
		t.Errorf("apply to a full disk: %v", err)
	}
	broken := delta.Source{ReaderAt: failing{full}, Size: 1 << 20}
	if err := delta.Apply(t.Context(), io.Discard, broken, source(d), 1<<20); !errors.Is(err, full) {
		t.Errorf("apply to a broken old: %v", err)
	}
	if err := delta.Apply(t.Context(), io.Discard, source(old), broken, 1<<20); !errors.Is(err, full) {
		t.Errorf("apply a broken delta: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error)         { return 0, f.err }
func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func FuzzApply(f *testing.F) {
	old := program(1, 4000, 0x1000)
	fresh := append(random(9, 50), program(1, 4000, 0x1040)...)
	f.Add(made(f, old, fresh), int64(len(fresh)))
	f.Add(made(f, old, old[:100]), int64(100))
	f.Fuzz(func(t *testing.T, d []byte, size int64) {
		if size < 0 || size > 1<<20 {
			return
		}
		var got bytes.Buffer
		err := delta.Apply(t.Context(), &got, source(old), source(d), size)
		if int64(got.Len()) > size || err == nil && int64(got.Len()) != size {
			t.Fatalf("%d bytes of %d, %v", got.Len(), size, err)
		}
		if err != nil && errkind.Of(err) != errkind.Corrupt {
			t.Fatal(err)
		}
	})
}

func BenchmarkMake(b *testing.B) {
	old, fresh := program(1, 16<<20, 0x1000), append(random(9, 500), program(1, 16<<20, 0x1040)...)
	b.SetBytes(int64(len(fresh)))
	for b.Loop() {
		if err := delta.Make(b.Context(), io.Discard, old, fresh, 1<<40); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	old, fresh := program(1, 16<<20, 0x1000), append(random(9, 500), program(1, 16<<20, 0x1040)...)
	d := made(b, old, fresh)
	b.SetBytes(int64(len(fresh)))
	b.ReportAllocs()
	for b.Loop() {
		if err := delta.Apply(b.Context(), io.Discard, source(old), source(d), int64(len(fresh))); err != nil {
			b.Fatal(err)
		}
	}
}
