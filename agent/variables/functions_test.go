// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/agent/variables"
)

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// TestFunctionsWriteMessages calls each function under the strictest options, in bash and in a plain sh.
func TestFunctionsWriteMessages(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a b.txt")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	value := strings.Repeat("it's \"$(id)\" \\ é\n", 9) // longer than a line of base64
	level := func(word, text string) string {
		return "##octopus[stdout-" + word + "]\n" + text + "\n##octopus[stdout-default]\n"
	}
	for call, want := range map[string]string{
		`set_octopusvariable N.1 "$V"`:             "##octopus[setVariable name='" + b64("N.1") + "' value='" + b64(value) + "']\n",
		`set_octopusvariable N "" -sensitive`:      "##octopus[setVariable name='" + b64("N") + "' value='' sensitive='" + b64("True") + "']\n",
		`update_progress 42 "half way"`:            "##octopus[progress percentage='" + b64("42") + "' message='" + b64("half way") + "']\n",
		`(fail_step "no disk") || echo "$?"`:       "##octopus[resultMessage message='" + b64("no disk") + "']\n1\n",
		`(fail_step) || echo "$?"`:                 "1\n",
		`write_verbose "a  b" '\n%s'`:              level("verbose", `a  b \n%s`),
		`write_highlight x`:                        level("highlight", "x"),
		`write_wait x`:                             level("wait", "x"),
		`write_warning x`:                          level("warning", "x"),
		`write_error x`:                            level("error", "x"),
		`encode_servicemessagevalue "$V"`:          b64(value),
		`decode_servicemessagevalue ` + b64("é\n"): "é\n",
		`cd "$D" && new_octopusartifact "a b.txt"`: level("verbose", "The artifact a b.txt will be read from "+file+
			" when this script has ended") + "##octopus[createArtifact path='" + b64(file) + "' name='" + b64("a b.txt") + "']\n",
		`new_octopusartifact "$D/a b.txt" r.txt`: level("verbose", "The artifact r.txt will be read from "+file+
			" when this script has ended") + "##octopus[createArtifact path='" + b64(file) + "' name='" + b64("r.txt") + "']\n",
		`new_octopusartifact "$D/no" || echo "$?"`: "new_octopusartifact: there is no file \"" + dir + "/no\"\n1\n",
	} {
		for _, shell := range []string{"bash", "dash"} {
			preamble, err := variables.Write(dir, map[string]string{"it": "1"})
			if err != nil {
				t.Fatal(err)
			}
			c := exec.Command(shell, "-c", "shopt() { :; }; . \"$P\"; set -eu\n"+call)
			c.Env = []string{"PATH=/usr/bin:/bin", "P=" + preamble, "V=" + value, "D=" + dir}
			out, err := c.CombinedOutput()
			if err != nil || string(out) != want {
				t.Errorf("%s: %s: %v\n%q, want\n%q", shell, call, err, out, want)
			}
		}
	}
}

// TestTraceShowsNoValue: set -x shows the call, not how the value is encoded.
func TestTraceShowsNoValue(t *testing.T) {
	out := get(t, t.TempDir(), nil, "C", "exec 2>&1\nset -x\nset_octopusvariable N v")
	if strings.Count(out, b64("v")) != 1 || strings.Count(out, "##octopus") != 1 {
		t.Errorf("the trace shows more than the call:\n%s", out)
	}
}

func TestShellVariables(t *testing.T) {
	vars := map[string]string{
		"Octopus.Environment.Name": "it's\n\"Test\"", "A[0].b": "x", "A[0]!b": "first in byte order", "Plain": "p",
		"PATH": "no", "IFS": "no", "UPPER": "no", "0a": "no", "_a": "no", "histchars": "no", "env:proxy": "e", "proxy": "no",
	}
	got := get(t, t.TempDir(), vars, "C", `set -u
printf '%s|' "$Octopus_Environment_Name" "$A_0__b" "$Plain" "${UPPER-}" "${_a-}" "${histchars-}" "${proxy-}" "${env_proxy-}" "$IFS"
/usr/bin/env | grep -c -e Octopus_ -e Plain`+"\ntrue")
	if want := "it's\n\"Test\"|first in byte order|p|||||| \t\n|0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAnyNameLeavesTheShellAlone defines variables of any name; the script must run as without.
func TestAnyNameLeavesTheShellAlone(t *testing.T) {
	dir := t.TempDir()
	name := rapid.OneOf(rapid.StringMatching(`[^\x00]{0,12}`), rapid.StringMatching(`[A-Za-z_.\[\]]{1,8}`), rapid.SampledFrom([]string{
		"UID", "EUID", "PPID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO", "PATH", "PS4", "RANDOM", "OPTIND", "LC_ALL", "PWD", "if", "done",
	}))
	rapid.Check(t, func(r *rapid.T) {
		vars := rapid.MapOfN(name, rapid.StringMatching(`[^\x00]{0,8}`), 1, 5).Draw(r, "vars")
		if got := get(t, dir, vars, "C.UTF-8", `ls "$1" >/dev/null && echo "$#"`, dir); got != "1\n" {
			r.Fatalf("got %q", got)
		}
	})
}
