// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"fairlead/internal/demo"
	"fairlead/netem"
	"fairlead/sim/plan"
)

// deskName is the people's machine. It stands beside the first server.
const deskName = "desk"

// desk is where people sit.
type desk struct {
	s         *site
	transport *http.Transport
	key       string

	mu       sync.Mutex
	versions int                 // of the package that was pushed last
	projects map[string]bool     // that there are
	contents map[string][]byte   // by version
	latest   string              // the project that was deployed last
	releases map[string][]string // the versions of each project, oldest first
}

func (s *site) newDesk() (*desk, error) {
	h, err := s.host(deskName, s.plan.Servers[0].On, "", plan.Wire{})
	if err != nil {
		return nil, err
	}
	return &desk{
		s: s, transport: over(h),
		projects: map[string]bool{}, contents: map[string][]byte{}, releases: map[string][]string{},
	}, nil
}

// over makes HTTP requests of a machine, each with a connection of its own, so that none is found
// dead later.
func over(h *netem.Host) *http.Transport {
	return &http.Transport{
		DialContext: h.DialContext, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // whoever stands there, it is part of the simulation
	}
}

// rest speaks to the server that should run.
func (d *desk) rest() *demo.REST {
	return demo.NewRESTOver(d.transport, fmt.Sprintf("%s:%d", d.s.serving().spec.Name, webPort), d.key)
}

// token makes a token that leads to an address; "" when the server does not answer.
func (d *desk) token(ctx context.Context, _ string) string {
	var made struct{ Token string }
	err := d.rest().Post(ctx, "/api/Spaces-1/jointokens", map[string]any{
		"Environments": []string{environment}, "Tags": []string{tag}, "ExpiresInSeconds": 3600,
	}, &made)
	if err != nil {
		return ""
	}
	d.s.log.secret("join token", made.Token)
	return made.Token
}

// online lists the machines that the server holds for on line.
func (d *desk) online(ctx context.Context) (names []string, err error) {
	var list []struct {
		Name     string
		IsOnline bool
	}
	if err := d.rest().Get(ctx, "/api/Spaces-1/machines/all", &list); err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.IsOnline {
			names = append(names, m.Name)
		}
	}
	return names, nil
}

// status is the HTTP status of an answer that said no, 0 when none came.
func status(err error) int {
	if said, is := errors.AsType[*demo.StatusError](err); is {
		return said.Status
	}
	return 0
}
