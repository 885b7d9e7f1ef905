// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/sha1" // stock tools show this digest; nothing trusts it
	"encoding/hex"
	"fmt"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/tasklog"
	"fairlead/server/api"
	"fairlead/server/fleet"
)

// apiDeps gives the REST surface what it works with.
func (d *Daemon) apiDeps() api.Deps {
	return api.Deps{
		Catalog: d.catalog, Directory: d.directory, Presence: presence{d}, Logs: logs{d.logs}, Queue: d.queue,
		Orphans: orphans{d},
		Server:  d.certificate, Version: d.options.Version, Wall: d.env.Wall, Log: d.log.With("part", "api"),
		Metrics: d.newMetrics(), Notice: d.notice,
		Discover: func(ctx context.Context, address string) (string, error) {
			pin, err := d.fleet.Discover(ctx, address)
			return pin.String(), err
		},
	}
}

func (d *Daemon) certificate() api.ServerCertificate {
	der := d.identity.Certificate.Certificate[0]
	old := sha1.Sum(der)
	return api.ServerCertificate{
		Name: Program, Thumbprint: strings.ToUpper(hex.EncodeToString(old[:])), Pin: d.identity.Pin.String(),
		Algorithm: d.identity.Certificate.Leaf.SignatureAlgorithm.String(),
	}
}

type presence struct{ d *Daemon }

// Machine implements api.Presence.
func (p presence) Machine(id deploy.MachineID) api.Online {
	now := p.d.fleet.Presence(id)
	online := api.Online{IsOnline: now.Online, Version: now.Version}
	if now.Online {
		online.Since, online.LastSeen = now.Since, p.d.env.Wall()
	} else if !now.Since.IsZero() {
		online.LastSeen = now.Since
	}
	return online
}

// Log implements api.Presence.
func (p presence) Log(id deploy.MachineID) []api.LineEvent {
	kept := p.d.fleet.LineLog(id)
	out := make([]api.LineEvent, len(kept))
	for i, e := range kept {
		text, category := e.Text+".", "Info"
		switch e.Kind {
		case fleet.LineDown:
			category = "Warning"
		case fleet.LineTrouble:
			category = "Error"
		case fleet.LineUp:
		}
		if e.Count > 1 {
			text += fmt.Sprintf(" That happened %d times in a row.", e.Count)
		}
		out[i] = api.LineEvent{At: e.At, Category: category, Text: text}
	}
	return out
}

type logs struct{ folder *tasklog.Folder }

// Read implements api.Logs.
func (l logs) Read(task deploy.TaskID, offset int64, maxBytes int) ([]api.LogLine, int64, error) {
	lines, next, err := l.folder.Read(task, offset, maxBytes)
	return restLines(lines), next, err
}

// Follow implements api.Logs.
func (l logs) Follow(
	ctx context.Context,
	task deploy.TaskID,
	offset int64,
	f func([]api.LogLine, int64) error,
) error {
	return l.folder.Follow(ctx, task, offset, func(lines []tasklog.Line, next int64) error {
		return f(restLines(lines), next)
	})
}

func restLines(lines []tasklog.Line) []api.LogLine {
	out := make([]api.LogLine, len(lines))
	for i, l := range lines {
		out[i] = api.LogLine{
			Number: l.Number, At: l.At, Category: string(l.Category), Node: l.Node, Text: l.Text, More: l.More,
		}
	}
	return out
}
