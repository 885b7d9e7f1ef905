// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/settings"
	"fairlead/internal/trust"
	"fairlead/server/tasks"
)

// Defaults of the two ports: Octopus's own.
const (
	DefaultHTTP = "127.0.0.1:8065"
	DefaultLink = "0.0.0.0:10943"
)

// Defaults for a disk that fills up. Source: security.md 3.10.
const (
	DefaultFullPercent = 95
	DefaultReserveMB   = 64
)

// DefaultTaskDays is for how long tasks are kept. Source: Octopus Deploy's page on retention policies.
const DefaultTaskDays = 30

// DefaultArtifactQuotaMB is 20 GiB.
const DefaultArtifactQuotaMB = 20 << 10

// Settings are the file server.toml. Flags win over the file.
type Settings struct {
	// HTTP is where portal and REST listen. It speaks plain HTTP: put TLS in front of it, or
	// use the agents' port, which serves both with the server's own certificate.
	HTTP string `toml:"http" comment:"portal and REST, host:port; plain HTTP: loopback, or behind a TLS proxy"`
	// Link is where agents call.
	Link string `toml:"link" comment:"where agents call, host:port"`
	// PublicLink is the address that join tokens carry. "" makes it this machine's name with the
	// port of Link.
	PublicLink string `toml:"public_link,omitempty" comment:"how agents reach the link port; goes into join tokens"`
	// ProxyProtocolFrom lists the sources, as prefixes, that put a PROXY header in front of each
	// connection to Link: load balancers in front of it. They must; from all others none is taken.
	ProxyProtocolFrom []string `toml:"proxy_protocol_from,omitempty" comment:"balancers that put a PROXY header first"`
	// Hosts are the names, without port, by which browsers and programs may ask for portal and
	// REST; none means any. Commands on this machine always may.
	Hosts []string `toml:"hosts,omitempty" comment:"host names that portal and REST answer to; none means any"`
	// PublicURL is how people reach the portal: "https://deploy.example". "" makes it this
	// machine's name, or localhost, with the port of HTTP.
	PublicURL string `toml:"public_url,omitempty" comment:"how people reach the portal; https:// behind a TLS proxy"`
	// MasterKeyFile is where the key lies that seals sensitive values. "" is master.key in the home,
	// which the first start makes.
	MasterKeyFile string `toml:"master_key_file,omitempty" comment:"key that seals sensitive values; mode 0600"`
	// TaskLimit is how many tasks run at once, 1 to 1,000.
	TaskLimit int `toml:"task_limit" comment:"how many tasks run at once"`
	// FullPercent is the share of used space at which the server takes no new work, 50 to 100.
	FullPercent int `toml:"full_percent" comment:"of the disk: at this share of used space new work is refused"`
	// ReserveMB is how much space, in MiB, is set aside to finish work on a full disk, 0 to 4,096.
	ReserveMB int `toml:"reserve_mb" comment:"MiB set aside, given up to finish what is at work when the disk is full"`
	// TaskDays is for how many days after its end a task is kept that belongs to no deployment, with its log; 1 to
	// 3,650, or 0 for ever. Source: Octopus Deploy keeps 30.
	TaskDays int `toml:"task_days" comment:"days that tasks and logs without a deployment are kept; 0 for ever"`
	// ArtifactQuotaMB is how much the files that scripts hand over may have together, in MiB, 1 to 1,048,576.
	ArtifactQuotaMB int `toml:"artifact_quota_mb" comment:"MiB that artifacts have together; more are not kept"`
}

// DefaultSettings is what an empty file means.
func DefaultSettings() Settings {
	return Settings{
		HTTP: DefaultHTTP, Link: DefaultLink, TaskLimit: tasks.DefaultLimit,
		FullPercent: DefaultFullPercent, ReserveMB: DefaultReserveMB, ArtifactQuotaMB: DefaultArtifactQuotaMB,
		TaskDays: DefaultTaskDays,
	}
}

// LoadSettings reads server.toml; without the file the defaults hold. Errors: Invalid.
func LoadSettings(path string) (Settings, error) {
	s := DefaultSettings()
	if err := settings.Load(path, &s); err != nil && errkind.Of(err) != errkind.NotFound {
		return s, err
	}
	return s, settings.InFile(path, s.check())
}

func (s Settings) check() error {
	var problems []string
	for _, a := range []struct{ key, address string }{{"http", s.HTTP}, {"link", s.Link}} {
		if _, port, err := net.SplitHostPort(a.address); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %q is not host:port", a.key, a.address))
		} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %q: port %q is not a number from 0 to 65535", a.key, a.address, port))
		}
	}
	if s.PublicLink != "" {
		if err := trust.CheckAddress(s.PublicLink); err != nil {
			problems = append(problems, "public_link: "+err.Error())
		}
	}
	if _, err := s.balancers(); err != nil {
		problems = append(problems, "proxy_protocol_from: "+err.Error())
	}
	for _, host := range s.Hosts {
		if host == "" || strings.ContainsAny(host, "/@ []") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
			problems = append(problems, fmt.Sprintf("hosts: %q is not a host name or address without port", host))
		}
	}
	if s.PublicURL != "" && !isOrigin(s.PublicURL) {
		problems = append(problems, fmt.Sprintf("public_url: %.80q: want http:// or https:// and a host", s.PublicURL))
	}
	if s.MasterKeyFile != "" && !filepath.IsAbs(s.MasterKeyFile) {
		problems = append(problems, fmt.Sprintf("master_key_file: %.200q is no absolute path", s.MasterKeyFile))
	}
	if s.TaskLimit < 1 || s.TaskLimit > 1000 {
		problems = append(problems, fmt.Sprintf("task_limit: want 1 to 1000, got %d", s.TaskLimit))
	}
	problems = append(problems, s.spaceProblems()...)
	if len(problems) > 0 {
		return errkind.Invalid.Errorf("%s", strings.Join(problems, "; "))
	}
	return nil
}

func (s Settings) spaceProblems() (problems []string) {
	if s.FullPercent < 50 || s.FullPercent > 100 {
		problems = append(problems, fmt.Sprintf("full_percent: want 50 to 100, got %d", s.FullPercent))
	}
	if s.ReserveMB < 0 || s.ReserveMB > 4096 {
		problems = append(problems, fmt.Sprintf("reserve_mb: want 0 to 4096, got %d", s.ReserveMB))
	}
	if s.TaskDays < 0 || s.TaskDays > deploy.MaxTaskDays {
		problems = append(problems, fmt.Sprintf("task_days: want 0 to %d, got %d", deploy.MaxTaskDays, s.TaskDays))
	}
	if s.ArtifactQuotaMB < 1 || s.ArtifactQuotaMB > 1<<20 {
		problems = append(problems, fmt.Sprintf("artifact_quota_mb: want 1 to 1048576, got %d", s.ArtifactQuotaMB))
	}
	return problems
}

// balancers are the prefixes of ProxyProtocolFrom. Errors: Invalid.
func (s Settings) balancers() (prefixes []netip.Prefix, err error) {
	for _, text := range s.ProxyProtocolFrom {
		prefix, err := netip.ParsePrefix(text)
		if ip, addrErr := netip.ParseAddr(text); addrErr == nil && ip.Zone() == "" {
			prefix, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
			return nil, errkind.Invalid.Errorf("%.80q: want a prefix such as 10.0.0.0/24, or an address", text)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}

// publicLink is the address that join tokens carry: the setting, or this machine's name with the
// port that agents call.
func (s Settings) publicLink(hostname, listening string) string {
	if s.PublicLink != "" {
		return s.PublicLink
	}
	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return listening
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = hostname
	}
	return net.JoinHostPort(host, port)
}

// publicURL is the portal's address as people type it: the setting, or what listening, host:port,
// means from outside.
func (s Settings) publicURL(hostname, listening string) string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return "http://" + listening
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified():
		host = hostname
	case ip != nil && ip.IsLoopback():
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// isOrigin tells http:// or https:// and a host, and nothing else.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host}
	return strings.TrimRight(text, "/") == bare.String()
}
