// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package servicemessage_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/contract"
	"fairlead/internal/servicemessage"
)

// found is what a parser gave: text, and what stands in the place of each message.
type found struct {
	text     strings.Builder
	messages []servicemessage.Message
}

func (f *found) Text(p []byte) { f.text.Write(p) }

func (f *found) Message(m servicemessage.Message) {
	f.text.WriteByte(0)
	f.messages = append(f.messages, m)
}

func parse(pieces ...string) *found {
	var p servicemessage.Parser
	f := new(found)
	for _, piece := range pieces {
		p.Write([]byte(piece), f)
	}
	p.Close(f)
	return f
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestMessages(t *testing.T) {
	set := func(name, value string, isSensitive bool) servicemessage.Message {
		return servicemessage.Message{Kind: servicemessage.SetVariable, Name: name, Value: value, IsSensitive: isSensitive}
	}
	level := func(l contract.Level, isStderr bool) servicemessage.Message {
		return servicemessage.Message{Kind: servicemessage.SetLevel, Level: l, IsStderr: isStderr}
	}
	refused := func(why string) servicemessage.Message {
		return servicemessage.Message{Kind: servicemessage.Refused, Value: why}
	}
	for _, row := range []struct {
		attrs string
		want  servicemessage.Message
	}{
		{"setVariable name='" + b64("A") + "' value='" + b64("x\n'\"$ é") + "'", set("A", "x\n'\"$ é", false)},
		{"setVariable  value=''\tname='" + b64(" A ") + "' sensitive='" + b64("True") + "' ", set("A", "", true)},
		{"setVariable name='" + b64("A") + "' value='eHh4\r\neHh4\n' sensitive='" + b64("False") + "'", set("A", "xxxxxx", false)},
		{`setVariable name="` + b64("A") + `" value='` + b64("x") + `' sensitive="` + b64("True") + `"`, set("A", "x", true)},
		{"setVariable name='" + b64("A") + "'", refused("setVariable: the value is missing")},
		{"setVariable value=''", refused("setVariable: the name has 0 bytes: want 1 to 1000")},
		{"setVariable name='QQ==' value='a'", refused("setVariable: value is not in base64")},
		{"setVariable name='QQ==' value='/w=='", refused("setVariable: value is not UTF-8 text without NUL")},
		{"setVariable name='QQ==' value='AA=='", refused("setVariable: value is not UTF-8 text without NUL")},
		{"setVariable name='QQ==' name='QQ=='", refused("setVariable: name is there twice")},
		{"setVariable name='QQ==' value='' sensitive='eWVz'", refused("setVariable: sensitive is neither True nor False")},
		{
			"createArtifact path='" + b64("/tmp/a b.txt") + "'",
			servicemessage.Message{Kind: servicemessage.CreateArtifact, Path: "/tmp/a b.txt", Name: "a b.txt"},
		},
		{
			"createArtifact path='" + b64("/tmp/a") + "' name='" + b64("../x\n") + "' length='MQ=='",
			servicemessage.Message{Kind: servicemessage.CreateArtifact, Path: "/tmp/a", Name: ".._x_"},
		},
		{"createArtifact path='" + b64("x/..") + "'", servicemessage.Message{Kind: servicemessage.CreateArtifact, Path: "x/..", Name: "_"}},
		{"createArtifact", refused("createArtifact: the path is missing")},
		{
			"createArtifact path='" + b64(strings.Repeat("/x", 2049)) + "'",
			refused("createArtifact: the path has 4098 bytes: limit is 4096"),
		},
		{
			"progress percentage='" + b64("42") + "' message='" + b64("half way") + "'",
			servicemessage.Message{Kind: servicemessage.Progress, Percent: 42, Value: "half way"},
		},
		{"progress percentage='" + b64("142%") + "'", servicemessage.Message{Kind: servicemessage.Progress, Percent: 100}},
		{"progress percentage='" + b64("half") + "'", refused("progress: the percentage is no whole number")},
		{"resultMessage message='" + b64("no disk") + "'", servicemessage.Message{Kind: servicemessage.ResultMessage, Value: "no disk"}},
		{"stdout-verbose", level(contract.LevelVerbose, false)},
		{"stdout-ignore", level(contract.LevelVerbose, false)},
		{"stdout-highlight", level(contract.LevelHighlight, false)},
		{"stdout-wait", level(contract.LevelWait, false)},
		{"stdout-warning", level(contract.LevelWarning, false)},
		{"stdout-error", level(contract.LevelError, false)},
		{"stdout-default", level(contract.LevelDefault, false)},
		{"stderr-progress", level(contract.LevelVerbose, true)},
	} {
		f := parse("##octopus[" + row.attrs + "]")
		if diff := cmp.Diff([]servicemessage.Message{row.want}, f.messages); diff != "" || f.text.String() != "\x00" {
			t.Errorf("%s left %q (-want +got):\n%s", row.attrs, f.text.String(), diff)
		}
	}
}

// TestTextStays passes what only looks like a message.
func TestTextStays(t *testing.T) {
	long := "##octopus[other name='" + strings.Repeat("A", servicemessage.MaxBytes)
	for _, text := range []string{
		"", "#", "##", "###", "##octopus", "##octopus[", "##octopus[]", "##octopus[ progress]", "##Octopus[stdout-verbose]",
		"##octopus[stdout-loud]", "##octopus[other name='QQ==']", "##octopus[stdout-verbose", "##octopus[stdout-verbose\n]",
		"##octopus[setVariable name=QQ==]", "##octopus[setVariable name='QQ=='value='']", "##octopus[setVariable name='Q!']",
		`##octopus[setVariable name='QQ==" value="QQ=="]`, `##octopus[setVariable name="QQ==' value='QQ==']`,
		"##octopus[setVariable =''", "##octopus[setVariable n", "##octopus[9 a='']", "##octopus[-x]",
		"##octopus[" + strings.Repeat("a", 65) + "]", "##octopus[a " + strings.Repeat("a", 65) + "='']",
		`+ echo '##octopus[setVariable name='\''QQ=='\'' value='\''QQ=='\'']'`, long, "##octopus[setVariable name='QQ==\r\n", "a\r\nb\r",
	} {
		if f := parse(text); f.text.String() != text || f.messages != nil {
			t.Errorf("%.100q became %.100q, %v", text, f.text.String(), f.messages)
		}
	}
}

// TestTooLongIsLeftOut: the value may be secret, and what says so comes behind it.
func TestTooLongIsLeftOut(t *testing.T) {
	const start = "##octopus[setVariable name='QQ==' value='"
	secret := strings.Repeat("c2VjcmV0", servicemessage.MaxBytes/8)
	many := "##octopus[setVariable" + strings.Repeat(" a='QQ=='", servicemessage.MaxBytes/4)
	refused := []servicemessage.Message{{
		Kind: servicemessage.Refused, Value: "setVariable: it has more than 2097152 bytes and is left out",
	}}
	for text, want := range map[string]string{
		start + secret + "' sensitive='VHJ1ZQ==']\nafter": "before \x00\nafter",
		start + secret + secret + secret:                  "before \x00",
		start + secret + "!' after":                       "before \x00!' after",
		start + secret + "##octopus[stdout-loud] after":   "before \x00##octopus[stdout-loud] after",
		many + "]after": "before \x00after",
		many + " b=x":   "before \x00x",
		start + secret + "'   ]" + strings.Repeat("x", 3):    "before \x00xxx",
		start + secret + "' b=''\tsensitive='VHJ1ZQ=='  ] ]": "before \x00 ]",
	} {
		f := parse("before ", text[:len(text)/2], text[len(text)/2:])
		if diff := cmp.Diff(refused, f.messages); diff != "" || f.text.String() != want {
			t.Errorf("%.60q… became %.100q, want %q (-want +got):\n%s", text, f.text.String(), want, diff)
		}
	}
}

// TestLineEnds: a message that has its line for itself takes the line's end along.
func TestLineEnds(t *testing.T) {
	m := "##octopus[stdout-default]"
	for text, want := range map[string]string{
		m + "\nx\n":              "\x00x\n",
		m + "\r\nx":              "\x00x",
		m + "\rx":                "\x00\rx",
		m + "\r":                 "\x00\r",
		m + "\n\nx":              "\x00\nx",
		m + m + "\nx":            "\x00\x00x",
		m + "\n" + m + "\n":      "\x00\x00",
		"a" + m + "\nb":          "a\x00\nb",
		m + "a\nb":               "\x00a\nb",
		"a\n" + m + "\n#" + m:    "a\n\x00#\x00",
		"###octopus[x" + m:       "###octopus[x\x00",
		"#" + m + "\n":           "#\x00\n",
		"##octopus[a b='" + m:    "##octopus[a b='\x00",
		"##octopus" + m + "\n":   "##octopus\x00\n",
		m + "##octopus[no\nx]\n": "\x00##octopus[no\nx]\n",
	} {
		if got := parse(text).text.String(); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

var whole = regexp.MustCompile(`##octopus\[([A-Za-z][A-Za-z0-9-]{0,63})` +
	`((?:[ \t]+[A-Za-z][A-Za-z0-9-]{0,63}=(?:'[A-Za-z0-9+/= \t\r\n]*'|"[A-Za-z0-9+/= \t\r\n]*"))*)[ \t]*\]`)

// slow finds the places of known messages with a regular expression over the whole text.
func slow(text string) string {
	var out strings.Builder
	inLine := func() bool {
		s := strings.ReplaceAll(out.String(), "\x00", "")
		return s != "" && !strings.HasSuffix(s, "\n")
	}
	for {
		at := whole.FindStringSubmatchIndex(text)
		if at == nil {
			out.WriteString(text)
			return out.String()
		}
		name := text[at[2]:at[3]]
		out.WriteString(text[:at[0]])
		isKnown := name == "setVariable" || (name == "stdout-wait")
		if !isKnown {
			out.WriteString(text[at[0]:at[1]])
		}
		rest := text[at[1]:]
		if isKnown {
			if !inLine() {
				next := whole.FindStringIndex(rest)
				isLast := next == nil || next[0] > 0
				if isLast {
					rest = strings.TrimPrefix(strings.TrimPrefix(rest, "\r\n"), firstNewline(rest))
				}
			}
			out.WriteByte(0)
		}
		text = rest
	}
}

// firstNewline is the newline that rest begins with, unless a carriage return did.
func firstNewline(rest string) string {
	if strings.HasPrefix(rest, "\n") {
		return "\n"
	}
	return "\r\n\x00" // is nowhere
}

var tokens = []string{
	"#", "##octopus[", "##octopus", "setVariable", "stdout-wait", "other", " ", "\t", "name='QQ=='", "value='", "'", "]", "\n", "\r",
	`name="QQ=="`, `"`, "QQ==", "=", "x", "##octopus[stdout-wait]", "##octopus[setVariable name='QQ==' value='QQ==']", "é",
}

// TestAgainstSlow compares with the slow finder, and the same text in pieces with the whole.
func TestAgainstSlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 30).Draw(t, "tokens"), "")
		f := parse(text)
		if got, want := f.text.String(), slow(text); got != want {
			t.Fatalf("%q became %q, want %q", text, got, want)
		}
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		if pieces := parse(text[:cut], text[cut:]); pieces.text.String() != f.text.String() || !cmp.Equal(pieces.messages, f.messages) {
			t.Fatalf("%q cut at %d became %q, want %q", text, cut, pieces.text.String(), f.text.String())
		}
		if bytewise := parse(strings.Split(text, "")...); bytewise.text.String() != f.text.String() {
			t.Fatalf("%q byte by byte became %q, want %q", text, bytewise.text.String(), f.text.String())
		}
	})
}

// FuzzParser: text without messages is what came in; nothing depends on the cut.
func FuzzParser(f *testing.F) {
	for i := range tokens {
		f.Add(strings.Join(tokens[i:], ""), uint(i))
	}
	f.Fuzz(func(t *testing.T, text string, at uint) {
		if strings.Contains(text, "\x00") {
			return
		}
		got := parse(text)
		if len(got.messages) == 0 && got.text.String() != text {
			t.Fatalf("%q became %q", text, got.text.String())
		}
		cut := int(at % uint(len(text)+1))
		pieces := parse(text[:cut], text[cut:])
		if pieces.text.String() != got.text.String() || !cmp.Equal(pieces.messages, got.messages) {
			t.Fatalf("%q cut at %d became %q, want %q", text, cut, pieces.text.String(), got.text.String())
		}
	})
}

// BenchmarkPlainOutput is what a script pays that says nothing by messages.
func BenchmarkPlainOutput(b *testing.B) {
	text := []byte(strings.Repeat("the quick brown fox jumps over the lazy dog # 42\n", 650))
	var p servicemessage.Parser
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p.Write(text, nothing{})
	}
}

type nothing struct{}

func (nothing) Text([]byte)                    {}
func (nothing) Message(servicemessage.Message) {}

// TestCostIsLinear writes the longest message byte by byte, and text that begins one again and again.
func TestCostIsLinear(t *testing.T) {
	began := time.Now()
	var p servicemessage.Parser
	f := new(found)
	for _, c := range []byte("##octopus[setVariable name='QQ==' value='" + strings.Repeat("A", servicemessage.MaxBytes-100) + "']") {
		p.Write([]byte{c}, f)
	}
	p.Write([]byte(strings.Repeat("##octopus[setVariable name='", 100_000)), f)
	if p.Close(f); len(f.messages) != 1 {
		t.Fatalf("%d messages, want 1", len(f.messages))
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("5 MB took %v", took)
	}
}
