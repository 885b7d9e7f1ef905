// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	agent "fairlead/agent/daemon"
	"fairlead/internal/cli"
	"fairlead/internal/host"
	"fairlead/netem"
	server "fairlead/server/daemon"
	"fairlead/sim"
)

// What the programs ask of their kernels; see internal/host.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 45 * time.Second, Interval: 15 * time.Second, Count: 4}

// The wall clock of every run begins here.
var epoch = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// site is a server on the internet and agents in a ward behind a NAT that forgets idle connections
// after 40 s without a word.
type site struct {
	t     *testing.T
	ctx   context.Context
	dir   string
	world *netem.World
	ward  *netem.Edge
	hq    *netem.Host
	nat   *netem.NAT
	trace bytes.Buffer
	owned sync.WaitGroup
	logs  logs

	server     *sim.Machine
	home       server.Home
	options    server.Options
	stopServer func()
	agents     []*sim.Machine
	operator   http.Client
	key        string
}

const (
	serverName  = "hq"
	agentCount  = 3
	serverLink  = "0.0.0.0:10943"
	serverHTTP  = "0.0.0.0:8065"
	testVersion = "1.0.0-sim"
)

// logs collects what all programs say, in the order in which they say it.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (s *site) log(name string) *slog.Logger {
	return slog.New(slog.NewTextHandler(&s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})).With("on", name)
}

func newSite(t *testing.T, dir string, seed uint64, agents int, idle func()) *site {
	t.Helper()
	s := &site{t: t, dir: dir}
	ctx, cancel := context.WithCancel(t.Context())
	s.ctx = ctx
	t.Cleanup(func() {
		cancel()
		s.owned.Wait()
		for _, m := range append(s.agents, s.server) {
			m.Stop()
		}
		if leaks := s.world.Close(); leaks != (netem.Leaks{}) {
			t.Errorf("the programs left open: %+v", leaks)
		}
	})
	s.world = netem.New(netem.Options{Seed: seed, Wait: synctest.Wait, Idle: idle, Trace: &s.trace})
	internet := s.world.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
	ward := s.world.Net("ward", netip.MustParsePrefix("192.168.7.0/24"))
	s.nat = netem.NewNAT(netem.NATSpec{
		Public: netip.MustParseAddr("203.0.113.7"), Mapping: netem.AddressPortDependent,
		Filtering: netem.AddressPortDependent, Established: 40 * time.Second, Transitory: 30 * time.Second,
		Expired: netem.Silence,
	})
	delay := netem.Dist{Least: 20 * time.Millisecond, Spread: 5 * time.Millisecond}
	s.ward = s.world.Join(ward, internet, netem.Symmetric(netem.LinkSpec{Latency: delay}), s.nat)
	s.hq = internet.Host(serverName, netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.10"), KeepAlive: keepAlive})
	s.server = sim.NewMachine(context.WithoutCancel(ctx), s.hq, seed, s.log(serverName))
	for i := range agents {
		name := fmt.Sprintf("web-%d", i+1)
		h := ward.Host(name, netem.HostSpec{Addr: netip.AddrFrom4([4]byte{192, 168, 7, byte(10 + i)}), KeepAlive: keepAlive})
		s.agents = append(s.agents, sim.NewMachine(context.WithoutCancel(ctx), h, seed, s.log(name)))
	}
	desk := internet.Host("desk", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.20")})
	transport := &http.Transport{DialContext: desk.DialContext, DisableKeepAlives: true}
	s.operator = http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return s
}

func (s *site) folder(name string) string {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// run runs one command line of a program and returns what it printed.
func (s *site) run(
	main func(context.Context, []string, cli.IO, string, func(*slog.Logger) host.Env) int,
	m *sim.Machine, environment map[string]string, args ...string,
) string {
	s.t.Helper()
	var out, errs bytes.Buffer
	std := cli.IO{Out: &out, Err: &errs, Getenv: func(name string) string { return environment[name] }}
	if code := main(s.ctx, args, std, testVersion, func(*slog.Logger) host.Env { return m.Env() }); code != 0 {
		s.t.Fatalf("%v ended with %d: %s", args, code, errs.String())
	}
	return strings.TrimSpace(out.String())
}

func (s *site) startServer() {
	s.t.Helper()
	s.home = server.Home(s.folder(serverName))
	settings := server.DefaultSettings()
	settings.HTTP, settings.Link, settings.PublicLink = serverHTTP, serverLink, serverName+":10943"
	options := server.Options{Home: s.home, Settings: settings, Version: testVersion, NoAdminSocket: true}
	first, err := server.New(s.ctx, options, s.server.Env())
	if err != nil {
		s.t.Fatal(err)
	}
	first.Close()
	s.run(server.Main, s.server, nil, "environment", "create", "--home", string(s.home), "Production")
	s.key = s.run(server.Main, s.server, nil, "admin", "api-key", "--home", string(s.home))
	s.options = options
	s.resumeServer()
}

// resumeServer runs the server on what lies in its home.
func (s *site) resumeServer() {
	s.t.Helper()
	d, err := server.New(s.ctx, s.options, s.server.Env())
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			s.t.Errorf("server: %v", err)
		}
	})
	s.stopServer = func() {
		stop()
		running.Wait()
	}
	s.owned.Go(running.Wait)
	<-d.Ready()
}

func (s *site) startAgent(m *sim.Machine, name string) {
	s.t.Helper()
	var made struct{ Token string }
	s.call("POST", "/api/Spaces-1/jointokens", map[string]any{
		"Environments": []string{"Production"}, "Tags": []string{"web"}, "ExpiresInSeconds": 3600,
	}, &made)
	home := agent.Home(s.folder(name))
	s.run(agent.Main, m, map[string]string{"FAIRLEAD_TOKEN": made.Token}, "join", "--home", string(home))
	settings, err := agent.LoadSettings(filepath.Join(string(home), "agent.toml"))
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := agent.New(agent.Options{Home: home, Settings: settings, Version: testVersion}, m.Env())
	if err != nil {
		s.t.Fatal(err)
	}
	s.owned.Go(func() {
		if err := d.Run(s.ctx); err != nil {
			s.t.Errorf("agent %s: %v", name, err)
		}
	})
}

// call asks the server's REST surface from the operator's desk.
func (s *site) call(method, path string, in, out any) {
	s.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.ctx, method, "http://"+serverName+":8065"+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("X-Octopus-ApiKey", s.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.operator.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s, %v", method, path, response.StatusCode, body, err)
	}
	if raw, is := out.(*string); is {
		*raw = string(body)
	} else if err := json.Unmarshal(body, out); err != nil {
		s.t.Fatal(err)
	}
}

type task struct {
	ID           string `json:"Id"`
	State        string
	IsCompleted  bool
	ErrorMessage string
}

// script queues an ad-hoc script on every machine.
func (s *site) script(body string) (t task) {
	s.t.Helper()
	s.call("POST", "/api/tasks", map[string]any{
		"Name": "AdHocScript", "Description": "smoke",
		"Arguments": map[string]any{"ScriptBody": body, "Syntax": "Bash", "TargetRoles": []string{"web"}},
	}, &t)
	return t
}

func (s *site) await(t task) task {
	s.t.Helper()
	for range 600 {
		s.call("GET", "/api/tasks/"+t.ID, nil, &t)
		if t.IsCompleted {
			return t
		}
		time.Sleep(time.Second)
	}
	s.t.Fatalf("%s is %s after 10 minutes", t.ID, t.State)
	return t
}

func (s *site) online() (n int) {
	s.t.Helper()
	var list struct {
		Items []struct{ IsOnline bool }
	}
	s.call("GET", "/api/Spaces-1/machines?take=2000", nil, &list)
	for _, m := range list.Items {
		if m.IsOnline {
			n++
		}
	}
	return n
}

func (s *site) startAgents() {
	s.t.Helper()
	for i, m := range s.agents {
		s.startAgent(m, fmt.Sprintf("web-%d", i+1))
	}
	s.allOnline(5 * time.Second)
}

// allOnline waits until every agent is on line and returns how long that took.
func (s *site) allOnline(limit time.Duration) time.Duration {
	s.t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		if s.online() == len(s.agents) {
			return time.Since(began)
		}
		time.Sleep(250 * time.Millisecond)
	}
	s.t.Fatalf("%d agents are on line after %v, want %d", s.online(), limit, len(s.agents))
	return limit
}

// story is the run that is compared: join, a script everywhere, a script while a line is cut, an
// hour of silence.
func (s *site) story() {
	s.startServer()
	s.startAgents()

	quick := s.await(s.script("echo hello\nsleep 2\necho done"))
	var log string
	s.call("GET", "/api/tasks/"+quick.ID+"/raw", nil, &log)
	if quick.State != "Success" || strings.Count(log, "hello") != agentCount || strings.Count(log, "done") != agentCount {
		s.t.Errorf("first script: %s %s\n%s", quick.State, quick.ErrorMessage, log)
	}

	long := s.script("echo begin\nsleep 200\necho end")
	time.Sleep(10 * time.Second)
	heal := s.world.Inject(netem.Cut{Edge: s.ward})
	time.Sleep(90 * time.Second)
	heal()
	long = s.await(long)
	s.call("GET", "/api/tasks/"+long.ID+"/raw", nil, &log)
	if long.State != "Success" || strings.Count(log, "begin") != agentCount || strings.Count(log, "end") < agentCount {
		s.t.Errorf("script over a cut: %s %s\n%s", long.State, long.ErrorMessage, log)
	}

	time.Sleep(time.Hour)
	if n := s.online(); n != agentCount {
		s.t.Errorf("%d agents are on line after an hour, want %d", n, agentCount)
	}
	bad := s.await(s.script("echo oops >&2\nexit 3"))
	if bad.State != "Failed" {
		s.t.Errorf("script that exits with 3: %s", bad.State)
	}
}

// runStory runs a story in a bubble of its own and returns its digests and trace.
func runStory(t *testing.T, seed uint64, agents int, idle func(), story func(*site)) (d netem.Digest, trace, log string) {
	dir := t.TempDir()
	cryptotest.SetGlobalRandom(t, seed)
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(epoch))
		s := newSite(t, dir, seed, agents, idle)
		story(s)
		var err error
		if d, err = s.world.Digest(); err != nil {
			t.Error(err)
		}
		t.Logf("%v of virtual time, %+v", s.world.Now(), s.world.Counts())
		trace, log = s.trace.String(), s.logs.text.String()
	})
	t.Logf("%v of real time, %+v", time.Since(began), d)
	return d, trace, log
}

// maxPairs is how often two runs may differ before it counts. With six busy loops beside it on two
// processors the scheduler cut one goroutine short in 2 of 36 pairs, which split a record in two;
// on a quiet machine never. Times, kinds and machines must agree in each pair.
const maxPairs = 3

// tellTwice runs a story twice and compares the two to the last byte.
func tellTwice(t *testing.T, seed uint64, agents int, story func(*site)) {
	t.Helper()
	idle, restore := quietRuntime()
	defer restore()
	for pair := range maxPairs {
		var digests [2]netem.Digest
		var traces [2]string
		for i := range digests {
			t.Run(fmt.Sprint(2*pair+i), func(t *testing.T) {
				var log string
				digests[i], traces[i], log = runStory(t, seed, agents, idle, story)
				keep(t, traces[i], log)
			})
		}
		if digests[0] == digests[1] || t.Failed() {
			return
		}
		say := t.Logf
		if pair == maxPairs-1 || digests[0].Shape != digests[1].Shape {
			say = t.Errorf
		}
		say("two runs differ:\n%+v\n%+v\n%s", digests[0], digests[1], firstDifference(traces[0], traces[1]))
		if t.Failed() {
			return
		}
	}
}

// keep writes trace and log down for whoever asks for them.
func keep(t *testing.T, trace, log string) {
	dir := os.Getenv("FAIRLEAD_SIM_KEEP")
	if dir == "" {
		return
	}
	name := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-"))
	_ = os.WriteFile(name+".jsonl", []byte(trace), 0o600)
	_ = os.WriteFile(name+".log", []byte(log), 0o600)
}

func TestTheRealProgramsTellOneStoryTwice(t *testing.T) { tellTwice(t, 7, agentCount, (*site).story) }

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			from := max(0, i-5)
			return strings.Join(as[from:i], "\n") + "\n< " + as[i] + "\n> " + bs[i]
		}
	}
	return "one is longer"
}
