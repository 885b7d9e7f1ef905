// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Prompts are the variables that a deployment of the release to the environment is asked for, by name.
func Prompts(release deploy.Release, environment deploy.EnvironmentID) (asked []deploy.Variable) {
	for _, set := range release.Sets() {
		for _, v := range set.Variables {
			if v.Prompt != nil && v.Scope.Reaches(environment, release.Channel, deploy.OwnerID(release.Project)) {
				asked = append(asked, v)
			}
		}
	}
	slices.SortStableFunc(asked, func(a, b deploy.Variable) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return asked
}

// answers refuses values that nobody asks for or that do not fit, and asks for those that are missing.
// Given are values by the id or the name of a variable.
func (why *reasons) answers(release deploy.Release, e deploy.Environment, given map[string]string) {
	asked := Prompts(release, e.ID)
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(allPrompted(release), func(v deploy.Variable) bool { return answers(key, v) }) {
			why.add("a value is given for %s: release %s asks for no variable of that name%s", key, release.Version,
				instead(asked))
		}
	}
	for _, v := range asked {
		value, isGiven := answerTo(v, given)
		switch {
		case value != "":
			if len(value) > maxVariableValueBytes {
				why.add("the value for %s has %d bytes: limit is %d", v.Name, len(value), maxVariableValueBytes)
			}
			if err := v.Prompt.Accepts(value); err != nil {
				why.add("the value for %s does not fit: %s", v.Name, err)
			}
		case v.Prompt.IsRequired && (isGiven || !v.HasValue()):
			why.add("release %s asks for %s in %s: a value is required", release.Version, label(v), e.Name)
		}
	}
}

// instead names what a release does ask for. People give labels, which are what the portal shows.
func instead(asked []deploy.Variable) string {
	words := make([]string, len(asked))
	for i, v := range asked {
		words[i] = label(v)
	}
	if len(words) == 0 {
		return ""
	}
	return ", but for " + strings.Join(words, ", ")
}

func allPrompted(release deploy.Release) (list []deploy.Variable) {
	for _, set := range release.Sets() {
		for _, v := range set.Variables {
			if v.Prompt != nil {
				list = append(list, v)
			}
		}
	}
	return list
}

// answers reports whether a key means the variable: its id or its name.
func answers(key string, v deploy.Variable) bool {
	return strings.EqualFold(key, v.ID) || strings.EqualFold(key, v.Name)
}

// answerTo prefers the id: several variables may have one name.
func answerTo(v deploy.Variable, given map[string]string) (value string, isGiven bool) {
	for _, wanted := range []string{v.ID, v.Name} {
		for _, key := range slices.Sorted(maps.Keys(given)) {
			if strings.EqualFold(key, wanted) {
				return given[key], true
			}
		}
	}
	return "", false
}

func label(v deploy.Variable) string {
	if v.Prompt.Label != "" && v.Prompt.Label != v.Name {
		return v.Name + " (" + v.Prompt.Label + ")"
	}
	return v.Name
}

// answer keeps the values that a deployment gives, sealed where they are sensitive. A sensitive one
// that is left empty keeps the variable's own.
func (c *Catalog) answer(
	w store.Writer, d deploy.DeploymentID, release deploy.Release, e deploy.EnvironmentID, given map[string]string,
) (list []deploy.Answer, err error) {
	for _, v := range Prompts(release, e) {
		value, isGiven := answerTo(v, given)
		a := deploy.Answer{Variable: v.ID, Value: value}
		if !isGiven || v.IsSensitive && value == "" {
			continue
		}
		if v.IsSensitive {
			a.Value = ""
			if err := tooLong(v.Name, value); err != nil {
				return nil, err
			}
			if a.Sealed, err = c.seal(w, value, a.SealedAs(d)); err != nil {
				return nil, err
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// Prompted lists what a deployment of a release to an environment asks for, by name. Errors: Denied,
// NotFound.
func (c *Catalog) Prompted(
	ctx context.Context, p identity.Principal, release, environment string,
) (asked []deploy.Variable, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		held, err := r.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return err
		}
		e, err := findEnvironment(r, environment)
		if err != nil {
			return err
		}
		asked = Prompts(held, e.ID)
		return nil
	})
	return asked, err
}
