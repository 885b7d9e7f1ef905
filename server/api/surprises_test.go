// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestClientSurprises holds the server to what the public clients silently depend on.
func TestClientSurprises(t *testing.T) {
	s := newSite(t)
	s.fill()
	t.Run("a delete answers 200 and an object", func(t *testing.T) {
		s.must(201, "POST", "/api/Spaces-1/environments", m{"Name": "gone"})
		if a := s.call("DELETE", "/api/Spaces-1/environments/gone", nil); a.status != 200 || string(a.body) != "{}\n" {
			t.Errorf("%d %q", a.status, a.body)
		}
	})
	t.Run("take is not capped and pages are linked", func(t *testing.T) {
		for i := range 70 {
			s.must(201, "POST", "/api/Spaces-1/environments", m{"Name": "E" + strconv.Itoa(i)})
		}
		all := s.must(200, "GET", "/api/Spaces-1/environments?take=2147483647", nil)
		if n := len(all["Items"].([]any)); n != 72 {
			t.Errorf("take=2147483647 gives %d of 72", n)
		}
		if _, more := all["Links"].(m)["Page.Next"]; more {
			t.Error("the only page has a next one")
		}
		pages, seen := 0, 0
		for path := "/api/Spaces-1/environments?partialName=e"; path != ""; pages++ {
			page := s.must(200, "GET", path, nil)
			seen += len(page["Items"].([]any))
			path, _ = page["Links"].(m)["Page.Next"].(string)
		}
		if pages != 3 || seen != 71 {
			t.Errorf("%d pages with %d items, want 3 with 71 (70 and Dev)", pages, seen)
		}
	})
	t.Run("partialName matches + and %20", func(t *testing.T) {
		for _, name := range []string{"Web+App", "Web%20App", "web"} {
			if n := len(s.must(200, "GET", "/api/Spaces-1/projects?partialName="+name, nil)["Items"].([]any)); n != 1 {
				t.Errorf("%s: %d projects", name, n)
			}
		}
	})
	t.Run("a task says in booleans how it ended, and ids filter", func(t *testing.T) {
		page := s.must(200, "GET", "/api/tasks?ids=servertasks-1,ServerTasks-77", nil)
		items := page["Items"].([]any)
		if len(items) != 1 {
			t.Fatalf("%d tasks", len(items))
		}
		task := items[0].(m)
		if task["IsCompleted"] != false || task["FinishedSuccessfully"] != false {
			t.Errorf("IsCompleted %v, FinishedSuccessfully %v", task["IsCompleted"], task["FinishedSuccessfully"])
		}
		if n := len(s.must(200, "GET", "/api/tasks?ids=ServerTasks-77", nil)["Items"].([]any)); n != 0 {
			t.Errorf("an unknown id gives %d tasks", n)
		}
	})
	t.Run("the answer to a created release can be read back", func(t *testing.T) {
		made := s.must(201, "POST", "/api/Spaces-1/releases/create/v1", m{"projectName": "web-app", "spaceId": "Spaces-1"})
		if made["ReleaseVersion"] != "1.0.1" {
			t.Errorf("next version %v", made["ReleaseVersion"])
		}
		release := s.must(200, "GET", "/api/Spaces-1/releases/"+made["ReleaseId"].(string), nil)
		s.must(200, "GET", "/api/Spaces-1/channels/"+release["ChannelId"].(string), nil)
	})
	t.Run("an existing release may be ignored", func(t *testing.T) {
		body := m{"projectName": "Web App", "releaseVersion": "1.0.0", "ignoreIfAlreadyExists": true}
		if made := s.must(200, "POST", "/api/Spaces-1/releases/create/v1", body); made["ReleaseId"] != "Releases-1" {
			t.Errorf("%v", made)
		}
		delete(body, "ignoreIfAlreadyExists")
		s.must(409, "POST", "/api/Spaces-1/releases/create/v1", body)
	})
	t.Run("ProjectGroupID and ProjectGroupId are one", func(t *testing.T) {
		s.must(201, "POST", "/api/Spaces-1/projects", m{
			"Name": "P2", "ProjectGroupID": "ProjectGroups-1",
			"LifecycleID": "Lifecycles-1",
		})
		s.must(400, "POST", "/api/Spaces-1/projects", m{"Name": "P3", "ProjectGroupID": "ProjectGroups-9"})
	})
	t.Run("the installation's id is a UUID and keys have the one shape", func(t *testing.T) {
		root := s.must(200, "GET", "/api/", nil)
		uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
		if id := root["InstallationId"].(string); !uuid.MatchString(id) {
			t.Errorf("InstallationId %q", id)
		}
		key := s.must(201, "POST", "/api/users/Users-1/apikeys", m{"Purpose": "x"})["ApiKey"].(string)
		if !regexp.MustCompile(`^API-[A-Z0-9]{28,}$`).MatchString(key) {
			t.Errorf("key %q", key)
		}
	})
	t.Run("signatures are 404 with a body", func(t *testing.T) {
		a := s.call("GET", "/api/Spaces-1/packages/Web.App/1.0.0/delta-signature", nil)
		if a.status != 404 || len(a.body) == 0 {
			t.Errorf("%d %q", a.status, a.body)
		}
	})
	t.Run("a stale version of a process is 409", func(t *testing.T) {
		body := m{"Version": 0, "Steps": []m{scriptStep("Say hello")}}
		s.must(409, "PUT", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", body)
	})
	t.Run("whole objects can be written back", func(t *testing.T) {
		for _, path := range []string{
			"/api/Spaces-1/projects/Projects-1", "/api/Spaces-1/environments/Environments-1",
			"/api/Spaces-1/machines/Machines-1", "/api/Spaces-1/lifecycles/Lifecycles-1", "/api/Spaces-1/channels/Channels-1",
			"/api/Spaces-1/projectgroups/ProjectGroups-1", "/api/Spaces-1/projects/Projects-1/deploymentsettings",
			"/api/Spaces-1/releases/Releases-1",
			"/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", "/api/Spaces-1/variables/variableset-Projects-1",
		} {
			before := s.must(200, "GET", path, nil)
			after := s.must(200, "PUT", path, before)
			delete(before, "Version")
			delete(after, "Version")
			if string(asJSON(t, before)) != string(asJSON(t, after)) {
				t.Errorf("%s changed when written back:\n%s\n%s", path, asJSON(t, before), asJSON(t, after))
			}
		}
	})
	t.Run("unknown scopes and types say that they come later", func(t *testing.T) {
		for _, v := range []m{
			{"Name": "Cert", "Type": "Certificate", "Value": "Certificates-1"},
			{"Name": "Far", "Value": "x", "Scope": m{"TenantTag": []string{"Region/North"}}},
		} {
			a := s.call("PUT", "/api/Spaces-1/variables/variableset-Projects-1", m{"Version": 2, "Variables": []m{v}})
			if a.status != 400 || !strings.Contains(string(a.body), "comes with a later version") {
				t.Errorf("%v: %d %s", v, a.status, a.body)
			}
		}
	})
}

// TestUploadsAreChunkedForms sends what the public client sends, over a real connection.
func TestUploadsAreChunkedForms(t *testing.T) {
	s := newSite(t)
	server := httptest.NewServer(s.handler)
	defer server.Close()
	upload := func(name, text, mode string) (int, string) {
		reader, writer := io.Pipe()
		form := multipart.NewWriter(writer)
		go func() {
			part, err := form.CreateFormFile("file", name)
			if err == nil {
				_, err = part.Write(zipped(t, text))
			}
			if err == nil {
				err = form.Close()
			}
			writer.CloseWithError(err)
		}()
		r, err := http.NewRequest("POST", server.URL+"/api/Spaces-1/packages/raw?overwriteMode="+mode, reader)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("X-Octopus-ApiKey", s.key)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	for _, c := range []struct {
		name, text, mode string
		want             int
	}{
		{"Web.App.1.0.0.zip", "one", "FailIfExists", 201},
		{"Web.App.1.0.0.zip", "two", "FailIfExists", 409},
		{"Web.App.1.0.0.zip", "two", "IgnoreIfExists", 200},
		{"Web.App.1.0.0.zip", "one", "FailIfExists", 200},
		{"Web.App.1.0.0.zip", "two", "OverwriteExisting", 201},
		{"noversion.zip", "one", "FailIfExists", 400},
		{"Web.App.1.1.0.zip", "one", "Bogus", 400},
	} {
		if status, body := upload(c.name, c.text, c.mode); status != c.want || !strings.HasPrefix(body, "{") {
			t.Errorf("%s %s: %d %s, want %d", c.name, c.mode, status, body, c.want)
		}
	}
}

func TestPlainUploadAndDownload(t *testing.T) {
	s := newSite(t)
	content := zipped(t, "plain")
	r := s.request("POST", "/api/Spaces-1/packages/raw", content)
	r.Header.Set("Content-Disposition", `attachment; filename="Web.App.2.0.0-beta.1.zip"`)
	if a := s.send(r); a.status != 201 || a.json["Version"] != "2.0.0-beta.1" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s.must(400, "POST", "/api/Spaces-1/packages/raw", content)
	a := s.call("GET", "/api/Spaces-1/packages/packages-Web.App.2.0.0-beta.1/raw", nil)
	if a.status != 200 || !bytes.Equal(a.body, content) || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("download: %d, %d bytes, want %d", a.status, len(a.body), len(content))
	}
	if got := a.header.Get("Content-Disposition"); got != "attachment; filename=Web.App.2.0.0-beta.1.zip" {
		t.Errorf("X8 disposition %q", got)
	}
	r = s.request("GET", "/api/Spaces-1/packages/Web.App.2.0.0-beta.1/raw", nil)
	r.Header.Set("Range", "bytes=2-5")
	if a := s.send(r); a.status != 206 || !bytes.Equal(a.body, content[2:6]) {
		t.Errorf("range: %d %q", a.status, a.body)
	}
}

// TestConflictIsToldOnce: whoever saves an old version learns of it in one sentence, of people's words.
func TestConflictIsToldOnce(t *testing.T) {
	s := newSite(t)
	s.fill()
	for path, want := range map[string]string{
		"deploymentprocesses/deploymentprocess-Projects-1": "the process of project Web App was changed by somebody else: " +
			"it is version 1, not 0",
		"variables/variableset-Projects-1": "the variables of Web App were changed by somebody else: " +
			"they are version 1, not 0",
	} {
		path = "/api/Spaces-1/" + path
		held := s.must(200, "GET", path, nil)
		held["Version"] = 0
		if got := s.must(409, "PUT", path, held); got["ErrorMessage"] != want {
			t.Errorf("%s: %v, want %q", path, got, want)
		}
	}
}
