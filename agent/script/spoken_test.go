// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/host"
	"fairlead/internal/masking"
)

func message(name string, values ...string) string {
	text := "##octopus[" + name
	for i := 0; i < len(values); i += 2 {
		text += " " + values[i] + "='" + base64.StdEncoding.EncodeToString([]byte(values[i+1])) + "'"
	}
	return text + "]\n"
}

// loudly is a log as people would write it down.
func loudly(t *testing.T, r *recorder, path string) (lines []string) {
	t.Helper()
	if _, _, err := r.close(); err != nil {
		t.Fatal(err)
	}
	records, _ := readRecords(t, path)
	for _, rec := range records {
		lines = append(lines, fmt.Sprintf("%d %d %d %s", rec.Source, rec.Level(), rec.Flags&contract.FlagMore, rec.Text))
	}
	return lines
}

func TestLevelsFollowTheStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, maxLogBytes)
	out, errs := source{r, contract.Stdout}, source{r, contract.Stderr}
	for _, text := range []string{
		"plain\nhalf", message("stdout-warning"), "warned\n", message("stdout-warning"), "again, ", "one line\n",
		message("stderr-progress"), message("progress", "percentage", "42", "message", "half way"), message("stdout-default"), "plain\n",
		message("setVariable", "name", "A"), "##octopus[unknown]\n",
	} {
		_, _ = out.Write([]byte(text))
	}
	_, _ = errs.Write([]byte("quiet\n" + message("stdout-error") + "loud\n" + message("stderr-default") + "err"))
	want := []string{
		"1 0 0 plain", "1 0 0 half", "1 4 0 warned", "1 4 0 again, one line", "3 6 0 42 half way", "1 0 0 plain",
		"3 4 0 a service message was not understood: setVariable: the value is missing", "1 0 0 ##octopus[unknown]",
		"2 1 0 quiet", "2 5 0 loud", "2 0 0 err",
	}
	if got := loudly(t, r, path); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// knowing is a recorder of a script that has "known-secret", and its log's path.
func knowing(t *testing.T) (path string, r *recorder) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "log")
	set, err := masking.New([]string{"known-secret"})
	if err != nil {
		t.Fatal(err)
	}
	r, err = openRecorder(host.Fsync{}, path, maxLogBytes, set, time.Now, make(chan struct{}, 1))
	if err != nil {
		t.Fatal(err)
	}
	r.spoken.known = []string{"known-secret"}
	return path, r
}

// TestOutputsOfOneName: the last counts, whatever its case; what is sensitive once stays hidden.
func TestOutputsOfOneName(t *testing.T) {
	path, r := knowing(t)
	out, errs := source{r, contract.Stdout}, source{r, contract.Stderr}
	_, _ = errs.Write([]byte("held new-sec"))
	for _, text := range []string{
		message("setVariable", "name", "b", "value", "1"), message("setVariable", "name", "A", "value", "x\n'\"é"),
		message("setVariable", "name", "B", "value", "2"), "new-secret before\n",
		message("setVariable", "name", "S", "value", "new-secret", "sensitive", "True"), "new-secret and known-secret after\n",
		message("setVariable", "name", "T", "value", "has known-secret in it"),
		message("progress", "percentage", "1", "message", "new-secret"), message("resultMessage", "message", "new-secret is wrong"),
	} {
		_, _ = out.Write([]byte(text))
	}
	_, _ = errs.Write([]byte("ret, new-secret\n"))
	outputs, _ := r.handedOver()
	if want := []contract.Output{
		{Name: "A", Value: "x\n'\"é"},
		{Name: "B", Value: "2"},
		{Name: "S", Value: "new-secret", IsSensitive: true},
		{Name: "T", Value: "has known-secret in it", IsSensitive: true},
	}; !slices.Equal(outputs, want) {
		t.Errorf("outputs %+v, want %+v", outputs, want)
	}
	verdict := contract.Verdict{Outcome: contract.Failed, Reason: "exit code 1"}
	r.explain(&verdict)
	if got, want := r.hide(verdict.Reason), masking.Mask+" is wrong (exit code 1)"; got != want {
		t.Errorf("the verdict says %q, want %q", got, want)
	}
	m := masking.Mask
	want := []string{"1 0 0 new-secret before", "1 0 0 " + m + " and " + m + " after", "3 6 0 1 " + m, "2 0 0 held new-secret, " + m}
	if got := loudly(t, r, path); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestAReasonIsHiddenBeforeItIsCut: the beginning of a secret is a secret.
func TestAReasonIsHiddenBeforeItIsCut(t *testing.T) {
	r := record(t, filepath.Join(t.TempDir(), "log"), maxLogBytes)
	out := source{r, contract.Stdout}
	for _, text := range []string{
		message("setVariable", "name", "S", "value", "correct-horse-battery", "sensitive", "True"),
		message("resultMessage", "message", strings.Repeat(".", maxReasonBytes/2-16)+"correct-horse-battery"),
	} {
		_, _ = out.Write([]byte(text))
	}
	verdict := contract.Verdict{Outcome: contract.Failed, Reason: "exit code 1"}
	r.explain(&verdict)
	if got := r.hide(verdict.Reason); strings.Contains(got, "correct") || !strings.Contains(got, masking.Mask) {
		t.Errorf("the verdict says %q", got)
	}
}

// TestASecretSetAgainIsKnown: a loop that sets one costs no more than its messages.
func TestASecretSetAgainIsKnown(t *testing.T) {
	r := record(t, filepath.Join(t.TempDir(), "log"), maxLogBytes)
	for range 1000 {
		r.mu.Lock()
		r.outputLocked(contract.Output{Name: "S", Value: "correct-horse-battery", IsSensitive: true})
		r.mu.Unlock()
	}
	if r.isBlind || len(r.spoken.known) != 1 {
		t.Errorf("blind %v, %d secrets are known", r.isBlind, len(r.spoken.known))
	}
}

// TestAnOutputThatCannotBeHidden ends the keeping (S7): it is too long to be looked for.
func TestAnOutputThatCannotBeHidden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, maxLogBytes)
	out := source{r, contract.Stdout}
	long := strings.Repeat("long-secret ", masking.MaxBytes/12)
	for _, text := range []string{
		"before\n", message("setVariable", "name", "S", "value", long, "sensitive", "True"), long + "\n",
		message("resultMessage", "message", "long-secret long-secret"),
	} {
		_, _ = out.Write([]byte(text))
	}
	verdict := contract.Verdict{Outcome: contract.Failed, Reason: "exit code 1"}
	r.explain(&verdict)
	got := loudly(t, r, path)
	if strings.Contains(fmt.Sprint(got, verdict), "long-secret long-secret") || got[0] != "1 0 0 before" ||
		!strings.Contains(r.lost, "could not be hidden") {
		t.Errorf("the log holds %.300q, lost %q, the verdict says %q", got, r.lost, verdict.Reason)
	}
}

// TestTooMuchHandedOver keeps what has room, and the verdict says that there was more.
// TestASecretInTheMiddleStaysHidden: what becomes sensitive on one stream lets go of nothing on the other.
func TestASecretInTheMiddleStaysHidden(t *testing.T) {
	path, r := knowing(t)
	out, errs := source{r, contract.Stdout}, source{r, contract.Stderr}
	_, _ = errs.Write([]byte("a known-se"))
	_, _ = out.Write([]byte(message("setVariable", "name", "S", "value", "new-secret", "sensitive", "True")))
	_, _ = errs.Write([]byte("cret and a new-se"))
	_, _ = errs.Write([]byte("cret\n"))
	want := []string{"2 0 0 a ******** and a ********"}
	if got := loudly(t, r, path); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTooMuchHandedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := record(t, path, maxLogBytes)
	out := source{r, contract.Stdout}
	for i := range contract.MaxOutputs + 1 {
		_, _ = out.Write([]byte(message("setVariable", "name", fmt.Sprint(i), "value", "x")))
	}
	for i := range contract.MaxArtifacts + 1 {
		_, _ = out.Write([]byte(message("createArtifact", "path", fmt.Sprintf("/%d", i))))
	}
	for i := range 10 {
		_, _ = out.Write([]byte(message("setVariable", "name", fmt.Sprint(i), "value", strings.Repeat("v", 1<<20))))
	}
	outputs, artifacts := r.handedOver()
	long := slices.IndexFunc(outputs, func(o contract.Output) bool { return o.Name == "9" })
	if len(outputs) != contract.MaxOutputs || len(artifacts) != contract.MaxArtifacts || outputs[long].Value != "x" {
		t.Errorf("%d outputs, %d artifacts, the last has %d bytes", len(outputs), len(artifacts), len(outputs[long].Value))
	}
	if n := len(encodeResult(contract.Result{Outputs: outputs})); n > contract.MaxResultBytes || n < maxOutputBytes-2<<20 {
		t.Errorf("the result has %d bytes", n)
	}
	verdict := contract.Verdict{Outcome: contract.Succeeded}
	if r.explain(&verdict); verdict.Reason != "not kept: output variables after the first 2000" {
		t.Errorf("the verdict says %q", verdict.Reason)
	}
}
