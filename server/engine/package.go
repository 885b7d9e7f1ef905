// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// What a package action asks for beside the package. The words are the wire's. A feature counts when the
// action lists it, or lists none at all.
const (
	propFeatures = "Octopus.Action.EnabledFeatures"

	featureSubstitute = "Octopus.Features.SubstituteInFiles"
	featureConfigure  = "Octopus.Features.JsonConfigurationVariables"
	featureHooks      = "Octopus.Features.CustomScripts"
	featureCopy       = "Octopus.Features.CustomDirectory"

	propConfigure   = "Octopus.Action.Package.JsonConfigurationVariablesTargets" // globs, one a line
	propHookBefore  = "Octopus.Action.CustomScripts.PreDeploy.sh"
	propHookDeploy  = "Octopus.Action.CustomScripts.Deploy.sh"
	propHookAfter   = "Octopus.Action.CustomScripts.PostDeploy.sh"
	propHookFailed  = "Octopus.Action.CustomScripts.DeployFailed.sh"
	propCopy        = "Octopus.Action.Package.CustomInstallationDirectory"
	propPurge       = "Octopus.Action.Package.CustomInstallationDirectoryShouldBePurgedBeforeDeployment"
	propPurgeExcept = "Octopus.Action.Package.CustomInstallationDirectoryPurgeExclusions" // globs, one a line
	propSkip        = "Octopus.Action.Package.SkipIfAlreadyInstalled"
)

// wishes reads the settings of a package action with their variables expanded.
type wishes struct {
	properties map[string]string
	values     *deploy.Values
	missing    []string
	err        error
}

func (w *wishes) text(name string) string {
	text, missing, err := deploy.Expand(w.properties[name], w.values)
	if err != nil && w.err == nil {
		w.err = errkind.Invalid.Errorf("expand %s: %w", name, err)
	}
	w.missing = append(w.missing, missing...)
	return text
}

func (w *wishes) isOn(feature string) bool {
	list, isSet := w.properties[propFeatures]
	return !isSet || slices.ContainsFunc(strings.Split(list, ","), func(word string) bool {
		return strings.EqualFold(strings.TrimSpace(word), feature)
	})
}

func (w *wishes) isTrue(name string) bool {
	return strings.EqualFold(strings.TrimSpace(w.text(name)), "true")
}

// sure is a setting in which each name has a value.
func (w *wishes) sure(name string) string {
	before := len(w.missing)
	text := w.text(name)
	if w.err == nil && len(w.missing) > before {
		w.err = errkind.Hinted(errkind.Invalid.Errorf("%s: no variable has the name %s", name,
			strings.Join(w.missing[before:], ", ")), "files would be copied to or removed from a folder that nobody means")
	}
	return text
}

// copy reads the folder of the machine's own. Where a variable without value would make it another one, it
// is refused: it may be about to be purged.
func (w *wishes) copy() *contract.Copy {
	written, path := strings.TrimSpace(w.properties[propCopy]), strings.TrimSpace(w.sure(propCopy))
	if path == "" {
		return nil
	}
	c := &contract.Copy{Path: strings.TrimRight(path, "/"), Purge: w.isTrue(propPurge)}
	isShort := strings.HasSuffix(path, "/") && !strings.HasSuffix(written, "/") // "/srv/#{Empty}"
	if w.err == nil && (isShort || strings.Contains(strings.TrimPrefix(path, "/"), "//")) {
		w.err = errkind.Hinted(errkind.Invalid.Errorf("%s: %.200q: a variable in it is empty", propCopy, written),
			"give the variable a value for this environment and machine, or take it out of the path")
	}
	if c.Purge && w.properties[propPurgeExcept] != "" {
		c.Keep = globs(w.sure(propPurgeExcept))
	}
	return c
}

// wish writes into a package order what its action asks for. missing lists the names that no variable
// has. Errors: Invalid (a setting cannot be expanded).
func wish(p *contract.Package, action deploy.Action, values *deploy.Values) (missing []string, err error) {
	w := &wishes{properties: action.Properties, values: values}
	p.SubstituteIn = []string{}
	if w.isOn(featureSubstitute) {
		p.SubstituteIn = globs(w.text(deploy.PropSubstituteIn))
	}
	if w.isOn(featureConfigure) && w.properties[propConfigure] != "" {
		p.ConfigureIn = globs(w.text(propConfigure))
	}
	if w.isOn(featureHooks) {
		hooks := contract.Hooks{
			PreDeploy: w.text(propHookBefore), Deploy: w.text(propHookDeploy), PostDeploy: w.text(propHookAfter),
			DeployFailed: w.text(propHookFailed),
		}
		if hooks != (contract.Hooks{}) {
			p.Hooks = &hooks
		}
	}
	if w.isOn(featureCopy) {
		p.Copy = w.copy()
	}
	p.SkipIfInstalled = w.isTrue(propSkip)
	slices.Sort(w.missing)
	return slices.Compact(w.missing), w.err
}

// run reads the script that a script action takes from its package.
func run(action deploy.Action, values *deploy.Values) (*contract.PackageScript, error) {
	w := &wishes{properties: action.Properties, values: values}
	script := &contract.PackageScript{
		Path:      strings.TrimPrefix(strings.TrimSpace(w.text(deploy.PropScriptFile)), "./"),
		Arguments: w.text(deploy.PropScriptArguments),
	}
	return script, w.err
}

// takesPackage reports whether a script action runs a file of a package.
func takesPackage(action deploy.Action) bool {
	return strings.EqualFold(action.Properties[deploy.PropScriptSource], deploy.ScriptFromPackage)
}
