// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// Register serves the script methods on m.
func (s *Service) Register(m *contract.Mux) {
	contract.HandleStream(m, contract.ScriptStart, s.serveStart)
	contract.Handle(m, contract.ScriptStatus, s.serveStatus)
	contract.HandleStream(m, contract.ScriptFollow, s.serveFollow)
	contract.Handle(m, contract.ScriptCancel, s.Cancel)
	contract.Handle(m, contract.ScriptForget, s.serveForget)
	contract.Handle(m, contract.ScriptList, s.List)
	contract.HandleStream(m, contract.ScriptResult, s.serveResult)
	contract.HandleStream(m, contract.ScriptArtifact, s.serveArtifact)
}

func (s *Service) serveStatus(ctx context.Context, a contract.TicketArgs) (contract.TicketStatus, error) {
	return s.Status(ctx, a.Ticket)
}

func (s *Service) serveForget(ctx context.Context, a contract.TicketArgs) (contract.Nothing, error) {
	return contract.Nothing{}, s.Forget(ctx, a.Ticket)
}

func (s *Service) serveStart(ctx context.Context, c *contract.Call[contract.StartArgs, contract.TicketStatus]) error {
	raw, err := s.receive(ctx, c.Args, c.Body)
	if err != nil {
		return err
	}
	order, err := ParseOrder(raw)
	if err != nil {
		return err
	}
	if order.Ticket != c.Args.Ticket {
		return errkind.Invalid.Errorf("order of ticket %s came as that of %s", order.Ticket, c.Args.Ticket)
	}
	status, err := s.Start(ctx, raw)
	if err != nil {
		return err
	}
	if status.Journal, err = s.Position(ctx); err != nil {
		return err
	}
	_, err = c.Reply(status)
	return err
}

// receive reads an order and checks it against its announcement.
func (s *Service) receive(ctx context.Context, a contract.StartArgs, body io.Reader) ([]byte, error) {
	if a.OrderBytes <= 0 || a.OrderBytes > contract.MaxOrderBytes {
		return nil, errkind.Exhausted.Errorf("order of %s has %d bytes: want 1 to %d",
			a.Ticket, a.OrderBytes, contract.MaxOrderBytes)
	}
	if err := ctx.Err(); err != nil {
		return nil, err // who asked has gone: with a place free as well, chance would decide
	}
	select {
	case s.intake <- struct{}{}:
		defer func() { <-s.intake }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	raw, err := io.ReadAll(io.LimitReader(body, a.OrderBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != a.OrderBytes {
		return nil, errkind.Corrupt.Errorf("order of %s: %d bytes came, %d were announced", a.Ticket, len(raw), a.OrderBytes)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != a.OrderSHA256 {
		return nil, errkind.Corrupt.Errorf("order of %s: its hash is %x, not %.80s as announced",
			a.Ticket, sum, a.OrderSHA256)
	}
	return raw, nil
}

func (s *Service) serveFollow(ctx context.Context, c *contract.Call[contract.FollowArgs, contract.TicketStatus]) error {
	f, err := s.follow(ctx, c.Args.Ticket, c.Args.Offset)
	if err != nil {
		return err
	}
	w, err := c.Reply(f.sent)
	if err != nil {
		f.log.close()
		return err
	}
	return f.run(ctx, contract.FollowWriter{W: w})
}
