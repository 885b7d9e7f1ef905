// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// What belongs to no project and no environment is changed by those alone who may everywhere, and the rest of what
// follows by no use case for which a place counts.

func (w *writeGuard) PutLifecycle(deploy.Lifecycle) error { return w.lack }

func (w *writeGuard) DeleteLifecycle(deploy.LifecycleID) error { return w.lack }

func (w *writeGuard) PutLibrarySet(deploy.LibrarySet) error { return w.lack }

func (w *writeGuard) DeleteLibrarySet(deploy.LibrarySetID) error { return w.lack }

func (w *writeGuard) PutMachinePolicy(deploy.MachinePolicy) error { return w.lack }

func (w *writeGuard) DeleteMachinePolicy(deploy.MachinePolicyID) error { return w.lack }

func (w *writeGuard) PutPackage(deploy.Package) error { return w.lack }

func (w *writeGuard) DeletePackage(deploy.SpaceID, string, string) error { return w.lack }

func (w *writeGuard) PutInstallation(store.Installation) error { return w.lack }

func (w *writeGuard) JumpIDs(int64, deploy.Event) error { return w.lack }

func (w *writeGuard) PutTaskLeased(deploy.Task) error { return w.lack }

func (w *writeGuard) DeleteTask(deploy.TaskID) (store.DeletedTask, error) {
	return store.DeletedTask{}, w.lack
}

func (w *writeGuard) PutTicket(deploy.Ticket) error { return w.lack }

func (w *writeGuard) PutOutputs(deploy.Outputs) error { return w.lack }

func (w *writeGuard) PutUser(deploy.User) error { return w.lack }

func (w *writeGuard) DeleteUser(deploy.UserID) error { return w.lack }

func (w *writeGuard) PutTeam(deploy.Team) error { return w.lack }

func (w *writeGuard) DeleteTeam(deploy.TeamID) error { return w.lack }

func (w *writeGuard) PutUserRole(deploy.UserRole) error { return w.lack }

func (w *writeGuard) DeleteUserRole(deploy.RoleID) error { return w.lack }

func (w *writeGuard) PutSpace(deploy.Space) error { return w.lack }

func (w *writeGuard) DeleteSpace(deploy.SpaceID) error { return w.lack }

func (w *writeGuard) PutAPIKey(deploy.APIKey) error { return w.lack }

func (w *writeGuard) DeleteAPIKey(deploy.KeyID) error { return w.lack }

func (w *writeGuard) PutSession(deploy.Session) error { return w.lack }

func (w *writeGuard) DeleteSession(string) error { return w.lack }

func (w *writeGuard) DeleteExpired(time.Time) error { return w.lack }
