// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"errors"
	"io"
	"strings"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// OverwriteMode says what to do when the version is there already. The words are the wire's.
type OverwriteMode string

// The modes. The zero mode is FailIfExists.
const (
	FailIfExists      OverwriteMode = "FailIfExists" // Conflict, unless the content is the same
	IgnoreIfExists    OverwriteMode = "IgnoreIfExists"
	OverwriteExisting OverwriteMode = "OverwriteExisting"
)

// ParseOverwriteMode reads a mode without regard to case; "" is FailIfExists. Errors: Invalid.
func ParseOverwriteMode(text string) (OverwriteMode, error) {
	for _, mode := range []OverwriteMode{FailIfExists, IgnoreIfExists, OverwriteExisting} {
		if strings.EqualFold(text, string(mode)) {
			return mode, nil
		}
	}
	if text == "" {
		return FailIfExists, nil
	}
	return "", errkind.Invalid.Errorf("overwrite mode %.40q: want FailIfExists, IgnoreIfExists or OverwriteExisting", text)
}

// Result says what a push did.
type Result string

// The results.
const (
	Created   Result = "Created"
	Replaced  Result = "Replaced"
	Unchanged Result = "Unchanged" // the same content was there: nothing was written
	Ignored   Result = "Ignored"   // another content was there, and the mode says to leave it
)

// Upload is one package on its way in.
type Upload struct {
	Space    deploy.SpaceID // that the package is for
	FileName string
	Content  io.Reader // read to its end, unless the push fails
	Mode     OverwriteMode
	By       string // user name, for the audit row
	// SHA256 is the hash that the sender declares, in hex; "" when he does not.
	SHA256 string
	// Size is what the sender declares; 0 when he does not.
	Size int64
}

// Push takes a package in. See Receive.
func (f *Feed) Push(
	ctx context.Context, fileName string, content io.Reader, mode OverwriteMode, by string,
) (deploy.Package, Result, error) {
	return f.Receive(ctx, Upload{FileName: fileName, Content: content, Mode: mode, By: by})
}

// Receive takes a package in; id, version and format come from the file name. The package is
// durable and visible when it returns nil. Errors: Invalid (name, format, broken archive, declared
// hash or size), Conflict (the version has another content), Exhausted (too large, disk full),
// Canceled, Unavailable, Internal.
func (f *Feed) Receive(ctx context.Context, u Upload) (deploy.Package, Result, error) {
	p, err := f.announced(&u)
	if err != nil {
		return deploy.Package{}, "", err
	}
	leave, err := enter(ctx, f.pushes)
	if err != nil {
		return deploy.Package{}, "", err
	}
	defer leave()
	held, err := f.Get(ctx, p.Space, p.ID, p.Version)
	switch {
	case err == nil && u.Mode != OverwriteExisting:
		return f.compare(ctx, u, held)
	case err != nil && errkind.Of(err) != errkind.NotFound:
		return deploy.Package{}, "", err
	}
	if err := f.room(u.Size); err != nil {
		return deploy.Package{}, "", err
	}
	in, err := f.spool(ctx, u.Content)
	if err != nil {
		return deploy.Package{}, "", err
	}
	defer in.discard()
	if err := u.checkDeclared(in); err != nil {
		return deploy.Package{}, "", err
	}
	if p.Description, err = checkContent(ctx, in, u.FileName, p.Format, f.limits.MaxBytes); err != nil {
		return deploy.Package{}, "", err
	}
	p.Size, p.SHA256 = in.size, in.sum()
	return f.admit(ctx, u, p, in)
}

// announced checks all that is known before the first byte.
func (f *Feed) announced(u *Upload) (p deploy.Package, err error) {
	p.Space = u.Space
	if p.ID, p.Version, p.Format, err = ParseFileName(u.FileName); err != nil {
		return p, err
	}
	if u.Mode, err = ParseOverwriteMode(string(u.Mode)); err != nil {
		return p, err
	}
	if u.SHA256 = strings.ToLower(u.SHA256); u.SHA256 != "" {
		if err := archive.CheckSum(u.SHA256); err != nil {
			return p, err
		}
	}
	if u.Size < 0 || u.Size > f.limits.MaxBytes {
		return p, errkind.Exhausted.Errorf("package %s has %d bytes: want at most %d", u.FileName, u.Size, f.limits.MaxBytes)
	}
	return p, nil
}

func (u Upload) checkDeclared(in *intake) error {
	if u.SHA256 != "" && u.SHA256 != in.sum() {
		return errkind.Invalid.Errorf("package %s arrived with SHA-256 %s: the sender declared %s",
			u.FileName, in.sum(), u.SHA256)
	}
	if u.Size != 0 && u.Size != in.size {
		return errkind.Invalid.Errorf("package %s arrived with %d bytes: the sender declared %d", u.FileName, in.size, u.Size)
	}
	return nil
}

// compare answers a push of a version that is there already; it only hashes. The content is read
// to its end so that a sender who reads no answer before he is done gets one.
func (f *Feed) compare(ctx context.Context, u Upload, held deploy.Package) (deploy.Package, Result, error) {
	in := &intake{feed: f, hash: contract.NewSummer()}
	if err := in.read(ctx, u.Content); err != nil {
		return deploy.Package{}, "", err
	}
	if err := u.checkDeclared(in); err != nil {
		return deploy.Package{}, "", err
	}
	return u.settle(held, in.sum())
}

// settle decides between what is held and what came, when nothing may be replaced.
func (u Upload) settle(held deploy.Package, sum string) (deploy.Package, Result, error) {
	switch {
	case held.SHA256 == sum:
		return held, Unchanged, nil
	case u.Mode == IgnoreIfExists:
		return held, Ignored, nil
	}
	err := errkind.Conflict.Errorf("package %s %s exists already with other content (SHA-256 %.12s…, not %.12s…)",
		held.ID, held.Version, held.SHA256, sum)
	return deploy.Package{}, "", errkind.Hinted(err, "raise the version, or push with overwriteMode=OverwriteExisting")
}

// checkContent looks whether the file is what its name says and whole: it is unpacked to nowhere, so that what was cut
// off on its way is refused here, not on every machine that it is sent to. What a nupkg says of itself comes back.
func checkContent(ctx context.Context, in *intake, name, format string, maxBytes int64) (said string, err error) {
	first := make([]byte, archive.DetectBytes)
	n, err := in.file.ReadAt(first, 0)
	if err != nil && err != io.EOF {
		return "", durable.DiskError("read a package", err)
	}
	if _, err := archive.Detect(name, first[:n]); err != nil {
		return "", err
	}
	limits := archive.DefaultLimits()
	limits.ArchiveBytes = maxBytes
	buffer := make([]byte, bufferBytes)
	a, err := archive.Open(in.file, in.size, archive.Format(format))
	if err == nil {
		_, err = a.Walk(ctx, limits, func(e archive.Entry, content io.Reader) error {
			if isManifest(e, format) {
				said = description(content)
			}
			return readWhole(ctx, content, buffer)
		})
	}
	return said, asUpload(name, err)
}

// readWhole reads to the end, which is where sizes and checksums are compared.
func readWhole(ctx context.Context, content io.Reader, buffer []byte) error {
	for {
		_, err := content.Read(buffer)
		if err == io.EOF {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
}

// asUpload turns damage in an archive into the sender's mistake: the store is not corrupt.
func asUpload(name string, err error) error {
	switch errkind.Of(err) {
	case errkind.Exhausted, errkind.Canceled, errkind.Timeout:
		return err
	case errkind.Invalid:
		return errkind.Hinted(errkind.Invalid.Errorf("package %s holds what no machine would unpack: %w", name, err),
			"make the archive anew without it")
	}
	if err == nil {
		return nil
	}
	return errkind.Hinted(errkind.Invalid.Errorf("package %s is cut off or damaged: %w", name, err),
		"push it again; if that is refused too, make the archive anew")
}

// admit moves the content to its place and makes the package visible.
func (f *Feed) admit(ctx context.Context, u Upload, p deploy.Package, in *intake) (deploy.Package, Result, error) {
	leave, err := enter(ctx, f.gate)
	if err != nil {
		return deploy.Package{}, "", err
	}
	defer leave()
	if err := f.place(in, p.SHA256); err != nil {
		return deploy.Package{}, "", err
	}
	// From here on the caller's end of patience must not leave content without a row.
	ctx = context.WithoutCancel(ctx)
	p.PublishedAt = f.wall()
	var held deploy.Package
	var result Result
	err = f.store.Update(ctx, func(w store.Writer) (err error) {
		held, result, err = u.record(w, p)
		return err
	})
	if err != nil || held.SHA256 != p.SHA256 {
		f.removeUnshared(ctx, held.SHA256, p.SHA256)
	}
	if err != nil {
		return deploy.Package{}, "", err
	}
	if result == Created || result == Replaced {
		return p, result, nil
	}
	return held, result, nil
}

// record writes the row and its audit event, once more looking at what is there.
func (u Upload) record(w store.Writer, p deploy.Package) (held deploy.Package, result Result, err error) {
	held, err = w.Package(p.Space, p.ID, p.Version)
	switch {
	case errkind.Of(err) == errkind.NotFound:
		result = Created
	case err != nil:
		return held, "", err
	case held.SHA256 == p.SHA256:
		return held, Unchanged, nil
	case u.Mode != OverwriteExisting:
		_, result, err = u.settle(held, p.SHA256)
		return held, result, err
	default:
		result = Replaced
		p.ID, p.Version = held.ID, held.Version
	}
	if err := w.PutPackage(p); err != nil {
		return held, "", err
	}
	event := deploy.Event{At: p.PublishedAt, Space: p.Space, User: u.By, Category: "PackagePushed", Subject: Subject(p)}
	event.Message = "Package " + p.ID + " " + p.Version + " was pushed, SHA-256 " + p.SHA256
	if result == Replaced {
		event.Category = "PackageReplaced"
		event.Message = "Package " + p.ID + " " + p.Version + " was replaced: SHA-256 was " + held.SHA256 + ", is " + p.SHA256
	}
	_, err = w.AddEvent(event)
	return held, result, err
}
