// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"fairlead/internal/diagnosis"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// refusals tells of agents that the server holds off, and of those that are not on line at the end, by the
// cause that they name last.
func (v *view) refusals() (found []string) {
	for _, g := range v.groups {
		byCause := map[diagnosis.Cause][]member{}
		var order []diagnosis.Cause
		for _, m := range g.members {
			if m.held != "" {
				found = append(found, g.who([]member{m})+" is in quarantine: "+m.held)
				continue
			}
			if m.up || m.removed || g.Listening {
				continue
			}
			cause := m.lastCause()
			if byCause[cause] == nil {
				order = append(order, cause)
			}
			byCause[cause] = append(byCause[cause], m)
		}
		slices.Sort(order)
		for _, cause := range order {
			found = append(found, g.refusal(cause, byCause[cause]))
		}
	}
	return found
}

// lastCause is the last that the agent could name.
func (m member) lastCause() diagnosis.Cause {
	for _, cause := range slices.Backward(m.causes) {
		if cause != "" {
			return diagnosis.Cause(cause)
		}
	}
	return ""
}

func (g group) refusal(cause diagnosis.Cause, members []member) string {
	what := "cannot connect to " + g.Target
	if slices.ContainsFunc(members, func(m member) bool { return m.served }) {
		what = is(len(members), "has", "have") + " lost " + is(len(members), "its line", "their lines") +
			" to " + g.Target + " for good"
	}
	if cause == "" {
		return fmt.Sprintf("%s %s: the cause is not known", g.who(members), what)
	}
	sentence := cause.Sentence()
	if box := g.culprit(cause); box != "" {
		sentence = strings.Replace(sentence, cause.Box(), box, 1)
	}
	return fmt.Sprintf("%s %s: %s (cause %s)", g.who(members), what, sentence, cause)
}

// culprit says which box of the site a cause points at, and what it does; "" when the site tells no
// more than the cause itself.
func (g group) culprit(cause diagnosis.Cause) string {
	switch cause {
	case diagnosis.TLSOffload:
		return g.program("ends TLS", plan.HTTPBalancer, plan.TLSListener)
	case diagnosis.TLSInspect:
		return g.program("shows a certificate of its own", plan.TLSInspector)
	case diagnosis.CaptivePortal:
		return g.program("answers in place of the server", plan.CaptivePortal)
	case diagnosis.ProxyAuth:
		return g.proxy("asks for a password (407)")
	case diagnosis.ProxyRefused:
		return g.proxy("forbids this address or port")
	case diagnosis.ProxyUpstream:
		return g.proxy("cannot reach the server")
	case diagnosis.ProxyClosed:
		return g.proxy("ends the connection without a word")
	case diagnosis.NoAnswer:
		return g.firewall("drops")
	case diagnosis.NoRoute, diagnosis.PortClosed:
		return g.firewall("rejects")
	case diagnosis.UnknownName, diagnosis.DNSSilent:
		host, _, _ := strings.Cut(g.Target, ":")
		return cause.Box() + " (" + host + ")"
	}
	return ""
}

func (g group) program(does string, kinds ...string) string {
	for _, p := range g.route.Programs {
		if slices.Contains(kinds, p.Kind) {
			return p.Name + " " + does
		}
	}
	return ""
}

func (g group) proxy(does string) string {
	if via, err := url.Parse(g.Proxy); err == nil && g.Proxy != "" {
		return via.Hostname() + " " + does
	}
	return ""
}

// firewall names the one on the way, when there is one.
func (g group) firewall(does string) string {
	var names []string
	for _, b := range g.route.Boxes {
		if b.Kind == plan.Firewall || b.Kind == plan.SecurityGroup {
			names = append(names, b.Name)
		}
	}
	if len(names) != 1 {
		return ""
	}
	return fmt.Sprintf("%s %s the connection, as far as the plan tells", names[0], does)
}

// serverWords tells what the servers have turned away, by cause.
func (v *view) serverWords() (found []string) {
	count := map[string]int{}
	var order []string
	for _, e := range v.run.Of(history.Refused) {
		isServer := slices.ContainsFunc(v.run.Plan.Servers, func(s plan.Server) bool { return s.Name == e.Who })
		if e.Cause == "" || !isServer {
			continue
		}
		key := e.Who + " " + e.Cause
		if count[key] == 0 {
			order = append(order, key)
		}
		count[key]++
	}
	slices.Sort(order)
	for _, key := range order {
		who, cause, _ := strings.Cut(key, " ")
		found = append(found, fmt.Sprintf("%s turned %d %s away: %s (cause %s)", who, count[key],
			is(count[key], "connection", "connections"), diagnosis.Cause(cause).Sentence(), cause))
	}
	return found
}
