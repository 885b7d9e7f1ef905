// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestFindCgroup covers machines that this one is not.
func TestFindCgroup(t *testing.T) {
	const (
		pure   = "25 30 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid = "31 30 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n41 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		inner  = "25 30 0:22 /docker/12 /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
		old    = "31 30 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	)
	for _, c := range []struct{ name, mounts, groups, want string }{
		{"unit", pure, "0::/system.slice/fairlead-agent.service\n", "/sys/fs/cgroup/system.slice/fairlead-agent.service"},
		{"hybrid", hybrid, "4:memory:/a\n0::/\n", "/sys/fs/cgroup/unified"},
		{"root of a container", pure, "0::/\n", "/sys/fs/cgroup"},
		{"container without a namespace of groups", inner, "0::/docker/12/x\n", "/sys/fs/cgroup/x"},
		{"group that is not to be seen", inner, "0::/docker/13\n", ""},
		{"group above our namespace", pure, "0::/../other\n", ""},
		{"version 1 only", old, "4:cpu:/\n", ""},
		{"version 2 is not mounted", old, "4:cpu:/\n0::/\n", ""},
		{"started by a script", hybrid, "0::/fairlead-scripts/t-1\n", "/sys/fs/cgroup/unified"},
		{"started by a script of a unit", pure, "0::/a.service/fairlead-scripts/t-1\n", "/sys/fs/cgroup/a.service"},
		{"nothing", "", "", ""},
	} {
		if got := findCgroup(c.mounts, c.groups); got != c.want {
			t.Errorf("%s: findCgroup = %q, want %q", c.name, got, c.want)
		}
	}
}

// TestCgroupHoldsWhoLeavesTheSession needs a machine where this user may make groups.
func TestCgroupHoldsWhoLeavesTheSession(t *testing.T) {
	e := Real(slog.New(slog.DiscardHandler)).Exec
	groups := e.(Cgroups)
	folder := groups.MakeCgroup("test-leaves-the-session")
	if folder == "" {
		t.Skip("no control groups of version 2 here, or this user may make none")
	}
	defer groups.RemoveCgroup(folder)
	var out bytes.Buffer
	p, err := e.Start(Command{
		Path: "bash", Args: []string{"-c", "setsid sleep 300 & setsid -f sleep 300; echo up"}, Env: []string{"PATH=" + SearchPath},
		Detached: true, Stdout: &out, Cgroup: folder, DrainWait: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if members := groups.CgroupMembers(folder); len(members) != 2 || slices.Contains(members, p.ID().Pid) {
		t.Errorf("members %v, want both sleepers", members)
	}
	groups.RemoveCgroup(folder)
	if err := groups.SignalCgroup(folder, Kill); err != nil {
		t.Fatal(err)
	}
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for end := time.Now().Add(5 * time.Second); len(groups.CgroupMembers(folder)) > 0; <-poll.C {
		if time.Now().After(end) {
			t.Fatalf("still there after KILL: %v", groups.CgroupMembers(folder))
		}
	}
	groups.SweepCgroups()
	if again := groups.CgroupMembers(folder); again != nil {
		t.Errorf("the group was not swept: %v", again)
	}
	// What cannot be entered is no reason not to start.
	if p, err = e.Start(Command{Path: "/bin/true", Cgroup: folder}); err != nil {
		t.Fatal(err)
	}
	if exit, err := p.Wait(); err != nil || exit != (Exit{}) {
		t.Errorf("outside of a group that is gone: %+v, %v", exit, err)
	}
}

// A group that another program takes away at this moment holds nobody who could be killed.
func TestCgroupThatGoesWhileItIsKilled(t *testing.T) {
	groups := Real(slog.New(slog.DiscardHandler)).Exec.(Cgroups)
	folder := groups.MakeCgroup("test-going")
	if folder == "" {
		t.Skip("no control groups of version 2 here, or this user may make none")
	}
	var owned sync.WaitGroup
	defer owned.Wait()
	over := make(chan struct{})
	defer close(over)
	owned.Go(func() {
		for {
			select {
			case <-over:
				groups.RemoveCgroup(folder)
				return
			default:
				groups.RemoveCgroup(groups.MakeCgroup("test-going"))
			}
		}
	})
	for range 3000 {
		if err := groups.SignalCgroup(folder, Kill); err != nil {
			t.Fatal(err)
		}
	}
}
