// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package masking_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/internal/masking"
)

func mustSet(t interface {
	Helper()
	Fatal(args ...any)
}, secrets ...string,
) *masking.Set {
	t.Helper()
	s, err := masking.New(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// slow is the obvious masker: it tries every secret at every place.
func slow(text string, secrets []string) string {
	hidden := make([]bool, len(text))
	for at := range text {
		for _, secret := range secrets {
			if len(secret) >= masking.MinBytes && strings.HasPrefix(text[at:], secret) {
				for i := range secret {
					hidden[at+i] = true
				}
			}
		}
	}
	var b strings.Builder
	for i := range hidden {
		switch {
		case !hidden[i]:
			b.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			b.WriteString(masking.Mask)
		}
	}
	return b.String()
}

// chunked masks a text that comes in pieces which end at the cuts.
func chunked(s *masking.Set, text string, cuts []int) string {
	st := s.Stream()
	var out []byte
	at := 0
	for _, cut := range cuts {
		cut = min(max(cut, at), len(text))
		out = st.Write(out, []byte(text[at:cut]))
		at = cut
	}
	return string(st.Close(st.Write(out, []byte(text[at:]))))
}

// letters of few kinds overlap and repeat often.
func drawText(t *rapid.T, name string, least, most int) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte("abcA")), least, most).Draw(t, name))
}

// TestLikeTheSlowMasker compares with the obvious masker, for any cut of the text.
func TestLikeTheSlowMasker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secrets []string
		for range rapid.IntRange(0, 6).Draw(t, "secrets") {
			secrets = append(secrets, drawText(t, "secret", 0, 9))
		}
		var b strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "parts") {
			b.WriteString(drawText(t, "text", 0, 8))
			if len(secrets) > 0 {
				b.WriteString(rapid.SampledFrom(secrets).Draw(t, "part"))
			}
		}
		text := b.String()
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(text)), 0, 10).Draw(t, "cuts")
		want := slow(text, secrets)
		set := mustSet(t, secrets...)
		if got := chunked(set, text, cuts); got != want {
			t.Fatalf("secrets %q, text %q cut at %v: %q, want %q", secrets, text, cuts, got, want)
		}
		if got := set.Text(text); got != want {
			t.Fatalf("secrets %q, text %q: %q, want %q", secrets, text, got, want)
		}
	})
}

// TestHoldsNoMoreThanItMust: a byte that can belong to no secret any more is not held back.
// TestWidenedLikeTheSlowMasker: a further secret changes nothing for those before it, wherever the text is,
// and is hidden itself from then on.
func TestWidenedLikeTheSlowMasker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secrets []string
		for range rapid.IntRange(0, 6).Draw(t, "secrets") {
			secrets = append(secrets, drawText(t, "secret", 0, 9))
		}
		further := drawText(t, "further", 4, 9)
		text := drawText(t, "text", 0, 40)
		if len(secrets) > 0 {
			text += rapid.SampledFrom(secrets).Draw(t, "part") + drawText(t, "end", 0, 9)
		}
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		st := mustSet(t, secrets...).Stream()
		out := st.Write(nil, []byte(text[:cut]))
		st.Widen(mustSet(t, append(slices.Clone(secrets), "0123")...))
		out = st.Write(out, []byte(text[cut:]))
		if got, want := string(st.Close(out)), slow(text, secrets); got != want {
			t.Fatalf("secrets %q, text %q widened at %d: %q, want %q", secrets, text, cut, got, want)
		}
		st = mustSet(t, secrets...).Stream()
		out = st.Write(nil, []byte(text+"-")) // nothing is held back here
		st.Widen(mustSet(t, append(slices.Clone(secrets), further)...))
		out = st.Write(out, []byte(text+further))
		want := slow(text, secrets) + "-" + slow(text+further, append(secrets, further))
		if got := string(st.Close(out)); got != want {
			t.Fatalf("secrets %q and then %q, text %q: %q, want %q", secrets, further, text, got, want)
		}
	})
}

func TestHoldsNoMoreThanItMust(t *testing.T) {
	st := mustSet(t, "hunter22", "2233").Stream()
	for _, step := range []struct{ in, out string }{
		{"password: ", "password: "},
		{"hunt", ""},
		{"x", "huntx"},
		{"hunter2", ""},
		{"2", masking.Mask[:8]}, // "hunter" and the first 2 are hidden for sure, "22" may begin the other secret
		{"3", ""},
		{"3!", "!"},
		{"hunter", ""},
	} {
		if got := string(st.Write(nil, []byte(step.in))); got != step.out {
			t.Fatalf("after %q came %q, want %q", step.in, got, step.out)
		}
	}
	if got := string(st.Close(nil)); got != "hunter" {
		t.Fatalf("at the end came %q, want what was held back", got)
	}
}

func TestForms(t *testing.T) {
	const tricky = "p$a'ss \"w\\rd<1>,\t#"
	const key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"
	set := mustSet(t, tricky, key, "abc", "")
	if set.Short() != 1 {
		t.Errorf("%d secrets are too short, want 1", set.Short())
	}
	for name, text := range map[string]string{
		"raw":                  tricky,
		"JSON":                 `p$a'ss \"w\\rd<1>,\t#`,
		"JSON for HTML":        `p$a'ss \"w\\rd\u003c1\u003e,\t#`,
		"set -x":               `p$a'\''ss "w\rd<1>,` + "\t#",
		"declare -p":           `p\$a'ss \"w\\rd<1>,` + "\t#",
		"$'' of bash":          `p$a\'ss "w\\rd<1>,\t#`,
		"printf %q":            `p\$a\'ss\ \"w\\rd\<1\>,\` + "\t#",
		"printf %q with comma": `p\$a\'ss\ \"w\\rd\<1\>\,\` + "\t#",
		"a line of many":       "MIIEvQIBADANBg",
		"without its end":      strings.TrimSpace(key),
	} {
		if got := set.Text("<" + text + ">"); got != "<"+masking.Mask+">" {
			t.Errorf("%s: %q stays in part: %q", name, text, got)
		}
	}
	if got := set.Text("  MIIEvQIBADANBg\r\n  abc"); got != "  "+masking.Mask+"\r\n  abc" {
		t.Errorf("lines with other ends: %q", got)
	}
}

// TestAwkwardSecrets: blanks alone hide nothing, blanks around one do not save it, what means
// something to a pattern means nothing here, and of secrets within each other all is hidden.
func TestAwkwardSecrets(t *testing.T) {
	set := mustSet(t, "      ", "\t\n \n", " padded22 ", ".*+?", "[a-z]{4}", "pass", "password", "sword123")
	if set.Short() != 2 {
		t.Errorf("%d secrets are too short, want both blank ones", set.Short())
	}
	for text, want := range map[string]string{
		"        indented":    "        indented",
		"x padded22 x":        "x" + masking.Mask + "x",
		"x=padded22;":         "x=" + masking.Mask + ";",
		"abcd .*+? [a-z]{4}":  "abcd " + masking.Mask + " " + masking.Mask,
		"a passwor passwords": "a " + masking.Mask + "wor " + masking.Mask + "s",
		"password123":         masking.Mask,
	} {
		if got := set.Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestTooManySecrets(t *testing.T) {
	_, err := masking.New([]string{strings.Repeat("s", masking.MaxBytes+1)})
	if errkind.Of(err) != errkind.Exhausted || strings.Contains(err.Error(), "sss") {
		t.Fatalf("err = %v, want Exhausted without the secret", err)
	}
}

// TestTreacherousSecretsCostNoMore: what makes a simple search quadratic is linear here.
func TestTreacherousSecretsCostNoMore(t *testing.T) {
	secret := strings.Repeat("a", 200_000) + "b"
	set := mustSet(t, secret, strings.Repeat("a", 100_000)+"c")
	began := time.Now()
	st := set.Stream()
	var out []byte
	for range 1000 { // an hour, if each place looked for the whole secret
		out = st.Write(out, bytes.Repeat([]byte("a"), 4<<10))
	}
	if out = st.Close(out); len(out) != 1000*4<<10 {
		t.Fatalf("%d bytes came out", len(out))
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Fatalf("4 MiB took %v", took)
	}
}

// FuzzStream: any cut of any text gives what the whole gives, and that holds no secret.
func FuzzStream(f *testing.F) {
	f.Add("hunter2", "2abc", "xhunter2abchunter2", 3, 9)
	f.Add("aaaa", "aaaab", "aaaaaaaaab", 1, 2)
	f.Add("line one\nline two", "", "line one\r\nline two\n", 5, 10)
	f.Fuzz(func(t *testing.T, one, two, text string, cut, more int) {
		set, err := masking.New([]string{one, two})
		if err != nil {
			return // values that nobody can look for: TestTooManySecrets has them
		}
		whole := set.Text(text)
		cut = min(max(cut, 0), len(text))
		more = min(max(more, cut), len(text))
		if got := chunked(set, text, []int{cut, more}); got != whole {
			t.Fatalf("cut at %d and %d: %q, in one: %q", cut, more, got, whole)
		}
		for _, secret := range []string{one, two} {
			clean := strings.TrimSpace(secret)
			if len(clean) >= masking.MinBytes && !strings.ContainsRune(clean, '*') && strings.Contains(whole, clean) {
				t.Fatalf("%q in %q", clean, whole)
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	line := []byte("2026-11-27T20:15:46Z INFO deploying web-1: unpacked 317 files in 1.204 s, token=hunter22hunter22\n")
	text := bytes.Repeat(line, 300)
	for name, secrets := range map[string][]string{
		"one": {"hunter22hunter22"}, "ten": strings.Fields("hunter22hunter22 D3ploy 2fa-key 0penSesame INFRA zulu webhook unpack iiii s3cr3t"),
	} {
		st := mustSet(b, secrets...).Stream()
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var out []byte
			for b.Loop() {
				out = st.Write(out[:0], text)
			}
		})
	}
}
