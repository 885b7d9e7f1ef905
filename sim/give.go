// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/sim/history"
)

// give writes a file, "NAME KB", into the script's folder and hands it over by the service message that
// new_octopusartifact writes. Its bytes do not shrink when they are packed.
func (m *Machine) give(one *process, c host.Command, words string) error {
	name, size, _ := strings.Cut(words, " ")
	kb, err := strconv.Atoi(size)
	if err != nil || kb < 1 || filepath.Base(name) != name {
		return errkind.Invalid.Errorf("give %s: want a name and a size in KB", words)
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name)) // never fails
	r := rand.New(rand.NewPCG(uint64(kb), sum.Sum64()))
	content := make([]byte, 0, kb<<10)
	for len(content) < kb<<10 {
		content = binary.LittleEndian.AppendUint64(content, r.Uint64())
	}
	path := filepath.Join(c.Dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	hash := sha256.Sum256(content)
	m.o.Record(history.Event{
		Kind: history.Gave, Who: m.name, Ticket: one.ticket, Text: name, Cause: hex.EncodeToString(hash[:]), N: len(content),
	})
	serve(c, "createArtifact", "path", path, "name", name)
	return nil
}

// serve writes a service message, as the bash functions do.
func serve(c host.Command, message string, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		message += " " + pairs[i] + "='" + base64.StdEncoding.EncodeToString([]byte(pairs[i+1])) + "'"
	}
	say(c.Stdout, "##octopus["+message+"]")
}
