// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/daemon"
)

// TestBackupHoldsArtifacts: their content comes back; what was still coming in does not, and a restore names what is
// missing.
func TestBackupHoldsArtifacts(t *testing.T) {
	base := t.TempDir()
	home, folder, second := filepath.Join(base, "home"), filepath.Join(base, "backup"), filepath.Join(base, "second")
	_, stop := start(t, home)
	stop()
	content := []byte("measured")
	sum := sha256.Sum256(content)
	hash, lost := hex.EncodeToString(sum[:]), hex.EncodeToString(make([]byte, sha256.Size))
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "fairlead.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(w.PutTask(deploy.Task{ID: "ServerTasks-1", State: deploy.TaskSuccess}),
			w.PutArtifact(deploy.Artifact{ID: "Artifacts-1", Task: "ServerTasks-1", Name: "a", SHA256: hash, Size: int64(len(content))}),
			w.PutArtifact(deploy.Artifact{ID: "Artifacts-2", Task: "ServerTasks-1", Name: "gone", SHA256: lost}))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("artifacts", hash[:2], hash)
	if err := errors.Join(os.MkdirAll(filepath.Join(home, filepath.Dir(file)), 0o700),
		os.WriteFile(filepath.Join(home, file), content, 0o600),
		os.WriteFile(filepath.Join(home, "artifacts", "incoming-t-0"), []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var made daemon.Backup
	must(t, &made, "backup", folder, "--home", home)
	var restored daemon.Restored
	must(t, &restored, "restore", folder, "--home", second)
	if made.Artifacts != 1 || restored.Artifacts != 1 || !slices.Equal(restored.MissingArtifacts, []string{"Artifacts-2 gone"}) {
		t.Errorf("made %+v, restored %+v", made, restored)
	}
	if got, err := os.ReadFile(filepath.Join(second, file)); err != nil || string(got) != string(content) {
		t.Errorf("the content came back as %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(second, "artifacts", "incoming-t-0")); err == nil {
		t.Error("what was still coming in is part of the backup")
	}
}
