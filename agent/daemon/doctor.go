// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// doctorFlags are what `doctor` may be told.
type doctorFlags struct {
	tokenFile, server       string
	proxy, proxyCredentials string
}

func (m *command) doctor() cli.Command {
	var o doctorFlags
	return cli.Command{
		Name: "doctor", Summary: "walk the way to the server and name the box that is in it",
		Details: "Resolves the name, connects, goes through the proxy, shakes hands with the server's pin, and says where " +
			"it broke, which kind of box that points at, and what to send to the network team. The agent may run or not. " +
			"Before joining give it the token as `join` would be given it; it is not used up. Exits with 0 when the line " +
			"can be opened, with 4 when somebody else answers or refuses, with 5 when nobody does.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			f.StringVar(&o.tokenFile, "token-file", "", "before joining: read the token from this `file`")
			f.StringVar(&o.server, "server", "", "walk to this `host:port` instead; the pin stays")
			f.StringVar(&o.proxy, "proxy", "", "go through this `URL` instead of the proxy in the settings; none for without")
			f.StringVar(&o.proxyCredentials, "proxy-credentials", "", "`file` with user:password for the proxy")
		},
		Examples: []string{
			"fairlead-agent doctor",
			"fairlead-agent doctor --proxy http://proxy.example.com:3128",
			"FAIRLEAD_TOKEN=fl1_… fairlead-agent doctor --json",
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			w, err := m.walk(ctx, std, o)
			if err != nil {
				return err
			}
			verdict := w.walk(ctx)
			if ctx.Err() != nil {
				return errkind.Canceled.Errorf("walk to %s: %w", w.address, ctx.Err())
			}
			r := w.report(verdict)
			if err := std.Show(r, r.text(std)); err != nil || verdict == nil {
				return err
			}
			return errkind.Of(verdict).Errorf("the line cannot be opened: %w", verdict)
		},
	}
}

// walk prepares the way as the settings, or before joining the token, describe it. Errors: Invalid,
// NotFound, Denied: what keeps it from beginning.
func (m *command) walk(ctx context.Context, std *cli.IO, o doctorFlags) (*walk, error) {
	env, h := m.env(std), m.homeFolder()
	w := &walk{env: env, machine: env.Facts().Hostname, protocol: trust.LinkProtocol}
	settings, err := LoadSettings(h.settings())
	switch {
	case errkind.Of(err) == errkind.NotFound && (o.tokenFile != "" || std.Env("FAIRLEAD_TOKEN") != ""):
		if settings, err = w.fromToken(ctx, std, o.tokenFile); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case settings.Mode == trust.ModeListening:
		return nil, errkind.Hinted(errkind.Invalid.Errorf("this agent listens: it has no way to the server to walk"),
			"fairlead-agent status says where it listens; whether the server can dial it is in the server's log")
	default:
		if err := w.fromHome(h); err != nil {
			return nil, err
		}
	}
	if o.server != "" {
		settings.Server = o.server
	}
	if o.proxy != "" {
		settings.Proxy, settings.ProxyCredentials = o.proxy, o.proxyCredentials
	}
	if settings.Proxy == noProxy {
		settings.Proxy = ""
	}
	if err := settings.check(); err != nil {
		return nil, err
	}
	w.address, w.proxy, w.name = settings.Server, settings.Proxy, settings.Name
	d := drafted{Settings: settings, proxy: settings.Proxy, proxyCredentials: settings.ProxyCredentials}
	way, err := d.wayIn(env, h, std.Env(credentialsVariable))
	w.network = way.network
	return w, err
}

// fromToken is the way of somebody who has not joined.
func (w *walk) fromToken(ctx context.Context, std *cli.IO, file string) (Settings, error) {
	token, err := readToken(ctx, std, file)
	if err != nil {
		return Settings{}, err
	}
	w.pins, w.protocol = []trust.Pin{token.Pin()}, trust.JoinProtocol
	w.identity, err = trust.NewIdentity("doctor", w.env.Wall())
	return Settings{Mode: trust.ModePolling, Server: token.Address()}, err
}

// fromHome is the way of an agent that has joined.
func (w *walk) fromHome(h Home) (err error) {
	if w.identity, err = trust.LoadIdentity(h.identity()); errkind.Of(err) == errkind.NotFound && err != nil {
		return errkind.Hinted(err, "the home has settings and no key: restore the file, or join anew with a new token")
	}
	if err != nil {
		return err
	}
	trusted, err := trust.OpenTrust(w.env.Disk, h.trust())
	if err != nil {
		return err
	}
	w.pins = trusted.Current().ServerPins()
	return nil
}

// Checkup is what `doctor` reports.
type Checkup struct {
	Machine string `json:"machine"` // the host's name
	Server  string `json:"server"`
	Proxy   string `json:"proxy,omitempty"`
	OK      bool   `json:"ok"`
	// Cause is the box, Problem what was seen, Means the box in words, Hint what to do; empty when all
	// is well.
	Cause   diagnosis.Cause `json:"cause,omitempty"`
	Problem string          `json:"problem,omitempty"`
	Means   string          `json:"means,omitempty"`
	Hint    string          `json:"hint,omitempty"`
	// Letter is for the network team: whole sentences with addresses.
	Letter string     `json:"letter,omitempty"`
	Steps  []WalkStep `json:"steps"`
}

// WalkStep is one thing that `doctor` did.
type WalkStep struct {
	Name   string `json:"name"`  // name, connect, proxy, tls, question, welcome, clock
	Where  string `json:"where"` // what was asked, or called
	TookUS int64  `json:"took_us"`
	OK     bool   `json:"ok"`
	Result string `json:"result"`
}

func (w *walk) report(verdict error) Checkup {
	r := Checkup{Machine: w.machine, Server: w.address, Proxy: w.proxy, OK: verdict == nil, Steps: w.steps}
	if verdict == nil {
		return r
	}
	r.Cause, r.Problem = diagnosis.Of(verdict), verdict.Error()
	r.Means, r.Hint = r.Cause.Box(), errkind.Hint(verdict)
	if r.Cause.Please() != "" {
		r.Letter = w.letter(r)
	}
	return r
}

func (w *walk) letter(r Checkup) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The machine %s", w.machine)
	if w.local != "" {
		fmt.Fprintf(&b, " (%s)", w.local)
	}
	fmt.Fprintf(&b, " needs a TCP connection to %s", w.address)
	if w.proxy != "" {
		fmt.Fprintf(&b, ", through the proxy %s", w.proxy)
	}
	if len(w.addresses) > 0 && w.addresses[0] != w.address {
		fmt.Fprintf(&b, " (%s)", strings.Join(w.addresses, ", "))
	}
	b.WriteString(", in which it speaks TLS 1.3 with the server itself.")
	fmt.Fprintf(&b, " Instead: %s. That points at this: %s. Please %s.", r.Problem, r.Means, r.Cause.Please())
	return b.String()
}

// text is the report for people.
func (r Checkup) text(std *cli.IO) string {
	t := cli.Table{Columns: []cli.Column{
		{Title: "step"}, {Title: "where", Keep: true}, {Title: "took", Right: true}, {Title: "result"},
	}}
	for _, s := range r.Steps {
		t.Add(s.Name, s.Where, took(s.TookUS), s.Result)
	}
	var b strings.Builder
	b.WriteString(t.Text(std))
	if r.OK {
		b.WriteString("\n" + std.Paint(cli.Green, "The line can be opened.") + "\n")
		return b.String()
	}
	word := string(r.Cause)
	if word == "" {
		word = "unknown"
	}
	fmt.Fprintf(&b, "\n%s %s\n", std.Paint(cli.Red, "The line cannot be opened:"), word)
	if r.Letter != "" {
		fmt.Fprintf(&b, "\nTo send to the network team:\n\n  %s\n", cli.Printable(r.Letter))
	}
	return b.String()
}

// took is a duration for people: tenths of milliseconds.
func took(us int64) string {
	return fmt.Sprintf("%.1f ms", (time.Duration(us)*time.Microsecond).Seconds()*1000)
}
