// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// callTimeout bounds calls that move no bulk: 30 s.
const callTimeout = 30 * time.Second

// Line reaches a machine by the line its agent holds, whoever dialled it.
type Line struct {
	Session contract.Opener
}

var _ Target = Line{}

// Status asks the agent.
func (l Line) Status(ctx context.Context, ticket contract.TicketID) (contract.TicketStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return contract.ScriptStatus.Call(ctx, l.Session, contract.TicketArgs{Ticket: ticket})
}

// Start sends the order. Errors: Invalid (it is too long), and the agent's.
func (l Line) Start(ctx context.Context, order contract.Order) (contract.TicketStatus, error) {
	body, err := json.Marshal(order)
	if err != nil {
		return contract.TicketStatus{}, errkind.Internal.Errorf("encode order %s: %w", order.Ticket, err)
	}
	if len(body) > contract.MaxOrderBytes {
		return contract.TicketStatus{}, errkind.Invalid.Errorf(
			"the order, which is the script with all variables that are in scope, has %d bytes: limit is %d; "+
				"scope the long ones to the actions that need them, or bring them in a package", len(body), contract.MaxOrderBytes)
	}
	sum := sha256.Sum256(body)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	args := contract.StartArgs{
		Ticket:      order.Ticket,
		OrderBytes:  int64(len(body)),
		OrderSHA256: hex.EncodeToString(sum[:]),
	}
	return contract.ScriptStart.Send(ctx, l.Session, args, bytes.NewReader(body))
}

// Follow reads the agent's frames.
func (l Line) Follow(ctx context.Context, ticket contract.TicketID, offset int64, f FollowFunc) error {
	answer, err := contract.ScriptFollow.Exchange(
		ctx,
		l.Session,
		contract.FollowArgs{Ticket: ticket, Offset: offset},
		nil,
	)
	if err != nil {
		return err
	}
	defer answer.Close()
	frames := contract.FollowReader{R: answer, Offset: offset}
	for {
		records, status, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return errkind.Unavailable.Errorf("follow %s: the agent ended the stream before the verdict", ticket)
		}
		if err != nil {
			return err
		}
		if err := f(records, status); err != nil {
			return err
		}
		if status != nil && status.State == contract.Finished {
			return nil
		}
	}
}

// Cancel asks the agent to end the ticket.
func (l Line) Cancel(ctx context.Context, ticket contract.TicketID, grace time.Duration, by string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := contract.ScriptCancel.Call(
		ctx,
		l.Session,
		contract.CancelArgs{Ticket: ticket, GraceMS: grace.Milliseconds(), By: by},
	)
	return err
}

// Forget tells the agent that the server keeps everything.
func (l Line) Forget(ctx context.Context, ticket contract.TicketID) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := contract.ScriptForget.Call(ctx, l.Session, contract.TicketArgs{Ticket: ticket})
	return err
}

// Result reads the result whole and checks its hash. Errors: Corrupt.
func (l Line) Result(ctx context.Context, ticket contract.TicketID, info contract.ResultInfo) (r contract.Result,
	err error,
) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := contract.ScriptResult.Exchange(ctx, l.Session, contract.TicketArgs{Ticket: ticket}, nil)
	if err != nil {
		return r, err
	}
	defer answer.Close()
	raw, err := io.ReadAll(io.LimitReader(answer, info.Bytes+1))
	if err != nil {
		return r, errkind.Unavailable.Errorf("read the result of %s: %w", ticket, err)
	}
	sum := sha256.Sum256(raw)
	if int64(len(raw)) != info.Bytes || hex.EncodeToString(sum[:]) != info.SHA256 {
		return r, errkind.Corrupt.Errorf("the result of %s came as %d bytes that are not those of its verdict (%d)",
			ticket, len(raw), info.Bytes)
	}
	return contract.ParseResult(raw)
}

// Artifact opens the file. There is no time limit: the line itself notices a peer that stopped sending.
func (l Line) Artifact(ctx context.Context, args contract.ArtifactArgs) (io.ReadCloser, error) {
	answer, err := contract.ScriptArtifact.Exchange(ctx, l.Session, args, nil)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// List asks the agent.
func (l Line) List(ctx context.Context, after contract.TicketID) (contract.TicketList, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return contract.ScriptList.Call(ctx, l.Session, contract.ListArgs{After: after})
}

// Health asks the agent for its report.
func (l Line) Health(ctx context.Context) (contract.HealthReport, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return contract.Health.Call(ctx, l.Session, contract.Nothing{})
}
