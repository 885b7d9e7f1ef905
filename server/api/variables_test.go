// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/api"
)

// canary is a secret that must turn up nowhere.
const canary = "cAnArY-4711-\"quoted\"\\n"

const variableSet = "/api/Spaces-1/variables/variableset-Projects-1"

// secretive makes a project whose variables, library set, account and deployment all hold canaries.
func secretive(t *testing.T) *site {
	s := newSite(t)
	s.fill()
	action := s.actionID()
	s.must(200, "PUT", variableSet, m{"Version": 1, "Variables": []m{
		{"Name": "Password", "Value": canary, "Type": "Sensitive", "IsSensitive": true},
		{"Name": "Plain", "Value": "seen", "Scope": m{"Action": []string{action}, "ProcessOwner": []string{"Projects-1"}}},
		{"Name": "Ticket", "Type": "String", "Prompt": m{"Label": "Change ticket", "Required": true, "DisplaySettings": m{
			"Octopus.ControlType": "Select", "Octopus.SelectOptions": "X-1|First\nX-2|Second",
		}}},
		{"Name": "Pin", "Type": "Sensitive", "Prompt": m{"Label": "Pin", "DisplaySettings": m{"Octopus.ControlType": "Sensitive"}}},
	}})
	s.must(200, "PUT", "/api/Spaces-1/variables/variableset-LibraryVariableSets-1", m{"Version": 0, "Variables": []m{
		{"Name": "Shared.Token", "Value": canary, "IsSensitive": true}, {"Name": "plain", "Value": "from the library"},
	}})
	s.must(201, "POST", "/api/Spaces-1/accounts", m{
		"Name": "key", "AccountType": "SshKeyPair", "Username": "deploy",
		"PrivateKeyFile":       m{"HasValue": true, "NewValue": canary},
		"PrivateKeyPassphrase": m{"HasValue": true, "NewValue": canary},
	})
	project := s.must(200, "GET", "/api/Spaces-1/projects/Projects-1", nil)
	project["IncludedLibraryVariableSetIds"] = []string{"LibraryVariableSets-1"}
	s.must(200, "PUT", "/api/Spaces-1/projects/Projects-1", project)
	s.must(201, "POST", "/api/Spaces-1/releases/create/v1", m{"projectName": "Web App", "releaseVersion": "2.0.0"})
	s.must(201, "POST", "/api/Spaces-1/deployments/create/untenanted/v1", m{
		"projectName": "Web App", "releaseVersion": "2.0.0", "environmentNames": []string{"Dev"},
		"variables": m{"ticket": "X-2", "Pin": canary},
	})
	return s
}

func (s *site) actionID() string {
	process := s.must(200, "GET", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", nil)
	return process["Steps"].([]any)[0].(map[string]any)["Actions"].([]any)[0].(map[string]any)["Id"].(string)
}

// variable finds one of a set by name.
func variable(set map[string]any, name string) map[string]any {
	for _, v := range set["Variables"].([]any) {
		if one := v.(map[string]any); one["Name"] == name {
			return one
		}
	}
	return nil
}

// TestS6S10CanaryIsNowhere looks for secrets in every answer to a GET, in the audit trail, in the
// database with its log, and in a backup of it.
func TestS6S10CanaryIsNowhere(t *testing.T) {
	s := secretive(t)
	for _, route := range append([]string{
		"/api/Spaces-1/variables/variableset-LibraryVariableSets-1", "/api/Spaces-1/accounts/key",
		"/api/Spaces-1/variables/preview?project=web-app&environment=dev&machine=lt&action=Say+hello",
		"/api/Spaces-1/releases/Releases-2", "/api/Spaces-1/deployments/Deployments-2", "/api/events?take=1000",
		"/api/Spaces-1/releases/Releases-2/deployments/preview/Environments-1", "/api/tasks/ServerTasks-2",
	}, gets()...) {
		if a := s.call("GET", route, nil); bytes.Contains(a.body, []byte("cAnArY")) {
			t.Errorf("GET %s shows a secret: %.300s", route, a.body)
		}
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := s.store.Backup(context.Background(), backup); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(s.path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("database files: %v, %v", files, err)
	}
	for _, file := range append(files, backup) {
		if raw, err := os.ReadFile(file); err != nil || bytes.Contains(raw, []byte("cAnArY")) {
			t.Errorf("%s holds a secret, or cannot be read: %v", filepath.Base(file), err)
		}
	}
	s.opens()
}

// opens shows that the search has something to find: what is stored opens to the canary.
func (s *site) opens() {
	s.t.Helper()
	err := s.store.View(context.Background(), func(r store.Reader) error {
		release, err := r.Release("Releases-2")
		if err != nil {
			return err
		}
		found := 0
		for _, set := range release.Sets() {
			for _, v := range set.Variables {
				if v.Sealed == "" {
					continue
				}
				plain, err := s.catalog.Secrets.Open(v.Sealed, v.SealedAs(set.Owner))
				if found++; err != nil || plain != canary {
					s.t.Errorf("variable %s opens to %q: %v", v.Name, plain, err)
				}
			}
		}
		if d, err := r.Deployment("Deployments-2"); err != nil || found != 2 || len(d.Answers) != 2 {
			s.t.Errorf("%d sealed values and the answers %+v, %v: want 2 and 2", found, d.Answers, err)
		}
		row, err := r.Installation()
		if row.MasterKey != s.catalog.Secrets.ID() {
			s.t.Errorf("the store depends on the key %q, want %q", row.MasterKey, s.catalog.Secrets.ID())
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func gets() (paths []string) {
	for _, route := range routesToRead() {
		paths = append(paths, address(route))
	}
	return paths
}

func TestSensitiveValuesAreKept(t *testing.T) {
	s := secretive(t)
	sealed := func() string {
		var text string
		_ = s.store.View(context.Background(), func(r store.Reader) error {
			set, err := r.Variables("Projects-1")
			for _, v := range set.Variables {
				if strings.EqualFold(v.Name, "password") {
					text = v.Sealed
				}
			}
			return err
		})
		return text
	}
	before := sealed()
	set := s.must(200, "GET", variableSet, nil)
	password := variable(set, "Password")
	if password["Value"] != nil || password["Type"] != "Sensitive" || password["IsSensitive"] != true {
		t.Errorf("a sensitive variable is shown as %v", password)
	}
	for _, empty := range []any{nil, ""} {
		password["Value"], password["Name"] = empty, "PASSWORD"
		set = s.must(200, "PUT", variableSet, set)
		if password = variable(set, "PASSWORD"); sealed() != before || password == nil || password["Value"] != nil {
			t.Errorf("written back with %v: %v", empty, password)
		}
	}
	password["Value"] = "abc"
	set = s.must(200, "PUT", variableSet, set)
	if sealed() == before || len(set["Warnings"].([]any)) != 1 {
		t.Errorf("S3 a new value of 3 bytes: warnings %v", set["Warnings"])
	}
	password = variable(set, "PASSWORD")
	password["Type"], password["IsSensitive"] = "String", false
	set = s.must(200, "PUT", variableSet, set)
	if password = variable(set, "PASSWORD"); password["Value"] != "" || sealed() != "" {
		t.Errorf("made a plain one without a value: %v, sealed %q", password, sealed())
	}
}

func TestSensitiveValueOfAnotherRowIsNotTaken(t *testing.T) {
	s := secretive(t)
	set := s.must(200, "GET", variableSet, nil)
	stolen := variable(set, "Password")["Id"]
	other := s.must(200, "PUT", "/api/Spaces-1/variables/variableset-LibraryVariableSets-1", m{"Version": 1, "Variables": []m{
		{"Id": stolen, "Name": "Mine", "Value": nil, "IsSensitive": true},
	}})
	if id := variable(other, "Mine")["Id"]; id == stolen {
		t.Error("a library set took the id of a project's variable")
	}
	_ = s.store.View(context.Background(), func(r store.Reader) error {
		l, err := r.LibrarySet("LibraryVariableSets-1")
		if err != nil || len(l.Variables) != 1 || l.Variables[0].Sealed != "" {
			t.Errorf("library set = %+v, %v, want one variable without a value", l, err)
		}
		return err
	})
}

func TestCloneSealsAnew(t *testing.T) {
	s := secretive(t)
	s.must(201, "POST", "/api/Spaces-1/projects?clone=Projects-1", m{"Name": "Copy"})
	err := s.store.View(context.Background(), func(r store.Reader) error {
		set, err := r.Variables("Projects-2")
		for _, v := range set.Variables {
			if v.Name != "Password" {
				continue
			}
			if plain, err := s.catalog.Secrets.Open(v.Sealed, v.SealedAs(set.Owner)); err != nil || plain != canary {
				t.Errorf("the clone's secret opens to %q: %v", plain, err)
			}
		}
		if !slices.ContainsFunc(set.Variables, func(v deploy.Variable) bool { return v.Sealed != "" }) {
			t.Error("the clone has no secret")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTiesAreRefusedAtRelease(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.must(200, "PUT", variableSet, m{"Version": 1, "Variables": []m{
		{"Name": "Port", "Value": "1", "Scope": m{"Role": []string{"web"}}},
		{"Name": "port", "Value": "2", "Scope": m{"Role": []string{"web", "db"}}},
		{"Name": "Fine", "Value": "1"},
		{"Name": "Fine", "Value": "2", "Scope": m{"Environment": []string{"Environments-1"}}},
	}})
	a := s.call("POST", "/api/Spaces-1/releases/create/v1", m{"projectName": "Web App", "releaseVersion": "2.0.0"})
	if a.status != 400 || !strings.Contains(string(a.body), "variable Port has several values that fit equally well") ||
		strings.Contains(string(a.body), "Fine") {
		t.Errorf("a release with a tie: %d %s", a.status, a.body)
	}
}

func TestPromptedVariables(t *testing.T) {
	s := secretive(t)
	form := s.must(200, "GET", "/api/Spaces-1/releases/Releases-2/deployments/preview/Environments-1", nil)["Form"].(map[string]any)
	elements := form["Elements"].([]any)
	if len(elements) != 2 || elements[1].(map[string]any)["IsValueRequired"] != true {
		t.Fatalf("form: %v", form)
	}
	ticket := elements[1].(map[string]any)["Name"].(string)
	for name, c := range map[string]struct {
		given m
		want  string
	}{
		"nothing":     {m{}, "asks for Ticket (Change ticket) in Dev: a value is required"},
		"empty":       {m{"Ticket": ""}, "a value is required"},
		"no option":   {m{"Ticket": "X-3"}, "want one of X-1, X-2"},
		"not asked":   {m{"Ticket": "X-1", "Password": "mine"}, "a value is given for Password"},
		"not a thing": {m{"Ticket": "X-1", "Nothing": "mine"}, "a value is given for Nothing"},
	} {
		a := s.call("POST", "/api/Spaces-1/deployments/create/untenanted/v1", m{
			"projectName": "Web App", "releaseVersion": "2.0.0", "environmentNames": []string{"Dev"}, "variables": c.given,
		})
		if a.status != 400 || !strings.Contains(string(a.body), c.want) {
			t.Errorf("%s: %d %s, want %q", name, a.status, a.body, c.want)
		}
	}
	made := s.must(201, "POST", "/api/Spaces-1/deployments", m{
		"ReleaseId": "Releases-2", "EnvironmentId": "Environments-1", "FormValues": m{ticket: "X-1"},
	})
	if got := made["FormValues"].(map[string]any)[ticket]; got != "X-1" {
		t.Errorf("FormValues: %v", made["FormValues"])
	}
}

func TestPreviewOfVariables(t *testing.T) {
	s := secretive(t)
	for _, c := range []struct{ query, name, want, source string }{
		{"&action=Say+hello", "Plain", "seen", "Web App"}, {"", "plain", "from the library", "Shared"},
	} {
		preview := s.must(200, "GET", "/api/Spaces-1/variables/preview?project=web-app&environment=Dev"+c.query, nil)
		if v := variable(preview, c.name); v["Value"] != c.want || v["Source"] != c.source {
			t.Errorf("preview%s: %v, want %q from %s", c.query, v, c.want, c.source)
		}
	}
	names := string(s.call("GET", "/api/Spaces-1/variables/names?project=web-app", nil).body)
	for _, name := range []string{
		"Password", "Shared.Token", "Octopus.Release.Number", "Octopus.Machine.Name",
		"Octopus.Step[Say hello].Status.Code", "Octopus.Action[Say hello].TargetRoles", "Octopus.Release.Previous.Number",
		"Octopus.Deployment.ErrorDetail",
	} {
		if !strings.Contains(names, `"`+name+`"`) {
			t.Errorf("names lack %s", name)
		}
	}
}

func TestLibrarySetsAreKeptWhileIncluded(t *testing.T) {
	s := secretive(t)
	release := s.must(200, "GET", "/api/Spaces-1/releases/Releases-2", nil)
	if ids := release["LibraryVariableSetSnapshotIds"].([]any); len(ids) != 1 {
		t.Errorf("the release took along %v, want one library set", ids)
	}
	const set = "/api/Spaces-1/libraryvariablesets/LibraryVariableSets-1"
	if a := s.call("DELETE", set, nil); a.status != 400 || !strings.Contains(string(a.body), "project Web App includes") {
		t.Errorf("DELETE while included: %d %s", a.status, a.body)
	}
	usages := s.must(200, "GET", set+"/usages", nil)["Projects"].([]any)
	if len(usages) != 1 {
		t.Errorf("usages: %v", usages)
	}
	project := s.must(200, "GET", "/api/Spaces-1/projects/Projects-1", nil)
	delete(project, "IncludedLibraryVariableSetIds")
	project = s.must(200, "PUT", "/api/Spaces-1/projects/Projects-1", project)
	if got := project["IncludedLibraryVariableSetIds"].([]any); len(got) != 1 {
		t.Errorf("left out, the library sets became %v", got)
	}
	project["IncludedLibraryVariableSetIds"] = []string{}
	s.must(200, "PUT", "/api/Spaces-1/projects/Projects-1", project)
	s.must(200, "DELETE", set, nil)
	if a := s.call("GET", "/api/Spaces-1/variables/variableset-LibraryVariableSets-1", nil); a.status != 404 {
		t.Errorf("variables of a deleted set: %d %s", a.status, a.body)
	}
	if a := s.call("PUT", variableSet, m{"Version": 1, "Variables": []m{}}); a.status != 409 && a.status != 400 {
		t.Errorf("an old version: %d %s", a.status, a.body)
	}
}

func TestAccountsKeepTheirSecrets(t *testing.T) {
	s := secretive(t)
	sealed := func() (a deploy.Account) {
		_ = s.store.View(context.Background(), func(r store.Reader) (err error) {
			a, err = r.Account("Accounts-2")
			return err
		})
		return a
	}
	before := sealed()
	shown := s.must(200, "GET", "/api/Spaces-1/accounts/key", nil)
	shown["Description"] = "changed"
	shown = s.must(200, "PUT", "/api/Spaces-1/accounts/Accounts-2", shown)
	if after := sealed(); after.Secret != before.Secret || after.Passphrase != before.Passphrase || after.Description == "" {
		t.Errorf("written back: %+v, want %+v", after, before)
	}
	shown["PrivateKeyPassphrase"] = m{"HasValue": false, "NewValue": nil}
	s.must(200, "PUT", "/api/Spaces-1/accounts/Accounts-2", shown)
	if after := sealed(); after.Secret != before.Secret || after.Passphrase != "" {
		t.Errorf("the passphrase taken away: %+v", after)
	}
	shown["Password"], shown["Token"] = m{"HasValue": false, "NewValue": nil}, m{"HasValue": false, "NewValue": nil}
	s.must(200, "PUT", "/api/Spaces-1/accounts/Accounts-2", shown)
	delete(shown, "AccountType")
	s.must(200, "PUT", "/api/Spaces-1/accounts/Accounts-2", shown)
	if after := sealed(); after.Secret != before.Secret {
		t.Errorf("with the empty members of other types: %+v", after)
	}
	shown["AccountType"] = "Token"
	if a := s.call("PUT", "/api/Spaces-1/accounts/Accounts-2", shown); a.status != 400 {
		t.Errorf("another type: %d %s", a.status, a.body)
	}
	tokens := s.must(200, "GET", "/api/Spaces-1/accounts?accountType=UsernamePassword&take=5", nil)
	if tokens["TotalResults"] != float64(1) {
		t.Errorf("accounts of one type: %v", tokens["TotalResults"])
	}
	s.must(200, "DELETE", "/api/Spaces-1/accounts/key", nil)
}

// TestS10StoreWithAnotherKey shows that nothing is overwritten by a server with another key.
func TestS10StoreWithAnotherKey(t *testing.T) {
	s := secretive(t)
	held := s.catalog.Secrets
	other := newSite(t)
	s.catalog.Secrets = other.catalog.Secrets
	a := s.call("POST", "/api/Spaces-1/accounts", m{"Name": "t", "AccountType": "Token", "Token": m{"NewValue": "xyzzy"}})
	if a.status != 503 || !strings.Contains(string(a.body), held.ID()) {
		t.Errorf("sealing with another key: %d %s", a.status, a.body)
	}
}

// routesToRead are those that a GET can read to the end.
func routesToRead() []api.Route {
	return slices.DeleteFunc(api.Routes(), func(r api.Route) bool { return r.Method != http.MethodGet || !finite(r) })
}
