// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"

	"fairlead/internal/errkind"
)

type spaceRequest struct {
	Name             string
	TaskQueueStopped bool
}

// oneSpace says why there is no second space.
func oneSpace() error {
	return errkind.Hinted(errkind.Invalid.Errorf("this version has one space, %s, and makes no other", spaceName),
		"keep teams apart by roles that are scoped to projects, project groups and environments")
}

func (a *api) createSpace(c *call) error {
	var q spaceRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	return oneSpace()
}

// editSpace takes the space as it is, and no change.
func (a *api) editSpace(c *call) error {
	var q spaceRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	if err := otherSpace(c.param("id")); err != nil {
		return err
	}
	switch {
	case !strings.EqualFold(q.Name, spaceName):
		return errkind.Invalid.Errorf("the space %s keeps its name in this version", spaceName)
	case q.TaskQueueStopped:
		return errkind.Hinted(errkind.Invalid.Errorf("the task queue of a space cannot be stopped in this version"),
			"the maintenance mode keeps people from queueing anything: PUT /api/maintenanceconfiguration")
	}
	return a.getSpace(c)
}

func (a *api) deleteSpace(c *call) error {
	if err := otherSpace(c.param("id")); err != nil {
		return err
	}
	return errkind.Invalid.Errorf("the space %s is the only one and cannot be deleted", spaceName)
}
