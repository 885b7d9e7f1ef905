// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/artifact"
	"fairlead/server/engine"
)

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// giving is a machine whose script hands files over; asked notes from where each was asked for.
func giving(asked *[]contract.ArtifactArgs, files ...[]byte) *scripted {
	m := handing()
	for i, content := range files {
		m.result.Artifacts = append(m.result.Artifacts, contract.Artifact{
			Name: fmt.Sprintf("../f\r%d.txt", i), Size: int64(len(content)), SHA256: sumOf(content),
		})
	}
	m.artifact = func(a contract.ArtifactArgs) (io.ReadCloser, error) {
		*asked = append(*asked, a)
		return io.NopCloser(bytes.NewReader(files[a.Index][a.Offset:])), nil
	}
	return m
}

// folder keeps artifacts where the bench's earlier servers did.
func (b *bench) folder(s store.Store) *artifact.Folder {
	f, err := artifact.New(artifact.Deps{
		Store: s, Dir: b.kept, Disk: host.Fsync{}, Limits: artifact.DefaultLimits(),
		Vitals: func(string) host.Vitals { return b.disk },
	})
	b.must(err)
	return f
}

// artifacts are those of the bench's task, oldest first, each compared with its content on disk.
func (b *bench) artifacts() (all []deploy.Artifact) {
	b.must(b.store.View(b.t.Context(), func(r store.Reader) (err error) {
		all, err = r.Artifacts(store.ArtifactFilter{Task: "ServerTasks-1"})
		return err
	}))
	slices.Reverse(all)
	for _, a := range all {
		raw, err := os.ReadFile(filepath.Join(b.kept, a.SHA256[:2], a.SHA256))
		if err != nil || int64(len(raw)) != a.Size || sumOf(raw) != a.SHA256 {
			b.t.Errorf("content of %s: %d bytes, %v; want %d", a.Name, len(raw), err, a.Size)
		}
	}
	return all
}

// TestArtifactsArriveWhole: the line breaks in the middle of the second file, and the server dies at each point on
// the way. What had come is not asked for again, and each file is kept once.
func TestArtifactsArriveWhole(t *testing.T) {
	first, second := []byte("small"), bytes.Repeat([]byte("0123456789"), 100_000)
	for _, killAt := range []string{
		"", "engine.artifact.asked", "engine.artifact.fetched", "engine.ticket.logged", "engine.ticket.settled",
	} {
		t.Run(killAt, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				defer b.store.Close()
				var asked []contract.ArtifactArgs
				m := giving(&asked, first, second)
				whole, cut := m.artifact, false
				m.artifact = func(a contract.ArtifactArgs) (io.ReadCloser, error) {
					if a.Index == 1 && !cut {
						cut = true
						asked = append(asked, a)
						part := io.MultiReader(bytes.NewReader(second[:600_000]), iotest.ErrReader(errkind.Unavailable.Errorf("the line broke")))
						return io.NopCloser(part), nil
					}
					return whole(a)
				}
				if killAt != "" {
					b.run(m, nil, killAt, nil)
				}
				b.run(m, nil, "", nil)
				all := b.artifacts()
				if b.task().State != deploy.TaskSuccess || b.task().HasWarnings || len(all) != 2 {
					t.Fatalf("%s, %d artifacts\n%s", b.task().State, len(all), b.log())
				}
				if all[0].Name != ".._f_0.txt" || all[1].Index != 1 || all[1].SHA256 != sumOf(second) {
					t.Errorf("kept %+v", all)
				}
				resumed := slices.ContainsFunc(asked, func(a contract.ArtifactArgs) bool { return a.Index == 1 && a.Offset == 600_000 })
				if !resumed {
					t.Errorf("asked for %+v, never from where it broke off", asked)
				}
				b.must(b.store.View(t.Context(), func(r store.Reader) error {
					events, err := r.Events(store.EventFilter{Category: "ArtifactAdded"})
					if len(events) != 1 || events[0].Message != "the script on m handed over: .._f_0.txt, .._f_1.txt" {
						t.Errorf("events %+v", events)
					}
					return err
				}))
			})
		})
	}
}

// TestArtifactsLieInTheSpaceOfTheirTask, and so does the event that tells of them.
func TestArtifactsLieInTheSpaceOfTheirTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(w store.Writer) error {
			return errors.Join(
				w.PutSpace(deploy.Space{ID: "Spaces-2", Name: "Two", Slug: "two"}),
				edited(func(task *deploy.Task) { task.Space = "Spaces-2" })(w),
			)
		})
		defer b.store.Close()
		var asked []contract.ArtifactArgs
		b.run(giving(&asked, []byte("content")), nil, "", nil)
		if all := b.artifacts(); len(all) != 1 || all[0].Space != "Spaces-2" {
			t.Errorf("kept %+v", all)
		}
		b.must(b.store.View(t.Context(), func(r store.Reader) error {
			events, err := r.Events(store.EventFilter{Category: "ArtifactAdded"})
			if len(events) != 1 || events[0].Space != "Spaces-2" {
				t.Errorf("events %+v", events)
			}
			return err
		}))
	})
}

// TestArtifactsThatCannotBeKept are told in the log; the deployment goes on without them.
func TestArtifactsThatCannotBeKept(t *testing.T) {
	content := []byte("content")
	for name, c := range map[string]struct {
		edit func(*bench, *scripted)
		say  string
		most int // times it is asked for
	}{
		"too large": {func(_ *bench, m *scripted) { m.result.Artifacts[0].Size = 2 << 30 }, "keeps artifacts of at most 1073741824", 0},
		"the disk is full": {
			func(b *bench, _ *scripted) { b.disk = host.Vitals{DiskTotalBytes: 1 << 40, DiskFreeBytes: 1 << 30} },
			"has 1073741824 of 1099511627776 bytes free", 0,
		},
		"the machine has lost it": {func(_ *bench, m *scripted) {
			m.artifact = func(contract.ArtifactArgs) (io.ReadCloser, error) {
				return nil, errkind.NotFound.Errorf("no such file")
			}
		}, "no such file", 0},
		"always damaged": {func(_ *bench, m *scripted) { m.result.Artifacts[0].SHA256 = sumOf(nil) }, "announced was", 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				defer b.store.Close()
				var asked []contract.ArtifactArgs
				m := giving(&asked, content)
				c.edit(b, m)
				b.run(m, nil, "", nil)
				b.run(m, nil, "", nil) // a full disk is waited for
				task := b.task()
				if task.State != deploy.TaskSuccess || !task.HasWarnings || len(b.artifacts()) != 0 ||
					!strings.Contains(b.log(), "The artifact .._f_0.txt is not kept: ") || !strings.Contains(b.log(), c.say) ||
					len(asked) != c.most {
					t.Errorf("%s, warnings %v, asked %d times\n%s", task.State, task.HasWarnings, len(asked), b.log())
				}
			})
		})
	}
}

// TestArtifactsOfADeletedDeployment go with it: nothing is written that refers to it.
func TestArtifactsOfADeletedDeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, edited(func(task *deploy.Task) { task.Deployment = "Deployments-9" }))
		defer b.store.Close()
		var asked []contract.ArtifactArgs
		b.run(giving(&asked, []byte("x")), nil, "", nil)
		if b.task().State != deploy.TaskSuccess || len(b.artifacts()) != 0 {
			t.Errorf("%s, %d artifacts\n%s", b.task().State, len(b.artifacts()), b.log())
		}
	})
}

// TestLateArtifactsAreKept: the server has ruled on a ticket; when its machine is back, the files come all the same, before
// it may forget.
func TestLateArtifactsAreKept(t *testing.T) {
	b := newBench(t, func(w store.Writer) error {
		return w.PutTicket(deploy.Ticket{
			ID: "t", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 1, StateID: "state-1", State: deploy.TicketFinished,
			Ruling: deploy.RulingFinal, Verdict: &contract.Verdict{Outcome: contract.Indeterminate},
		})
	})
	defer b.store.Close()
	var asked []contract.ArtifactArgs
	m := giving(&asked, []byte("late"))
	m.status = func() (contract.TicketStatus, error) {
		status := verdictOf(contract.Succeeded, 0)
		status.Verdict.Result = &contract.ResultInfo{Bytes: 1, SHA256: strings.Repeat("0", 64)}
		return *status, nil
	}
	broken := m.artifact
	m.artifact = func(contract.ArtifactArgs) (io.ReadCloser, error) { return nil, errBroken }
	e := engine.New(engine.Deps{
		Store: b.store, Logs: b.logs, Reach: m, Artifacts: b.folder(b.store),
		Env: host.Env{Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: func(string) {}},
	})
	if err := e.Online(t.Context(), "Machines-1"); errkind.Of(err) != errkind.Unavailable {
		t.Errorf("on a line that broke: %v", err)
	}
	m.artifact = broken
	b.must(e.Online(t.Context(), "Machines-1"))
	b.must(e.Online(t.Context(), "Machines-1"))
	if all := b.artifacts(); len(all) != 1 || len(asked) != 1 {
		t.Errorf("%d artifacts, asked for %d times", len(all), len(asked))
	}
	b.must(b.store.View(t.Context(), func(r store.Reader) error {
		ticket, err := r.Ticket("t")
		if ticket.State != deploy.TicketForgotten || ticket.Late == nil {
			t.Errorf("ticket %+v", ticket)
		}
		return err
	}))
}
