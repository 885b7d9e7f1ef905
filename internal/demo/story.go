// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fairlead/fixtures"
	"fairlead/internal/cli"
)

// What the story calls its things.
const (
	environmentName = "Harbour"
	projectName     = "Web App"
	tagName         = "web"
	packageName     = "webapp"
	greeting        = "Good day from #{Octopus.Machine.Name}"
)

// Limits of the story's waits.
const (
	deployLimit = 2 * time.Minute
)

// Story tells how two versions of a web application come to two machines. Its methods are the stages, in their order.
type Story struct {
	Site   *Site
	Screen *Screen
	// Deployed is what has been deployed so far.
	Deployed []Deployed

	machines []storyMachine
	names    map[string]string // of machines by id
}

// Deployed is one deployment and what came of it.
type Deployed struct {
	Version string
	Task    Task
	Took    time.Duration
	// Tickets is how many scripts and package steps had to start, Starts how many did, by their traces on the machines.
	Tickets, Starts int
	// Pages is what the machines served afterwards, in the order of the agents.
	Pages []Page
}

type storyMachine struct {
	Machine
	agent   *Agent
	webPort int
}

// NewStory prepares a story on a site that has not been started.
func NewStory(site *Site, screen *Screen) *Story {
	return &Story{Site: site, Screen: screen, names: map[string]string{}}
}

// Tell plays all stages. It stops at the first that fails.
func (s *Story) Tell(ctx context.Context) error {
	type stage struct {
		title string
		do    func(context.Context) error
	}
	stages := []stage{
		{"Start the server", s.StartServer},
		{"Join two agents", s.JoinAgents},
		{"Push two versions of the package " + packageName, s.PushPackages},
		{"Create the project " + projectName, s.CreateProject},
	}
	for _, version := range fixtures.WebAppVersions() {
		title := "Deploy release " + version + " to " + environmentName
		stages = append(stages, stage{title, func(ctx context.Context) error { return s.Deploy(ctx, version) }})
	}
	for _, stage := range stages {
		if err := s.Screen.Stage(stage.title, func() error { return stage.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// StartServer starts the server with a new home and makes an API key with its own command.
func (s *Story) StartServer(ctx context.Context) error {
	if err := s.Site.StartServer(ctx); err != nil {
		return err
	}
	s.Screen.Row("home", "%s", s.Site.ServerHome())
	s.Screen.Row("portal", "%s", s.Site.Portal())
	s.Screen.Row("agents call", "%s", s.Site.Link)
	return s.Site.SignIn(ctx)
}

// JoinAgents creates the environment and lets two machines join with a token each: one dials, one is dialled.
func (s *Story) JoinAgents(ctx context.Context) error {
	if err := s.Site.REST.CreateEnvironment(ctx, environmentName); err != nil {
		return err
	}
	for _, style := range []struct {
		name      string
		listening bool
	}{{"web-1", false}, {"web-2", true}} {
		agent, err := s.Site.AddAgent(style.name, style.listening)
		if err != nil {
			return err
		}
		if err := s.join(ctx, agent); err != nil {
			return err
		}
	}
	for i := range s.machines {
		m := &s.machines[i]
		if err := s.Site.AwaitOnline(ctx, m.agent); err != nil {
			return err
		}
		how := "polling: it dials " + s.Site.Link
		if m.agent.Listening {
			how = "listening: the server dials " + m.agent.Address
		}
		s.Screen.Row(m.agent.Name, "on line, %s", how)
	}
	return nil
}

func (s *Story) join(ctx context.Context, agent *Agent) error {
	token, err := s.Site.Token(ctx, environmentName, tagName, "--machine", agent.Name)
	if err != nil {
		return err
	}
	if _, err := s.Site.Join(ctx, agent, token); err != nil {
		return err
	}
	if err := s.Site.StartAgent(agent); err != nil {
		return err
	}
	machine, err := s.Site.REST.Machine(ctx, agent.Name)
	if err != nil {
		return err
	}
	port, err := s.Site.Ports.Next()
	s.machines = append(s.machines, storyMachine{Machine: machine, agent: agent, webPort: port})
	s.names[machine.ID] = agent.Name
	return err
}

// PushPackages packs both versions and uploads them.
func (s *Story) PushPackages(ctx context.Context) error {
	for _, version := range fixtures.WebAppVersions() {
		name, path, err := s.Site.PackWebApp(ctx, version)
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := s.Site.REST.PushFile(ctx, name, path); err != nil {
			return err
		}
		s.Screen.Say("%-20s %s", name, cli.Bytes(info.Size()))
	}
	return nil
}

// startsFile gets a line from each start of the script step, so that a second start would show.
func (s *Story) startsFile() string { return filepath.Join(s.Site.Dir, "starts") }

// script is the first step. It prints over more than a second, so that the log can be seen to come while it runs.
func (s *Story) script() string {
	return `echo "$(get_octopusvariable Fairlead.Ticket)" >>'` + s.startsFile() + `'
echo "release $(get_octopusvariable Octopus.Release.Number) comes to $(get_octopusvariable Octopus.Machine.Name)"
for check in disk memory shell; do
	case "$check" in
	disk) echo "disk: $(df -Ph . | awk 'NR == 2 { print $4 }') free" ;;
	memory) echo "memory: $(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo) MB free" ;;
	shell) echo "shell: bash $BASH_VERSION" ;;
	esac
	sleep 0.4
done
`
}

// CreateProject makes the project: two steps, and the variables that the page and the hooks need.
func (s *Story) CreateProject(ctx context.Context) error {
	steps := []Step{
		{Name: "Check the machine", Tag: tagName, Script: s.script()},
		{Name: "Install the application", Tag: tagName, Package: packageName, SubstituteIn: []string{"index.html"}},
	}
	variables := []Variable{{Name: "Greeting", Value: greeting}}
	for _, m := range s.machines {
		variables = append(variables, Variable{Name: fixtures.WebPort, Value: strconv.Itoa(m.webPort), Machine: m.ID})
	}
	if err := s.Site.REST.CreateProject(ctx, projectName, steps, variables); err != nil {
		return err
	}
	s.Screen.Row("step 1", "%s: a bash script", steps[0].Name)
	s.Screen.Row("step 2", "%s: unpack, substitute, run hooks, switch", steps[1].Name)
	s.Screen.Row("variables", "Greeting, and %s for each machine", fixtures.WebPort)
	return nil
}

// Deploy makes a release, deploys it while the log is shown, and checks what came of it.
func (s *Story) Deploy(ctx context.Context, version string) error {
	ctx, cancel := context.WithTimeout(ctx, deployLimit)
	defer cancel()
	began := time.Now()
	if err := s.Site.REST.CreateRelease(ctx, projectName, version); err != nil {
		return err
	}
	id, err := s.Site.REST.Deploy(ctx, projectName, version, environmentName)
	if err != nil {
		return err
	}
	var task Task
	err = s.Site.WhileRunning(ctx, func(ctx context.Context) (err error) {
		task, err = s.Site.REST.Follow(ctx, id, func(l LogLine) error {
			s.Screen.Log(l, s.where(l.Node))
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	if task.State != "Success" {
		return fmt.Errorf("%s ended with %s: %s", task.Description, task.State, task.ErrorMessage)
	}
	d := Deployed{Version: version, Task: task, Took: time.Since(began)}
	if err := errors.Join(s.checkPages(ctx, &d), s.checkStarts(ctx, &d)); err != nil {
		return err
	}
	s.Deployed = append(s.Deployed, d)
	return nil
}

// where names the machine of a log's node.
func (s *Story) where(node string) string {
	_, id, _ := strings.Cut(node, "/")
	return s.names[id]
}

// checkPages asks each machine's web application for its page.
func (s *Story) checkPages(ctx context.Context, d *Deployed) error {
	for _, m := range s.machines {
		page, err := ReadPage(ctx, m.webPort)
		if err != nil {
			return fmt.Errorf("ask the web application on %s: %w", m.agent.Name, err)
		}
		want := Page{
			Package: d.Version, Release: d.Version, Environment: environmentName, Machine: m.agent.Name,
			Greeting: strings.ReplaceAll(greeting, "#{Octopus.Machine.Name}", m.agent.Name),
		}
		if page != want {
			return fmt.Errorf("the page of %s is %+v, want %+v", m.agent.Name, page, want)
		}
		d.Pages = append(d.Pages, page)
		s.Screen.Say("http://%s serves release %s on %s: “%s”",
			Loopback(m.webPort), page.Release, page.Machine, page.Greeting)
	}
	return nil
}
