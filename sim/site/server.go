// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fairlead/internal/home"
	daemon "fairlead/server/daemon"
	"fairlead/sim"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// endLimit is how long a program that was told to end may take, in virtual time.
const endLimit = 2 * time.Minute

// server is one machine for the server, and the life of the program on it.
type server struct {
	s    *site
	spec plan.Server
	m    *sim.Machine
	life *sim.Life // nil while none runs
	boot func()    // gives the power back, nil while it is on
	gone chan struct{}
}

func (s *site) addServer(spec plan.Server) error {
	h, err := s.host(spec.Name, spec.On, spec.Addr, spec.Wire)
	if err != nil {
		return err
	}
	var keyLog io.Writer
	if s.o.Capture != nil {
		keyLog = s.o.Capture.KeyLog()
	}
	m, err := s.machine(h, keyLog)
	if err != nil {
		return err
	}
	s.servers = append(s.servers, &server{s: s, spec: spec, m: m})
	return nil
}

func (v *server) settings() daemon.Settings {
	settings := daemon.DefaultSettings()
	settings.HTTP = fmt.Sprintf("0.0.0.0:%d", webPort)
	settings.Link = fmt.Sprintf("0.0.0.0:%d", v.spec.Link)
	settings.PublicLink = fmt.Sprintf("%s:%d", v.spec.Name, v.spec.Link)
	if len(v.s.plan.Agents) > 0 {
		settings.PublicLink = v.s.plan.Agents[0].Target
	}
	settings.ReserveMB = 0 // its disk is never full, and its home lies in memory
	proxies(&settings, v.spec)
	return settings
}

// start begins a life of the server and waits until it listens, or has ended. It does nothing while one lives: two
// people may restart the server at the same moment.
func (v *server) start() {
	life, gone, err := v.begin()
	if err != nil {
		v.s.fail("start %s: %v", v.spec.Name, err)
	}
	if life == nil {
		return
	}
	v.s.record(history.Event{Kind: history.Launched, Who: v.spec.Name, Text: sim.ServerLife, N: life.Number()})
	ready := make(chan struct{})
	life.Go(func() { v.run(life, ready) })
	v.s.owned.Go(func() {
		life.Wait()
		close(gone)
	})
	select {
	case <-ready:
	case <-gone:
	}
}

// begin begins a life unless there is one: then it returns nil.
func (v *server) begin() (life *sim.Life, gone chan struct{}, err error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if v.life != nil && !hasEnded(v.gone) {
		return nil, nil, nil
	}
	if life, err = v.m.Begin(sim.ServerLife); err != nil {
		return nil, nil, err
	}
	v.life, v.gone = life, make(chan struct{})
	return life, v.gone, nil
}

// run is the whole life of a server's process.
func (v *server) run(life *sim.Life, ready chan struct{}) {
	d, err := daemon.New(life.Context(), daemon.Options{
		Home: daemon.Home(life.Home()), Settings: v.settings(), Version: version, NoAdminSocket: true,
	}, life.Env())
	if err == nil {
		life.Go(func() {
			select {
			case <-d.Ready():
				close(ready)
			case <-life.Context().Done():
			}
		})
		err = d.Run(life.Context())
	}
	if !life.Killed() {
		v.s.record(history.Event{Kind: history.Ended, Who: v.spec.Name, Text: said(err), N: life.Number()})
	}
	if err != nil && life.Context().Err() == nil {
		v.s.startAgain(v.m, func() { v.s.revive(v) })
	}
	life.Stop()
}

// hasEnded reports whether a life has ended by itself.
func hasEnded(gone <-chan struct{}) bool {
	select {
	case <-gone:
		return true
	default:
		return false
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// living returns the life that runs, or nil.
func (v *server) living() (*sim.Life, chan struct{}) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if v.life != nil && hasEnded(v.gone) {
		v.life = nil
	}
	return v.life, v.gone
}

// stop ends the server in peace.
func (v *server) stop() {
	life, gone := v.living()
	if life == nil {
		return
	}
	life.Stop()
	v.await(life, gone)
}

// await waits for a life to be over.
func (v *server) await(life *sim.Life, gone chan struct{}) {
	v.s.await(fmt.Sprintf("%s, life %d", v.spec.Name, life.Number()), gone)
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if v.life == life {
		v.life = nil
	}
}

// await waits for the end of something, and says when that does not come.
func (s *site) await(what string, gone <-chan struct{}) {
	timer := time.NewTimer(endLimit)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
		s.fail("%s was told to end and is still there after %s", what, endLimit)
	}
}

// kill ends the server at once. Call it from netem.World.At.
func (v *server) kill() {
	life, gone := v.living()
	if life == nil {
		return
	}
	v.s.record(history.Event{Kind: history.Crashed, Who: v.spec.Name, Text: sim.ServerLife, N: life.Number()})
	if err := life.Kill(); err != nil {
		v.s.fail("%v", err)
	}
	v.m.Net().Kill()
	v.await(life, gone)
}

// powerOff takes the power away; on gives it back.
func (v *server) powerOff() {
	life, gone := v.living()
	v.s.record(history.Event{Kind: history.Crashed, Who: v.spec.Name, Text: "power"})
	boot, err := v.m.PowerOff(v.s.world)
	if err != nil {
		v.s.fail("%v", err)
	}
	v.boot = boot
	if life != nil {
		v.await(life, gone)
	}
}

// powerOn gives the power back. The server runs again unless another has taken over.
func (v *server) powerOn() {
	if v.boot != nil {
		v.boot()
		v.boot = nil
	}
	v.s.revive(v)
}

// failover moves the disk to the next machine and starts the server there.
func (s *site) failover() {
	s.mu.Lock()
	from, next := s.servers[s.active], (s.active+1)%len(s.servers)
	to := s.servers[next]
	if to.boot != nil { // nobody takes over without power
		s.mu.Unlock()
		return
	}
	s.active = next
	s.mu.Unlock()
	from.stop()
	source, _ := from.m.Disk()
	target, files := to.m.Disk()
	if err := os.RemoveAll(filepath.Join(target, "home")); err != nil {
		s.fail("fail over to %s: %v", to.spec.Name, err)
	}
	if err := files.Copy(filepath.Join(source, "home"), filepath.Join(target, "home")); err != nil {
		s.fail("fail over to %s: %v", to.spec.Name, err)
	}
	_ = os.Remove(filepath.Join(target, "home", home.LockFile))
	if err := files.Settle(target); err != nil { // who copies a home syncs it before the program is started
		s.fail("fail over to %s: %v", to.spec.Name, err)
	}
	to.start()
}

// serving is the server that should run.
func (s *site) serving() *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[s.active]
}

// install puts a home that was made before on a machine's disk.
func install(m *sim.Machine, home *sim.Tree) error {
	disk, files := m.Disk()
	at := filepath.Join(disk, "home")
	if err := os.Remove(at); err != nil { // it is empty
		return err
	}
	return files.Install(home, at)
}
