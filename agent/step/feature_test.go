// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
)

// installedIn is the message that tells later steps where the package is.
func installedIn(dir string) string {
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return "##octopus[setVariable name='" + b64("Package.InstallationDirectoryPath") + "' value='" + b64(dir) + "']\n"
}

// listing is every file and link below a folder.
func listing(t *testing.T, folder string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(folder, name)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(raw)
}

// TestHooksOfTheProcess run beside the package's own, in order, and one that fails undoes as those do.
func TestHooksOfTheProcess(t *testing.T) {
	s := newSite(t)
	say := func(who string) string { return "echo " + who + " >> \"$(get_octopusvariable Log)\"" }
	f := files{
		"PreDeploy.sh": say("package pre"), "Deploy.sh": say("package deploy"), "PostDeploy.sh": say("package post"),
		"DeployFailed.sh": say("package failed"),
	}
	log := filepath.Join(t.TempDir(), "log")
	p := s.pack("1.0", archive.Zip, f)
	p.Hooks = &contract.Hooks{
		PreDeploy: say("process pre"), Deploy: say("process deploy"), PostDeploy: say("process post"), DeployFailed: say("process failed"),
	}
	vars := map[string]string{"Log": log}
	s.wantOK(s.run(p, vars))
	want := "process pre\npackage pre\npackage deploy\nprocess deploy\npackage post\nprocess post\n"
	if got := readFile(t, log); got != want {
		t.Errorf("ran %q, want %q", got, want)
	}
	p.Version, p.Hooks.PostDeploy = "2.0", "fail_step 'not today'"
	if code := s.run(p, vars); code != 1 || s.current() != "1.0" ||
		!strings.HasSuffix(readFile(t, log), "package post\npackage failed\nprocess failed\n") {
		t.Errorf("code %d, current %s, ran %q", code, s.current(), readFile(t, log))
	}
	if !strings.Contains(s.err.String(), "failed: PostDeploy.sh of the process ended with exit code 1") {
		t.Errorf("it says %q", &s.err)
	}
}

// TestConfigurationFiles: values by path in all formats, expanded; the system's variables are none.
func TestConfigurationFiles(t *testing.T) {
	s := newSite(t)
	p := s.pack("1.0", archive.TarGz, files{
		"app.json": "{ // settings\n  \"Db\": {\"Port\": 1, \"Host\": \"x\"}, \"Octopus.Action.Package.PackageId\": \"y\"\n}\n",
		"c/a.yaml": "db:\n  port: 1 # here\n  host: x\n", "c/a.properties": "db.port = 1\n", "web.config": "<a><b k=\"1\"/></a>",
		"other.json": "{\"Db\":{\"Port\":1}}", "same.json": "{\"no\":1}",
	})
	p.ConfigureIn = []string{"app.json", "same.json", "c/**", "*.config", "none.*"}
	s.wantOK(s.run(p, map[string]string{
		"db:PORT": "#{Base}5", "Base": "80", "Db:Host": "db.#{Base}", "db.port": "7", "//b/@k": "8", "/a/b[last()]": "9",
	}))
	for name, want := range map[string]string{
		"app.json": "{ // settings\n  \"Db\": {\"Port\": 805, \"Host\": \"db.80\"}, \"Octopus.Action.Package.PackageId\": \"y\"\n}\n",
		"c/a.yaml": "db:\n  port: 805 # here\n  host: db.80\n", "c/a.properties": "db.port = 7\n", "web.config": "<a><b k=\"8\"/></a>",
		"other.json": "{\"Db\":{\"Port\":1}}", "same.json": "{\"no\":1}",
	} {
		if got := s.read("current", name); got != want {
			t.Errorf("%s is\n%s, want\n%s", name, got, want)
		}
	}
	for _, want := range []string{
		"replaced 2 values in app.json (JSON): Db:Port, Db:Host\n",
		"no variable is named like a value in same.json (JSON)\n",
	} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("output %q lacks %q", &s.out, want)
		}
	}
	for _, want := range []string{"web.config: /a/b[last()]: it is no path", `no file fits the pattern "none.*"`} {
		if !strings.Contains(s.err.String(), want) {
			t.Errorf("warnings %q lack %q", &s.err, want)
		}
	}
	bad := s.pack("2.0", archive.Zip, files{"app.json": "{\n\"a\": nope}"})
	bad.ConfigureIn = []string{"app.json"}
	if code := s.run(bad, nil); code != 1 || s.current() != "1.0" || !strings.Contains(s.err.String(), "app.json: JSON, line 2, byte 6") {
		t.Errorf("code %d, current %s, %q", code, s.current(), &s.err)
	}
}

// TestCustomFolder copies, purges but for what is kept, and lets hooks and variables know the place.
func TestCustomFolder(t *testing.T) {
	s := newSite(t)
	site := filepath.Join(t.TempDir(), "srv", "web")
	where := "pwd; get_octopusvariable Octopus.Action.Package.InstallationDirectoryPath; echo; echo \"$FAIRLEAD_INSTALL_DIR\""
	f := files{"a/b.txt": "new", "run.run": "x", "PreDeploy.sh": where, "Deploy.sh": where, "v": "#{V}"}
	p := s.pack("1.0", archive.TarGz, f)
	p.Copy, p.SubstituteIn = &contract.Copy{Path: site}, []string{"v"}
	for _, name := range []string{"a/b.txt", "a/old.txt", "logs/x/today.log", "logs/x/y.txt", "data/keep/1", "old"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(site, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(site, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.wantOK(s.run(p, map[string]string{"V": "1"}))
	at := func(dir string) string { return dir + "\n" + dir + "\n" + dir + "\n" }
	if out := s.out.String(); !strings.Contains(out, at(s.app("1.0"))) || !strings.Contains(out, at(site)) ||
		!strings.HasSuffix(out, installedIn(site)) {
		t.Errorf("output %s", out)
	}
	const both = "Deploy.sh PreDeploy.sh a/b.txt a/old.txt data/keep/1 logs/x/today.log logs/x/y.txt old run.run v"
	if got := listing(t, site); got != both || readFile(t, site+"/a/b.txt") != "new" || readFile(t, site+"/v") != "1" {
		t.Errorf("copied: %s", got)
	}
	if info, err := os.Stat(site + "/run.run"); err != nil || info.Mode().Perm() != 0o755 || s.current() != "1.0" {
		t.Errorf("mode %v, %v, current %s", info.Mode(), err, s.current())
	}
	p.Copy.Purge, p.Copy.Keep = true, []string{"logs/**/*.log", "data"}
	s.wantOK(s.run(p, nil))
	if got, want := listing(t, site), "Deploy.sh PreDeploy.sh a/b.txt data/keep/1 logs/x/today.log run.run v"; got != want {
		t.Errorf("after the purge: %s, want %s", got, want)
	}
	for _, bad := range []string{"/", "/srv", "srv/web", "/srv/../etc/x", "/srv/web/", s.home + "/applications", filepath.Dir(s.home)} {
		p.Copy = &contract.Copy{Path: bad, Purge: true}
		if code := s.run(p, nil); code != 1 || !strings.Contains(s.err.String(), "custom folder "+bad) &&
			!strings.Contains(s.err.String(), "custom folder \""+bad) {
			t.Errorf("%s: code %d, %s", bad, code, &s.err)
		}
	}
	if len(listing(t, s.home)) == 0 {
		t.Error("the home was purged")
	}
}

// TestCustomFolderThatLeadsHome: no link makes the agent purge what is its own.
func TestCustomFolderThatLeadsHome(t *testing.T) {
	s := newSite(t)
	p := s.pack("1.0", archive.Zip, files{"a": "1"})
	before := listing(t, filepath.Join(s.home, "blobs"))
	links := t.TempDir()
	for name, to := range map[string]string{
		"home": s.home, "around": filepath.Dir(s.home), "inside": filepath.Join(s.home, "blobs"),
	} {
		if err := os.Symlink(to, filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"home", "around", "inside", "home/new", "home/new/more"} {
		p.Copy = &contract.Copy{Path: filepath.Join(links, name), Purge: true}
		if code := s.run(p, nil); code != 1 || !strings.Contains(s.err.String(), "lies in the agent's own, or around it") {
			t.Errorf("%s: code %d, %s", name, code, &s.err)
		}
	}
	if got := listing(t, filepath.Join(s.home, "blobs")); got != before {
		t.Errorf("purged: left %q of %q", got, before)
	}
	if _, err := os.Lstat(filepath.Join(s.home, "new")); err == nil {
		t.Error("a folder was made in the agent's own")
	}
}

// TestCopyLeavesTheModesOfFolders that are there: the machine's people closed or opened them.
func TestCopyLeavesTheModesOfFolders(t *testing.T) {
	s := newSite(t)
	site := filepath.Join(t.TempDir(), "srv", "web")
	if err := os.MkdirAll(filepath.Join(site, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := s.pack("1.0", archive.Zip, files{"closed/a": "1", "new/b": "2"})
	p.Copy = &contract.Copy{Path: site}
	s.wantOK(s.run(p, nil))
	for name, want := range map[string]os.FileMode{"closed": 0o700, "new": 0o755} {
		info, err := os.Stat(filepath.Join(site, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	if got := listing(t, site); got != "closed/a new/b" {
		t.Errorf("copied %s", got)
	}
}

// TestCopyOfAnyName: long names, and names that look like those of files that are not whole.
func TestCopyOfAnyName(t *testing.T) {
	s := newSite(t)
	site := filepath.Join(t.TempDir(), "srv", "web")
	long := strings.Repeat("n", 255)
	p := s.pack("1.0", archive.Zip, files{".partial-b": "1", "b": "2", long: "3"})
	p.Copy = &contract.Copy{Path: site}
	s.wantOK(s.run(p, nil))
	if got, want := listing(t, site), ".partial-b b "+long; got != want {
		t.Errorf("copied %s, want %s", got, want)
	}
}

// TestCopyThatDied is whole after the next one, with nothing left of the first.
func TestCopyThatDied(t *testing.T) {
	for _, point := range []string{"step.purged", "step.copied"} {
		s := newSite(t)
		site := filepath.Join(t.TempDir(), "srv", "web")
		p := s.pack("1.0", archive.Zip, files{"a": "1", "b/c": "2"})
		p.Copy = &contract.Copy{Path: site, Purge: true}
		out, err := exec.Command(os.Args[0], "crash", s.home, s.ticket(p, nil), point).CombinedOutput()
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("%s: the step was not killed: %v\n%s", point, err, out)
		}
		half := fmt.Sprintf("%s/.partial-%.8x", site, sha256.Sum256([]byte("a")))
		if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Copy.Purge = false
		s.wantOK(s.run(p, nil))
		if got := listing(t, site); got != "a b/c" || s.journal() != "1.0:interrupted 1.0_1:succeeded" {
			t.Errorf("%s: %s, journal %s", point, got, s.journal())
		}
	}
}

// TestSkipIfInstalled does nothing only where nothing is to be done.
func TestSkipIfInstalled(t *testing.T) {
	s := newSite(t)
	one := s.pack("1.0", archive.Zip, files{"Deploy.sh": "true"})
	two := s.pack("2.0", archive.Zip, files{"Deploy.sh": "exit $(get_octopusvariable Code)"})
	one.SkipIfInstalled, two.SkipIfInstalled = true, true
	skipped := func(p contract.Package, vars map[string]string) bool {
		t.Helper()
		s.wantOK(s.run(p, vars))
		if !strings.HasSuffix(s.out.String(), installedIn(s.app(s.current()))) {
			t.Errorf("output %s", &s.out)
		}
		return strings.Contains(s.out.String(), "is installed already")
	}
	if skipped(one, nil) || !skipped(one, nil) || s.installed() != "1.0 current" {
		t.Errorf("installed %s", s.installed())
	}
	if code := s.run(two, map[string]string{"Code": "3"}); code != 3 {
		t.Errorf("code %d", code)
	}
	if skipped(two, map[string]string{"Code": "0"}) { // the last one failed
		t.Error("a failed installation stands for one")
	}
	if skipped(one, nil) { // not the newest
		t.Error("an older installation stands for one")
	}
	if err := os.RemoveAll(s.app(s.current())); err != nil {
		t.Fatal(err)
	}
	if skipped(one, nil) {
		t.Error("an installation that is gone stands for one")
	}
}

// TestPreviousInstallation tells hooks what was there before.
func TestPreviousInstallation(t *testing.T) {
	s := newSite(t)
	hook := `for of in Installation SuccessfulInstallation; do for v in PackageVersion OriginalInstalledPath CustomInstallationDirectory; do
printf '%s|' "$(get_octopusvariable "Octopus.Tentacle.Previous$of.$v")"; done; done; exit "$(get_octopusvariable Code)"`
	run := func(version, code, want string) {
		t.Helper()
		s.run(s.pack(version, archive.Zip, files{"Deploy.sh": hook}), map[string]string{"Code": code})
		if !strings.Contains(s.out.String(), "running Deploy.sh\n"+want) {
			t.Errorf("%s: %s, want %s", version, &s.out, want)
		}
	}
	run("1.0", "0", "||||||")
	run("2.0", "1", "1.0|"+s.app("1.0")+"||1.0|"+s.app("1.0")+"||")
	run("3.0", "0", "2.0|"+s.app("2.0")+"||1.0|"+s.app("1.0")+"||")
}

// TestScriptFromPackage runs in the ticket's folder, and installs nothing.
func TestScriptFromPackage(t *testing.T) {
	s := newSite(t)
	p := s.pack("1.0", archive.TarGz, files{
		"bin/it's.sh": `printf '%s|' "$0" "$#" "$@"; cat ../data; . ./lib.sh; set_octopusvariable A 1; exit 4`,
		"data":        "#{V}", "bin/lib.sh": "echo lib", "Deploy.sh": "echo never",
	})
	p.SubstituteIn = []string{"data"}
	p.Run = &contract.PackageScript{Path: "bin/it's.sh"}
	vars := map[string]string{"V": "value", "W": "two words"}
	for arguments, want := range map[string]string{
		"": "./it's.sh|0|", `-a "$(get_octopusvariable W)" 'x y' z`: "./it's.sh|4|-a|two words|x y|z|",
	} {
		p.Run.Arguments = arguments
		if code := s.run(p, vars); code != 4 ||
			!strings.Contains(s.out.String(), want+"valuelib\n##octopus[setVariable name='QQ==' value='MQ==']\n") {
			t.Errorf("%q: code %d: %s%s", arguments, code, &s.out, &s.err)
		}
	}
	if _, err := os.Stat(s.home + "/applications"); err == nil || strings.Contains(s.out.String(), "never") {
		t.Errorf("something was installed: %s", &s.out)
	}
	for path, want := range map[string]string{
		"no.sh": "holds no file no.sh", "../x": "inside of the package", "/x": "inside of the package", "bin": "not a file",
	} {
		p.Run = &contract.PackageScript{Path: path}
		if code := s.run(p, vars); code != 1 || !strings.Contains(s.err.String(), want) {
			t.Errorf("%s: code %d: %s", path, code, &s.err)
		}
	}
}
