// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/internal/trust"
	"fairlead/server/daemon"
	"fairlead/server/target"
)

// requestBytes is how long a dispatched request is, from its length prefix to its last byte.
const requestBytes = 200

// candidate is the server as customers run it, in this process, and what drives it.
type candidate struct {
	daemon *daemon.Daemon
	stop   context.CancelFunc
	work   sync.WaitGroup
	ended  chan struct{} // closed when Run has returned err
	err    error
}

type openServer struct {
	Home, Link string
}

type openedServer struct {
	Link string
	Pin  trust.Pin
	HTTP string
}

// candidateRole serves orders on one server.
func candidateRole() *role {
	r, c := newRole(), &candidate{ended: make(chan struct{})}
	on(r, "fill", fillStore)
	on(r, "fill-stock", fillStock)
	on(r, "key", apiKey)
	on(r, "open", c.open)
	on(r, "token", joinToken)
	on(r, "await", c.await)
	on(r, "dispatch", c.dispatch)
	on(r, "push", c.push)
	on(r, "script", c.script)
	on(r, "upload", func(ctx context.Context, o upload) (any, error) { return nil, o.push(ctx) })
	on(r, "send", c.send)
	on(r, "close", func(context.Context, struct{}) (any, error) {
		c.stop()
		c.work.Wait()
		return nil, c.err
	})
	return r
}

func benchEnv() host.Env { return host.Real(slog.New(slog.NewJSONHandler(os.Stderr, nil))) }

func serverOptions(o openServer) daemon.Options {
	s := daemon.DefaultSettings()
	s.HTTP, s.Link = "127.0.0.1:0", o.Link
	return daemon.Options{Home: daemon.Home(o.Home), Settings: s, Version: "bench"}
}

func (c *candidate) open(ctx context.Context, o openServer) (_ any, err error) {
	if c.daemon, err = daemon.New(ctx, serverOptions(o), benchEnv()); err != nil {
		return nil, err
	}
	ctx, c.stop = context.WithCancel(ctx)
	c.work.Go(func() {
		defer close(c.ended)
		c.err = c.daemon.Run(ctx)
	})
	select {
	case <-c.daemon.Ready():
		return openedServer{Link: c.daemon.Bound().Link, Pin: c.daemon.Pin(), HTTP: c.daemon.Bound().HTTP}, nil
	case <-c.ended:
		return nil, errors.Join(errors.New("the server ended"), c.err)
	}
}

type fill struct {
	Home, Roster string
	Count        int
}

// fillStore puts machines into the store of a server that does not run, and returns their ids. Each
// has one environment and two tags, as machines do.
func fillStore(ctx context.Context, o fill) (any, error) {
	identities, err := readRoster(o.Roster, o.Count)
	if err != nil {
		return nil, err
	}
	d, err := daemon.New(ctx, serverOptions(openServer{o.Home, "127.0.0.1:0"}), benchEnv())
	if err != nil {
		return nil, err
	}
	d.Close()
	db, err := sqlite.Open(ctx, filepath.Join(o.Home, "fairlead.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	ids := make([]deploy.MachineID, len(identities))
	err = db.Update(ctx, func(w store.Writer) error {
		environment, err := w.NextID("Environments")
		if err != nil {
			return err
		}
		err = w.PutEnvironment(deploy.Environment{
			ID: deploy.EnvironmentID(environment), Space: deploy.DefaultSpace, Name: "Bench", Slug: "bench",
		})
		for i := 0; err == nil && i < len(identities); i++ {
			ids[i], err = putMachine(w, i, identities[i].Pin, deploy.EnvironmentID(environment))
		}
		return err
	})
	return ids, errors.Join(err, db.Close())
}

func putMachine(w store.Writer, i int, pin trust.Pin, e deploy.EnvironmentID) (deploy.MachineID, error) {
	id, err := w.NextID("Machines")
	if err != nil {
		return "", err
	}
	now := time.Now()
	return deploy.MachineID(id), w.PutMachine(deploy.Machine{
		ID: deploy.MachineID(id), Space: deploy.DefaultSpace, Name: fmt.Sprintf("bench-%05d", i),
		Environments: []deploy.EnvironmentID{e}, Tags: []string{"db", "web"}, Style: deploy.Style(trust.ModePolling),
		Pin: pin.String(), AddedAt: now, Health: deploy.Health{Status: deploy.HealthUnknown, LastSeen: now},
	})
}

// joinToken makes an environment and a join token through the admin socket of the server that runs
// in home.
func joinToken(ctx context.Context, home string) (any, error) {
	var none struct{}
	if err := postAdmin(ctx, home, "/api/Spaces-1/environments", map[string]string{"Name": "Real"}, &none); err != nil {
		return nil, err
	}
	var token struct{ Token string }
	err := postAdmin(ctx, home, "/api/Spaces-1/jointokens", map[string]any{
		"Environments": []string{"Real"}, "Tags": []string{"web"}, "ExpiresInSeconds": 600,
	}, &token)
	return token.Token, err
}

// postAdmin asks the server that runs in home through its admin socket.
func postAdmin(ctx context.Context, home, path string, in, out any) error {
	web, err := adminOf(home)
	if err != nil {
		return err
	}
	defer web.CloseIdleConnections()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, "POST", "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := web.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("POST %s: %s %s", path, response.Status, text)
	}
	return json.Unmarshal(text, out)
}

// adminOf speaks to the admin socket of the server that runs in home.
func adminOf(home string) (*http.Client, error) {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", "admin.sock") },
	}}, os.Chdir(home) // a socket's path has room for 108 bytes
}

// upload is a package for the feed of the server that runs in Home, and for a machine.
type upload struct {
	Home, Path, ID, Version string
	Machine                 deploy.MachineID
}

func (u upload) push(ctx context.Context) error {
	web, err := adminOf(u.Home)
	if err != nil {
		return err
	}
	defer web.CloseIdleConnections()
	file, err := os.Open(u.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	path := "http://localhost/api/Spaces-1/packages/raw?fileName=" + filepath.Base(u.Path)
	request, err := http.NewRequestWithContext(ctx, "POST", path, file)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := web.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, err := io.ReadAll(response.Body)
		return errors.Join(fmt.Errorf("push a package: %s %s", response.Status, text), err)
	}
	return nil
}

// send brings a package of the feed to a machine, as a deployment does.
func (c *candidate) send(ctx context.Context, u upload) (any, error) {
	t, err := c.daemon.Target(u.Machine)
	if err != nil {
		return nil, err
	}
	content, err := c.daemon.Content(ctx, u.ID, u.Version)
	if err != nil {
		return nil, err
	}
	sent, err := t.Send(ctx, content)
	if err == nil && !sent {
		err = errors.New("the agent held the package already")
	}
	return nil, err
}

type await struct {
	Machines []deploy.MachineID
	Seconds  float64
}

type awaited struct {
	Missing int           // machines that could not be dispatched to in time
	Half    time.Duration // until half of a sample could
	Last    time.Duration // until all could, since the order came
}

// sampleEvery is how many machines there are for one in the sample.
const sampleEvery = 50

// await waits until every machine can be dispatched to. Looking must cost the server little, so it
// looks at a sample, and then for one machine after the other.
func (c *candidate) await(_ context.Context, o await) (any, error) {
	began := time.Now()
	limit := began.Add(time.Duration(o.Seconds * float64(time.Second)))
	var sample []deploy.MachineID
	for i := 0; i < len(o.Machines); i += sampleEvery {
		sample = append(sample, o.Machines[i])
	}
	var result awaited
	half := c.until(limit, func() bool { return c.countReached(sample) >= (len(sample)+1)/2 })
	result.Half = time.Since(began)
	reached := 0
	all := half && c.until(limit, func() bool {
		for reached < len(o.Machines) && c.countReached(o.Machines[reached:reached+1]) == 1 {
			reached++
		}
		return reached == len(o.Machines)
	})
	result.Last = time.Since(began)
	if !all {
		result.Missing = len(o.Machines) - c.countReached(o.Machines)
	}
	return result, nil
}

func (c *candidate) until(limit time.Time, done func() bool) bool {
	for time.Now().Before(limit) {
		if done() {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

func (c *candidate) countReached(machines []deploy.MachineID) (n int) {
	for _, id := range machines {
		if _, err := c.daemon.Target(id); err == nil {
			n++
		}
	}
	return n
}

type dispatch struct {
	pace
	Machines []deploy.MachineID
	Seed     uint64
}

// dispatch sends requests of requestBytes to random machines, through the target adapter as the
// engine does; the answers are as long.
func (c *candidate) dispatch(ctx context.Context, o dispatch) (any, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	order := make([]deploy.MachineID, int(float64(o.Rate)*o.Seconds))
	for i := range order {
		order[i] = o.Machines[rng.IntN(len(o.Machines))]
	}
	ticket := benchTicket()
	by := strings.Repeat("b", requestBytes-cancelHeadBytes-len(ticket))
	return paced(o.pace, func(i int) error {
		t, err := c.daemon.Target(order[i])
		if err != nil {
			return err
		}
		return t.Cancel(ctx, ticket, time.Second, by)
	}), nil
}

// cancelHeadBytes is a script.cancel with an empty ticket and nobody's name, on the wire.
const cancelHeadBytes = 4 + len(`{"method":"script.cancel","args":{"ticket":"","grace_ms":1000,"by":""}}`)

func benchTicket() contract.TicketID {
	return contract.TicketID("bench-" + strings.Repeat("0", contract.MaxTicketBytes-len("bench-")))
}

type push struct {
	Machine      deploy.MachineID
	Path, SHA256 string
	Size         int64
	Sums         contract.RunningSums
}

type pushed struct {
	Took time.Duration
	CPU  time.Duration // of this process
	// Added by the bench.
	ReceiverCPU time.Duration
	Waits       int64 // of both ends
}

// push sends a file as the engine sends a package, until the agent has said that it holds it.
func (c *candidate) push(ctx context.Context, o push) (any, error) {
	t, err := c.daemon.Target(o.Machine)
	if err != nil {
		return nil, err
	}
	before, err := usageOfSelf()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	sent, err := t.Send(ctx, target.Content{
		SHA256: o.SHA256, Size: o.Size, Open: func() (io.ReadSeekCloser, error) { return os.Open(o.Path) },
		Sums: func(context.Context) (contract.RunningSums, error) { return o.Sums, nil },
	})
	took := time.Since(began)
	if err == nil && !sent {
		err = errors.New("the agent held the content already")
	}
	after, usageErr := usageOfSelf()
	return pushed{Took: took, CPU: after.CPU - before.CPU}, errors.Join(err, usageErr)
}
