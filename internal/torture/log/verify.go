// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/tasklog"
)

// job is one script on one agent.
type job struct {
	task   deploy.TaskID
	agent  string
	sums   string // the file in which the script notes what it printed
	isDone bool
	state  string
	why    string
}

// held is what the server's log has of a job.
type held struct {
	streams[printed]
	again int // how often output was asked for anew, as the hashes differed
	cuts  int // remarks that output was not kept
}

// tally sums jobs up.
type tally struct{ bytes, lines int64 }

func (t *tally) add(h held) {
	t.bytes += h.Out.Bytes + h.Err.Bytes
	t.lines += h.Out.Lines + h.Err.Lines
}

// readLog reads a task's log as a follower does.
func readLog(dir string, task deploy.TaskID) (h held, err error) {
	folder, err := tasklog.Open(dir, host.Fsync{}, time.Now)
	if err != nil {
		return h, err
	}
	out, errs := newSum(), newSum()
	for at := int64(0); ; {
		lines, next, err := folder.Read(task, at, 1<<20)
		if err != nil {
			return h, err
		}
		if next == at {
			break
		}
		at = next
		for _, l := range lines {
			switch {
			case strings.Contains(l.Text, "All of it comes again below"):
				h.again++
			case l.Ticket == "":
			case l.Category == tasklog.Info:
				out.add(l.Text, !l.More)
			case l.Category == tasklog.Error:
				errs.add(l.Text, !l.More)
			case strings.Contains(l.Text, "not kept"):
				h.cuts++
			}
		}
	}
	h.streams = streams[printed]{out.printed(), errs.printed()}
	return h, nil
}

// judge compares with what the script says.
func (j *job) judge(got held) (breaches []string) {
	say := func(format string, args ...any) {
		breaches = append(breaches, fmt.Sprintf("%s on %s: ", j.task, j.agent)+fmt.Sprintf(format, args...))
	}
	if j.state != "Success" {
		say("it ended as %s: %s", j.state, j.why)
	}
	raw, err := os.ReadFile(j.sums)
	var want streams[printed]
	if err == nil {
		err = json.Unmarshal(raw, &want)
	}
	if err != nil {
		say("the script left no word of what it printed: %v", err)
		return breaches
	}
	if got.Out != want.Out {
		say("stdout is %+v, the script wrote %+v", got.Out, want.Out)
	}
	if got.Err != want.Err {
		say("stderr is %+v, the script wrote %+v", got.Err, want.Err)
	}
	if got.again+got.cuts > 0 {
		say("%d times the hashes differed, %d times output was not kept", got.again, got.cuts)
	}
	return breaches
}
