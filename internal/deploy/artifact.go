// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fairlead/internal/contract"
)

// Artifact is a file that a script handed over, as the server keeps it. It goes with its deployment; that
// of a task without one stays until a person deletes it.
type Artifact struct {
	ID         ArtifactID
	Space      SpaceID
	Task       TaskID
	Deployment DeploymentID // "" for a task without one
	Ticket     contract.TicketID
	Index      int // into the ticket's Result
	Slot       Slot
	Name       string // for people: FileName has made it
	Size       int64  // bytes
	SHA256     string // hex, of the content
	KeptAt     time.Time
}

// MaxFileNameBytes is the longest name of an artifact. Source: NAME_MAX of Linux.
const MaxFileNameBytes = 255

// FileName makes any text a name that is safe to show and to save a file under: one line without path
// separators, control characters and marks that change the direction of text; never empty, "." or "..".
func FileName(text string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:`, r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(text, "_"))
	for len(name) > MaxFileNameBytes {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if strings.Trim(name, ". ") == "" {
		return "_"
	}
	return name
}
