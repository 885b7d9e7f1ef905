// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
)

const everyFeature = "Octopus.Features.SubstituteInFiles, octopus.features.jsonconfigurationvariables," +
	"Octopus.Features.CustomScripts,Octopus.Features.CustomDirectory"

// TestWishesOfAPackage reads what clients send; variables are expanded in all of it.
func TestWishesOfAPackage(t *testing.T) {
	all := map[string]string{
		"Octopus.Action.SubstituteInFiles.TargetFiles":                                     "a.#{X}\r\n\n b/** ",
		"Octopus.Action.Package.JsonConfigurationVariablesTargets":                         "*.json\n#{X}.yaml",
		"Octopus.Action.CustomScripts.PreDeploy.sh":                                        "echo #{X} #{No}",
		"Octopus.Action.CustomScripts.PostDeploy.sh":                                       "after",
		"Octopus.Action.Package.CustomInstallationDirectory":                               "/srv/#{X}/",
		"Octopus.Action.Package.CustomInstallationDirectoryShouldBePurgedBeforeDeployment": "True",
		"Octopus.Action.Package.CustomInstallationDirectoryPurgeExclusions":                "logs/**",
		"Octopus.Action.Package.SkipIfAlreadyInstalled":                                    "#{Skip}",
	}
	values := deploy.NewValues(map[string]string{"X": "web", "Skip": "true"})
	full := contract.Package{
		SubstituteIn: []string{"a.web", "b/**"}, ConfigureIn: []string{"*.json", "web.yaml"},
		Hooks: &contract.Hooks{PreDeploy: "echo web #{No}", PostDeploy: "after"},
		Copy:  &contract.Copy{Path: "/srv/web", Purge: true, Keep: []string{"logs/**"}}, SkipIfInstalled: true,
	}
	for features, want := range map[string]contract.Package{
		"unset": full, everyFeature: full, "": {SubstituteIn: []string{}, SkipIfInstalled: true},
		"Octopus.Features.CustomScripts": {SubstituteIn: []string{}, Hooks: full.Hooks, SkipIfInstalled: true},
	} {
		delete(all, propFeatures)
		if features != "unset" {
			all[propFeatures] = features
		}
		var got contract.Package
		missing, err := wish(&got, deploy.Action{Properties: all}, values)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || got.Hooks != nil && !cmp.Equal(missing, []string{"No"}) {
			t.Errorf("%s: %v, missing %q (-want +got):\n%s", features, err, missing, diff)
		}
	}
	if _, err := wish(new(contract.Package), deploy.Action{Properties: map[string]string{propCopy: "#{A}"}},
		deploy.NewValues(map[string]string{"A": "#{A}"})); err == nil {
		t.Error("a folder that names itself was taken")
	}
}

// TestAFolderWithAHole: a variable without value leads to no other folder than the one that is meant, and
// what is to be kept of it is known.
func TestAFolderWithAHole(t *testing.T) {
	values := deploy.NewValues(map[string]string{"Site": "web", "Empty": "", "Blank": " "})
	for _, row := range []struct {
		path, keep string
		want       string // "" is refused
	}{
		{"/srv/sites/#{Site}", "", "/srv/sites/web"},
		{"/srv/sites/#{Site}/", "", "/srv/sites/web"},
		{"/srv/sites/", "", "/srv/sites"},
		{"/srv/sites/#{Empty}#{Site}", "#{Empty}", "/srv/sites/web"},
		{"/srv/sites/#{Empty}", "", ""},
		{"/srv/sites/#{Blank}", "", ""},
		{"/srv/sites/#{Empty}/", "", ""},
		{"/srv/sites/#{Empty}/data", "", ""},
		{"/srv/sites/#{Missing}", "", ""},
		{"/srv/sites/#{Site}", "logs/**\n#{Missing}/**", ""},
	} {
		var got contract.Package
		_, err := wish(&got, deploy.Action{Properties: map[string]string{
			propCopy: row.path, propPurge: "True", propPurgeExcept: row.keep,
		}}, values)
		switch {
		case row.want == "" && errkind.Of(err) != errkind.Invalid:
			t.Errorf("%s, %s: %+v, %v, want a refusal", row.path, row.keep, got.Copy, err)
		case row.want != "" && (err != nil || got.Copy.Path != row.want):
			t.Errorf("%s: %+v, %v, want %s", row.path, got.Copy, err, row.want)
		}
	}
}

func TestScriptOfAPackage(t *testing.T) {
	action := deploy.Action{Properties: map[string]string{
		deploy.PropScriptSource: "package", deploy.PropScriptFile: " ./bin/#{X}.sh", deploy.PropScriptArguments: "-a '#{X}'",
	}}
	got, err := run(action, deploy.NewValues(map[string]string{"X": "web"}))
	if want := (&contract.PackageScript{Path: "bin/web.sh", Arguments: "-a 'web'"}); err != nil ||
		!cmp.Equal(got, want) || !takesPackage(action) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestLevelsBecomeCategories: a script says how loud it is; else its stream does.
func TestLevelsBecomeCategories(t *testing.T) {
	for _, row := range []struct {
		source contract.Source
		level  contract.Level
		text   string
		want   tasklog.Category
	}{
		{contract.Stdout, contract.LevelDefault, "x", tasklog.Info},
		{contract.Stderr, contract.LevelDefault, "x", tasklog.Error},
		{contract.Agent, contract.LevelDefault, "x", tasklog.Verbose},
		{contract.Stderr, contract.LevelVerbose, "x", tasklog.Verbose},
		{contract.Stdout, contract.LevelHighlight, "x", tasklog.Highlight},
		{contract.Stdout, contract.LevelWait, "x", tasklog.Wait},
		{contract.Agent, contract.LevelWarning, "x", tasklog.Warning},
		{contract.Stdout, contract.LevelError, "x", tasklog.Error},
		{contract.Agent, contract.LevelProgress, "42 half way", tasklog.Verbose},
	} {
		got := lines("1/M", "t", []contract.Record{{Source: row.source, Flags: contract.LevelFlags(row.level), Text: []byte(row.text)}})
		want := row.text
		if row.level == contract.LevelProgress {
			want = "42 % half way"
		}
		if got[0].Category != row.want || got[0].Text != want || got[0].More {
			t.Errorf("%+v became %+v", row, got[0])
		}
	}
}
