// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"fairlead/agent/step"
	"fairlead/internal/archive"
)

// TestMain lets the test binary be a step that kills itself at a crash point.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == "crash" {
		s := &site{home: os.Args[2], point: func(name string) {
			if name == os.Args[4] {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}}
		os.Exit(step.Run(context.Background(), s.options(os.Args[3])))
	}
	os.Exit(m.Run())
}

// TestKillAtAnyPoint kills the step at each of its crash points and wants current to name a whole
// version, and the next installation to clean up.
func TestKillAtAnyPoint(t *testing.T) {
	whole := func(version string) files {
		return files{"index.html": version + " #{V}", "big": strings.Repeat(version, 50_000), "PreDeploy.sh": "true", "PostDeploy.sh": "true"}
	}
	for point, want := range map[string]string{
		"step.partial": "2.0", "step.unpacked": "2.0", "step.switch": "2.0", "step.switched": "3.0", "step.deployed": "3.0",
		"step.retain": "3.0", "step.retired": "3.0",
	} {
		t.Run(point, func(t *testing.T) {
			s := newSite(t)
			for _, version := range []string{"1.0", "2.0"} {
				p := s.pack(version, archive.Zip, whole(version))
				p.SubstituteIn = []string{"index.html"}
				s.wantOK(s.run(p, map[string]string{"V": "v"}))
			}
			p := s.pack("3.0", archive.Zip, whole("3.0"))
			p.Keep, p.SubstituteIn = 1, []string{"index.html"}
			dir := s.ticket(p, map[string]string{"V": "v"})
			out, err := exec.Command(os.Args[0], "crash", s.home, dir, point).CombinedOutput()
			if err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("the step was not killed: %v\n%s", err, out)
			}
			if got := s.current(); got != want || s.read("current", "index.html") != want+" v" ||
				s.read("current", "big") != strings.Repeat(want, 50_000) {
				t.Errorf("current is %s, want %s, whole", got, want)
			}
			next := s.pack("4.0", archive.Zip, whole("4.0"))
			next.Keep, next.SubstituteIn = 1, []string{"index.html"}
			s.wantOK(s.run(next, map[string]string{"V": "v"}))
			if got := s.installed(); got != "4.0 current" {
				t.Errorf("left after the next installation: %s", got)
			}
			if got := s.journal(); got != "4.0:succeeded" {
				t.Errorf("journal: %s", got)
			}
		})
	}
}
