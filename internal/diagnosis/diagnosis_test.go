// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package diagnosis_test

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
)

func TestEveryCauseIsAWordAndASentence(t *testing.T) {
	seen := map[string]diagnosis.Cause{}
	for _, cause := range diagnosis.All() {
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(string(cause)) {
			t.Errorf("cause %q is no word", cause)
		}
		for _, text := range []string{cause.Box(), cause.Sentence()} {
			if len(strings.Fields(text)) < 4 || strings.HasSuffix(text, ".") || strings.ContainsAny(text, "\n\t") {
				t.Errorf("%s says %q", cause, text)
			}
		}
		if cause.Check()+cause.Please() == "" || !strings.HasSuffix(cause.Sentence(), cause.Check()+cause.Please()) &&
			!strings.HasSuffix(cause.Sentence(), cause.Check()+", and ask the network team to "+cause.Please()) &&
			!strings.HasSuffix(cause.Sentence(), ": ask the network team to "+cause.Please()) {
			t.Errorf("%s does not say what to do: %q", cause, cause.Sentence())
		}
		if other, twice := seen[cause.Box()]; twice {
			t.Errorf("%s and %s say the same", cause, other)
		}
		seen[cause.Box()] = cause
	}
	if len(seen) != 19 {
		t.Errorf("%d causes: a new one needs a row in docs/operations.md", len(seen))
	}
	if diagnosis.Cause("").Sentence() != "" {
		t.Error("no cause has a sentence")
	}
}

func TestNameKeepsKindAndMessage(t *testing.T) {
	inner := errors.New("inner")
	err := errkind.Untrusted.Errorf("outer: %w", diagnosis.Name(errkind.Corrupt.Errorf("said: %w", inner), diagnosis.NotTLS))
	if errkind.Of(err) != errkind.Untrusted || err.Error() != "outer: said: inner" || !errors.Is(err, inner) {
		t.Errorf("error %v of kind %v", err, errkind.Of(err))
	}
	if errkind.Hint(err) != diagnosis.NotTLS.Sentence() || diagnosis.Of(err) != diagnosis.NotTLS {
		t.Errorf("hint %q, cause %q", errkind.Hint(err), diagnosis.Of(err))
	}
	better := diagnosis.Name(err, diagnosis.CaptivePortal)
	if diagnosis.Of(better) != diagnosis.CaptivePortal || errkind.Hint(better) != diagnosis.CaptivePortal.Sentence() {
		t.Errorf("the outermost cause does not count: %q, %q", diagnosis.Of(better), errkind.Hint(better))
	}
	if diagnosis.Of(inner) != "" {
		t.Error("a cause came from nowhere")
	}
}

func TestAttr(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	log.Info("x", diagnosis.Attr(errors.New("plain")), "a", 1)
	log.Info("y", diagnosis.Attr(diagnosis.Name(errors.New("named"), diagnosis.Cut)))
	if got := text.String(); !strings.Contains(got, "msg=x a=1\n") || !strings.Contains(got, "msg=y cause=cut\n") {
		t.Errorf("log:\n%s", got)
	}
}
