// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	maxCustomFields         = 50
	maxCustomFieldBytes     = 4 << 10
	maxCustomFieldNameBytes = 200
)

func (why *reasons) customFields(fields map[string]string) map[string]string {
	if len(fields) > maxCustomFields {
		why.add("the release has %d custom fields: limit is %d", len(fields), maxCustomFields)
	}
	for name, text := range fields {
		if len(name) > maxCustomFieldNameBytes || len(text) > maxCustomFieldBytes {
			why.add("the custom field %.40q is too long: limits are %d bytes of name and %d of text",
				name, maxCustomFieldNameBytes, maxCustomFieldBytes)
		}
	}
	return fields
}

// numbering is how the releases of a project get their versions.
type numbering struct {
	r       store.Reader
	project deploy.Project
	channel deploy.Channel
	request deploy.VersionRequest
}

func (c *Catalog) numbering(r store.Reader, project deploy.Project, channel deploy.Channel) numbering {
	return numbering{r, project, channel, deploy.VersionRequest{
		Template: project.VersionTemplate, Channel: channel.Name, Now: c.Wall().UTC(),
	}}
}

// fill reads what the template may name.
func (n *numbering) fill() error {
	channels, err := n.r.Channels(n.project.ID)
	if err != nil {
		return err
	}
	names := map[deploy.ChannelID]string{}
	for _, ch := range channels {
		names[ch.ID] = ch.Name
	}
	rows, err := n.r.Releases(n.project.ID)
	if err != nil {
		return err
	}
	for _, row := range rows {
		one := deploy.ChannelVersion{Channel: names[row.Channel], Version: row.Version}
		n.request.Existing = append(n.request.Existing, one)
	}
	variables, err := n.r.Variables(n.project.ID)
	if err != nil {
		return err
	}
	n.request.Variables = plainVariables(variables, n.channel.ID)
	return nil
}

// plainVariables are those that are scoped to nothing, or to the channel only, which wins.
func plainVariables(set deploy.VariableSet, channel deploy.ChannelID) map[string]string {
	values := map[string]string{}
	for _, isScoped := range []bool{false, true} {
		for _, v := range set.Variables {
			elsewhere := len(v.Scope.Environments)+len(v.Scope.Machines)+len(v.Scope.Tags)+len(v.Scope.Actions) > 0
			if !elsewhere && !v.IsSensitive && isScoped == (len(v.Scope.Channels) > 0) &&
				(!isScoped || slices.Contains(v.Scope.Channels, channel)) {
				values[v.Name] = v.Value
			}
		}
	}
	return values
}

// next is the version of a new release with these packages. Errors: Invalid.
func (n *numbering) next(packages []deploy.SelectedPackage) (string, error) {
	donor := n.project.VersionDonor
	if donor == (deploy.ActionPackage{}) {
		if err := n.fill(); err != nil {
			return "", err
		}
		return n.request.Next()
	}
	for _, p := range packages {
		if strings.EqualFold(p.Action, donor.Action) && strings.EqualFold(p.Reference, donor.Reference) {
			return p.Version, nil
		}
	}
	return "", errkind.Invalid.Errorf("releases of project %s take their version from a package of action %s, "+
		"which is not in the process any more: change the deployment settings, or give a version",
		n.project.Name, donor.Action)
}

// version settles the number of a release. A wanted one may be a mask such as 1.2.i.
func (why *reasons) version(n numbering, wanted string, packages []deploy.SelectedPackage) (string, error) {
	wanted = strings.TrimSpace(wanted)
	if wanted == "" {
		next, err := n.next(packages)
		return next, why.addErr(err)
	}
	if len(wanted) > maxVersionCharacters {
		why.add("the version has %d characters: limit is %d", len(wanted), maxVersionCharacters)
		return wanted, nil
	}
	if err := n.fill(); err != nil {
		return "", err
	}
	texts := make([]string, len(n.request.Existing))
	for i, one := range n.request.Existing {
		texts[i] = one.Version
	}
	masked, err := deploy.MaskVersion(wanted, sortVersions(texts))
	if err == nil {
		_, err = deploy.ParseVersion(masked)
	}
	if err != nil {
		why.add("%s", sentence(err))
	}
	return masked, nil
}

// sortVersions parses and sorts, highest first; what is no version is left out.
func sortVersions(texts []string) []deploy.Version {
	versions := make([]deploy.Version, 0, len(texts))
	for _, text := range texts {
		if v, err := deploy.ParseVersion(text); err == nil {
			versions = append(versions, v)
		}
	}
	deploy.SortDescending(versions)
	return versions
}

// selected settles the version of each package of the process.
func (why *reasons) selected(
	r store.Reader, process deploy.Process, channel deploy.Channel, q ReleaseRequest,
) ([]deploy.SelectedPackage, error) {
	choose := selection{version: strings.TrimSpace(q.PackageVersion), prerelease: q.Prerelease}
	if q.IgnoreChannelRules {
		channel.Rules = nil
	}
	for _, text := range q.Packages {
		entry, err := parseChoice(text)
		if err != nil {
			why.add("%s", err)
			continue
		}
		choose.choices = append(choose.choices, entry)
	}
	list := []deploy.SelectedPackage{}
	for _, step := range process.Steps {
		for _, action := range step.Actions {
			for _, reference := range action.Packages {
				version, err := why.packageVersion(r, &choose, channel, step.Name, action.Name, reference)
				if err != nil {
					return nil, err
				}
				list = append(list, deploy.SelectedPackage{
					Action: action.Name, Step: step.Name, Reference: reference.Name,
					PackageID: reference.PackageID, Version: version,
				})
			}
		}
	}
	for _, entry := range choose.choices {
		if !entry.used && entry.name != "*" {
			why.add("package %q fits no package of the process", entry.text)
		}
	}
	return list, nil
}

func (why *reasons) packageVersion(
	r store.Reader, choose *selection, channel deploy.Channel, step, action string, reference deploy.PackageReference,
) (string, error) {
	held, err := r.Packages(store.PackageFilter{Space: spaceOf(r), ID: reference.PackageID})
	if err != nil {
		return "", err
	}
	wanted := choose.pick(step, action, reference)
	if wanted == "" {
		texts := make([]string, len(held))
		for i, p := range held {
			texts[i] = p.Version
		}
		fitting := slices.DeleteFunc(sortVersions(texts), func(v deploy.Version) bool {
			return channel.Allows(action, reference.Name, v) != nil
		})
		newest, ok := choose.newest(fitting)
		if !ok {
			why.add("step %s needs the package %s, and the feed holds no version of it that fits", step, reference.PackageID)
			return "", nil
		}
		return newest.String(), nil
	}
	for _, p := range held {
		if !strings.EqualFold(p.Version, wanted) {
			continue
		}
		v, err := deploy.ParseVersion(p.Version)
		if err == nil {
			err = channel.Allows(action, reference.Name, v)
		}
		if err != nil {
			why.add("step %s, package %s %s: %s", step, reference.PackageID, p.Version, err)
		}
		return p.Version, nil
	}
	why.add("step %s needs the package %s %s, and the feed does not hold it", step, reference.PackageID, wanted)
	return "", nil
}

// ReleaseTemplate is what a new release of a project would be asked for.
type ReleaseTemplate struct {
	Project deploy.Project
	// Next is the version it would get; "" when a package gives it, or when the template makes none.
	Next string
	// Last is the version of the newest release, with its packages; "" without one.
	Last     string
	Selected []deploy.SelectedPackage
	Process  deploy.Process
}

// ReleaseTemplate reads it for a channel; "" is the default one. Errors: Denied, NotFound.
func (c *Catalog) ReleaseTemplate(
	ctx context.Context, p identity.Principal, project, channel string,
) (t ReleaseTemplate, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		ch, err := releaseChannel(r, owner.ID, channel)
		if err != nil {
			return err
		}
		t = ReleaseTemplate{Project: owner}
		if t.Process, err = r.Process(owner.ID); err != nil {
			return err
		}
		rows, err := r.Releases(owner.ID)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			last, err := r.Release(rows[0].ID)
			if err != nil {
				return err
			}
			t.Last, t.Selected = last.Version, last.Packages
		}
		if owner.VersionDonor != (deploy.ActionPackage{}) {
			return nil
		}
		n := c.numbering(r, owner, ch)
		t.Next, err = n.next(nil)
		if errkind.Of(err) == errkind.Invalid {
			err = nil // whoever makes the release is told
		}
		return err
	})
	return t, err
}

// NextVersion is the number that a release of the project would get now. Errors: Denied, NotFound,
// Invalid.
func (c *Catalog) NextVersion(ctx context.Context, p identity.Principal, project string) (next string, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		owner, err := findProject(r, project)
		if err != nil {
			return err
		}
		ch, err := releaseChannel(r, owner.ID, "")
		if err != nil {
			return err
		}
		n := c.numbering(r, owner, ch)
		next, err = n.next(nil)
		return err
	})
	return next, err
}
