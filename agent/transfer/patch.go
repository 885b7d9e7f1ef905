// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/delta"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

// plainEnd ends the name of a file that says which content is the plain form of a package.
const plainEnd = ".plain"

// maxPlainBytes is how long such a file may be: a hash, a blank, a number, a new line.
const maxPlainBytes = 100

// which serves blob.which. Asking for a blob keeps it for an hour.
func (s *Store) which(_ context.Context, args contract.BlobWhichArgs) (contract.BlobHeld, error) {
	held := contract.BlobHeld{SHA256: []string{}}
	if len(args.SHA256) > contract.MaxWhich {
		return held, errkind.Invalid.Errorf("asked for %d hashes at once: want at most %d",
			len(args.SHA256), contract.MaxWhich)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sum := range args.SHA256 {
		if err := archive.CheckSum(sum); err != nil {
			return held, err
		}
		there, err := s.holds(sum)
		if err != nil {
			return held, err
		}
		if there {
			held.SHA256 = append(held.SHA256, sum)
		}
	}
	return held, nil
}

// holds tells whether a package lies here, as it is or in its plain form, and stamps it. The caller
// holds mu.
func (s *Store) holds(sum string) (bool, error) {
	now := s.options.Wall()
	if length, err := s.regular(sum); err != nil || length >= 0 {
		return err == nil, errors.Join(err, s.blobs.Chtimes(sum, now, now))
	}
	plain, err := s.plainOf(sum)
	if err != nil || plain.SHA256 == "" {
		return false, err
	}
	return true, errors.Join(s.blobs.Chtimes(plain.SHA256, now, now), s.blobs.Chtimes(sum+plainEnd, now, now))
}

// plainOf finds the plain form of a package; an empty hash says that it is not here.
func (s *Store) plainOf(sum string) (contract.BlobArgs, error) {
	if length, err := s.regular(sum + plainEnd); err != nil || length < 0 {
		return contract.BlobArgs{}, err
	}
	plain, err := readPlain(s.blobs, sum)
	if err != nil || plain.SHA256 == "" {
		return contract.BlobArgs{}, err
	}
	length, err := s.regular(plain.SHA256)
	if err != nil || length != plain.Size {
		return contract.BlobArgs{}, err
	}
	return plain, nil
}

// readPlain reads which content is the plain form of a package. What makes no sense is none.
func readPlain(blobs *os.Root, sum string) (plain contract.BlobArgs, err error) {
	f, err := blobs.Open(sum + plainEnd)
	if errors.Is(err, fs.ErrNotExist) {
		return plain, nil
	}
	if err != nil {
		return plain, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPlainBytes))
	if err != nil {
		return plain, err
	}
	name, number, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	size, bad := strconv.ParseInt(number, 10, 64)
	if bad != nil || archive.CheckSum(name) != nil {
		return plain, nil
	}
	return contract.BlobArgs{SHA256: name, Size: size}, nil
}

// notePlain says durably which content is the plain form of a package.
func (s *Store) notePlain(sum string, plain contract.BlobArgs) error {
	text := plain.SHA256 + " " + strconv.FormatInt(plain.Size, 10) + "\n"
	return durable.Replace(s.options.Disk, filepath.Join(s.home, blobsFolder, sum+plainEnd), []byte(text))
}

// patch serves blob.patch.
func (s *Store) patch(ctx context.Context, call *contract.Call[contract.BlobPatchArgs, contract.BlobState]) error {
	args := call.Args
	_, err := archive.ParseFormat(args.BaseFormat)
	for _, content := range []contract.BlobArgs{args.Package, args.Plain, args.Base, args.BasePlain, args.Delta} {
		err = errors.Join(err, checkBlob(content.SHA256, content.Size))
	}
	if err != nil {
		return err
	}
	there, err := s.complete(args.Plain)
	if err == nil && !there {
		if err = s.expand(ctx, args); err == nil {
			err = s.apply(ctx, args)
		}
	}
	if err == nil {
		err = s.notePlain(args.Package.SHA256, args.Plain)
	}
	if err != nil {
		return err
	}
	if _, err := s.remove(args.Delta.SHA256); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = call.Reply(contract.BlobState{Complete: true, Offset: args.Package.Size})
	return err
}

func (s *Store) complete(content contract.BlobArgs) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, err := s.state(content.SHA256, content.Size)
	return state.Complete, err
}

// expand makes the plain form of the older package, unless it is here.
func (s *Store) expand(ctx context.Context, args contract.BlobPatchArgs) error {
	there, err := s.complete(args.BasePlain)
	if err != nil || there {
		return err
	}
	packed, err := OpenBlob(s.home, args.Base.SHA256)
	if err != nil {
		return err
	}
	defer packed.Close()
	a, err := archive.Open(packed, packed.Size, archive.Format(args.BaseFormat))
	if err != nil {
		return err
	}
	err = s.produce(args.BasePlain, func(w io.Writer) error { return archive.Plain(ctx, w, a, archive.DefaultLimits()) })
	if err != nil {
		return err
	}
	return s.notePlain(args.Base.SHA256, args.BasePlain)
}

// apply makes the plain form of the newer package.
func (s *Store) apply(ctx context.Context, args contract.BlobPatchArgs) error {
	old, err := OpenBlob(s.home, args.BasePlain.SHA256)
	if err != nil {
		return err
	}
	defer old.Close()
	d, err := OpenBlob(s.home, args.Delta.SHA256)
	if err != nil {
		return err
	}
	defer d.Close()
	return s.produce(args.Plain, func(w io.Writer) error {
		from, by := delta.Source{ReaderAt: old, Size: old.Size}, delta.Source{ReaderAt: d, Size: d.Size}
		return delta.Apply(ctx, w, from, by, args.Plain.Size)
	})
}

// produce makes a blob of what fill writes. It is there whole, checked and durable, or not at all.
// Errors: Corrupt (another content came out), Conflict, Exhausted, or fill's.
func (s *Store) produce(content contract.BlobArgs, fill func(io.Writer) error) error {
	state, _, err := s.takeUp(content)
	if err != nil || state.Complete {
		return err
	}
	r, err := s.reserveBlob(content, content.Size)
	if err == nil {
		err = s.write(content, r, fill)
	}
	s.forgetProof(content.SHA256)
	s.giveUp(content.SHA256, r)
	return err
}

func (s *Store) write(content contract.BlobArgs, r *room, fill func(io.Writer) error) error {
	part := content.SHA256 + partEnd
	f, err := s.blobs.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	w := &bounded{writing: writing{disk: s.options.Disk, f: f, room: r}, left: content.Size}
	buffered := bufio.NewWriterSize(io.MultiWriter(h, w), bufferBytes)
	if err = fill(buffered); err == nil {
		err = buffered.Flush()
	}
	if got := hex.EncodeToString(h.Sum(nil)); err == nil && got != content.SHA256 {
		err = errkind.Corrupt.Errorf("what was made has the hash %s and should have %s", got, content.SHA256)
	}
	if err == nil {
		err = s.options.Disk.Sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, s.blobs.Remove(part))
	}
	return s.publish(part, content.SHA256)
}

// bounded refuses what goes beyond the content's size.
type bounded struct {
	writing
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errkind.Corrupt.Errorf("what is made goes on after the %d bytes it should have", b.done)
	}
	if err := b.write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// OpenPackage opens an order's package in an agent's home, as it was sent, or its plain form, and says
// which format that is. It may be called from any process. Errors: Invalid (no hash), NotFound, Corrupt
// (the order says another size), or the file system's.
func OpenPackage(home string, p contract.Package) (*Blob, archive.Format, error) {
	blob, err := OpenBlob(home, p.SHA256)
	if err == nil && blob.Size != p.Size {
		err = errkind.Corrupt.Errorf("package %s %s has %d bytes here and %d in the order",
			p.ID, p.Version, blob.Size, p.Size)
		return nil, "", errors.Join(err, blob.Close())
	}
	if errkind.Of(err) != errkind.NotFound {
		return blob, archive.Format(p.Format), err
	}
	folder, rootErr := os.OpenRoot(filepath.Join(home, blobsFolder))
	if rootErr != nil {
		return nil, "", errors.Join(err, rootErr)
	}
	defer folder.Close()
	plain, readErr := readPlain(folder, p.SHA256)
	if readErr != nil || plain.SHA256 == "" {
		return nil, "", errors.Join(err, readErr)
	}
	blob, err = OpenBlob(home, plain.SHA256)
	return blob, archive.Tar, err
}
