// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package artifact_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/artifact"
)

type site struct {
	*artifact.Folder
	t      *testing.T
	store  store.Store
	dir    string
	vitals host.Vitals
}

func newSite(t *testing.T) *site {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &site{t: t, store: db, dir: filepath.Join(t.TempDir(), "artifacts")}
	s.open()
	return s
}

// open opens the folder as a server does that starts.
func (s *site) open() {
	limits := artifact.DefaultLimits()
	limits.MaxBytes, limits.QuotaBytes = 1<<20, 3<<20
	f, err := artifact.New(artifact.Deps{
		Store: s.store, Dir: s.dir, Disk: host.Fsync{}, Limits: limits, Vitals: func(string) host.Vitals { return s.vitals },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Folder = f
}

func incoming(key string, content []byte) artifact.Incoming {
	sum := sha256.Sum256(content)
	return artifact.Incoming{Key: key, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

// from reads content up to an end, and notes the offsets that it was asked for.
func from(content []byte, end int, offsets *[]int64) artifact.Read {
	return func(_ context.Context, offset int64) (io.ReadCloser, error) {
		*offsets = append(*offsets, offset)
		return io.NopCloser(bytes.NewReader(content[offset:max(int(offset), end)])), nil
	}
}

func (s *site) put(id deploy.ArtifactID, in artifact.Incoming) deploy.Artifact {
	s.t.Helper()
	a := deploy.Artifact{ID: id, Task: "ServerTasks-1", SHA256: in.SHA256, Size: in.Size}
	err := s.store.Update(s.t.Context(), func(w store.Writer) error {
		return errors.Join(w.PutTask(deploy.Task{ID: "ServerTasks-1"}), w.PutArtifact(a))
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *site) tidy(later time.Duration) int {
	s.t.Helper()
	n, err := s.Tidy(s.t.Context(), time.Now().Add(later))
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestFetchGoesOn(t *testing.T) {
	s := newSite(t)
	content := bytes.Repeat([]byte("abcdefgh"), 64<<10)
	in := incoming("t1-0", content)
	var offsets []int64
	if _, err := s.Fetch(t.Context(), in, from(content, 300_000, &offsets)); errkind.Of(err) != errkind.Unavailable {
		t.Fatalf("a line that broke: %v", err)
	}
	s.open() // the server was killed meanwhile
	release, err := s.Fetch(t.Context(), in, from(content, len(content), &offsets))
	if err != nil {
		t.Fatal(err)
	}
	if len(offsets) != 2 || offsets[1] != 300_000 {
		t.Errorf("asked from %v, want 0 and 300000", offsets)
	}
	if n := s.tidy(48 * time.Hour); n != 0 {
		t.Errorf("Tidy removed %d files of content that is held", n)
	}
	a := s.put("Artifacts-1", in)
	release()
	if n := s.tidy(48 * time.Hour); n != 0 {
		t.Errorf("Tidy removed %d files of content that has a row", n)
	}
	file, err := s.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	again, err := s.Fetch(t.Context(), incoming("t2-0", content), from(nil, 0, &offsets))
	if err != nil || len(offsets) != 2 {
		t.Fatalf("content that is there: %v, asked from %v", err, offsets)
	}
	again()
}

// TestNamesStayInside: what lies on disk is named by the hash and the key alone, and for the owner's eyes.
func TestNamesStayInside(t *testing.T) {
	s := newSite(t)
	in := incoming("t1-0", []byte("x"))
	var offsets []int64
	release, err := s.Fetch(t.Context(), in, from([]byte("x"), 1, &offsets))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for path, want := range map[string]fs.FileMode{
		s.dir: 0o700 | fs.ModeDir, filepath.Join(s.dir, in.SHA256[:2]): 0o700 | fs.ModeDir,
		filepath.Join(s.dir, in.SHA256[:2], in.SHA256): 0o600,
	} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info, err, want)
		}
	}
	for _, sum := range []string{"", "..", "../../../../etc/passwd", "ABCD"} {
		in.SHA256 = sum
		if _, err := s.Fetch(t.Context(), in, from(nil, 0, &offsets)); errkind.Of(err) != errkind.Corrupt {
			t.Errorf("hash %q: %v", sum, err)
		}
	}
}

func TestAnotherContentIsRefused(t *testing.T) {
	s := newSite(t)
	in := incoming("t1-0", []byte("right"))
	var offsets []int64
	if _, err := s.Fetch(t.Context(), in, from([]byte("wrong"), 5, &offsets)); errkind.Of(err) != errkind.Corrupt {
		t.Fatalf("another content: %v", err)
	}
	release, err := s.Fetch(t.Context(), in, from([]byte("right and more"), 14, &offsets))
	if err != nil || offsets[1] != 0 {
		t.Fatalf("then the right one: %v, asked from %v", err, offsets)
	}
	release()
	// A source that knows no offset is asked for the whole.
	long := bytes.Repeat([]byte("x"), 1000)
	in, offsets = incoming("t1-1", long), nil
	_, _ = s.Fetch(t.Context(), in, from(long, 10, &offsets))
	release, err = s.Fetch(t.Context(), in, func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		if offset > 0 {
			return nil, errkind.Corrupt.Errorf("unknown field offset")
		}
		return from(long, len(long), &offsets)(ctx, offset)
	})
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestLimitsHaveNames(t *testing.T) {
	s := newSite(t)
	s.put("Artifacts-1", artifact.Incoming{SHA256: "a", Size: 5 << 19})
	for size, want := range map[int64]errkind.Kind{1: 0, 1 << 19: 0, 1<<19 + 1: errkind.Exhausted, 1<<20 + 1: errkind.Exhausted} {
		if err := s.Admit(t.Context(), size); (err != nil) != (want != 0) || err != nil && errkind.Of(err) != want {
			t.Errorf("Admit(%d) = %v", size, err)
		}
	}
	s.vitals = host.Vitals{DiskTotalBytes: 100 << 30, DiskFreeBytes: 4 << 30}
	var offsets []int64
	if _, err := s.Fetch(t.Context(), incoming("t1-0", []byte("x")), from([]byte("x"), 1, &offsets)); errkind.Of(err) != errkind.Exhausted ||
		len(offsets) > 0 {
		t.Errorf("a disk that is 96 %% full: %v, asked from %v", err, offsets)
	}
}

func TestTidyRemovesOrphans(t *testing.T) {
	s := newSite(t)
	content := []byte("content")
	in := incoming("t1-0", content)
	var offsets []int64
	release, err := s.Fetch(t.Context(), in, from(content, len(content), &offsets))
	if err != nil {
		t.Fatal(err)
	}
	release() // without a row: the verdict was never committed
	_, _ = s.Fetch(t.Context(), incoming("t1-1", []byte("half of it")), from([]byte("half"), 4, &offsets))
	if n := s.tidy(time.Hour); n != 1 {
		t.Errorf("Tidy removed %d files, want the orphan alone", n)
	}
	if n := s.tidy(25 * time.Hour); n != 1 {
		t.Errorf("Tidy removed %d files, want what an old try has left", n)
	}
	a := s.put("Artifacts-1", in)
	if _, err := s.Open(a); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("content that is gone: %v", err)
	}
}
