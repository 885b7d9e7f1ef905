// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package target

import (
	"bytes"
	"context"
	"io"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// maxSends is how often content is sent that arrives damaged, each time from the damaged chunk on.
const maxSends = 3

// Send asks what is missing and sends that: a delta to an older version that lies on the machine, or
// the rest of the content. There is no time limit: the line itself notices a peer that stopped reading.
func (l Line) Send(ctx context.Context, content Content) (bool, error) {
	state, err := l.lacking(ctx, content)
	if err != nil || state.Complete {
		return false, err
	}
	if state.Offset == 0 && !content.IsForced { // what has been begun is finished
		if done, err := l.patch(ctx, content); done || err != nil {
			return true, err
		}
	}
	return true, l.deliver(ctx, content)
}

// lacking is how much of content the machine lacks, once it has dropped what is to come anew. An agent that does not
// know how to keeps what it has.
func (l Line) lacking(ctx context.Context, content Content) (contract.BlobState, error) {
	if content.IsForced {
		dropCtx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		state, err := contract.BlobDrop.Call(dropCtx, l.Session, content.args())
		if errkind.Of(err) != errkind.NotFound {
			return state, err
		}
	}
	return l.missing(ctx, content.args())
}

func (l Line) missing(ctx context.Context, args contract.BlobArgs) (contract.BlobState, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return contract.BlobMissing.Call(ctx, l.Session, args)
}

// patch tries to do with a delta. It reports false when the whole has to be sent instead: the machine
// holds nothing to start from, the delta is not worth it, or what was made is something else.
func (l Line) patch(ctx context.Context, content Content) (done bool, err error) {
	if content.Bases == nil {
		return false, nil
	}
	err = l.tryPatch(ctx, content, &done)
	switch errkind.Of(err) {
	case errkind.Unavailable, errkind.Timeout, errkind.Canceled, errkind.Conflict:
		return done, err // the next try goes on where this one ended
	}
	return done, nil
}

func (l Line) tryPatch(ctx context.Context, content Content, done *bool) error {
	base, err := l.base(ctx, content)
	if err != nil || base == "" {
		return err
	}
	patch, err := content.Patch(ctx, base)
	if err != nil || patch == nil {
		return err
	}
	if err := l.deliver(ctx, patch.Delta); err != nil {
		return err
	}
	state, err := contract.BlobPatch.Send(ctx, l.Session, patch.Args, nil)
	if *done = err == nil && state.Complete; *done && content.Patched != nil {
		content.Patched(patch.Delta.Size)
	}
	return err
}

// base is the best content to start from that lies on the machine, or "".
func (l Line) base(ctx context.Context, content Content) (string, error) {
	sums, err := content.Bases(ctx)
	if err != nil || len(sums) == 0 {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	held, err := contract.BlobWhich.Call(ctx, l.Session, contract.BlobWhichArgs{SHA256: sums})
	if err != nil || len(held.SHA256) == 0 {
		return "", err
	}
	return held.SHA256[0], nil
}

// deliver sends content from where the machine says. Errors: Corrupt (it arrived damaged maxSends
// times), the machine's, or the content's.
func (l Line) deliver(ctx context.Context, content Content) error {
	var sums contract.RunningSums
	if content.Sums != nil && content.Size > contract.ChunkBytes {
		var err error
		if sums, err = content.Sums(ctx); err != nil {
			return err
		}
	}
	for sent := 1; ; sent++ {
		err := l.deliverOnce(ctx, content, sums)
		if errkind.Of(err) != errkind.Corrupt || sent == maxSends {
			return err
		}
	}
}

func (l Line) deliverOnce(ctx context.Context, content Content, sums contract.RunningSums) error {
	state, err := l.begun(ctx, content, sums)
	if err != nil || state.Complete {
		return err
	}
	file, err := content.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(state.Offset, io.SeekStart); err != nil {
		return errkind.Internal.Errorf("read content %s from byte %d: %w", content.SHA256, state.Offset, err)
	}
	put := contract.BlobPutArgs{SHA256: content.SHA256, Size: content.Size, Offset: state.Offset}
	state, err = contract.BlobPut.Send(ctx, l.Session, put, io.LimitReader(file, content.Size-state.Offset))
	if err == nil && !state.Complete {
		err = errkind.Unavailable.Errorf("send content %s: the agent holds %d of %d bytes",
			content.SHA256, state.Offset, content.Size)
	}
	return err
}

// begun asks how much lies there, and has it checked when there are running sums. An agent that does
// not know them checks the whole at its end.
func (l Line) begun(ctx context.Context, content Content, sums contract.RunningSums) (contract.BlobState, error) {
	if sums != nil {
		state, err := contract.BlobCheck.Send(ctx, l.Session, content.args(), bytes.NewReader(sums))
		if errkind.Of(err) != errkind.NotFound {
			return state, err
		}
	}
	return l.missing(ctx, content.args())
}
