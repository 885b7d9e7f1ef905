// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package target is one contract for every way to work on a machine.
//
// It does not decide what is done or when; the engine does. It does not know sessions; the fleet
// does.
//
//  1. Every method may be repeated with the same key: effects happen once.
//  2. An error of kind Timeout, Unavailable or Corrupt says nothing about what happened on the
//     machine: ask Status.
//
// target.go holds the contract, content.go what is sent, line.go the adapter for agents on a line,
// send.go its way to send a package.
package target

import (
	"context"
	"io"
	"time"

	"fairlead/internal/contract"
)

// Target works on one machine.
type Target interface {
	// Status tells what the machine knows of a ticket; not knowing it is an answer.
	Status(ctx context.Context, ticket contract.TicketID) (contract.TicketStatus, error)
	// Start hands an order over; a known ticket starts nothing. Errors: Exhausted (no space, too
	// many tickets), Conflict (older epoch).
	Start(ctx context.Context, order contract.Order) (contract.TicketStatus, error)
	// Follow calls f with records from offset on, and with statuses, until the verdict was passed
	// to f (nil) or the line broke.
	Follow(ctx context.Context, ticket contract.TicketID, offset int64, f FollowFunc) error
	Cancel(ctx context.Context, ticket contract.TicketID, grace time.Duration, by string) error
	// Forget lets the machine delete what it keeps of a ticket with a verdict.
	Forget(ctx context.Context, ticket contract.TicketID) error
	// Result reads what the scripts of a ticket have handed over, as its verdict names it. Errors:
	// NotFound (it is not there any more).
	Result(ctx context.Context, ticket contract.TicketID, info contract.ResultInfo) (contract.Result, error)
	// Artifact reads one of the files that a ticket's result names, from the offset on. Errors: NotFound
	// (it is not there any more), Corrupt (the agent is too old to know an offset).
	Artifact(ctx context.Context, args contract.ArtifactArgs) (io.ReadCloser, error)
	// List names tickets that the machine keeps, from the one after another on. Errors: NotFound (its
	// agent is too old to tell).
	List(ctx context.Context, after contract.TicketID) (contract.TicketList, error)
	// Send brings content to the machine, from where an earlier try ended. It reports whether
	// anything had to be sent.
	Send(ctx context.Context, content Content) (sent bool, err error)
	Health(ctx context.Context) (contract.HealthReport, error)
}

// FollowFunc takes what a ticket says: records, or a status, never both.
type FollowFunc func(records []contract.Record, status *contract.TicketStatus) error
