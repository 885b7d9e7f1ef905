// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/step"
	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/host"
)

// files is a package: path to content. Hooks are files like others.
type files map[string]string

// site is an agent's home and what the steps in it said.
type site struct {
	t       testing.TB
	home    string
	tickets int
	out     bytes.Buffer
	err     bytes.Buffer
	point   func(string)
	env     map[string]string
}

func newSite(t testing.TB) *site {
	s := &site{t: t, home: t.TempDir()}
	for _, name := range []string{"blobs", "tickets"} {
		if err := os.Mkdir(filepath.Join(s.home, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// pack puts a package into the blobs and returns the part of the order that asks for it.
func (s *site) pack(version string, format archive.Format, f files) contract.Package {
	s.t.Helper()
	tree := fstest.MapFS{}
	for name, body := range f {
		tree[name] = &fstest.MapFile{Data: []byte(body), Mode: 0o644}
		if strings.HasSuffix(name, ".run") {
			tree[name].Mode = 0o755
		}
	}
	var raw bytes.Buffer
	if err := archive.Create(context.Background(), &raw, format, tree); err != nil {
		s.t.Fatal(err)
	}
	sum, size, _ := archive.Sum(context.Background(), bytes.NewReader(raw.Bytes()))
	if err := os.WriteFile(filepath.Join(s.home, "blobs", sum), raw.Bytes(), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return contract.Package{
		ID: "Web", Version: version, Format: string(format), SHA256: sum, Size: size,
		Project: "Shop", Environment: "Production", Step: "Deploy web",
	}
}

// ticket writes an order down and returns its folder.
func (s *site) ticket(p contract.Package, vars map[string]string) string {
	s.t.Helper()
	s.tickets++
	id := contract.TicketID(fmt.Sprintf("t-%d", s.tickets))
	raw, err := json.Marshal(contract.Order{
		Ticket: id, Task: "ServerTasks-1", Name: "Deploy", Package: &p, Variables: vars,
		Isolation: contract.Isolation{Level: contract.IsolationNone},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	dir := filepath.Join(s.home, "tickets", string(id))
	if err := os.Mkdir(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "order.json"), raw, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

func (s *site) run(p contract.Package, vars map[string]string) int {
	s.t.Helper()
	return s.runContext(context.Background(), p, vars)
}

func (s *site) runContext(ctx context.Context, p contract.Package, vars map[string]string) int {
	s.t.Helper()
	s.out.Reset()
	s.err.Reset()
	return step.Run(ctx, s.options(s.ticket(p, vars)))
}

func (s *site) options(dir string) step.Options {
	return step.Options{
		Disk: host.Fsync{},
		Home: s.home, Dir: dir, Out: &s.out, Err: &s.err, Exec: host.Real(slog.New(slog.DiscardHandler)).Exec,
		Wall: func() time.Time { return time.Unix(1_800_000_000, 0) }, Point: s.point,
		Env: func(name string) string { return s.env[name] },
	}
}

func (s *site) app(parts ...string) string {
	return filepath.Join(append([]string{s.home, "applications", "Production", "Web"}, parts...)...)
}

func (s *site) read(parts ...string) string {
	raw, err := os.ReadFile(s.app(parts...))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func (s *site) current() string {
	target, err := os.Readlink(s.app("current"))
	if err != nil {
		return ""
	}
	return target
}

// installed lists the folder without its lock.
func (s *site) installed() string {
	entries, err := os.ReadDir(s.app())
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

// journal lists folder and result of each entry.
func (s *site) journal() string {
	raw, err := os.ReadFile(filepath.Join(s.home, "applications", "journal.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var j struct {
		Installations []struct{ Folder, Result string }
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for _, i := range j.Installations {
		lines = append(lines, filepath.Base(i.Folder)+":"+i.Result)
	}
	return strings.Join(lines, " ")
}

func (s *site) wantOK(code int) {
	s.t.Helper()
	if code != 0 {
		s.t.Fatalf("exit code %d\n%s%s", code, &s.out, &s.err)
	}
}

// note is a hook that writes down that it ran and what it saw.
func note(name string) string {
	return `printf '%s %s %s\n' ` + name + ` "$(cat index.html)" "$(readlink "$FAIRLEAD_CURRENT")" >> ../order.txt` + "\n"
}

func TestOrderOfWork(t *testing.T) {
	s := newSite(t)
	f := files{
		"index.html": "#{Greeting} from #{octopus.action.package.packageversion}", "other.html": "#{Greeting}",
		"PreDeploy.sh": note("pre"), "Deploy.sh": note("deploy"), "PostDeploy.sh": note("post"), "DeployFailed.sh": note("failed"),
	}
	p := s.pack("1.2.0", archive.TarGz, f)
	p.SubstituteIn = []string{"index.html"}
	s.wantOK(s.run(p, map[string]string{"Greeting": "Hi"}))
	want := "pre #{Greeting} from #{octopus.action.package.packageversion} \ndeploy Hi from 1.2.0 \npost Hi from 1.2.0 1.2.0\n"
	if diff := cmp.Diff(want, s.read("order.txt")); diff != "" {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
	if got := s.read("current", "other.html"); got != "#{Greeting}" {
		t.Errorf("other.html is %q and was not named", got)
	}
	size := 0
	for _, body := range f {
		size += len(body)
	}
	wantOut := "unpacked Web 1.2.0: 6 files, " + fmt.Sprint(size) + " bytes, to " + s.app("1.2.0") +
		"\nrunning PreDeploy.sh\nsubstituted 2 values in index.html\nrunning Deploy.sh\nswitched current to 1.2.0\nrunning PostDeploy.sh\n" +
		installedIn(s.app("1.2.0"))
	if diff := cmp.Diff(wantOut, s.out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if s.err.Len() > 0 {
		t.Errorf("errors: %s", &s.err)
	}
	if got := s.journal(); got != "1.2.0:succeeded" {
		t.Errorf("journal: %s", got)
	}
}

func TestHooksSeeTheirWorld(t *testing.T) {
	s := newSite(t)
	s.env = map[string]string{"HTTP_PROXY": "proxy", "SECRET": "no", "HOME": "/root-of-test"}
	p := s.pack("1.0", archive.Zip, files{"Deploy.sh": `
set -eu
[ "$(get_octopusvariable Octopus.Action.Package.InstallationDirectoryPath)" = "$FAIRLEAD_INSTALL_DIR" ]
[ "$(get_octopusvariable fairlead.current.path)" = "$FAIRLEAD_CURRENT" ]
[ "$(get_octopusvariable Octopus.Action.Package.PackageId)" = Web ]
[ "$(get_octopusvariable Octopus.Tentacle.Agent.ApplicationDirectoryPath)" = "${FAIRLEAD_INSTALL_DIR%/*/*/*}" ]
[ "$PWD" = "$FAIRLEAD_INSTALL_DIR" ]
[ "$(get_octopusvariable Logs)" = "$FAIRLEAD_INSTALL_DIR/logs" ]
env | cut -d= -f1 | sort | tr '\n' ' '
echo "$HTTP_PROXY $HOME ${NO_PROXY-unset}"
echo problem >&2
`})
	s.wantOK(s.run(p, map[string]string{
		"env:HTTP_PROXY": "#{Proxy}", "Proxy": "proxy", "env:NO_PROXY": "", "Plain": "x",
		"Logs": "#{Octopus.Action.Package.InstallationDirectoryPath}/logs",
	}))
	want := "FAIRLEAD_CURRENT FAIRLEAD_INSTALL_DIR HOME HTTP_PROXY LANG NO_PROXY PATH PWD SHLVL _ proxy /root-of-test \n"
	if !strings.Contains(strings.ReplaceAll(s.out.String(), "OLDPWD ", ""), want) {
		t.Errorf("got %s, want %s", &s.out, want)
	}
	if s.err.String() != "problem\n" {
		t.Errorf("errors: %q", &s.err)
	}
}

func TestFailures(t *testing.T) {
	for hook, c := range map[string]struct{ order, back string }{
		"PreDeploy.sh":  {"failed x 1.0\n", ""},
		"Deploy.sh":     {"pre x 1.0\nfailed x 1.0\n", ""},
		"PostDeploy.sh": {"pre x 1.0\ndeploy x 1.0\nfailed x 1.0\n", "switched current back to 1.0"},
	} {
		t.Run(hook, func(t *testing.T) {
			s := newSite(t)
			s.wantOK(s.run(s.pack("1.0", archive.Zip, files{"index.html": "old"}), nil))
			f := files{
				"index.html": "x", "PreDeploy.sh": note("pre"), "Deploy.sh": note("deploy"), "PostDeploy.sh": note("post"),
				"DeployFailed.sh": note("failed"),
			}
			f[hook] = "exit 7"
			if code := s.run(s.pack("2.0", archive.Zip, f), nil); code != 7 {
				t.Errorf("exit code %d, want 7", code)
			}
			if diff := cmp.Diff(c.order, s.read("order.txt")); diff != "" {
				t.Errorf("hooks (-want +got):\n%s", diff)
			}
			if !strings.Contains(s.out.String(), c.back) || !strings.Contains(s.err.String(), "failed: "+hook+" ended with exit code 7\n") {
				t.Errorf("said %s%s", &s.out, &s.err)
			}
			if s.current() != "1.0" || s.journal() != "1.0:succeeded 2.0:failed" {
				t.Errorf("current %s, journal %s", s.current(), s.journal())
			}
			s.wantOK(s.run(s.pack("2.0", archive.Zip, files{"index.html": "x"}), nil))
			if s.current() != "2.0_1" {
				t.Errorf("current %s after the second try", s.current())
			}
		})
	}
	t.Run("first installation", func(t *testing.T) {
		s := newSite(t)
		if code := s.run(s.pack("1.0", archive.Zip, files{"PostDeploy.sh": "kill -9 $$"}), nil); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		if s.current() != "" || !strings.Contains(s.err.String(), "signal") {
			t.Errorf("current %q, said %s", s.current(), &s.err)
		}
	})
}

func TestOrdersThatCannotBeCarriedOut(t *testing.T) {
	s := newSite(t)
	good := s.pack("1.0", archive.Zip, files{"a": "b"})
	for name, c := range map[string]struct {
		change func(*contract.Package)
		want   string
	}{
		"no blob":             {func(p *contract.Package) { p.SHA256 = strings.Repeat("0", 64) }, "is not on this machine"},
		"F8 other size":       {func(p *contract.Package) { p.Size++ }, "in the order"},
		"wrong format":        {func(p *contract.Package) { p.Format = "tar" }, "tar"},
		"unknown format":      {func(p *contract.Package) { p.Format = "rar" }, "archive format"},
		"no version":          {func(p *contract.Package) { p.Version = "" }, "version is empty"},
		"negative keep":       {func(p *contract.Package) { p.Keep = -1 }, "keep -1"},
		"F1 pattern leads up": {func(p *contract.Package) { p.SubstituteIn = []string{"../../**"} }, "pattern"},
		"broken pattern":      {func(p *contract.Package) { p.SubstituteIn = []string{"[a"} }, "pattern"},
		"F2 hash as a path":   {func(p *contract.Package) { p.SHA256 = "../order.json" }, "hash"},
	} {
		t.Run(name, func(t *testing.T) {
			p := good
			c.change(&p)
			if code := s.run(p, nil); code == 0 || !strings.Contains(s.err.String(), c.want) {
				t.Errorf("exit code %d, said %s", code, &s.err)
			}
			if entries, _ := os.ReadDir(s.app()); len(entries) > 1 {
				t.Errorf("left: %v", entries)
			}
		})
	}
}

// TestAPackageThatWasCut before it came to the feed is named, with what to do about it, by steps of both kinds.
func TestAPackageThatWasCut(t *testing.T) {
	s := newSite(t)
	p := s.pack("1.0", archive.TarGz, files{"a": strings.Repeat("b", 1000)})
	whole, err := os.ReadFile(filepath.Join(s.home, "blobs", p.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	cut := whole[:len(whole)/2]
	p.SHA256, p.Size, _ = archive.Sum(t.Context(), bytes.NewReader(cut))
	if err := os.WriteFile(filepath.Join(s.home, "blobs", p.SHA256), cut, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, script := range []*contract.PackageScript{nil, {Path: "a"}} {
		p.Run = script
		if code := s.run(p, nil); code != 1 || !strings.Contains(s.err.String(), "failed: unpack Web 1.0: ") ||
			!strings.Contains(s.err.String(), "hint: it was pushed damaged") {
			t.Errorf("exit code %d, said %s", code, &s.err)
		}
	}
}

func TestF2NamesStayInside(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{
		"../x", "..", ".", "a/b", "a%2fb", "con", "é", "current", "journal.json", ".partial-x", "a\nb",
		strings.Repeat("x", 300), "1.0_1",
	} {
		p := s.pack(name, archive.Zip, files{"index.html": name})
		p.ID, p.Environment = name, name
		s.wantOK(s.run(p, nil))
	}
	envs, err := os.ReadDir(filepath.Join(s.home, "applications"))
	if err != nil || len(envs) != 13+2 {
		t.Errorf("%d entries, %v: want 13 environments, the journal and its lock", len(envs), err)
	}
	for _, e := range envs {
		links, _ := filepath.Glob(filepath.Join(s.home, "applications", e.Name(), "*", "current", "index.html"))
		if e.IsDir() && len(links) != 1 {
			t.Errorf("%s: %v, want one current", e.Name(), links)
		}
	}
	if entries, _ := os.ReadDir(s.home); len(entries) != 3 {
		t.Errorf("home holds %v", entries)
	}
}

func TestSubstituteInFiles(t *testing.T) {
	s := newSite(t)
	outside := filepath.Join(s.home, "outside.txt")
	if err := os.WriteFile(outside, []byte("#{V}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := s.pack("1.0", archive.TarGz, files{
		"a.txt": "#{V}", "d/b.txt": "#{V} #{Gone}", "d/e/c.txt": "#{V}", "tool.run": "#{V}", "image.txt": "#{V}\x00", "d/page.html": "#{V}",
		"latin.txt": "\xe9 #{V}", "PreDeploy.sh": `ln -s "$FAIRLEAD_INSTALL_DIR/../../../../outside.txt" link.txt; ln -s a.txt inner.txt`,
	})
	p.SubstituteIn = []string{"**/*.txt", "tool.*", "nothing/*"}
	s.wantOK(s.run(p, map[string]string{"V": "v"}))
	for name, want := range map[string]string{
		"a.txt": "v", "d/b.txt": "v #{Gone}", "d/e/c.txt": "v", "tool.run": "v", "image.txt": "#{V}\x00",
		"d/page.html": "#{V}", "latin.txt": "\xe9 v",
	} {
		if got := s.read("current", name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if raw, _ := os.ReadFile(outside); string(raw) != "#{V}" {
		t.Errorf("the file outside is %q", raw)
	}
	if info, err := os.Stat(s.app("current", "tool.run")); err != nil || info.Mode() != 0o755 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, want := range []string{"image.txt is no text", "d/b.txt: no value for Gone", `no file fits the pattern "nothing/*"`} {
		if !strings.Contains(s.err.String(), "warning: "+want) {
			t.Errorf("no warning %q in %s", want, &s.err)
		}
	}
	p = s.pack("2.0", archive.Zip, files{"a.txt": "#{A}"})
	p.SubstituteIn = []string{"*"}
	if code := s.run(p, map[string]string{"A": "#{A}"}); code == 0 || !strings.Contains(s.err.String(), "refers to itself") {
		t.Errorf("exit code %d, said %s", code, &s.err)
	}
}

func TestFormatsGiveTheSameTree(t *testing.T) {
	var trees []map[string]string
	for _, format := range []archive.Format{archive.Zip, archive.TarGz, archive.Tar, archive.Nupkg} {
		s := newSite(t)
		s.wantOK(s.run(s.pack("1.0", format, files{"a.run": "1", "d/b.txt": "2", "d/e/c": "3", "PreDeploy.sh": "true"}), nil))
		tree := map[string]string{}
		filepath.WalkDir(s.app("1.0"), func(path string, d fs.DirEntry, err error) error {
			info, _ := d.Info()
			name, _ := filepath.Rel(s.app("1.0"), path)
			tree[name] = info.Mode().String() + s.read("1.0", name)[:1]
			return err
		})
		trees = append(trees, tree)
	}
	for i := range trees {
		if diff := cmp.Diff(trees[0], trees[i]); diff != "" {
			t.Errorf("format %d (-zip +it):\n%s", i, diff)
		}
	}
}

func TestRetentionKeepsTheLast(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		p := s.pack(fmt.Sprintf("1.%d", i), archive.Zip, files{"a": fmt.Sprint(i), "PostDeploy.sh": "touch ../mine.log"})
		p.Keep = 2
		s.wantOK(s.run(p, nil))
	}
	if got := s.installed(); got != "1.3 1.4 current mine.log" {
		t.Errorf("installed: %s", got)
	}
	if !strings.Contains(s.out.String(), "kept 2 versions, removed 1.2\n") {
		t.Errorf("said %s", &s.out)
	}
	other := s.pack("9.0", archive.Zip, files{"a": "9"})
	other.Project, other.Keep = "Other", 1
	s.wantOK(s.run(other, nil))
	if got := s.installed(); got != "1.3 1.4 9.0 current mine.log" {
		t.Errorf("after another project: %s", got)
	}
	// Someone points current back by hand, in full: what it names stays.
	os.Remove(s.app("current"))
	if err := os.Symlink(s.app("1.3"), s.app("current")); err != nil {
		t.Fatal(err)
	}
	bad := s.pack("1.5", archive.Zip, files{"PostDeploy.sh": "exit 1"})
	bad.Keep = 1
	s.run(bad, nil)
	if got, _ := os.Readlink(s.app("current")); got != s.app("1.3") || s.read("current", "a") != "3" {
		t.Errorf("current leads to %s", got)
	}
	good := s.pack("1.6", archive.Zip, files{"a": "6"})
	good.Keep = 1
	s.wantOK(s.run(good, nil))
	if got := s.installed(); got != "1.6 9.0 current mine.log" {
		t.Errorf("at the end: %s", got)
	}
	if got := s.journal(); got != "9.0:succeeded 1.6:succeeded" {
		t.Errorf("journal: %s", got)
	}
}

func TestRetentionIgnoresAForgedJournal(t *testing.T) {
	s := newSite(t)
	for _, version := range []string{"1.0", "2.0"} {
		s.wantOK(s.run(s.pack(version, archive.Zip, files{"a": version}), nil))
	}
	victim := filepath.Join(s.home, "applications", "Test", "Web", "1.0")
	if err := os.MkdirAll(victim, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.home, "applications", "journal.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{
		victim, filepath.Join(s.home, "tickets"), filepath.Join(s.home, "blobs"), s.app(".lock"), s.app("current"),
	}
	for _, folder := range []string{
		"Test/Web/1.0", "Production/Web/../../../tickets", "Production/Web/.lock", "Production/Web/current", "../blobs",
	} {
		forged := strings.Replace(string(raw), "Production/Web/1.0", folder, 1)
		if err := os.WriteFile(path, []byte(forged), 0o600); err != nil {
			t.Fatal(err)
		}
		p := s.pack("3.0", archive.Zip, files{"a": "3"})
		p.Keep = 1
		s.run(p, nil)
		for _, place := range kept {
			if _, err := os.Lstat(place); err != nil {
				t.Errorf("%q: %s was removed", folder, place)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	s := newSite(t)
	s.wantOK(s.run(s.pack("1.0", archive.Zip, files{"a": "1"}), nil))
	started := s.app("started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		os.ReadFile(started) // until the hook has begun
		cancel()
	}()
	code := s.runContext(ctx, s.pack("2.0", archive.Zip, files{
		"PostDeploy.sh": "echo > ../started; sleep 60 & wait", "DeployFailed.sh": "touch ../failed",
	}), nil)
	if code == 0 || s.current() != "1.0" || s.journal() != "1.0:succeeded 2.0:canceled" {
		t.Errorf("exit code %d, current %s, journal %s, said %s", code, s.current(), s.journal(), &s.err)
	}
	if _, err := os.Stat(s.app("failed")); err == nil {
		t.Error("DeployFailed.sh ran after a cancel")
	}
}

func TestCurrentThatIsNoLink(t *testing.T) {
	s := newSite(t)
	if err := os.MkdirAll(s.app("current"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code := s.run(s.pack("1.0", archive.Zip, files{"a": "1"}), nil); code == 0 || !strings.Contains(s.err.String(), "is no link") {
		t.Errorf("exit code %d, said %s", code, &s.err)
	}
}
