// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strings"

	"fairlead/internal/errkind"
)

// Channel lets releases of one project go different ways.
type Channel struct {
	ID          ChannelID
	Space       SpaceID
	Project     ProjectID
	Name        string
	Slug        string
	Description string
	IsDefault   bool
	Lifecycle   LifecycleID // "" means the project's
	Rules       []ChannelRule
	Kept        Kept
}

// ChannelRule says which versions of some packages a release of the channel may carry.
type ChannelRule struct {
	ID       string // UUID
	Packages []ActionPackage
	Versions string // a VersionRange; "" means any
	Tag      string // pattern of the prerelease part; "" means any
}

// ActionPackage names a package of a process.
type ActionPackage struct {
	Action    string // name
	Reference string // PackageReference.Name
}

// is compares without regard to case.
func (a ActionPackage) is(action, reference string) bool {
	return strings.EqualFold(a.Action, action) && strings.EqualFold(a.Reference, reference)
}

// HasPackage reports whether an action of the process has the package.
func (p Process) HasPackage(named ActionPackage) bool {
	for _, step := range p.Steps {
		for _, action := range step.Actions {
			for _, reference := range action.Packages {
				if named.is(action.Name, reference.Name) {
					return true
				}
			}
		}
	}
	return false
}

// ActionsOf lists the actions that name the channel.
func (p Process) ActionsOf(channel ChannelID) (list []Action) {
	for _, step := range p.Steps {
		for _, action := range step.Actions {
			if slices.Contains(action.Channels, channel) {
				list = append(list, action)
			}
		}
	}
	return list
}

// Allows asks the rules that name a package whether a release may carry a version of it. Errors:
// Invalid, naming the first rule that refuses.
func (c Channel) Allows(action, reference string, v Version) error {
	for i, rule := range c.Rules {
		named := false
		for _, one := range rule.Packages {
			named = named || one.is(action, reference)
		}
		if !named {
			continue
		}
		asked, err := NewVersionRule(rule.Versions, rule.Tag)
		if err != nil {
			return err
		}
		if !asked.Allows(v) {
			return errkind.Invalid.Errorf("channel %s, rule %d: wants %s", c.Name, i+1, rule.wants())
		}
	}
	return nil
}

func (r ChannelRule) wants() string {
	words := []string{}
	if r.Versions != "" {
		words = append(words, "the version range "+r.Versions)
	}
	if r.Tag != "" {
		words = append(words, "a prerelease tag that fits "+r.Tag)
	}
	return strings.Join(words, " and ")
}
