// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"os"
	"path/filepath"
	"strings"

	agentd "fairlead/agent/daemon"
	"fairlead/internal/diagnosis"
	serverd "fairlead/server/daemon"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// credentialsName is where an agent keeps what its proxy wants.
const credentialsName = "proxy-credentials"

// proxies tells a server which balancers put a PROXY header before their connections.
func proxies(settings *serverd.Settings, spec plan.Server) {
	settings.ProxyProtocolFrom = spec.ProxyProtocolFrom
}

// through leads an agent through the proxy of its group.
func through(settings *agentd.Settings, group plan.Agents, home string) error {
	settings.Proxy = group.Proxy
	if group.Credentials == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(home, credentialsName), []byte(group.Credentials+"\n"), 0o600)
}

// refused takes note of what a command said to people, with the cause that its sentence stands for.
func (s *site) refused(who, text string) {
	cause := ""
	for _, c := range diagnosis.All() {
		if strings.Contains(text, c.Box()) {
			cause = string(c)
		}
	}
	s.log.search("what a command on "+who+" said", text)
	s.record(history.Event{Kind: history.Refused, Who: who, Cause: cause, Text: text})
}
