// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/proxy"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

const (
	// joinLimit bounds one try to join, from the first packet to the reply.
	joinLimit = 30 * time.Second
	// maxTokenBytes bounds what is read of a token.
	maxTokenBytes = 1024
)

// joinFlags are what `join` may be told.
type joinFlags struct {
	tokenFile, name, server      string
	proxy, proxyCredentials      string
	isListening                  bool
	listenAddress, publicAddress string
}

func (m *command) join() cli.Command {
	var o joinFlags
	return cli.Command{
		Name: "join", Summary: "join a server with a token",
		Details: "The token comes from `fairlead-server token create`. It is read from the environment (FAIRLEAD_TOKEN), " +
			"from --token-file, or from standard input; never from the command line, where other users could see it. " +
			"It carries the server's address and pin, so that nothing has to be believed at first sight. " +
			"Credentials of a proxy come from the environment (FAIRLEAD_PROXY_CREDENTIALS, user:password, which is then kept " +
			"in the home) or from a file. " +
			"Joining again with the same token and home is harmless.",
		Flags: func(f *flag.FlagSet) {
			m.homeFlag(f)
			f.StringVar(&o.tokenFile, "token-file", "", "read the token from this `file`")
			f.StringVar(&o.name, "name", "", "the machine's `name` at the server; the host's name unless given")
			f.StringVar(
				&o.server,
				"server",
				"",
				"dial this `host:port` instead of the address in the token; the pin still decides",
			)
			f.StringVar(&o.proxy, "proxy", "", "go through this outbound proxy: `URL` http://host:port or socks5://host:port; "+
				"none forgets an earlier one")
			f.StringVar(&o.proxyCredentials, "proxy-credentials", "", "`file` with user:password for the proxy")
			f.BoolVar(
				&o.isListening,
				"listening",
				false,
				"wait for the server to dial this machine, instead of dialling it",
			)
			f.StringVar(&o.listenAddress, "listen", DefaultListen, "with --listening: `address` to listen on")
			f.StringVar(
				&o.publicAddress,
				"public-address",
				"",
				"with --listening: `host:port` at which the server reaches this machine",
			)
		},
		Examples: []string{
			"FAIRLEAD_TOKEN=fl1_… fairlead-agent join",
			"fairlead-agent join --token-file /run/secrets/fairlead-token --name web-1",
			"FAIRLEAD_PROXY_CREDENTIALS=agent:… fairlead-agent join --proxy http://proxy.example.com:3128 < token",
			"fairlead-agent join --listening --public-address web-1.example.com:10933 < token",
		},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			token, err := readToken(ctx, std, o.tokenFile)
			if err != nil {
				return err
			}
			joined, err := m.joinServer(ctx, std, token, o)
			if err != nil {
				return err
			}
			return std.Show(joined, joined.sentence(m.homeFolder()))
		},
	}
}

// Joined is what `join` reports.
type Joined struct {
	Machine      string         `json:"machine"`
	MachineID    string         `json:"machine_id"`
	Mode         trust.JoinMode `json:"mode"`
	Server       string         `json:"server"`
	ServerPin    trust.Pin      `json:"server_pin"`
	Pin          trust.Pin      `json:"pin"`
	Environments []string       `json:"environments"`
	Tags         []string       `json:"tags"`
}

func (j Joined) sentence(h Home) string {
	return fmt.Sprintf(
		"%s has joined %s as %s (environments: %s; tags: %s).\nStart the agent with: fairlead-agent run --home %s\n",
		j.Machine,
		j.Server,
		j.MachineID,
		listed(j.Environments),
		listed(j.Tags),
		h,
	)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// readToken takes the first source that was given: file, environment, standard input.
func readToken(ctx context.Context, std *cli.IO, file string) (trust.Token, error) {
	text := std.Env("FAIRLEAD_TOKEN")
	switch {
	case file != "":
		raw, err := readLimited(file)
		if err != nil {
			return trust.Token{}, err
		}
		text = raw
	case text == "" && std.In != nil:
		line, err := readLine(ctx, std)
		if err != nil {
			return trust.Token{}, err
		}
		text = line
	}
	return trust.ParseToken(strings.TrimSpace(text))
}

// readLine reads the token from standard input. A read of a terminal cannot be called back: when
// ctx ends it is left alone, and the program ends.
func readLine(ctx context.Context, std *cli.IO) (string, error) {
	if std.Typed {
		fmt.Fprintln(std.Err, "paste the token that `fairlead-server token create` printed, then press Enter:")
	}
	lines := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		line, _ := bufio.NewReader(io.LimitReader(std.In, maxTokenBytes)).ReadString('\n')
		lines <- line
	})
	select {
	case line := <-lines:
		if line == "" {
			return "", errkind.Hinted(
				errkind.Invalid.Errorf("no token was given"),
				"make one at the server with `fairlead-server token create` and pass it as FAIRLEAD_TOKEN or --token-file",
			)
		}
		return line, nil
	case <-ctx.Done():
		return "", errkind.Canceled.Errorf("read the token: %w", ctx.Err())
	}
}

func readLimited(path string) (string, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", errkind.Hinted(errkind.NotFound.Errorf("read token: %w", err),
			"--token-file names a file that holds the line that fairlead-server token create printed")
	}
	if err != nil {
		return "", errkind.Denied.Errorf("read token: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxTokenBytes))
	if err != nil {
		return "", errkind.Denied.Errorf("read token: %w", err)
	}
	return string(text), nil
}

// joinServer makes the identity, asks, and writes trust and settings. Until the server has said
// yes nothing but the identity and the state id lie in the home, and the next try uses them again.
func (m *command) joinServer(ctx context.Context, std *cli.IO, token trust.Token, o joinFlags) (Joined, error) {
	env, h := m.env(std), m.homeFolder()
	settings, request, err := draft(env, h, token, o)
	if err != nil {
		return Joined{}, err
	}
	way, err := settings.wayIn(env, h, std.Env(credentialsVariable))
	if err != nil {
		return Joined{}, err
	}
	release, err := h.take(env.Disk)
	if err != nil {
		return Joined{}, err
	}
	defer release()
	if request.Facts, err = newFacts(h, env, m.version); err != nil {
		return Joined{}, err
	}
	identity, err := loadOrMakeIdentity(env, h, request.Name)
	if err != nil {
		return Joined{}, err
	}
	limited, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	reply, err := ask(limited, env, way.network, settings.address, token.Pin(), identity, request)
	if ctx.Err() != nil && err != nil {
		return Joined{}, errkind.Canceled.Errorf("join %s: %w", settings.address, err)
	}
	if err != nil {
		return Joined{}, err
	}
	first, err := trust.OpenBundle(reply.Bundle)
	if err != nil {
		return Joined{}, err
	}
	if _, err := trust.CreateTrust(env.Disk, h.trust(), first, token.Pin()); err != nil {
		return Joined{}, err
	}
	if err := way.keep(); err != nil {
		return Joined{}, err
	}
	if err := settings.Save(env.Disk, h.settings()); err != nil {
		return Joined{}, err
	}
	return Joined{
		Machine: reply.Name, MachineID: reply.MachineID, Mode: request.Mode, Server: settings.address,
		ServerPin: token.Pin(), Pin: identity.Pin, Environments: reply.Environments, Tags: reply.Tags,
	}, nil
}

// drafted are the settings that joining will write, the address that it dials, and the proxy on
// the way there, which a listening agent has no use for later.
type drafted struct {
	Settings
	address                 string
	proxy, proxyCredentials string
}

// draft works out what to ask for. Errors: Invalid, before anything is sent or written.
func draft(env host.Env, h Home, token trust.Token, o joinFlags) (drafted, trust.JoinRequest, error) {
	d := drafted{address: token.Address(), proxy: o.proxy, proxyCredentials: o.proxyCredentials}
	if o.server != "" {
		d.address = o.server
	}
	err := trust.CheckAddress(d.address)
	if err != nil {
		return d, trust.JoinRequest{}, err
	}
	if d.Name, err = machineName(o.name, env); err != nil {
		return d, trust.JoinRequest{}, err
	}
	if o.proxy != "" && o.proxy != noProxy {
		if _, err := proxy.Parse(o.proxy); err != nil {
			return d, trust.JoinRequest{}, err
		}
	}
	q := trust.JoinRequest{TokenID: token.ID(), Secret: token.Secret(), Name: d.Name, Mode: trust.ModePolling}
	d.Mode, d.Server, d.Proxy, d.ProxyCredentials = trust.ModePolling, d.address, o.proxy, o.proxyCredentials
	if o.isListening {
		if o.publicAddress == "" {
			return d, q, errkind.Hinted(
				errkind.Invalid.Errorf("a listening agent needs the address at which the server reaches it"),
				"add --public-address HOST:PORT",
			)
		}
		q.Mode, q.Address = trust.ModeListening, o.publicAddress
		d.Mode, d.Server, d.Listen = trust.ModeListening, "", o.listenAddress
		d.Proxy, d.ProxyCredentials = "", ""
	}
	d.Settings, err = d.renew(h.settings())
	if !o.isListening {
		d.proxy, d.proxyCredentials = d.Proxy, d.ProxyCredentials
	}
	return d, q, err
}

// machineName is the name that was asked for, or one made of the host's. Errors: Invalid.
func machineName(asked string, env host.Env) (string, error) {
	name := asked
	if name == "" {
		name = trust.MachineNameFrom(env.Facts().Hostname)
	}
	err := trust.CheckMachineName(name)
	if err == nil {
		return name, nil
	}
	hint := "choose a name with --name"
	if better := trust.MachineNameFrom(name); better != "" {
		hint += ", for example " + better
	}
	return "", errkind.Hinted(err, "%s", hint)
}

func loadOrMakeIdentity(env host.Env, h Home, name string) (trust.Identity, error) {
	identity, err := trust.LoadIdentity(h.identity())
	if errkind.Of(err) != errkind.NotFound {
		return identity, err
	}
	if identity, err = trust.NewIdentity(name, env.Wall()); err != nil {
		return identity, err
	}
	return identity, identity.Save(env.Disk, h.identity())
}

// ask runs the join exchange.
func ask(
	ctx context.Context, env host.Env, network host.Network, address string, pin trust.Pin, identity trust.Identity,
	q trust.JoinRequest,
) (trust.JoinReply, error) {
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: identity, Pins: []trust.Pin{pin}, Role: trust.RoleServer, Protocol: trust.JoinProtocol, Wall: env.Wall,
		KeyLog: env.KeyLog,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "joining"}, pin),
	})
	if err != nil {
		return trust.JoinReply{}, err
	}
	conn, err := redial.Dial(ctx, network, address)
	if err != nil {
		return trust.JoinReply{}, err
	}
	secure, peer, err := dialler.Handshake(ctx, conn)
	if err != nil {
		return trust.JoinReply{}, redial.Refine(ctx, network, address, err)
	}
	defer secure.Close()
	stop := context.AfterFunc(ctx, func() { _ = secure.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return trust.AskJoin(secure, identity, peer, q)
}
