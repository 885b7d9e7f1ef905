// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The journal's position is a number that every order taken over and every start raises, and that
// nothing lowers but the return of an older disk: a snapshot or a backup of the machine. The server
// remembers the highest that it was told and so sees an agent that went back in time.
//
// It is kept without a sync of its own. Each ticket's folder has an empty file seq-<n>, whose name
// becomes durable with the order, and another that becomes so with the claim; the ledger has a line
// "at - <n>" from before each such folder is deleted. Only what is durable is told: in answer to an
// order, and with the statuses of a ticket whose script was started.
const seqPrefix = "seq-"

// firstPosition is that of an empty journal: 0 is what agents say that know no positions.
const firstPosition = 1

// markPosition names the position in the ticket's folder; durable with the folder's next sync.
func (f folder) markPosition(n int64) error {
	file, err := os.OpenFile(f.path(seqPrefix+strconv.FormatInt(n, 10)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil // left by a crash before the intent
	}
	return cmp.Or(err, file.Close())
}

// position is the highest that the ticket's folder names, or 0.
func (f folder) position() (highest int64) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return 0
	}
	for _, entry := range entries {
		if number, ok := strings.CutPrefix(entry.Name(), seqPrefix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err == nil {
				highest = max(highest, n)
			}
		}
	}
	return highest
}

func atLine(position int64) string { return fmt.Sprintf("at - %d %q\n", position, "") }

// passLocked notes that the journal has durably come to a position.
func (s *Service) passLocked(position int64) {
	s.position = max(s.position, position)
	s.sequence = max(s.sequence, position)
}

// Position is how far the journal has durably come: it only rises in the life of a home folder.
// Errors: Unavailable (the tickets were not recovered), or ctx's.
func (s *Service) Position(ctx context.Context) (int64, error) {
	if err := s.await(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position, nil
}
