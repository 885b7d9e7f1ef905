// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import "net/url"

// DefaultSpaceName is what the default space is called until somebody renames it.
const DefaultSpaceName = "Default"

// Space is a part of the installation whose things no other part sees.
type Space struct {
	ID          SpaceID
	Name        string // unique without regard to case
	Slug        string // unique
	Description string
	// IsStopped keeps its queued tasks from beginning.
	IsStopped bool
}

// DefaultSpaceRow is the default space as it is until somebody changes it.
func DefaultSpaceRow() Space {
	return Space{ID: DefaultSpace, Name: DefaultSpaceName, Slug: Slug(DefaultSpaceName)}
}

// IsDefault reports whether it is the one that addresses without a space mean.
func (s Space) IsDefault() bool { return s.ID == DefaultSpace }

// InAddress is what an address of the portal ends with so that it shows the space: "?space=Spaces-2", and "" for the
// default one.
func (id SpaceID) InAddress() string {
	if id.OrDefault() == DefaultSpace {
		return ""
	}
	return "?space=" + url.QueryEscape(string(id))
}
