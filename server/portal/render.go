// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"bytes"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// pages are the parsed templates, by name.
type pages map[string]*template.Template

// view is what every template gets.
type view struct {
	Title string
	Nav   string // the entry of the menu that is current
	// Refresh is after how many seconds a script may read the page again; 0: never.
	Refresh int
	Data    any

	Notice  string // what the server cannot do now
	Held    bool   // it is in safe mode
	User    string // display name; "" when nobody is signed in
	Spaces  []Space
	Space   deploy.SpaceID // of Spaces, the one shown
	Version string
	URL     string
	may     identity.Set
}

// May tells whether the reader has a permission, so that a page can leave a button out.
func (v view) May(p string) bool { return v.may.Has(identity.Permission(p)) }

// Token is the command that makes a join token in the space shown.
func (v view) Token() string {
	return "fairlead-server token create --environment Test --tag web" + v.InSpace()
}

// InSpace is what commands of the server want to hear of the space shown, or "".
func (v view) InSpace() string { return v.inSpace(" --space ") }

// Octopus is a command of Octopus's client, for the space shown: it asks which when its user sees several.
func (v view) Octopus(arguments string) string {
	return "OCTOPUS_URL=" + v.URL + v.inSpace(" OCTOPUS_SPACE=") + " OCTOPUS_API_KEY=$KEY \\\n  octopus " + arguments
}

// API is where the space shown has its REST surface.
func (v view) API() string { return v.URL + "/api" + v.inSpace("/") }

// inSpace is before and the space shown, or "" where commands mean it anyhow.
func (v view) inSpace(before string) string {
	if v.Space == deploy.DefaultSpace && len(v.Spaces) < 2 {
		return ""
	}
	return before + string(v.Space)
}

// loadPages parses the templates: each page together with the frame and the parts.
func (p *Portal) loadPages() pages {
	frame := template.New("").Funcs(p.funcs())
	shared := template.Must(frame.ParseFS(embedded, "templates/frame.html", "templates/parts.html"))
	files, err := embedded.ReadDir("templates")
	if err != nil {
		panic("portal: " + err.Error()) // embedded by the compiler
	}
	loaded := pages{}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), path.Ext(file.Name()))
		if name != "frame" && name != "parts" {
			loaded[name] = template.Must(template.Must(shared.Clone()).ParseFS(embedded, "templates/"+file.Name()))
		}
	}
	return loaded
}

func (p *Portal) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":     p.assets.url,
		"icon":      func(shape string) string { return p.assets.url("icons.svg") + "#" + shape },
		"ago":       func(at time.Time) string { return ago(at, p.options.Wall()) },
		"full":      p.full,
		"machined":  func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"now":       p.options.Wall,
		"clock":     p.clock,
		"duration":  func(t Task) string { return duration(t, p.options.Wall()) },
		"size":      size,
		"visible":   visible,
		"shown":     shown,
		"prose":     prose,
		"plural":    plural,
		"task":      taskBadge,
		"activity":  activityBadge,
		"health":    healthBadge,
		"presence":  presenceBadge,
		"action":    actionWord,
		"kind":      kindWord,
		"condition": conditionWord,
		"event":     eventWord,
		"lower":     strings.ToLower,
		"loud":      loudWord,
		"lines":     func(text string) []string { return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") },
		"group":     grouped,
		"add":       func(a, b int) int { return a + b },
		"list":      func(words ...string) []string { return words },
	}
}

// clock is the time of a log line, full is what a relative time has as its title.
func (p *Portal) clock(at time.Time) string { return p.local(at).Format("15:04:05") }

func (p *Portal) full(at time.Time) string { return p.local(at).Format("2006-01-02 15:04:05 MST") }

func (p *Portal) local(at time.Time) time.Time { return at.In(p.options.Wall().Location()) }

// grouped puts a space after every four digits.
func grouped(hex string) string {
	var b strings.Builder
	for i, r := range hex {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// show renders a page and sends it.
func (p *Portal) show(v *visit, status int, name string, data view) error {
	body, err := p.render(v, name, "frame", data)
	if err != nil {
		return err
	}
	v.ResponseWriter.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.ResponseWriter.WriteHeader(status)
	_, _ = v.ResponseWriter.Write(body) // a browser that is gone wants no answer
	return nil
}

// render makes one template of a page.
func (p *Portal) render(v *visit, page, name string, data view) ([]byte, error) {
	data.Version, data.URL, data.may = p.options.Version, p.options.URL, v.who.Permissions
	data.Spaces, data.Space = v.spaces, v.who.SpaceID()
	if p.options.Notice != nil {
		data.Notice = p.options.Notice()
	}
	data.Held = p.options.SafeMode != nil && p.options.SafeMode()
	if data.User = v.who.User.DisplayName; data.User == "" {
		data.User = v.who.User.Name
	}
	var out bytes.Buffer
	if err := p.pages()[page].ExecuteTemplate(&out, name, data); err != nil {
		return nil, errkind.Internal.Errorf("make the page %s: %w", page, err)
	}
	return out.Bytes(), nil
}

// ok shows a page that was found.
func (p *Portal) ok(v *visit, name string, data view) error {
	return p.show(v, http.StatusOK, name, data)
}
