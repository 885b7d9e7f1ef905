// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"path/filepath"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/proxy"
)

// credentialsVariable holds user:password for the proxy when joining.
const credentialsVariable = "FAIRLEAD_PROXY_CREDENTIALS"

// way is the network towards the server: through the proxy if there is one.
func (s Settings) way(network host.Network, h Home) host.Network {
	return through(network, s.Proxy, func() (proxy.Credentials, error) { return credentials(h, s.ProxyCredentials) })
}

// through goes through the proxy at that address, which was checked; "" is none.
func through(network host.Network, address string, c func() (proxy.Credentials, error)) host.Network {
	p, err := proxy.Parse(address)
	if err != nil || address == "" {
		return network
	}
	return proxy.Through(network, p, c)
}

// credentials reads the file at path, or the one in the home, which may be missing. It is read
// for each connection, so a new password needs no restart.
func credentials(h Home, path string) (proxy.Credentials, error) {
	if path == "" {
		c, err := proxy.ReadCredentials(h.proxyCredentials())
		if errkind.Of(err) == errkind.NotFound {
			return c, nil
		}
		return c, err
	}
	if !filepath.IsAbs(path) {
		path = h.path(path)
	}
	return proxy.ReadCredentials(path)
}

// wayIn is how joining gets to the server, and what it keeps of that.
type wayIn struct {
	network host.Network
	keep    func() error // once the server has said yes
}

// wayIn finds the way for joining; text are credentials from the environment, or "". Errors:
// Invalid, and what reading a file of credentials comes to.
func (d drafted) wayIn(env host.Env, h Home, text string) (wayIn, error) {
	w := wayIn{keep: func() error { return nil }}
	isThrough := d.proxy != "" && d.proxy != noProxy
	switch {
	case text != "" && !isThrough:
		return w, errkind.Hinted(errkind.Invalid.Errorf("%s is set, and no proxy is named", credentialsVariable),
			"name it with --proxy, or unset the variable")
	case text != "" && d.proxyCredentials != "":
		return w, errkind.Hinted(
			errkind.Invalid.Errorf("%s is set, and a file of credentials is named too", credentialsVariable),
			"use one of the two",
		)
	case !isThrough:
		w.network = env.Net
		return w, nil
	}
	read := func() (proxy.Credentials, error) { return credentials(h, d.proxyCredentials) }
	if text != "" {
		c, err := proxy.ParseCredentials(text)
		if err != nil {
			return w, errkind.Of(err).Errorf("%s: %w", credentialsVariable, err)
		}
		read = func() (proxy.Credentials, error) { return c, nil }
		if d.Proxy != "" {
			w.keep = func() error { return durable.Replace(env.Disk, h.proxyCredentials(), []byte(c.Reveal()+"\n")) }
		}
	}
	if _, err := read(); err != nil {
		return w, err
	}
	w.network = through(env.Net, d.proxy, read)
	return w, nil
}
