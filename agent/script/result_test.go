// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// results asks a service as a server does.
type results struct {
	mux   contract.Mux
	owned sync.WaitGroup
	o     muxOpener
}

func ask(s *script.Service) *results {
	r := new(results)
	s.Register(&r.mux)
	r.o = muxOpener{&r.mux, &r.owned}
	return r
}

func (r *results) result(ctx context.Context, id contract.TicketID) (contract.Result, error) {
	answer, err := contract.ScriptResult.Exchange(ctx, r.o, contract.TicketArgs{Ticket: id}, nil)
	if err != nil {
		return contract.Result{}, err
	}
	defer r.owned.Wait()
	defer answer.Close()
	raw, err := io.ReadAll(answer)
	if err != nil {
		return contract.Result{}, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != answer.Result.SHA256 || int64(len(raw)) != answer.Result.Bytes {
		return contract.Result{}, fmt.Errorf("%d bytes came, announced was %+v", len(raw), answer.Result)
	}
	return contract.ParseResult(raw)
}

func (r *results) artifact(ctx context.Context, id contract.TicketID, index int) (string, error) {
	answer, err := contract.ScriptArtifact.Exchange(ctx, r.o, contract.ArtifactArgs{Ticket: id, Index: index}, nil)
	if err != nil {
		return "", err
	}
	defer r.owned.Wait()
	defer answer.Close()
	raw, err := io.ReadAll(answer)
	if sum := sha256.Sum256(raw); err == nil && hex.EncodeToString(sum[:]) != answer.Result.SHA256 {
		err = fmt.Errorf("artifact %d has another hash than announced", index)
	}
	return string(raw), err
}

// TestResultIsHandedOver lets a script set outputs and name artifacts, and asks for them twice, with a
// new agent in between, until the ticket is forgotten.
func TestResultIsHandedOver(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	o := bash("t1", `
set_octopusvariable Plain "$(get_octopusvariable Nasty)"
set_octopusvariable Secret pa55word -sensitive
echo "it is pa55word"
echo early > report.txt; new_octopusartifact report.txt "Report of today.txt"; echo late > report.txt
new_octopusartifact report.txt; new_octopusartifact /no/such/file || echo refused
echo gone > gone.txt; new_octopusartifact gone.txt; rm gone.txt
write_warning "careful now"; update_progress 50 half
fail_step "no disk"`)
	o.Variables["Nasty"] = "it's\n\"$(id)\"\t\\ é\n\n"
	a.start(t, o)
	w := a.watch(t, "t1")
	if w.verdict.Reason != "no disk (exit code 1)" || w.verdict.Code != 1 || w.verdict.Result == nil {
		t.Errorf("verdict %+v", w.verdict)
	}
	if out := w.text(contract.Stdout); !strings.Contains(out, "it is ********\n") || strings.Contains(out, "##octopus") ||
		!strings.Contains(out, "refused\n") {
		t.Errorf("stdout %q", out)
	}
	if !slices.ContainsFunc(w.records, func(r contract.Record) bool {
		return r.Level() == contract.LevelWarning && string(r.Text) == "careful now"
	}) || !strings.Contains(w.text(contract.Agent), `the artifact "gone.txt" is not kept`) {
		t.Errorf("records %+v", w.records)
	}
	checkResult(t, a.Service)
	a.stop()
	a = newAgent(t, home, script.Options{})
	checkResult(t, a.Service)
	if err := a.Forget(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(a.Service).result(t.Context(), "t1"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("the result of a forgotten ticket: %v", err)
	}
	if exists(home + "/tickets/t1") {
		t.Error("the ticket's folder is still there")
	}
}

func checkResult(t *testing.T, s *script.Service) {
	t.Helper()
	r := ask(s)
	got, err := r.result(t.Context(), "t1")
	if err != nil {
		t.Fatal(err)
	}
	if want := []contract.Output{
		{Name: "Plain", Value: "it's\n\"$(id)\"\t\\ é"}, // the shell's $( ) takes line ends away
		{Name: "Secret", Value: "pa55word", IsSensitive: true},
	}; !slices.Equal(got.Outputs, want) {
		t.Errorf("outputs %+v, want %+v", got.Outputs, want)
	}
	var names []string
	for i, a := range got.Artifacts {
		names = append(names, a.Name)
		if text, err := r.artifact(t.Context(), "t1", i); err != nil || text != "late\n" {
			t.Errorf("artifact %d: %q, %v", i, text, err)
		}
	}
	if want := []string{"Report of today.txt", "report.txt"}; !slices.Equal(names, want) {
		t.Errorf("artifacts %q, want %q", names, want)
	}
	for _, index := range []int{-1, len(got.Artifacts)} {
		if _, err := r.artifact(t.Context(), "t1", index); errkind.Of(err) != errkind.NotFound {
			t.Errorf("artifact %d: %v", index, err)
		}
	}
}

// TestNothingHandedOverHasNoResult: most scripts have none, and pay nothing for it.
func TestNothingHandedOverHasNoResult(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("t1", "echo x"))
	if w := a.watch(t, "t1"); w.verdict.Result != nil || exists(a.home+"/tickets/t1/result") {
		t.Errorf("verdict %+v", w.verdict)
	}
	for _, id := range []contract.TicketID{"t1", "t2"} {
		if _, err := ask(a.Service).result(t.Context(), id); errkind.Of(err) != errkind.NotFound {
			t.Errorf("result of %s: %v", id, err)
		}
	}
}

// TestDamagedResultIsTold: a verdict vouches for its result.
func TestDamagedResultIsTold(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("t1", "set_octopusvariable A 1"))
	a.watch(t, "t1")
	if err := os.WriteFile(a.home+"/tickets/t1/result", []byte(`{"outputs":[{"name":"A","value":"2"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(a.Service).result(t.Context(), "t1"); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("a damaged result: %v", err)
	}
}

// resultOf says what a ticket handed over, for the crash tests.
func resultOf(ctx context.Context, s *script.Service, w watched, id contract.TicketID) string {
	if w.verdict.Result == nil {
		return "nothing"
	}
	result, err := ask(s).result(ctx, id)
	if err != nil {
		return err.Error()
	}
	text, err := ask(s).artifact(ctx, id, 0)
	return fmt.Sprintf("%v %q %v", result.Outputs, text, err)
}
