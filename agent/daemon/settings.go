// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/proxy"
	"fairlead/internal/settings"
	"fairlead/internal/trust"
)

const (
	// DefaultListen is where a listening agent waits for its server: Octopus's port for that.
	DefaultListen = "0.0.0.0:10933"
	// DefaultCacheMB is 10 GiB.
	DefaultCacheMB = 10 << 10
	// maxCacheMB is 1 PiB.
	maxCacheMB = 1 << 30

	killLeftOvers, keepLeftOvers = "kill", "keep"
)

// Settings are the file agent.toml. `join` and `listen` write it; people may edit it.
type Settings struct {
	// Name is what the server calls this machine; it was agreed on when joining.
	Name string `toml:"name" comment:"what the server calls this machine"`
	// Mode is "polling" (the agent dials) or "listening" (the server dials).
	Mode trust.JoinMode `toml:"mode" comment:"polling: this agent dials the server; listening: the server dials it"`
	// Server is the server's address for agents, host:port; for a polling agent.
	Server string `toml:"server,omitempty" comment:"where the server listens for agents, host:port"`
	// Proxy is the outbound proxy on the way there, "http://host:port" (CONNECT) or
	// "socks5://host:port"; "" for none. It holds no secret.
	Proxy string `toml:"proxy,omitempty" comment:"outbound proxy: http://host:port or socks5://host:port"`
	// ProxyCredentials is the file with user:password for it, mode 0600; a relative path is one in the
	// home. "" is proxy-credentials, which may be missing.
	ProxyCredentials string `toml:"proxy_credentials,omitempty" comment:"file with user:password for the proxy"`
	// Listen is the address to listen on, host:port; for a listening agent.
	Listen string `toml:"listen,omitempty" comment:"where this agent listens for the server, host:port"`
	// CacheMB is how much received packages may take on the disk before those that were wanted least
	// recently are removed, in MiB; 0 means no limit.
	CacheMB int64 `toml:"cache_mb" comment:"what received packages may take on the disk, in MiB; 0: no limit"`
	// LeftOvers is what becomes of the processes of a script that nobody watches over any more, since its
	// shim was killed: "kill", which "" means too, or "keep".
	LeftOvers string `toml:"left_overs,omitempty" comment:"processes of a script whose shim was killed: kill or keep"`
	// Trust lists server pins that were given by hand; a joined agent has them in trust.json.
	Trust []trust.Pin `toml:"trust,omitempty" comment:"pins of the server, when they were given by hand"`
}

func (s Settings) check() error {
	var problems []string
	note := func(key string, err error) {
		if err != nil {
			problems = append(problems, key+": "+err.Error())
		}
	}
	problems = append(problems, s.checkProxy()...)
	switch s.Mode {
	case trust.ModePolling:
		note("server", trust.CheckAddress(s.Server))
	case trust.ModeListening:
		note("listen", trust.CheckAddress(s.Listen))
	default:
		problems = append(problems, `mode: want "polling" or "listening", got "`+string(s.Mode)+`"`)
	}
	if s.Name != "" {
		note("name", trust.CheckMachineName(s.Name))
	}
	if s.CacheMB < 0 || s.CacheMB > maxCacheMB {
		problems = append(problems, fmt.Sprintf("cache_mb: %d: want 0 (no limit) to %d", s.CacheMB, maxCacheMB))
	}
	if s.LeftOvers != "" && s.LeftOvers != killLeftOvers && s.LeftOvers != keepLeftOvers {
		problems = append(problems, fmt.Sprintf(`left_overs: want "kill" or "keep", got %.40q`, s.LeftOvers))
	}
	if len(problems) > 0 {
		return errkind.Invalid.Errorf("%s", strings.Join(problems, "; "))
	}
	return nil
}

func (s Settings) checkProxy() (problems []string) {
	_, err := proxy.Parse(s.Proxy)
	switch {
	case s.Proxy == "" && s.ProxyCredentials != "":
		problems = append(problems, "proxy_credentials: there is no proxy that they are for")
	case s.Proxy == "":
	case err != nil:
		problems = append(problems, "proxy: "+err.Error()+"; "+errkind.Hint(err))
	case s.Mode == trust.ModeListening:
		problems = append(problems, "proxy: a listening agent dials nobody, so it has no use for one")
	}
	return problems
}

// LoadSettings reads the file of a home. Errors: NotFound, Invalid.
func LoadSettings(path string) (Settings, error) {
	s := Settings{CacheMB: DefaultCacheMB}
	err := settings.Load(path, &s)
	if errkind.Of(err) == errkind.NotFound {
		return s, errkind.Hinted(err, "this agent has not joined a server yet: FAIRLEAD_TOKEN=… fairlead-agent join; "+
			"if it has, name its home with --home")
	}
	if err != nil {
		return s, err
	}
	return s, settings.InFile(path, s.check())
}

// noProxy in the place of a proxy takes the one in the file out.
const noProxy = "none"

// renew puts the settings in the place of those in the file, if there are any, and keeps what
// joining and listening have no word on: a proxy stays unless another, or none, is named. Errors:
// Invalid, when the file cannot be read as settings.
func (s Settings) renew(path string) (Settings, error) {
	old := Settings{CacheMB: DefaultCacheMB}
	err := settings.Load(path, &old)
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return s, err
	}
	s.CacheMB, s.LeftOvers = old.CacheMB, old.LeftOvers
	if s.Proxy == "" && s.Mode == trust.ModePolling {
		s.Proxy = old.Proxy
		if s.ProxyCredentials == "" {
			s.ProxyCredentials = old.ProxyCredentials
		}
	}
	if s.Proxy == noProxy {
		s.Proxy = ""
	}
	return s, s.check()
}

// Save writes the file whole or not at all.
func (s Settings) Save(disk host.Disk, path string) error {
	if err := s.check(); err != nil {
		return err
	}
	return settings.Save(disk, path, s)
}
