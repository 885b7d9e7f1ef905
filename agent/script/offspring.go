// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"fairlead/internal/host"
)

const (
	// killWait is how long the agent waits for processes that it killed to be gone; the kernel may
	// hold one longer, in a call to a disk or a network file system that does not answer.
	killWait = 2 * time.Second
	killLook = 10 * time.Millisecond
)

// groupWatcher is what a host.Exec also is where it can tell whether a group has members left.
type groupWatcher interface{ GroupAlive(host.ProcessID) bool }

// groupLister is one that can also name them.
type groupLister interface{ GroupMembers(host.ProcessID) []int }

// offspring is every process that came of one script. They are found by the control group that the
// script was born in, which none of them can leave, where the machine has such groups; and by the
// session of the script's first process.
type offspring struct {
	exec   host.Exec
	first  host.ProcessID // zero when nobody could note it
	cgroup string         // folder; "" for none
}

// members lists them; known is false on a machine that cannot.
func (o offspring) members() (pids []int, known bool) {
	if groups, ok := o.exec.(host.Cgroups); ok && o.cgroup != "" {
		pids, known = groups.CgroupMembers(o.cgroup), true
	}
	switch watcher := o.exec.(type) {
	case groupLister:
		for _, pid := range watcher.GroupMembers(o.first) {
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
		known = true
	case groupWatcher:
		if watcher.GroupAlive(o.first) {
			pids = append(pids, o.first.Pid)
		}
		known = true
	}
	return pids, known
}

func (o offspring) signal(sig host.Signal) error {
	var err error
	if groups, ok := o.exec.(host.Cgroups); ok && o.cgroup != "" {
		err = groups.SignalCgroup(o.cgroup, sig)
	}
	if o.first.Pid != 0 {
		err = errors.Join(err, o.exec.Signal(o.first, sig))
	}
	return err
}

// bury ends what is left of a script whose shim is dead, unless it is to be kept, and says in a
// clause what there was; "" for nothing.
func (o offspring) bury(keep bool) string {
	left, known := o.members()
	switch {
	case known && len(left) == 0:
		return ""
	case keep:
		return countProcesses(len(left)) + " of it still run"
	}
	err := o.signal(host.Kill)
	poll := time.NewTicker(killLook)
	defer poll.Stop()
	still := left
	for end := time.Now().Add(killWait); err == nil && len(still) > 0 && time.Now().Before(end); <-poll.C {
		still, _ = o.members()
	}
	switch {
	case err != nil:
		return countProcesses(len(left)) + " of it could not be killed: " + err.Error()
	case len(still) > 0:
		return countProcesses(len(left)) + fmt.Sprintf(" of it were killed, and %d are not gone yet", len(still))
	case !known:
		return ""
	}
	return countProcesses(len(left)) + " of it were killed"
}

func countProcesses(n int) string {
	if n == 1 {
		return "1 process"
	}
	return itoa(n) + " processes"
}

// forgetGroup takes the control group away if nothing runs in it.
func (o offspring) forgetGroup() {
	if groups, ok := o.exec.(host.Cgroups); ok && o.cgroup != "" {
		groups.RemoveCgroup(o.cgroup)
	}
}

// enclose makes the control group of the ticket's script and notes it, so that whoever comes after a
// dead shim finds it; "" where there is none. It is noted before anything starts in it.
func (f folder) enclose(exec host.Exec, bootID string) string {
	groups, ok := exec.(host.Cgroups)
	if !ok {
		return ""
	}
	place := sha256.Sum256([]byte(f)) // agents of one machine may have tickets of one name
	group := groups.MakeCgroup(f.ticket() + "-" + hex.EncodeToString(place[:4]))
	if group == "" {
		return ""
	}
	if err := os.WriteFile(f.path("cgroup"), []byte(bootID+" "+group+"\n"), 0o600); err != nil {
		groups.RemoveCgroup(group)
		return ""
	}
	return group
}

// offspring is what can be known of a ticket's script from its folder.
func (f folder) offspring(exec host.Exec, bootID string) offspring {
	o := offspring{exec: exec}
	o.first, _ = f.process()
	raw, err := f.read("cgroup")
	boot, group, ok := strings.Cut(strings.TrimSuffix(string(raw), "\n"), " ")
	if err == nil && ok && boot == bootID {
		o.cgroup = group
	}
	return o
}
