// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

func transactions(t *testing.T, open Open) {
	t.Parallel()
	each(t, open, map[string]func(*testing.T, store.Store){
		"an error leaves nothing":          errorLeavesNothing,
		"a panic leaves nothing":           panicLeavesNothing,
		"a canceled caller writes nothing": canceledWritesNothing,
		"a view sees one state":            viewSeesOneState,
		"updates do not overlap":           updatesDoNotOverlap,
		"one failure spoils no other":      oneFailureSpoilsNoOther,
		"a transaction ends":               transactionEnds,
		"a join token is used once":        tokenIsUsedOnce,
		"a closed store refuses":           closedRefuses,
		"what was read is a copy":          readsAreCopies,
		"a backup is whole":                backupIsWhole,
	})
}

func putUser(n int) func(store.Writer) error {
	return func(w store.Writer) error {
		return w.PutUser(deploy.User{ID: deploy.UserID(fmt.Sprintf("Users-%d", n)), Name: fmt.Sprintf("user %d", n)})
	}
}

func users(t *testing.T, s store.Store) int {
	t.Helper()
	n := 0
	view(t, s, func(r store.Reader) error {
		all, err := r.Users()
		n = len(all)
		return err
	})
	return n
}

func errorLeavesNothing(t *testing.T, s store.Store) {
	cause := errkind.Denied.Errorf("no")
	err := s.Update(t.Context(), func(w store.Writer) error {
		if _, err := w.NextID("Users"); err != nil {
			return err
		}
		return errors.Join(putUser(1)(w), cause)
	})
	if !errors.Is(err, cause) || errkind.Of(err) != errkind.Denied {
		t.Errorf("Update() = %v, want the function's own error", err)
	}
	if n := users(t, s); n != 0 {
		t.Errorf("%d users after a failed Update, want 0", n)
	}
	update(t, s, func(w store.Writer) error {
		id, err := w.NextID("Users")
		same(t, "NextID after one that was rolled back", "Users-1", id)
		return err
	})
}

func panicLeavesNothing(t *testing.T, s store.Store) {
	err := s.Update(t.Context(), func(w store.Writer) error {
		if err := putUser(1)(w); err != nil {
			return err
		}
		panic("oh dear")
	})
	if errkind.Of(err) != errkind.Internal || !strings.Contains(err.Error(), "oh dear") ||
		!strings.Contains(err.Error(), "transaction.go:") {
		t.Errorf("Update() = %v, want internal with the panic and its place", err)
	}
	if n := users(t, s); n != 0 {
		t.Errorf("%d users after a panic, want 0", n)
	}
	err = s.View(t.Context(), func(store.Reader) error { panic("oh dear") })
	if errkind.Of(err) != errkind.Internal {
		t.Errorf("View() = %v, want internal", err)
	}
	update(t, s, putUser(1))
}

func canceledWritesNothing(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ctx, putUser(1)); errkind.Of(err) != errkind.Canceled {
		t.Errorf("Update(canceled) = %v, want canceled", err)
	}
	if err := s.View(ctx, func(store.Reader) error { return nil }); errkind.Of(err) != errkind.Canceled {
		t.Errorf("View(canceled) = %v, want canceled", err)
	}
	// The context ends while an earlier Update runs.
	ctx, cancel = context.WithCancel(t.Context())
	running, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Update(t.Context(), func(store.Writer) error {
			close(running)
			<-release
			return nil
		})
	})
	<-running
	wg.Go(func() {
		if err := s.Update(ctx, putUser(1)); errkind.Of(err) != errkind.Canceled {
			t.Errorf("Update(canceled while waiting) = %v, want canceled", err)
		}
		close(release)
	})
	cancel()
	wg.Wait()
	if n := users(t, s); n != 0 {
		t.Errorf("%d users after canceled Updates, want 0", n)
	}
}

func viewSeesOneState(t *testing.T, s store.Store) {
	update(t, s, putUser(1))
	view(t, s, func(r store.Reader) error {
		before, err := r.Users()
		if err != nil {
			return err
		}
		update(t, s, putUser(2))
		after, err := r.Users()
		same(t, "users in one view", before, after)
		return err
	})
	if n := users(t, s); n != 2 {
		t.Errorf("%d users in a later view, want 2", n)
	}
}

func updatesDoNotOverlap(t *testing.T, s store.Store) {
	const writers, rounds = 8, 25
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				err := s.Update(t.Context(), func(w store.Writer) error { return second(w.NextID("Things")) })
				if err != nil {
					t.Errorf("Update() = %v", err)
				}
			}
		})
	}
	wg.Wait()
	update(t, s, func(w store.Writer) error {
		id, err := w.NextID("Things")
		same(t, "NextID after parallel ones", fmt.Sprintf("Things-%d", writers*rounds+1), id)
		return err
	})
}

func oneFailureSpoilsNoOther(t *testing.T, s store.Store) {
	const writers = 40
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			err := s.Update(t.Context(), func(w store.Writer) error {
				err := putUser(i)(w)
				switch {
				case i%4 == 1:
					return errkind.Denied.Errorf("no")
				case i%4 == 2:
					panic("no")
				}
				return err
			})
			if (err != nil) != (i%4 == 1 || i%4 == 2) {
				t.Errorf("Update %d = %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := users(t, s); n != writers/2 {
		t.Errorf("%d users, want %d", n, writers/2)
	}
}

func transactionEnds(t *testing.T, s store.Store) {
	var kept store.Writer
	update(t, s, func(w store.Writer) error { kept = w; return nil })
	if err := putUser(1)(kept); errkind.Of(err) != errkind.Internal || err == nil {
		t.Errorf("PutUser after the transaction = %v, want internal", err)
	}
	if _, err := kept.Users(); errkind.Of(err) != errkind.Internal || err == nil {
		t.Errorf("Users after the transaction = %v, want internal", err)
	}
	if n := users(t, s); n != 0 {
		t.Errorf("%d users, want 0", n)
	}
}

func tokenIsUsedOnce(t *testing.T, s store.Store) {
	const machines = 50
	update(t, s, func(w store.Writer) error {
		return w.PutJoinToken(deploy.JoinToken{ID: "token", Space: deploy.DefaultSpace, SecretSHA256: "5e"})
	})
	var wg sync.WaitGroup
	won := make(chan int, machines)
	for i := range machines {
		wg.Go(func() {
			err := s.Update(t.Context(), func(w store.Writer) error {
				token, err := w.JoinToken("token")
				if err != nil {
					return err
				}
				if !token.UsedAt.IsZero() {
					return errkind.Untrusted.Errorf("the token is used")
				}
				token.UsedAt, token.UsedByPin = moment(i+1), fmt.Sprintf("pin-%d", i)
				return w.PutJoinToken(token)
			})
			if err == nil {
				won <- i
			} else if errkind.Of(err) != errkind.Untrusted {
				t.Errorf("Update() = %v", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d machines joined with one token, want 1", len(won))
	}
	view(t, s, func(r store.Reader) error {
		token, err := r.JoinToken("token")
		same(t, "pin of the token", fmt.Sprintf("pin-%d", <-won), token.UsedByPin)
		return err
	})
}

func closedRefuses(t *testing.T, s store.Store) {
	update(t, s, putUser(1))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("Close() = %v", err)
		}
	}
	for name, err := range map[string]error{
		"Update": s.Update(t.Context(), putUser(2)),
		"View":   s.View(t.Context(), func(store.Reader) error { return nil }),
		"Backup": s.Backup(t.Context(), t.TempDir()+"/copy"),
		"Check":  s.Check(t.Context()),
	} {
		if errkind.Of(err) != errkind.Unavailable {
			t.Errorf("%s on a closed store = %v, want unavailable", name, err)
		}
	}
}

func readsAreCopies(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		return w.PutMachine(deploy.Machine{ID: "Machines-1", Name: "web-1", Tags: []string{"web"}})
	})
	for range 2 {
		view(t, s, func(r store.Reader) error {
			m, err := r.Machine("Machines-1")
			same(t, "tags", []string{"web"}, m.Tags)
			m.Tags[0] = "changed"
			all, listErr := r.Machines(store.MachineFilter{})
			same(t, "tags in a list", []string{"web"}, all[0].Tags)
			all[0].Tags[0] = "changed"
			return errors.Join(err, listErr)
		})
	}
}

func backupIsWhole(t *testing.T, s store.Store) {
	update(t, s, putUser(1))
	path := t.TempDir() + "/copy"
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatalf("Backup() = %v", err)
	}
	if err := s.Backup(t.Context(), path); errkind.Of(err) != errkind.Conflict {
		t.Errorf("Backup() to a file that exists = %v, want conflict", err)
	}
	update(t, s, putUser(2))
}
