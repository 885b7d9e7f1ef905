// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/servicemessage"
)

const (
	resultName    = "result"
	artifactsName = "artifacts"
	// copyChunk is how much of an artifact is copied between two looks at the shim's end.
	copyChunk = 1 << 20
)

// keepResult makes durable what the script has handed over, for its verdict to name. Nil is said when
// that is nothing.
func (s *shim) keepResult(ctx context.Context, log *recorder) (*contract.ResultInfo, error) {
	outputs, wanted := log.handedOver()
	if len(outputs)+len(wanted) == 0 {
		return nil, nil
	}
	result := contract.Result{Outputs: outputs, Artifacts: s.keepArtifacts(ctx, wanted, log)}
	raw := encodeResult(result)
	if err := s.dir.replace(s.Disk, resultName, raw); err != nil {
		return nil, storage("keep the result", err)
	}
	sum := sha256.Sum256(raw)
	return &contract.ResultInfo{Bytes: int64(len(raw)), SHA256: hex.EncodeToString(sum[:])}, nil
}

// keepArtifacts copies files as they are now: the script has ended. One that cannot be had is left out.
func (s *shim) keepArtifacts(
	ctx context.Context, wanted []servicemessage.Message, log *recorder,
) (kept []contract.Artifact) {
	if len(wanted) == 0 {
		return nil
	}
	folder := s.dir.path(artifactsName)
	err := os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	left := int64(contract.MaxArtifactBytes)
	for _, m := range wanted {
		var a contract.Artifact
		if err == nil {
			a, err = s.keepArtifact(ctx, m, filepath.Join(folder, strconv.Itoa(len(kept))), left)
		}
		if err != nil {
			log.warn(fmt.Sprintf("the artifact %q is not kept: %v", m.Name, err))
			err = nil
			continue
		}
		left -= a.Size
		kept = append(kept, a)
	}
	if err := s.Disk.SyncFolder(folder); err != nil {
		log.warn(fmt.Sprintf("the artifacts are not kept: %v", err))
		return nil
	}
	return kept
}

func (s *shim) keepArtifact(
	ctx context.Context, m servicemessage.Message, to string, limit int64,
) (a contract.Artifact, err error) {
	from := m.Path
	if !filepath.IsAbs(from) {
		from = filepath.Join(s.dir.path("work"), from)
	}
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not block
	if err != nil {
		return a, err
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || !info.Mode().IsRegular() {
		return a, errors.Join(err, errkind.Invalid.Errorf("%s is not a file", from))
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return a, err
	}
	sum := sha256.New()
	size, err := copyUntil(ctx, io.MultiWriter(out, sum), in, limit)
	if err == nil {
		err = s.Disk.Sync(out)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return a, errors.Join(err, os.Remove(to))
	}
	return contract.Artifact{Name: m.Name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// copyUntil copies a file unless it is longer than the limit or ctx ends.
func copyUntil(ctx context.Context, to io.Writer, from io.Reader, limit int64) (n int64, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := io.CopyN(to, from, copyChunk)
		switch n += m; {
		case n > limit:
			return n, errkind.Exhausted.Errorf("with it the artifacts would have more than %d bytes", contract.MaxArtifactBytes)
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
	}
}

// result reads what a verdict names. Errors: NotFound, Corrupt.
func (f folder) result(info *contract.ResultInfo) (contract.Result, []byte, error) {
	if info == nil {
		return contract.Result{}, nil, errkind.NotFound.Errorf("ticket %s has no result", f.ticket())
	}
	raw, err := f.read(resultName)
	if err != nil {
		return contract.Result{}, nil, err
	}
	if sum := sha256.Sum256(raw); int64(len(raw)) != info.Bytes || hex.EncodeToString(sum[:]) != info.SHA256 {
		return contract.Result{}, nil, errkind.Corrupt.Errorf(
			"ticket %s: its result has %d bytes with the hash %x, its verdict says %d and %s",
			f.ticket(), len(raw), sum, info.Bytes, info.SHA256)
	}
	result, err := contract.ParseResult(raw)
	return result, raw, err
}

// findResult finds a finished ticket's result. Errors: NotFound, Corrupt.
func (s *Service) findResult(ctx context.Context, id contract.TicketID) (*ticket, contract.Result, []byte, error) {
	t, err := s.find(ctx, id)
	if err != nil {
		return nil, contract.Result{}, nil, err
	}
	if t == nil {
		return nil, contract.Result{}, nil, errkind.NotFound.Errorf("ticket %s is not known", id)
	}
	s.mu.Lock()
	verdict := t.verdict
	s.mu.Unlock()
	if verdict == nil {
		return nil, contract.Result{}, nil, errkind.NotFound.Errorf("ticket %s has no verdict yet", id)
	}
	result, raw, err := t.dir.result(verdict.Result)
	return t, result, raw, err
}

func (s *Service) serveResult(ctx context.Context, c *contract.Call[contract.TicketArgs, contract.ResultInfo]) error {
	t, _, raw, err := s.findResult(ctx, c.Args.Ticket)
	if err != nil {
		return err
	}
	w, err := c.Reply(*t.verdict.Result)
	if err != nil {
		return err
	}
	_, err = w.Write(raw)
	return err
}

func (s *Service) serveArtifact(ctx context.Context, c *contract.Call[contract.ArtifactArgs, contract.FileInfo]) error {
	t, result, _, err := s.findResult(ctx, c.Args.Ticket)
	if err != nil {
		return err
	}
	i := c.Args.Index
	if i < 0 || i >= len(result.Artifacts) {
		return errkind.NotFound.Errorf("ticket %s has %d artifacts and none of the index %d",
			c.Args.Ticket, len(result.Artifacts), i)
	}
	file, err := os.OpenFile(filepath.Join(t.dir.path(artifactsName), strconv.Itoa(i)), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return storage("read the artifact", err)
	}
	defer file.Close()
	a, from := result.Artifacts[i], c.Args.Offset
	if from < 0 || from > a.Size {
		return errkind.Invalid.Errorf("artifact %d of ticket %s has %d bytes: none from %d on",
			i, c.Args.Ticket, a.Size, from)
	}
	w, err := c.Reply(contract.FileInfo{Size: a.Size, SHA256: a.SHA256})
	if err != nil {
		return err
	}
	if n, err := io.Copy(w, io.NewSectionReader(file, from, a.Size-from)); err != nil || n != a.Size-from {
		short := errkind.Corrupt.Errorf("artifact %d of ticket %s has %d bytes, not %d", i, c.Args.Ticket, from+n, a.Size)
		return errors.Join(err, short)
	}
	return nil
}
