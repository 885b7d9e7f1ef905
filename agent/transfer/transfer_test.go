// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/agent/transfer"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

func TestBlobArrivesWhole(t *testing.T) {
	for _, size := range []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 3 << 20} {
		r := newRig(t, 0)
		content := random(size)
		if state := r.missing(content); state.Complete || state.Offset != 0 {
			t.Errorf("%d bytes: missing says %+v before", size, state)
		}
		state, err := r.put(content, 0, bytes.NewReader(content))
		if err != nil || !state.Complete {
			t.Fatalf("%d bytes: put says %+v, %v", size, state, err)
		}
		if got, err := r.blob(sumOf(content)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: blob differs (%v)", size, err)
		}
		if state := r.missing(content); !state.Complete {
			t.Errorf("%d bytes: missing says %+v after", size, state)
		}
		if _, err := r.put(content, 0, strings.NewReader("")); err != nil {
			t.Errorf("%d bytes: a put of a whole blob: %v", size, err)
		}
		info, _ := os.Stat(filepath.Join(r.home, "blobs", sumOf(content)))
		if info.Mode() != 0o600 {
			t.Errorf("mode %v, want 0600", info.Mode())
		}
	}
}

// TestResumeFromAnyCut sends content in pieces that are cut anywhere, with restarts of the agent
// in between, and wants the content.
func TestResumeFromAnyCut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, 0)
		content := random(rapid.IntRange(0, 600<<10).Draw(rt, "size"))
		for range rapid.IntRange(0, 4).Draw(rt, "cuts") {
			state := r.missing(content)
			if state.Complete {
				break
			}
			from := rapid.Int64Range(0, state.Offset).Draw(rt, "from")
			to := rapid.Int64Range(from, int64(len(content))).Draw(rt, "to")
			if _, err := r.put(content, from, bytes.NewReader(content[from:to])); err != nil && !errors.Is(err, errkind.Unavailable) {
				rt.Fatalf("cut at %d: %v", to, err)
			}
			if rapid.Bool().Draw(rt, "restart") {
				r.serve.Wait()
				r.store.Close()
				r.start(0)
			}
			if state := r.missing(content); !state.Complete && state.Offset != to {
				rt.Fatalf("cut at %d: missing says %+v", to, state)
			}
		}
		state := r.missing(content)
		if !state.Complete {
			if _, err := r.put(content, state.Offset, bytes.NewReader(content[state.Offset:])); err != nil {
				rt.Fatal(err)
			}
		}
		if got, err := r.blob(sumOf(content)); err != nil || !bytes.Equal(got, content) {
			rt.Fatalf("blob differs: %v", err)
		}
	})
}

func TestF8WrongContent(t *testing.T) {
	content := random(300 << 10)
	wrong := bytes.Clone(content)
	wrong[7] ^= 1
	left := func(r *rig) int {
		names, err := os.ReadDir(filepath.Join(r.home, "blobs"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	t.Run("F8 wrong hash", func(t *testing.T) {
		r := newRig(t, 0)
		if _, err := r.put(content, 0, bytes.NewReader(wrong)); !errors.Is(err, errkind.Corrupt) || left(r) != 0 {
			t.Errorf("got %v and %d files, want Corrupt and none", err, left(r))
		}
	})
	t.Run("F8 wrong part", func(t *testing.T) {
		r := newRig(t, 0)
		r.put(content, 0, bytes.NewReader(wrong[:100]))
		if _, err := r.put(content, 100, bytes.NewReader(content[100:])); !errors.Is(err, errkind.Corrupt) || left(r) != 0 {
			t.Errorf("got %v and %d files, want Corrupt and none", err, left(r))
		}
	})
	t.Run("F8 last piece missing", func(t *testing.T) {
		r := newRig(t, 0)
		if _, err := r.put(content, 0, bytes.NewReader(content[:len(content)-1])); !errors.Is(err, errkind.Unavailable) {
			t.Errorf("got %v, want Unavailable", err)
		}
		if _, err := r.blob(sumOf(content)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the blob is visible: %v", err)
		}
	})
	t.Run("F8 too long", func(t *testing.T) {
		r := newRig(t, 0)
		long := io.MultiReader(bytes.NewReader(content), strings.NewReader("x"))
		if _, err := r.put(content, 0, long); !errors.Is(err, errkind.Invalid) || left(r) != 0 {
			t.Errorf("got %v and %d files, want Invalid and none", err, left(r))
		}
	})
	t.Run("F8 offset beyond the part", func(t *testing.T) {
		r := newRig(t, 0)
		if _, err := r.put(content, 5, bytes.NewReader(content[5:])); !errors.Is(err, errkind.Conflict) {
			t.Errorf("got %v, want Conflict", err)
		}
	})
	for name, args := range map[string]contract.BlobPutArgs{
		"F2 path as hash": {SHA256: "../" + sumOf(content)[3:], Size: 1}, "F8 upper case": {SHA256: strings.ToUpper(sumOf(content)), Size: 1},
		"F8 negative size": {SHA256: sumOf(content), Size: -1}, "F8 huge size": {SHA256: sumOf(content), Size: 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 0)
			if _, err := contract.BlobPut.Send(context.Background(), r, args, strings.NewReader("x")); !errors.Is(err, errkind.Invalid) {
				t.Errorf("got %v, want Invalid", err)
			}
		})
	}
}

func TestOneWriterForEachHash(t *testing.T) {
	r := newRig(t, 0)
	content := random(400 << 10)
	body, feed := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := r.put(content, 0, body)
		done <- err
	}()
	feed.Write(content[:300<<10]) // the first put is in the middle now
	if _, err := r.put(content, 0, bytes.NewReader(content)); !errors.Is(err, errkind.Conflict) {
		t.Errorf("second put: %v, want Conflict", err)
	}
	other := random(10)
	if _, err := r.put(other, 0, bytes.NewReader(other)); err != nil {
		t.Errorf("put of other content: %v", err)
	}
	feed.Write(content[300<<10:])
	feed.Close()
	if err := <-done; err != nil {
		t.Errorf("first put: %v", err)
	}
}

// touchless is a body that must not be read.
type touchless struct{ t *testing.T }

func (b touchless) Read([]byte) (int, error) { return 0, io.EOF }

func TestF9DiskFull(t *testing.T) {
	content := random(1 << 20)
	for name, space := range map[string]transfer.Space{
		"F9 disk at 95 percent": {Free: 49 << 30, Total: 1000 << 30},
		"F9 no room to spare":   {Free: 64<<20 + 1<<20 - 1, Total: 100 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 0)
			r.space = space
			_, err := r.put(content, 0, touchless{t})
			if !errors.Is(err, errkind.Exhausted) || errkind.Hint(err) == "" {
				t.Errorf("blob: got %v (hint %q), want Exhausted with a hint", err, errkind.Hint(err))
			}
			if state := r.missing(content); state.Offset != 0 {
				t.Errorf("%d bytes were written", state.Offset)
			}
			_, err = contract.FilePut.Send(context.Background(), r, contract.FilePutArgs{
				Path: "a", SHA256: sumOf(content), Size: 1 << 20,
			}, touchless{t})
			if !errors.Is(err, errkind.Exhausted) {
				t.Errorf("file: got %v, want Exhausted", err)
			}
		})
	}
	t.Run("F9 larger than the cache", func(t *testing.T) {
		r := newRig(t, 1<<20-1)
		if _, err := r.put(content, 0, touchless{t}); !errors.Is(err, errkind.Exhausted) {
			t.Errorf("got %v, want Exhausted", err)
		}
	})
	t.Run("F9 room promised to another", func(t *testing.T) {
		r := newRig(t, 0)
		r.space = transfer.Space{Free: 64<<20 + 1<<20 + 512<<10, Total: 100 << 20}
		body, feed := io.Pipe()
		done := make(chan error, 1)
		go func() {
			_, err := r.put(content, 0, body)
			done <- err
		}()
		feed.Write(content[:10])
		r.await(sumOf(content) + ".part") // made when the room was promised
		other := random(1<<20 - 1)
		if _, err := r.put(other, 0, touchless{t}); !errors.Is(err, errkind.Exhausted) {
			t.Errorf("got %v, want Exhausted", err)
		}
		feed.Close()
		if err := <-done; !errors.Is(err, errkind.Unavailable) {
			t.Errorf("first: %v", err)
		}
		if _, err := r.put(other, 0, bytes.NewReader(other)); err != nil {
			t.Errorf("after the promise was given back: %v", err)
		}
	})
}

func TestCleaningTakesTheLeastRecentlyWanted(t *testing.T) {
	r := newRig(t, 300)
	blobs := [][]byte{random(101), random(102), random(103), random(90)}
	for _, b := range blobs[:2] {
		if _, err := r.put(b, 0, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		r.pass(2 * time.Hour)
	}
	r.missing(blobs[0]) // wanted again: now the second is the oldest
	r.pass(2 * time.Hour)
	if _, err := r.put(blobs[2], 0, bytes.NewReader(blobs[2])); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true} {
		if _, err := r.blob(sumOf(blobs[i])); (err == nil) != want {
			t.Errorf("blob %d there: %v, want %v", i, err == nil, want)
		}
	}
	held, err := transfer.OpenBlob(r.home, sumOf(blobs[0]))
	if err != nil {
		t.Fatal(err)
	}
	r.pass(2 * time.Hour)
	r.missing(blobs[2])
	if _, err := r.put(blobs[3], 0, bytes.NewReader(blobs[3])); err != nil {
		t.Fatal(err)
	}
	if _, err := r.blob(sumOf(blobs[0])); err != nil {
		t.Error("a blob that is being read was removed")
	}
	if _, err := r.blob(sumOf(blobs[2])); err != nil {
		t.Error("a blob that was just asked for was removed")
	}
	held.Close()
	r.pass(2 * time.Hour)
	if _, err := r.put(blobs[1], 0, bytes.NewReader(blobs[1])); err != nil {
		t.Fatal(err)
	}
	if _, err := r.blob(sumOf(blobs[0])); err == nil {
		t.Error("the oldest blob stayed")
	}
}

// TestCleaningLeavesWhatOrdersWaitFor: an order may wait for its turn longer than a blob is kept by itself.
func TestCleaningLeavesWhatOrdersWaitFor(t *testing.T) {
	r := newRig(t, 300)
	blobs := [][]byte{random(101), random(102), random(103), random(104)}
	note := filepath.Join(r.home, "blobs", sumOf([]byte("package"))+".plain") // the second one is its plain form
	if err := os.WriteFile(note, fmt.Appendf(nil, "%s %d\n", sumOf(blobs[1]), len(blobs[1])), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs[:2] {
		if _, err := r.put(b, 0, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	r.needed = []string{sumOf(blobs[0]), sumOf([]byte("package"))}
	r.pass(48 * time.Hour)
	for _, b := range blobs[2:] { // too much: there is nothing to be removed
		if _, err := r.put(b, 0, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range blobs[:2] {
		if _, err := r.blob(sumOf(b)); err != nil {
			t.Errorf("blob %d, which an order waits for, was removed: %v", i, err)
		}
	}
	if _, err := os.Lstat(note); err != nil {
		t.Errorf("what says which content a package is was removed: %v", err)
	}
	r.needed = nil
	r.pass(48 * time.Hour)
	last := random(105)
	if _, err := r.put(last, 0, bytes.NewReader(last)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.blob(sumOf(blobs[0])); err == nil {
		t.Error("a blob that no order waits for any more stayed")
	}
}

func TestOpenBlob(t *testing.T) {
	r := newRig(t, 0)
	if _, err := transfer.OpenBlob(r.home, sumOf(nil)); !errors.Is(err, errkind.NotFound) {
		t.Errorf("got %v, want NotFound", err)
	}
	if _, err := transfer.OpenBlob(r.home, "../x"); !errors.Is(err, errkind.Invalid) {
		t.Errorf("got %v, want Invalid", err)
	}
}

func (r *rig) putFile(name string, content []byte, mode uint32) error {
	_, err := contract.FilePut.Send(context.Background(), r, contract.FilePutArgs{
		Path: name, SHA256: sumOf(content), Size: int64(len(content)), Mode: mode,
	}, bytes.NewReader(content))
	return err
}

func (r *rig) getFile(name string) ([]byte, error) {
	answer, err := contract.FileGet.Exchange(context.Background(), r, contract.FileGetArgs{Path: name}, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	content, err := io.ReadAll(answer)
	if err == nil && (answer.Result.Size != int64(len(content)) || answer.Result.SHA256 != sumOf(content)) {
		r.t.Errorf("%s: the head says %+v for %d bytes", name, answer.Result, len(content))
	}
	return content, err
}

func TestFilesThereAndBack(t *testing.T) {
	r := newRig(t, 0)
	for _, content := range [][]byte{random(700 << 10), {}, random(3)} {
		if err := r.putFile("a/b/c.txt", content, 0o4755); err != nil {
			t.Fatal(err)
		}
		got, err := r.getFile("a/b/c.txt")
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: got %d, %v", len(content), len(got), err)
		}
		info, err := os.Stat(filepath.Join(r.home, "files/a/b/c.txt"))
		if err != nil || info.Mode() != 0o700 {
			t.Errorf("mode %v, %v: want 0700", info.Mode(), err)
		}
	}
	if _, err := r.getFile("none"); !errors.Is(err, errkind.NotFound) {
		t.Errorf("got %v, want NotFound", err)
	}
	if err := r.putFile("a/b", nil, 0); !errors.Is(err, errkind.Conflict) {
		t.Errorf("a file onto a folder: %v, want Conflict", err)
	}
	if err := r.putFile("a/b/c.txt/d", nil, 0); !errors.Is(err, errkind.Conflict) {
		t.Errorf("a file below a file: %v, want Conflict", err)
	}
	if _, err := r.getFile("a"); !errors.Is(err, errkind.Invalid) {
		t.Errorf("a folder: %v, want Invalid", err)
	}
	left, err := os.ReadDir(filepath.Join(r.home, "files/.incoming"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v was left, %v", left, err)
	}
}

func TestF1FilePaths(t *testing.T) {
	r := newRig(t, 0)
	for _, name := range []string{"/etc/passwd", "../x", "a/../../x", `a\b`, "C:/x", "a\nb", "a.", "a/", "", ".incoming/x"} {
		if err := r.putFile(name, []byte("x"), 0); !errors.Is(err, errkind.Invalid) {
			t.Errorf("put %q: %v, want Invalid", name, err)
		}
		if _, err := r.getFile(name); !errors.Is(err, errkind.Invalid) {
			t.Errorf("get %q: %v, want Invalid", name, err)
		}
	}
}

func TestH4PlantedNames(t *testing.T) {
	r := newRig(t, 0)
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := filepath.Join(r.home, "files")
	content := random(100)
	blobs := filepath.Join(r.home, "blobs")
	for _, err := range []error{
		os.Symlink(secret, filepath.Join(files, "link")), os.Symlink(outside, filepath.Join(files, "dir")),
		syscall.Mkfifo(filepath.Join(files, "fifo"), 0o600),
		os.Symlink(secret, filepath.Join(blobs, sumOf(content)+".part")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("H4 link is not read", func(t *testing.T) {
		if got, err := r.getFile("link"); err == nil {
			t.Errorf("got %q", got)
		}
		if got, err := r.getFile("dir/secret"); err == nil {
			t.Errorf("got %q", got)
		}
	})
	t.Run("H4 fifo does not block", func(t *testing.T) {
		if _, err := r.getFile("fifo"); !errors.Is(err, errkind.Invalid) {
			t.Errorf("got %v, want Invalid", err)
		}
	})
	t.Run("H4 folder link is not written through", func(t *testing.T) {
		if err := r.putFile("dir/new", content, 0); err == nil {
			t.Error("a file was put outside")
		}
	})
	t.Run("H4 link is replaced", func(t *testing.T) {
		if err := r.putFile("link", content, 0); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("H4 part is a link", func(t *testing.T) {
		if _, err := r.put(content, 0, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	})
	if got, _ := os.ReadFile(secret); string(got) != "secret" {
		t.Errorf("the file outside was written: %q", got)
	}
	if names, _ := os.ReadDir(outside); len(names) != 1 {
		t.Errorf("something was made outside: %v", names)
	}
	t.Run("H4 folder is a link", func(t *testing.T) {
		home := t.TempDir()
		if err := os.Symlink(outside, filepath.Join(home, "blobs")); err != nil {
			t.Fatal(err)
		}
		if _, err := transfer.New(home, transfer.Options{Disk: host.Fsync{}, Wall: time.Now}); !errors.Is(err, errkind.Conflict) {
			t.Errorf("got %v, want Conflict", err)
		}
	})
}
