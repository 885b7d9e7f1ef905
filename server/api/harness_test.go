// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/trust"
	"fairlead/server/api"
	"fairlead/server/artifact"
	"fairlead/server/catalog"
	"fairlead/server/feed"
	"fairlead/server/identity"
)

var update = flag.Bool("update", false, "write golden files and docs/api.md")

// site is a whole server surface over a real store, and a key of its administrator.
type site struct {
	t         testing.TB
	store     store.Store
	path      string
	catalog   *catalog.Catalog
	kept      *artifact.Folder
	directory *identity.Directory
	handler   http.Handler
	key       string
	logs      *memoryLogs
	mu        sync.Mutex
	now       time.Time
	hints     int
	space     deploy.SpaceID // that fillSpace filled last
}

func (s *site) wall() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func newSite(t testing.TB, change ...func(*api.Deps)) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{
		t: t, path: filepath.Join(dir, "fairlead.db"), now: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC),
		logs: newMemoryLogs(),
	}
	opened, err := sqlite.Open(context.Background(), s.path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	s.store = opened
	packages, err := feed.New(opened, filepath.Join(dir, "packages"), host.Fsync{}, s.wall, feed.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := artifact.New(artifact.Deps{
		Store: opened, Dir: filepath.Join(dir, "artifacts"), Disk: host.Fsync{}, Limits: artifact.DefaultLimits(),
		Vitals: func(string) host.Vitals { return host.Vitals{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.kept, s.catalog = kept, catalog.New(catalog.Deps{
		Artifacts: kept,
		Secrets:   secret.NewKey(),
		Store:     opened, Feed: packages, Wall: s.wall, Changed: func() {},
		Mint:   func() (trust.Token, error) { return trust.NewToken("fairlead.example.test:10943", trust.Pin{1}) },
		Queued: func() { s.hints++ },
	})
	if _, err := s.catalog.Seed(context.Background(), "test"); err != nil {
		t.Fatal(err)
	}
	s.directory = identity.NewDirectory(opened, s.wall)
	_, s.key, err = s.directory.CreateKey(context.Background(), identity.System(), identity.AdministratorID, "test",
		time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	deps := api.Deps{
		Catalog: s.catalog, Directory: s.directory, Presence: nobody{}, Logs: s.logs, Queue: idle{}, Orphans: &strays{catalog: s.catalog},
		Server: func() api.ServerCertificate {
			return api.ServerCertificate{
				Name: "test", Thumbprint: strings.Repeat("AB", 20), Pin: strings.Repeat("ab", 32),
				Algorithm: "ecdsaWithSHA256",
			}
		},
		Version: "0.1.0", Wall: s.wall, Log: slog.New(slog.DiscardHandler),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
	}
	for _, f := range change {
		f(&deps)
	}
	s.handler = api.New(deps)
	return s
}

type nobody struct{}

func (nobody) Machine(deploy.MachineID) api.Online { return api.Online{} }

func (nobody) Log(deploy.MachineID) []api.LineEvent { return nil }

type idle struct{}

func (idle) Waits(context.Context) (map[deploy.TaskID]string, error) { return nil, nil }

// memoryLogs keeps logs whose offsets are line numbers.
type memoryLogs struct {
	mu       sync.Mutex
	lines    map[deploy.TaskID][]api.LogLine
	finished map[deploy.TaskID]bool
	changed  chan struct{}
}

func newMemoryLogs() *memoryLogs {
	return &memoryLogs{
		lines: map[deploy.TaskID][]api.LogLine{}, finished: map[deploy.TaskID]bool{},
		changed: make(chan struct{}),
	}
}

func (m *memoryLogs) say(task deploy.TaskID, node, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines[task] = append(m.lines[task], api.LogLine{
		Number: int64(len(m.lines[task]) + 1), At: time.Unix(1_800_000_000, 0), Category: "Info", Node: node, Text: text,
	})
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memoryLogs) finish(task deploy.TaskID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finished[task] = true
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memoryLogs) Read(task deploy.TaskID, offset int64, _ int) ([]api.LogLine, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := m.lines[task]
	offset = min(offset, int64(len(lines)))
	return lines[offset:], int64(len(lines)), nil
}

func (m *memoryLogs) Follow(ctx context.Context, task deploy.TaskID, offset int64,
	f func([]api.LogLine, int64) error,
) error {
	for {
		m.mu.Lock()
		lines, finished, changed := m.lines[task], m.finished[task], m.changed
		m.mu.Unlock()
		if offset < int64(len(lines)) {
			if err := f(lines[offset:], int64(len(lines))); err != nil {
				return err
			}
			offset = int64(len(lines))
			continue
		}
		if finished {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any // nil when the body is no object
}

func (s *site) request(method, path string, body any) *http.Request {
	s.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r := httptest.NewRequest(method, path, reader)
	r.Header.Set("X-Octopus-ApiKey", s.key)
	return r
}

func (s *site) send(r *http.Request) answer {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	_ = json.Unmarshal(a.body, &a.json)
	return a
}

// call sends a request with the administrator's key.
func (s *site) call(method, path string, body any) answer {
	s.t.Helper()
	return s.send(s.request(method, path, body))
}

// must is call for what has to work.
func (s *site) must(want int, method, path string, body any) map[string]any {
	s.t.Helper()
	a := s.call(method, path, body)
	if a.status != want {
		s.t.Fatalf("%s %s: status %d, want %d\n%s", method, path, a.status, want, a.body)
	}
	return a.json
}

type m = map[string]any

// zipped makes a small package.
func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("index.html")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const pinHex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func scriptStep(name string) m {
	return m{"Name": name, "Properties": m{"Octopus.Action.TargetRoles": "web"}, "Actions": []m{{
		"Name": name, "ActionType": "Octopus.Script", "Properties": m{
			"Octopus.Action.RunOnServer": "false", "Octopus.Action.Script.ScriptSource": "Inline",
			"Octopus.Action.Script.Syntax": "Bash", "Octopus.Action.Script.ScriptBody": "echo hello",
		},
	}}}
}

func packageStep(name, id string) m {
	return m{"Name": name, "Properties": m{
		"Octopus.Action.TargetRoles":    "web",
		"Octopus.Action.MaxParallelism": "2",
	}, "Actions": []m{{
		"Name": name, "ActionType": "Octopus.TentaclePackage", "Packages": []m{{
			"Name": "", "PackageId": id,
			"FeedId": "Feeds-1001",
		}},
		"Properties": m{"Octopus.Action.Package.PackageId": id, "Octopus.Action.Package.FeedId": "Feeds-1001"},
	}}}
}

// fill makes one of everything: two environments, a machine, a package, a project with two
// steps, a library set, an account, a release and a deployment.
func (s *site) fill() {
	s.t.Helper()
	s.fillSpace(deploy.DefaultSpace)
}

// fillSpace is fill of a space.
func (s *site) fillSpace(space deploy.SpaceID) {
	s.t.Helper()
	s.space = space
	in := "/api/" + string(space)
	lifecycle, group := s.oneID(in+"/lifecycles/all"), s.oneID(in+"/projectgroups/all")
	s.must(201, "POST", in+"/environments", m{"Name": "Dev"})
	s.must(201, "POST", in+"/environments", m{"Name": "Production", "SortOrder": 1})
	s.must(201, "POST", in+"/machines", m{
		"Name": "lt", "EnvironmentIds": []string{"Environments-1"}, "Roles": []string{"web"},
		"Endpoint": m{"CommunicationStyle": "TentaclePassive", "Uri": "https://lt.example.test:10933/", "Thumbprint": pinHex},
	})
	s.must(201, "POST", in+"/packages/raw?fileName=Web.App.1.0.0.zip", zipped(s.t, "one"))
	s.must(201, "POST", in+"/projects", m{
		"Name": "Web App", "LifecycleId": lifecycle,
		"ProjectGroupId": group,
	})
	s.must(200, "PUT", in+"/deploymentprocesses/deploymentprocess-Projects-1", m{
		"Version": 0, "Steps": []m{scriptStep("Say hello"), packageStep("Deploy web", "Web.App")},
	})
	s.must(200, "PUT", in+"/variables/variableset-Projects-1", m{"Version": 0, "Variables": []m{
		{"Name": "Greeting", "Value": "good day", "Scope": m{
			"Environment": []string{"Environments-1"},
			"Role":        []string{"web"},
		}},
	}})
	s.must(201, "POST", in+"/libraryvariablesets", m{"Name": "Shared"})
	s.must(201, "POST", in+"/accounts", m{
		"Name": "deploy", "AccountType": "UsernamePassword", "Username": "u", "Password": m{"HasValue": true, "NewValue": "s3cret!"},
	})
	s.must(201, "POST", in+"/releases/create/v1", m{
		"projectName": "Web App", "releaseVersion": "1.0.0",
		"releaseNotes": "first",
	})
	s.must(201, "POST", in+"/deployments/create/untenanted/v1", m{
		"projectName": "Web App", "releaseVersion": "1.0.0", "environmentNames": []string{"Dev"},
	})
	s.ask("ServerTasks-1", deploy.ManualInterruption, identity.AdministratorID)
	s.hand("ServerTasks-1", "Deployments-1", "report.html", artifactPage)
}

// artifactPage is what a script could hand over to whoever opens it.
const artifactPage = "<script>alert(document.cookie)</script>"

// hand keeps a file as the engine does, with a row that refers to it.
func (s *site) hand(task deploy.TaskID, of deploy.DeploymentID, name, content string) {
	s.t.Helper()
	sum := sha256.Sum256([]byte(content))
	in := artifact.Incoming{Key: "t-0", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
	release, err := s.kept.Fetch(context.Background(), in, func(context.Context, int64) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	defer release()
	err = s.store.Update(context.Background(), func(w store.Writer) error {
		id, err := w.NextID("Artifacts")
		if err != nil {
			return err
		}
		return w.PutArtifact(deploy.Artifact{
			ID: deploy.ArtifactID(id), Space: s.space.OrDefault(), Task: task, Deployment: of, Ticket: "t", Name: name,
			Slot: deploy.Slot{Machine: "Machines-1", Attempt: 1}, Size: in.Size, SHA256: in.SHA256,
			KeptAt: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC),
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask has a task ask people, as the engine does.
func (s *site) ask(task deploy.TaskID, kind deploy.InterruptionKind, responsible deploy.UserID) (id string) {
	s.t.Helper()
	err := s.store.Update(context.Background(), func(w store.Writer) (err error) {
		if id, err = w.NextID("Interruptions"); err != nil {
			return err
		}
		return w.PutInterruption(deploy.Interruption{
			ID: deploy.InterruptionID(id), Space: s.space.OrDefault(), Task: task, Kind: kind, Title: "Approve",
			Instructions: "Look at the staging site.", Responsible: responsible, ResponsibleName: "admin",
			CreatedAt: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC),
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// checksum is a hash of everything that is stored.
func (s *site) checksum() string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "copy.db")
	if err := s.store.Backup(context.Background(), path); err != nil {
		s.t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
