// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/demo"
)

// TestS1S4S10SensitiveValue lets a script print a sensitive value in every way it has. Nobody is shown
// it, and once the deployment is over it lies in no file of server and agents.
func TestS1S4S10SensitiveValue(t *testing.T) {
	t.Parallel()
	const secret = "cAnArY-4711-e2e"
	watch := watchArguments(t)
	site, _, _ := startSite(t)
	script := "password='#{Password}'\necho \"out: $password\"\necho \"err: ${password}\" >&2\n" +
		"echo 'whole: #{Connection}'\nprintf '%s' \"${password:0:6}\"; printf '%s\\n' \"${password:6}\"\n" +
		"set -x\ntrue \"$password\"\nset +x\necho 'release #{Octopus.Release.Number} in #{Octopus.Environment.Name}'\n" +
		"[ ${#password} = 15 ] && echo 'it came whole'\n"
	must(t, site.REST.CreateProject(t.Context(), "Secretive", []demo.Step{{Name: "Say it", Tag: tag, Script: script}},
		[]demo.Variable{
			{Name: "Password", Value: secret, IsSensitive: true}, {Name: "Connection", Value: "user=u;password=#{Password}"},
		}))
	must(t, site.REST.CreateRelease(t.Context(), "Secretive", "1.2.3"))
	task, err := site.REST.Deploy(t.Context(), "Secretive", "1.2.3", environment)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ended, err := site.REST.Follow(ctx, task, func(demo.LogLine) error { return nil })
	must(t, err)
	log, err := site.REST.RawLog(ctx, task)
	must(t, err)
	if ended.State != "Success" || strings.Contains(log, secret) {
		t.Errorf("it ended with %s, and its log is\n%s", ended.State, log)
	}
	for _, want := range []string{
		"out: ********", "err: ********", "password=********", "release 1.2.3 in " + environment, "it came whole",
	} {
		if strings.Count(log, want) != 2 { // once for each agent
			t.Errorf("the log has %q %d times, want 2:\n%s", want, strings.Count(log, want), log)
		}
	}
	must(t, demo.Await(t.Context(), limit, "no file that holds the secret",
		func(context.Context) (bool, error) { return len(holding(site.Dir, secret)) == 0, nil }))
	lacksInFiles(t, site, secret)
	watch.lacks(t, secret)
}

// holding are the files below a folder that hold a text.
func holding(folder, text string) (paths []string) {
	_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error { // the callback never fails
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if content, err := os.ReadFile(path); err == nil && bytes.Contains(content, []byte(text)) {
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}
