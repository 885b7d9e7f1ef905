// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"fairlead/internal/cli"
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/api"
	"fairlead/server/engine"
	"fairlead/server/identity"
)

// safeMode tells why a restored server is held; the store decides that. Once accepted it is over for
// the life of the process: a restore needs a home of its own.
type safeMode struct {
	why  string
	over atomic.Bool
}

// notice is why nothing new begins, in sentences; "" while it does.
func (m *safeMode) notice() string {
	if m.over.Load() {
		return ""
	}
	return m.why
}

// notice is what the server cannot do now, in sentences; "" when it can do everything.
func (d *Daemon) notice() string {
	return strings.TrimSpace(d.space.notice() + " " + d.safe.notice())
}

// orphans finds results that the lost time left on machines, for REST and portal.
type orphans struct{ d *Daemon }

// Orphans implements api.Orphans.
func (o orphans) Orphans(ctx context.Context, who identity.Principal, ref string) ([]api.Orphan, error) {
	m, err := o.d.catalog.Machine(ctx, who, ref)
	if err != nil {
		return nil, err
	}
	row, err := o.d.catalog.Installation(ctx)
	if err != nil || row.Restores == 0 {
		return nil, err
	}
	found, err := o.d.engine.Orphans(ctx, m.ID)
	shown := make([]api.Orphan, len(found))
	for i, one := range found {
		shown[i] = showOrphan(one)
	}
	return shown, err
}

func showOrphan(o contract.ListedTicket) api.Orphan {
	shown := api.Orphan{
		Ticket: string(o.Ticket), Task: o.Task, Name: o.Name, State: string(o.State), Sentence: engine.SentenceOfOrphan(o),
	}
	if o.Verdict != nil {
		shown.Outcome, shown.ExitCode = string(o.Verdict.Outcome), o.Verdict.Code
	}
	return shown
}

// ForgetOrphan implements api.Orphans.
func (o orphans) ForgetOrphan(ctx context.Context, who identity.Principal, ref, ticket string) error {
	if err := who.Need(identity.MachineEdit); err != nil {
		return err
	}
	m, err := o.d.catalog.Machine(ctx, who, ref)
	if err != nil {
		return err
	}
	if !who.Reach(identity.MachineEdit).CoversAll(m.Environments) { // as for every change of a machine
		return who.NeedEverywhere(identity.MachineEdit)
	}
	id, err := contract.ParseTicketID(ticket)
	if err != nil {
		return err
	}
	return o.d.engine.ForgetOrphan(ctx, who.Name(), m.ID, id)
}

// noteOrphans is done when a machine has come on line.
func (d *Daemon) noteOrphans(ctx context.Context, id deploy.MachineID) {
	if err := d.engine.NoteOrphans(ctx, id); err != nil && ctx.Err() == nil && errkind.Of(err) != errkind.Unavailable {
		d.log.Warn("results that are not known here were not looked for", "machine", id, "err", err)
	}
}

func (m *command) acceptRestore() cli.Command {
	return cli.Command{
		Name: "accept-restore", Summary: "let a restored server deploy again",
		Details: "A server that was restored from a backup starts in safe mode: it answers and takes machines' lines, and " +
			"refuses deployments and tasks. Before this command, see what was revoked after the backup and revoke it " +
			"again, and look at the orphan results on the machines' pages.",
		Flags:    m.homeFlag,
		Examples: []string{"fairlead-server accept-restore"},
		Run: func(ctx context.Context, std *cli.IO, _ []string) error {
			return m.ask(ctx, std, func(c *caller) error {
				var reply struct {
					Restores             int64
					BackupAt, AcceptedAt time.Time
				}
				if err := c.call(ctx, "POST", "/api/serverstatus/accept-restore", struct{}{}, &reply); err != nil {
					return err
				}
				as := reply.BackupAt.UTC().Format(timeLayout)
				return std.Show(reply, "accepted as of "+as+": the server deploys again\n")
			})
		},
	}
}
