// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

const (
	journalName = "journal.json"
	// maxJournalBytes bounds what is read back: about 100,000 entries.
	maxJournalBytes = 64 << 20
)

// result is how an installation went.
type result string

const (
	installing  result = "installing"
	succeeded   result = "succeeded"
	failed      result = "failed"
	canceled    result = "canceled"
	interrupted result = "interrupted" // the step died
)

// installation is one line of the journal.
type installation struct {
	Ticket      contract.TicketID `json:"ticket"`
	Project     string            `json:"project"`
	Environment string            `json:"environment"`
	Step        string            `json:"step"`
	Package     string            `json:"package"`
	Version     string            `json:"version"`
	// Folder is relative to the applications folder: "<environment>/<package>/<version>".
	Folder string `json:"folder"`
	// Copy is the folder of the machine's own that the package was to be copied to, or "".
	Copy   string `json:"copy,omitempty"`
	When   string `json:"when"` // RFC 3339, the machine's wall clock
	Result result `json:"result"`
}

// journal lists what is installed on the machine, the oldest first.
type journal struct {
	Installations []installation `json:"installations"`
}

// change reads the journal, lets edit work on it and writes it back, all under its lock, which
// nobody holds for long: also a canceled step writes its end down. Entries
// whose folders are gone are dropped first: people may remove them.
func (p *place) change(ctx context.Context, edit func(*journal)) error {
	held, err := takeLock(context.WithoutCancel(ctx), p.apps, func() {})
	if err != nil {
		return err
	}
	defer held.release()
	j, err := p.readJournal()
	if err != nil {
		return err
	}
	j.Installations = slices.DeleteFunc(j.Installations, func(i installation) bool {
		_, err := p.apps.Lstat(i.Folder)
		return errors.Is(err, fs.ErrNotExist)
	})
	edit(&j)
	return p.writeJournal(j)
}

func (p *place) readJournal() (journal, error) {
	var j journal
	f, err := p.apps.Open(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return j, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxJournalBytes+1))
	if err != nil {
		return j, err
	}
	if len(raw) > maxJournalBytes {
		return j, errkind.Exhausted.Errorf("journal %s is longer than %d MiB", journalName, maxJournalBytes>>20)
	}
	if err := contract.Decode(raw, &j); err != nil {
		return j, errkind.Hinted(errkind.Corrupt.Errorf("read %s: %w", f.Name(), err),
			"move the file away; installations it lists stay and are no longer cleaned up")
	}
	return j, nil
}

func (p *place) writeJournal(j journal) error {
	raw, err := json.MarshalIndent(j, "", " ")
	if err != nil {
		return err
	}
	temp := journalName + ".part"
	if err := p.apps.RemoveAll(temp); err != nil {
		return err
	}
	f, err := p.apps.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	if err == nil {
		err = p.disk.Sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, p.apps.Remove(temp))
	}
	if err := p.apps.Rename(temp, journalName); err != nil {
		return err
	}
	return durable.SyncIn(p.disk, p.apps, ".")
}

// begin notes that a folder is about to appear. Entries of steps that died are closed: the lock
// on the place says that none of them lives.
func (s *step) begin(ctx context.Context, folder string) error {
	rel, custom := s.place.rel+"/", ""
	if s.pack.Copy != nil {
		custom = s.pack.Copy.Path
	}
	return s.place.change(ctx, func(j *journal) {
		for i := range j.Installations {
			if e := &j.Installations[i]; e.Result == installing && strings.HasPrefix(e.Folder, rel) {
				e.Result = interrupted
			}
		}
		j.Installations = append(j.Installations, installation{
			Ticket: s.order.Ticket, Project: s.pack.Project, Environment: s.pack.Environment, Step: s.pack.Step,
			Package: s.pack.ID, Version: s.pack.Version, Folder: rel + folder, Copy: custom,
			When: s.Wall().UTC().Format(time.RFC3339), Result: installing,
		})
	})
}

// note enters how the installation went.
func (s *step) note(ctx context.Context, how result) error {
	return s.place.change(ctx, func(j *journal) {
		for i := range j.Installations {
			if e := &j.Installations[i]; e.Folder == s.place.rel+"/"+s.folder {
				e.Result = how
			}
		}
	})
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func partialName() string { return partialStart + strings.ToLower(rand.Text()) }
