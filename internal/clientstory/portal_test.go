// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
)

// browser opens pages of the portal as somebody who sent this form of the sign-in page.
func (o *office) browser(t *testing.T, form url.Values) *http.Client {
	t.Helper()
	browser := &http.Client{Timeout: limit, Jar: try(cookiejar.New(nil)).must(t)}
	request := try(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+o.HTTP+"/app/sign-in",
		strings.NewReader(form.Encode()))).must(t)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "http://"+o.HTTP)
	answer := try(browser.Do(request)).must(t)
	must(t, answer.Body.Close())
	equal(t, "the page after signing in", answer.Request.URL.Path, "/app")
	return browser
}

// leadsTo follows the link Web of a resource: its own page answers, with these words on it.
func (o *office) leadsTo(t *testing.T, browser *http.Client, links map[string]string, words string) {
	t.Helper()
	web := links["Web"]
	if strings.Contains(web, "#") || !strings.HasPrefix(web, "/app/") {
		t.Fatalf("the link Web is %q: want the address of a page", web)
	}
	answer := try(browser.Get("http://" + o.HTTP + web)).must(t)
	body := try(io.ReadAll(answer.Body)).must(t)
	must(t, answer.Body.Close())
	equal(t, "status of "+web, answer.StatusCode, http.StatusOK)
	equal(t, "where "+web+" ends", answer.Request.URL.Path, web)
	if !strings.Contains(string(body), words) {
		t.Errorf("%s does not say %q", web, words)
	}
}

// webLinks: what clients offer to open are pages, and the task's says that it waits for people.
func (s *story) webLinks(t *testing.T, task string) {
	t.Helper()
	key := try(os.ReadFile(s.KeyFile())).must(t)
	browser := s.browser(t, url.Values{"key": {string(key)}})
	s.leadsTo(t, browser, s.task(t, task).Links, "Waiting for an answer")
	s.leadsTo(t, browser, try(s.client.Projects.GetByID(s.project.ID)).must(t).Links, shop)
	deployment := try(s.client.Deployments.GetByID(s.queued[len(s.queued)-1].DeploymentID)).must(t)
	s.leadsTo(t, browser, deployment.Links, "Waiting for an answer")
	s.leadsTo(t, browser, try(s.client.Releases.GetByID(deployment.ReleaseID)).must(t).Links, "1.0.0")
}
