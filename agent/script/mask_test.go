// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/masking"
)

// S1: what a script prints of a secret, raw, traced, as an error or as JSON, is hidden in
// everything that is kept of it but the order itself and the script's own files.
func TestS1SecretInOutput(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	const canary = `s3cr3t 'can"ary' $42\`
	var spoken bytes.Buffer
	env := host.Real(slog.New(slog.NewTextHandler(&spoken, &slog.HandlerOptions{Level: slog.LevelDebug})))
	a := newAgentIn(t, t.TempDir(), env, script.Options{})
	o := bash("t1", `
secret="$(get_octopusvariable 'db.PASSWORD')"
echo "raw $secret"; echo "error $secret" >&2
printf '%s' "${secret:0:9}"; sleep 0.4; printf '%s\n' "${secret:9}"
printf 'quoted %q\n' "$secret"; declare -p secret
printf '{"password":"%s"}\n' "$(printf %s "$secret" | sed 's/[\\"]/\\&/g')"
set -x; : "$secret"; "$secret"; set +x
env | grep EXPORTED; echo "short $(get_octopusvariable Short)"; head -c 3000 /dev/urandom; exit 4`)
	o.Variables["Db.Password"], o.Variables["env:EXPORTED"], o.Variables["Short"] = canary, canary+"!", "abc"
	o.Sensitive = []string{"DB.password", "env:EXPORTED", "Short"}
	a.start(t, o)
	w := a.watch(t, "t1")
	out, errs, said := w.text(contract.Stdout), w.text(contract.Stderr), w.text(contract.Agent)
	for _, want := range []string{
		"raw " + masking.Mask + "\n" + masking.Mask + "\n", `{"password":"` + masking.Mask + `"}`, "EXPORTED=" + masking.Mask, "short abc",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("stdout %q lacks %q", out[:min(len(out), 600)], want)
		}
	}
	if w.verdict.Outcome != contract.Failed || w.verdict.Code != 4 || !strings.Contains(errs, "error "+masking.Mask) {
		t.Errorf("verdict %+v, stderr %q", w.verdict, errs)
	}
	if !strings.Contains(said, "1 sensitive values have less than 4 bytes") {
		t.Errorf("remarks %q say nothing of the short one", said)
	}
	a.stop()
	for name, text := range map[string]string{"stdout": out, "stderr": errs, "remarks": said, "agent's log": spoken.String()} {
		if strings.Contains(text, "can") && strings.Contains(text, "ary") {
			t.Errorf("%s shows it: %q", name, text[:min(len(text), 900)])
		}
	}
	checkFiles(t, a.home)
}

// checkFiles looks for the canary in all files of the agent.
func checkFiles(t *testing.T, home string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		seen++
		raw, err := os.ReadFile(path)
		ownFile := entry.Name() == "order.json" || filepath.Base(filepath.Dir(path)) == "work"
		if !ownFile && bytes.Contains(raw, []byte("s3cr3t")) {
			t.Errorf("%s holds it", path)
		}
		return err
	})
	if err != nil || seen < 5 {
		t.Errorf("looked at %d files, %v", seen, err)
	}
}

func TestSensitiveVariableThatIsNotThere(t *testing.T) {
	o := bash("t", "true")
	o.Variables["Known"] = "value"
	o.Sensitive = []string{"known", "Unknown"}
	if _, err := script.ParseOrder(encode(o)); errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), "Unknown") {
		t.Errorf("err = %v, want Invalid with the name", err)
	}
	o.Variables["unknown"] = strings.Repeat("s", masking.MaxBytes+1)
	if _, err := script.ParseOrder(encode(o)); errkind.Of(err) != errkind.Exhausted || strings.Contains(err.Error(), "ssss") {
		t.Errorf("err = %.200v, want Exhausted without the value", err)
	}
}

// TestS1SecretsThatReferToOthers: a script gets values expanded, and of a secret both forms are hidden.
func TestS1SecretsThatReferToOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	a := newAgentIn(t, t.TempDir(), host.Real(slog.New(slog.DiscardHandler)), script.Options{})
	o := bash("t1", `echo "$(get_octopusvariable Address) $(get_octopusvariable Login) $LOGIN"; echo "raw #{Host}-canary"`)
	o.Variables["Host"], o.Variables["Address"], o.Variables["Login"] = "db-1", "#{Host}:5432", "#{Host}-canary"
	o.Variables["env:LOGIN"], o.Variables["Round"] = "#{Login}", "#{Round}"
	o.Sensitive = []string{"Login"}
	a.start(t, o)
	w := a.watch(t, "t1")
	want := "db-1:5432 " + masking.Mask + " " + masking.Mask + "\nraw " + masking.Mask + "\n"
	if got := w.text(contract.Stdout); got != want {
		t.Errorf("it printed %q, want %q", got, want)
	}
	if said := w.text(contract.Agent); !strings.Contains(said, `variable "Round" stays as it is`) {
		t.Errorf("remarks %q say nothing of the variable that refers to itself", said)
	}
	a.stop()
}
