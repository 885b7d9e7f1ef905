// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
)

const (
	// markBytes of a ticket's stream lie between two marks in the task's log: so much at most is asked
	// for a second time, only to be hashed, after the server was restarted.
	markBytes = 1 << 20
	// keptBytes is the largest buffer that an intake keeps between batches.
	keptBytes = 4 << 10
	// againSuffix names the second try of a stream in the task's log. No ticket's id has a slash.
	againSuffix = "/again"
)

// intake takes one ticket's stream into the task's log and hashes what it took, to be compared with
// the verdict. It outlives sessions; its place in the log outlives the server.
type intake struct {
	log    *watchedLog
	node   string
	key    contract.TicketID // of the stream in the log
	isLast bool              // the stream was asked for again: there is no third try

	end    int64 // what was taken and hashed
	marked int64
	sum    hash.Hash
	raw    []byte
}

// openIntake goes on where the log says, with the second try if that has begun.
func openIntake(log *watchedLog, node string, ticket contract.TicketID) *intake {
	again := ticket + againSuffix
	i := &intake{log: log, node: node, key: ticket, sum: sha256.New()}
	if i.isLast = log.TicketEnd(again) > 0; i.isLast {
		i.key = again
	}
	end, state := log.Marked(i.key)
	if u, can := i.sum.(encoding.BinaryUnmarshaler); can && end > 0 && u.UnmarshalBinary(state) == nil {
		i.end, i.marked = end, end
	}
	return i
}

// take stores records and then hashes them. Records that were taken before change nothing. Errors:
// Corrupt (a gap), the log's.
func (i *intake) take(records []contract.Record) error {
	if len(records) > 0 && records[0].Offset > i.end {
		return errkind.Corrupt.Errorf("output from %d to %d did not come", i.end, records[0].Offset)
	}
	if err := i.log.Append(lines(i.node, i.key, records)...); err != nil {
		return err
	}
	i.hash(records)
	if i.end-i.marked < markBytes {
		return nil
	}
	return i.mark()
}

// hash adds what goes on where the last record ended, a record at a time: a busy server has many
// intakes, and a batch would be copied once more.
func (i *intake) hash(records []contract.Record) {
	for _, r := range records {
		if r.Offset == i.end {
			i.raw = contract.AppendRecord(i.raw[:0], r)
			i.sum.Write(i.raw)
			i.end = r.End()
		}
	}
	if cap(i.raw) > keptBytes {
		i.raw = nil
	}
}

func (i *intake) mark() error {
	m, can := i.sum.(encoding.BinaryMarshaler)
	if !can {
		return nil
	}
	state, err := m.MarshalBinary()
	if err != nil {
		return errkind.Internal.Errorf("keep the state of a hash: %w", err)
	}
	if err := i.log.Mark(i.key, i.end, state); err != nil {
		return err
	}
	i.marked = i.end
	return nil
}

// doubt says in what the stream differs from what the verdict says of it; "" when it does not. A
// verdict of an agent that has lost the end of its log speaks for less than was taken here.
func (i *intake) doubt(v contract.Verdict) string {
	if v.LogSHA256 == "" || i.end > v.LogEnd {
		return ""
	}
	if got := hex.EncodeToString(i.sum.Sum(nil)); i.end < v.LogEnd || got != v.LogSHA256 {
		return fmt.Sprintf("%d bytes with the SHA-256 %s came, and the machine wrote %d bytes with %s",
			i.end, got, v.LogEnd, v.LogSHA256)
	}
	return ""
}

// intake is the carrier's, made when it is first needed.
func (c *carrier) intake() *intake {
	if c.taken == nil {
		c.taken = openIntake(c.worker.log, c.node, c.ticket.ID)
	}
	return c.taken
}

// checked compares the output with the verdict. Output that differs is asked for once more, from its
// beginning; if it differs again the verdict's reason says so.
func (c *carrier) checked(ctx context.Context, t target.Target, v *contract.Verdict) (*contract.Verdict, error) {
	doubt := c.intake().doubt(*v)
	if doubt == "" {
		return v, nil
	}
	if !c.intake().isLast {
		if err := c.restart(doubt); err != nil {
			return nil, err
		}
		again, err := c.follow(ctx, t)
		if err != nil {
			return nil, remote(err)
		}
		v = again.Verdict
		doubt = c.intake().doubt(*v)
	}
	return doubted(v, doubt), nil
}

// doubted is the verdict with a doubt about its output, if there is one.
func doubted(v *contract.Verdict, doubt string) *contract.Verdict {
	if doubt == "" {
		return v
	}
	said := *v
	said.Reason = "its output here is not what it wrote: " + doubt
	if v.Reason != "" {
		said.Reason = v.Reason + "; " + said.Reason
	}
	return &said
}

// restart says why the stream is taken anew. The line carries the new stream's key, so that the log
// itself knows, and says it once.
func (c *carrier) restart(doubt string) error {
	err := c.worker.log.Append(tasklog.Line{
		At: c.worker.engine.Env.Wall(), Category: tasklog.Warning, Node: c.node,
		Ticket: c.ticket.ID + againSuffix, TicketEnd: 1,
		Text: "The output above is not what the machine wrote: " + doubt + ". All of it comes again below.",
	})
	c.taken = nil
	return err
}
