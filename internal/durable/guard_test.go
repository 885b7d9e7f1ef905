// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"fairlead/internal/durable"
	"fairlead/internal/host"
)

// refusing is a disk whose syncs all end with one error.
type refusing struct{ err error }

func (r refusing) Sync(*os.File) error     { return r.err }
func (r refusing) SyncFolder(string) error { return r.err }
func (r refusing) SyncAll(*os.File) error  { return r.err }

// TestGuardTellsBrokenFromFull covers row 23: after EIO nothing is trusted, and a full disk is not a
// broken one.
func TestGuardTellsBrokenFromFull(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		broken bool
	}{
		"sync failed": {&fs.PathError{Op: "sync", Path: "f", Err: syscall.EIO}, true},
		"read only":   {syscall.EROFS, true},
		"full":        {syscall.ENOSPC, false},
		"quota":       {syscall.EDQUOT, false},
		"no name":     {fs.ErrNotExist, false},
		"descriptors": {syscall.EMFILE, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := durable.Watch(refusing{test.err})
			err := durable.Replace(g, filepath.Join(t.TempDir(), "f"), []byte("x"))
			if !errors.Is(err, test.err) {
				t.Errorf("Replace = %v, want %v", err, test.err)
			}
			isClosed := false
			select {
			case <-g.Failed():
				isClosed = true
			default:
			}
			if broken := g.Err() != nil; broken != test.broken || isClosed != broken {
				t.Errorf("Err = %v, Failed closed: %v; want broken: %v", g.Err(), isClosed, test.broken)
			}
		})
	}
	full := durable.Watch(refusing{syscall.ENOSPC})
	if err := full.SyncFolder("f"); !errors.Is(err, syscall.ENOSPC) || full.Err() == nil {
		t.Errorf("a folder without space: %v, and the guard says %v; want it in doubt", err, full.Err())
	}
}

// TestAlarmComesFirst: when somebody hears of a failure the alarm has run, once, also when two fail at one time.
func TestAlarmComesFirst(t *testing.T) {
	g := durable.Watch(refusing{syscall.EIO})
	alarmed := 0
	g.Alarm(func() {
		alarmed++
		select {
		case <-g.Failed():
			t.Error("who waits for a failure heard of it before the alarm")
		default:
		}
	})
	var failing sync.WaitGroup
	for range 2 {
		failing.Go(func() {
			if err := g.Sync(nil); !errors.Is(err, syscall.EIO) || alarmed != 1 {
				t.Errorf("Sync = %v after %d alarms, want it after one", err, alarmed)
			}
		})
	}
	<-g.Failed()
	if alarmed != 1 {
		t.Errorf("%d alarms, want one", alarmed)
	}
	failing.Wait()
}

// TestGuardOpens lets a program come up on a broken disk, which it then knows of.
func TestGuardOpens(t *testing.T) {
	dir := t.TempDir()
	g := durable.Watch(refusing{syscall.EIO})
	if err := g.Opening(func() error { return g.Prove(filepath.Join(dir, "probe")) }); err != nil {
		t.Errorf("Opening = %v, want it passed over", err)
	}
	if g.Err() == nil {
		t.Error("the guard knows of no failure")
	}
	if err := g.Prove(filepath.Join(dir, "probe")); err == nil {
		t.Error("after the opening a failed sync is passed over")
	}
	sound := durable.Watch(host.Fsync{})
	if err := sound.Prove(filepath.Join(dir, "probe")); err != nil || sound.Err() != nil {
		t.Errorf("a sound disk: %v, %v", err, sound.Err())
	}
}

func TestReserveIsRealSpace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reserve")
	r := durable.NewReserve(path, 256<<10)
	if r.IsHeld() || r.Free() {
		t.Error("there is a reserve before there was one")
	}
	for range 2 {
		if err := r.Keep(); err != nil || !r.IsHeld() {
			t.Fatalf("Keep = %v, held: %v", err, r.IsHeld())
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if taken := info.Sys().(*syscall.Stat_t).Blocks * 512; taken < 256<<10 {
		t.Errorf("the reserve takes %d bytes of the disk", taken)
	}
	if !r.Free() || r.IsHeld() || r.Free() {
		t.Error("the reserve was not given up once")
	}
	if none := durable.NewReserve(path, 0); none.Keep() != nil || !none.IsHeld() {
		t.Error("a reserve of nothing is not held")
	}
}
