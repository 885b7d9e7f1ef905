// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/agent/transfer"
	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/delta"
	"fairlead/internal/errkind"
)

func argsOf(content []byte) contract.BlobArgs {
	return contract.BlobArgs{SHA256: sumOf(content), Size: int64(len(content))}
}

func sumsOf(content []byte) contract.RunningSums {
	s := contract.NewSummer()
	s.Write(content)
	return s.Sums()
}

func (r *rig) check(content []byte) (contract.BlobState, error) {
	return contract.BlobCheck.Send(context.Background(), r, argsOf(content), bytes.NewReader(sumsOf(content)))
}

// restart is what another process finds: everything on the disk, nothing in memory.
func (r *rig) restart() {
	r.t.Helper()
	r.serve.Wait()
	if err := r.store.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.start(0)
}

func (r *rig) part(content []byte) string {
	return filepath.Join(r.home, "blobs", sumOf(content)+".part")
}

// breaksOff is a body that ends with an error, as one does when the line is cut.
func breaksOff(content []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(content), broken{})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errkind.Unavailable.Errorf("the line was cut") }

const chunk = contract.ChunkBytes

// TestDamageIsFoundByChunk changes a byte on the disk while the agent is away: everything before the
// chunk that holds it stays.
func TestDamageIsFoundByChunk(t *testing.T) {
	content := random(3*chunk + 1000)
	for _, c := range []struct{ there, damaged, want int }{
		{3*chunk + 500, -1, 3*chunk + 500}, // nothing is damaged: not a byte is sent again
		{3 * chunk, 0, 0},
		{3 * chunk, chunk - 1, 0},
		{3 * chunk, chunk, chunk},
		{2*chunk + 10, 2*chunk - 1, chunk},
		{2*chunk + 10, 2*chunk + 5, 2*chunk + 10}, // in a chunk that is not whole yet: found at its end
	} {
		r := newRig(t, 0)
		if _, err := r.put(content, 0, breaksOff(content[:c.there])); err == nil {
			t.Fatal("a put that breaks off succeeded")
		}
		r.restart()
		if c.damaged >= 0 {
			flip(t, r.part(content), int64(c.damaged))
		}
		state, err := r.check(content)
		if err != nil || state.Complete || state.Offset != int64(c.want) {
			t.Errorf("%d bytes there, byte %d changed: check says %+v, %v; want offset %d", c.there, c.damaged, state, err, c.want)
		}
		_, err = r.put(content, state.Offset, bytes.NewReader(content[state.Offset:]))
		if c.damaged > c.want-20 && c.want%chunk != 0 && c.damaged > 0 {
			if errkind.Of(err) != errkind.Corrupt {
				t.Errorf("a damaged chunk was finished: %v, want Corrupt", err)
			}
			again, _ := r.check(content)
			if again.Offset != 2*chunk {
				t.Errorf("check says %+v, want offset %d", again, 2*chunk)
			}
			_, err = r.put(content, again.Offset, bytes.NewReader(content[again.Offset:]))
		}
		if got, readErr := r.blob(sumOf(content)); err != nil || readErr != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes there, byte %d changed: %v, %v", c.there, c.damaged, err, readErr)
		}
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	b[0] ^= 1
	if _, writeErr := f.WriteAt(b[:], at); errors.Join(err, writeErr) != nil {
		t.Fatal(err, writeErr)
	}
}

// TestF8DamageOnTheWay sends a changed byte: what came before its chunk stays, and
// nothing behind it is taken.
func TestF8DamageOnTheWay(t *testing.T) {
	r := newRig(t, 0)
	content := random(3*chunk + 7)
	if state, err := r.check(content); err != nil || state.Offset != 0 {
		t.Fatal(state, err)
	}
	bad := bytes.Clone(content)
	bad[chunk+5] ^= 8
	_, err := r.put(content, 0, bytes.NewReader(bad))
	if errkind.Of(err) != errkind.Corrupt || !strings.Contains(err.Error(), "chunk 2 of 4") {
		t.Errorf("put says %v, want Corrupt with the chunk", err)
	}
	if state := r.missing(content); state.Offset != chunk {
		t.Errorf("missing says %+v, want offset %d", state, chunk)
	}
	if _, err := r.put(content, chunk, bytes.NewReader(content[chunk:])); err != nil {
		t.Fatal(err)
	}
	if got, err := r.blob(sumOf(content)); err != nil || !bytes.Equal(got, content) {
		t.Error("blob differs", err)
	}
}

// TestACutReadsNothingAgain takes the part's bytes away behind the agent's back: whoever read them
// again would notice.
func TestACutReadsNothingAgain(t *testing.T) {
	r := newRig(t, 0)
	content := random(2*chunk + 7)
	for _, cut := range []int{100, chunk + 1, 2 * chunk} {
		state, err := r.check(content)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.put(content, state.Offset, breaksOff(content[state.Offset:cut])); err == nil {
			t.Fatal("a put that breaks off succeeded")
		}
		r.serve.Wait()
		if err := os.WriteFile(r.part(content), make([]byte, cut), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	state, err := r.check(content)
	if err != nil || state.Offset != 2*chunk {
		t.Fatalf("check says %+v, %v", state, err)
	}
	if _, err := r.put(content, state.Offset, bytes.NewReader(content[state.Offset:])); err != nil {
		t.Error(err)
	}
}

func TestWrongSums(t *testing.T) {
	r := newRig(t, 0)
	content := random(2*chunk + 7)
	sums := sumsOf(content)
	for name, bad := range map[string]contract.RunningSums{
		"short":    sums[:len(sums)-1],
		"long":     append(bytes.Clone(sums), 0),
		"another":  sumsOf(random(2*chunk + 8)),
		"none":     nil,
		"reversed": append(bytes.Clone(sums[64:]), sums[:64]...),
	} {
		_, err := contract.BlobCheck.Send(t.Context(), r, argsOf(content), bytes.NewReader(bad))
		if errkind.Of(err) != errkind.Corrupt {
			t.Errorf("%s: %v, want Corrupt", name, err)
		}
	}
}

// version is a package in two forms.
type version struct {
	packed, plain []byte
	format        archive.Format
}

func newVersion(t *testing.T, format archive.Format, files map[string]string) version {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var packed, plain bytes.Buffer
	if err := archive.Create(t.Context(), &packed, format, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(bytes.NewReader(packed.Bytes()), int64(packed.Len()), format)
	if err == nil {
		err = archive.Plain(t.Context(), &plain, a, archive.DefaultLimits())
	}
	if err != nil {
		t.Fatal(err)
	}
	return version{packed.Bytes(), plain.Bytes(), format}
}

func packageOf(v version) contract.Package {
	args := argsOf(v.packed)
	return contract.Package{ID: "Web", Version: "1", SHA256: args.SHA256, Size: args.Size, Format: string(v.format)}
}

// patchTo is the call that leads from v to next, and its delta.
func (v version) patchTo(t *testing.T, next version) (contract.BlobPatchArgs, []byte) {
	t.Helper()
	var d bytes.Buffer
	if err := delta.Make(t.Context(), &d, v.plain, next.plain, 1<<30); err != nil {
		t.Fatal(err)
	}
	return contract.BlobPatchArgs{
		Package: argsOf(next.packed), Plain: argsOf(next.plain), Base: argsOf(v.packed), BaseFormat: string(v.format),
		BasePlain: argsOf(v.plain), Delta: argsOf(d.Bytes()),
	}, d.Bytes()
}

func (r *rig) patch(args contract.BlobPatchArgs) error {
	state, err := contract.BlobPatch.Send(context.Background(), r, args, nil)
	if err == nil && !state.Complete {
		r.t.Errorf("patch says %+v", state)
	}
	return err
}

func (r *rig) which(sums ...string) []string {
	r.t.Helper()
	held, err := contract.BlobWhich.Call(context.Background(), r, contract.BlobWhichArgs{SHA256: sums})
	if err != nil {
		r.t.Fatal(err)
	}
	return held.SHA256
}

func versions(t *testing.T) (one, two, three version) {
	text := string(random(300_000))
	return newVersion(t, archive.TarGz, map[string]string{"a": text, "b": "1"}),
		newVersion(t, archive.Zip, map[string]string{"a": text, "b": "2"}),
		newVersion(t, archive.TarGz, map[string]string{"a": text + "!", "c": "3"})
}

// TestPatchMakesThePackage goes from an archive to a second version, and from that to a third.
func TestPatchMakesThePackage(t *testing.T) {
	r := newRig(t, 0)
	one, two, three := versions(t)
	if _, err := r.put(one.packed, 0, bytes.NewReader(one.packed)); err != nil {
		t.Fatal(err)
	}
	for i, step := range [][2]version{{one, two}, {two, three}} {
		args, d := step[0].patchTo(t, step[1])
		if len(d) > 2000 {
			t.Errorf("delta %d has %d bytes", i, len(d))
		}
		if held := r.which(args.Package.SHA256, args.Base.SHA256); len(held) != 1 || held[0] != args.Base.SHA256 {
			t.Errorf("before patch %d the machine holds %q", i, held)
		}
		if _, err := r.put(d, 0, bytes.NewReader(d)); err != nil {
			t.Fatal(err)
		}
		if err := r.patch(args); err != nil {
			t.Fatal(err)
		}
		if state := r.missing(step[1].packed); !state.Complete {
			t.Errorf("after patch %d missing says %+v", i, state)
		}
		if _, err := r.blob(args.Delta.SHA256); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the delta stays: %v", err)
		}
		blob, format, err := transfer.OpenPackage(r.home, packageOf(step[1]))
		if err != nil || format != archive.Tar {
			t.Fatal(format, err)
		}
		got, err := io.ReadAll(blob)
		if err != nil || !bytes.Equal(got, step[1].plain) {
			t.Errorf("package %d differs: %v", i, err)
		}
		blob.Close()
		if err := r.patch(args); err != nil {
			t.Errorf("patch %d, repeated: %v", i, err)
		}
		r.restart()
	}
}

func TestF8WrongPatch(t *testing.T) {
	one, two, three := versions(t)
	good, d := one.patchTo(t, two)
	_, other := one.patchTo(t, three)
	for name, c := range map[string]struct {
		change func(*contract.BlobPatchArgs)
		delta  []byte
		base   []byte
		want   errkind.Kind
	}{
		"no base":          {nil, d, nil, errkind.NotFound},
		"no delta":         {nil, nil, one.packed, errkind.NotFound},
		"another delta":    {func(a *contract.BlobPatchArgs) { a.Delta = argsOf(other) }, other, one.packed, errkind.Corrupt},
		"another result":   {func(a *contract.BlobPatchArgs) { a.Plain.SHA256 = sumOf(nil) }, d, one.packed, errkind.Corrupt},
		"a shorter result": {func(a *contract.BlobPatchArgs) { a.Plain.Size-- }, d, one.packed, errkind.Corrupt},
		"another base":     {func(a *contract.BlobPatchArgs) { a.BasePlain.SHA256 = sumOf(nil) }, d, one.packed, errkind.Corrupt},
		"a shorter base":   {func(a *contract.BlobPatchArgs) { a.BasePlain.Size = 5000 }, d, one.packed, errkind.Corrupt},
		"no format":        {func(a *contract.BlobPatchArgs) { a.BaseFormat = "rar" }, d, one.packed, errkind.Invalid},
		"no hash":          {func(a *contract.BlobPatchArgs) { a.Package.SHA256 = "../x" }, d, one.packed, errkind.Invalid},
	} {
		r := newRig(t, 0)
		for _, content := range [][]byte{c.delta, c.base} {
			if content == nil {
				continue
			}
			if _, err := r.put(content, 0, bytes.NewReader(content)); err != nil {
				t.Fatal(err)
			}
		}
		args := good
		if c.change != nil {
			c.change(&args)
		}
		if err := r.patch(args); errkind.Of(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if parts, _ := filepath.Glob(filepath.Join(r.home, "blobs", "*.part")); len(parts) > 0 {
			t.Errorf("%s: left %q", name, parts)
		}
		if state := r.missing(two.packed); state.Complete {
			t.Errorf("%s: the package counts as held", name)
		}
	}
}

// TestPatchKeepsToTheRoom covers the quota: what the patch needs itself is not cleaned away.
func TestPatchKeepsToTheRoom(t *testing.T) {
	r := newRig(t, 0)
	one, two, _ := versions(t)
	args, d := one.patchTo(t, two)
	for _, content := range [][]byte{one.packed, d} {
		if _, err := r.put(content, 0, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	r.mu.Lock()
	r.space = transfer.Space{Free: 65 << 20, Total: 1 << 30}
	r.mu.Unlock()
	r.pass(2 * 60 * 60 * 1e9)
	if err := r.patch(args); err != nil {
		t.Error("with a MiB to spare:", err)
	}
	r.mu.Lock()
	r.space.Free = 64<<20 + 1000
	r.mu.Unlock()
	if err := os.Remove(filepath.Join(r.home, "blobs", args.Plain.SHA256)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.put(d, 0, bytes.NewReader(d)); err != nil {
		t.Fatal(err)
	}
	if err := r.patch(args); errkind.Of(err) != errkind.Exhausted {
		t.Errorf("without room: %v, want Exhausted", err)
	}
}

// TestStalePlainForms covers a note whose content was cleaned away, or that makes no sense.
func TestStalePlainForms(t *testing.T) {
	r := newRig(t, 0)
	content := random(1000)
	note := filepath.Join(r.home, "blobs", sumOf(content)+".plain")
	for _, text := range []string{"", "x", sumOf(nil) + " 5\n", strings.Repeat("x", 1000), "../../x 5\n"} {
		if err := os.WriteFile(note, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if held := r.which(sumOf(content)); len(held) > 0 {
			t.Errorf("%.20q: it counts as held", text)
		}
		_, _, err := transfer.OpenPackage(r.home, packageOf(version{packed: content, format: archive.Zip}))
		if errkind.Of(err) != errkind.NotFound {
			t.Errorf("%.20q: open says %v, want NotFound", text, err)
		}
	}
}
