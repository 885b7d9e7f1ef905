// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

	"fairlead/internal/deploy"
)

// SpaceReader reads what spaces there are. The default one is not stored until somebody changes it.
type SpaceReader interface {
	Spaces() ([]deploy.Space, error) // by name
}

// SpaceWriter writes spaces.
type SpaceWriter interface {
	PutSpace(deploy.Space) error
	// DeleteSpace also deletes all that is in it but its events, and retires the pins of its machines.
	DeleteSpace(deploy.SpaceID) error
}

// EverySpace lists all spaces by id, the default one as it is even if nobody has changed it.
func EverySpace(r Reader) ([]deploy.Space, error) {
	all, err := r.Spaces()
	if !slices.ContainsFunc(all, deploy.Space.IsDefault) {
		all = append(all, deploy.DefaultSpaceRow())
	}
	slices.SortFunc(all, func(a, b deploy.Space) int { return CompareIDs(a.ID, b.ID) })
	return all, err
}

// AllMachinePolicies lists the stored policies of all spaces, by space.
func AllMachinePolicies(r Reader) (all []deploy.MachinePolicy, err error) {
	spaces, err := EverySpace(r)
	for _, s := range spaces {
		if err != nil {
			return nil, err
		}
		var some []deploy.MachinePolicy
		some, err = r.MachinePolicies(s.ID)
		all = append(all, some...)
	}
	return all, err
}
