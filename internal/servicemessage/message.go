// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package servicemessage

import (
	"encoding/base64"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"fairlead/internal/contract"
)

// Kind says which members of a Message count.
type Kind uint8

// The kinds.
const (
	SetVariable    Kind = iota + 1 // Name, Value, IsSensitive
	CreateArtifact                 // Path, Name
	Progress                       // Percent, Value
	ResultMessage                  // Value
	SetLevel                       // Level, IsStderr
	Refused                        // Value: a clause on what is wrong with it, without its values
)

// Message is one service message.
type Message struct {
	Kind  Kind
	Name  string // of a variable, 1 to 1,000 bytes; of an artifact, 1 to 255 bytes and no path
	Value string // UTF-8 without NUL
	Path  string // 1 to 4,096 bytes; relative to the script's working folder unless absolute

	IsSensitive bool
	Percent     int // 0 to 100

	Level contract.Level
	// IsStderr says that the level is for stderr, wherever it was read; else it is for the stream in
	// which it was read, so that "write_warning … >&2" warns too.
	IsStderr bool
}

const (
	maxVariableName = 1000
	maxArtifactName = 255
	// maxArtifactPath is PATH_MAX of Linux: what is longer cannot be opened, and need not be remembered.
	maxArtifactPath = 4096
)

// read reads a message of a known name.
func read(r raw) (m Message, ok bool) {
	loudness, isStderr := strings.CutPrefix(r.name, "stderr-")
	if !isStderr {
		loudness, ok = strings.CutPrefix(r.name, "stdout-")
	}
	if isStderr || ok {
		level, known := levels(loudness)
		return Message{Kind: SetLevel, Level: level, IsStderr: isStderr}, known
	}
	var act func(values map[string]string) (Message, string)
	switch r.name {
	case "setVariable":
		act = setVariable
	case "createArtifact":
		act = createArtifact
	case "progress":
		act = progress
	case "resultMessage":
		act = resultMessage
	default:
		return Message{}, false
	}
	values, wrong := decode(r.attrs)
	if wrong == "" {
		m, wrong = act(values)
	}
	if wrong != "" {
		m = Message{Kind: Refused, Value: r.name + ": " + wrong}
	}
	return m, true
}

func levels(word string) (contract.Level, bool) {
	switch word {
	case "default":
		return contract.LevelDefault, true
	case "verbose", "progress", "ignore": // nothing that a script says is thrown away
		return contract.LevelVerbose, true
	case "highlight":
		return contract.LevelHighlight, true
	case "wait":
		return contract.LevelWait, true
	case "warning":
		return contract.LevelWarning, true
	case "error":
		return contract.LevelError, true
	}
	return 0, false
}

func decode(attrs []attr) (values map[string]string, wrong string) {
	blanks := strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "")
	values = make(map[string]string, len(attrs))
	for _, a := range attrs {
		if _, twice := values[a.name]; twice {
			return nil, a.name + " is there twice"
		}
		plain, err := base64.StdEncoding.DecodeString(blanks.Replace(a.value))
		switch {
		case err != nil:
			return nil, a.name + " is not in base64"
		case !utf8.Valid(plain) || strings.IndexByte(string(plain), 0) >= 0:
			return nil, a.name + " is not UTF-8 text without NUL"
		}
		values[a.name] = string(plain)
	}
	return values, ""
}

func setVariable(values map[string]string) (m Message, wrong string) {
	name := strings.TrimSpace(values["name"])
	if name == "" || len(name) > maxVariableName {
		return m, fmt.Sprintf("the name has %d bytes: want 1 to %d", len(name), maxVariableName)
	}
	value, ok := values["value"]
	if !ok {
		return m, "the value is missing"
	}
	isSensitive := false
	switch word := strings.ToLower(strings.TrimSpace(values["sensitive"])); word {
	case "", "false":
	case "true":
		isSensitive = true
	default:
		return m, "sensitive is neither True nor False"
	}
	return Message{Kind: SetVariable, Name: name, Value: value, IsSensitive: isSensitive}, ""
}

func createArtifact(values map[string]string) (m Message, wrong string) {
	where := values["path"]
	switch {
	case where == "":
		return m, "the path is missing"
	case len(where) > maxArtifactPath:
		return m, fmt.Sprintf("the path has %d bytes: limit is %d", len(where), maxArtifactPath)
	}
	name := values["name"]
	if name == "" {
		name = path.Base(where)
	}
	return Message{Kind: CreateArtifact, Path: where, Name: fileName(name)}, ""
}

// fileName makes any text the name of a file, for people.
func fileName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7F {
			return '_'
		}
		return r
	}, text)
	for len(name) > maxArtifactName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name == "." || name == ".." {
		return "_"
	}
	return name
}

func progress(values map[string]string) (m Message, wrong string) {
	percent, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(values["percentage"]), "%"))
	if err != nil {
		return m, "the percentage is no whole number"
	}
	return Message{Kind: Progress, Percent: min(max(percent, 0), 100), Value: values["message"]}, ""
}

func resultMessage(values map[string]string) (m Message, wrong string) {
	return Message{Kind: ResultMessage, Value: values["message"]}, ""
}
