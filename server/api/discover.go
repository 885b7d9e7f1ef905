// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"net"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// defaultAgentPort is where a listening agent is looked for unless port= says otherwise; a stock Tentacle's too.
const defaultAgentPort = "10933"

// discoverMachine asks whoever listens at an address for its pin, and answers a machine that may be added. Source:
// octopus-rest.md e.
func (a *api) discoverMachine(c *call) error {
	address, err := c.discovered()
	if err != nil {
		return err
	}
	pin, err := a.Discover(c.ctx(), address)
	if kind := errkind.Of(err); kind == errkind.Exhausted || kind == errkind.Canceled {
		return err
	}
	if err != nil {
		return errkind.Hinted(errkind.Invalid.Errorf("no agent was found at %s: %w", address, err),
			"see that fairlead-agent listen runs there and knows this server's pin, and that the port is open from here")
	}
	if pin == a.Server().Pin {
		return errkind.Hinted(errkind.Invalid.Errorf("no agent was found at %s: this server itself answers there", address),
			"give the port that fairlead-agent listen has on the machine")
	}
	host, _, _ := net.SplitHostPort(address)
	shown := a.showMachine(deploy.Machine{
		Space: c.principal.SpaceID(), Name: host, Style: deploy.Listening, Address: address, Pin: pin,
		Health: deploy.Health{Status: deploy.HealthUnknown, Summary: "Discovered. Compare its pin with what " +
			"fairlead-agent status says on the machine before you add it."},
	})
	delete(shown, "Id")
	shown["Slug"], shown["Links"] = nil, obj{}
	return c.ok(shown)
}

// discovered is the address that host=, port= and type= ask for. Errors: Invalid.
func (c *call) discovered() (string, error) {
	q := c.query()
	host, port, style := q["host"], cmp.Or(q["port"], defaultAgentPort), cmp.Or(q["type"], listeningStyle)
	n, err := strconv.Atoi(port)
	switch {
	case strings.EqualFold(style, pollingStyle):
		return "", errkind.Hinted(errkind.Invalid.Errorf("a polling machine cannot be discovered: it calls the server"),
			"%s", c.howToJoin())
	case !strings.EqualFold(style, listeningStyle):
		return "", errkind.Invalid.Errorf("type is %.40q: this version discovers %s", style, listeningStyle)
	case q["proxyid"] != "" && q["proxyid"] != "null":
		return "", errkind.Invalid.Errorf("reaching a machine through a proxy comes with a later version")
	case host == "" || len(host) > maxHostBytes || strings.ContainsAny(host, "/@ \t\r\n"):
		return "", errkind.Invalid.Errorf("host is %.100q: want the name or the address of a machine", host)
	case err != nil || n < 1 || n > 65535:
		return "", errkind.Invalid.Errorf("port is %.20q: want 1 to 65535", port)
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
}

// maxHostBytes is the longest name of a host in DNS.
const maxHostBytes = 253
