// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"time"
)

const (
	progressAfter = 2 * time.Second        // shorter work shows nothing
	progressEvery = 200 * time.Millisecond // at most five redraws a second
)

// Progress shows how far long work has come, in one line on Err that Done takes away. It shows nothing when Err is
// no terminal, when --json was given, or during the first two seconds. It draws inside Set and Say and has no
// goroutine.
type Progress struct {
	std     *IO
	label   string
	started time.Time
	drawn   time.Time
}

// Progress begins to measure; label says what is being done: "uploading web-1.0.0.tar.gz".
func (std *IO) Progress(label string) *Progress {
	return &Progress{std: std, label: Printable(label), started: time.Now()}
}

// Set tells that done of total bytes are through; total 0 means not known.
func (p *Progress) Set(done, total int64) {
	if !p.due() {
		return
	}
	text := Bytes(done)
	if total > 0 {
		text = fmt.Sprintf("%d %%, %s of %s", 100*done/total, Bytes(done), Bytes(total))
	}
	p.draw(text + fmt.Sprintf(", %s/s", Bytes(int64(float64(done)/time.Since(p.started).Seconds()))))
}

// Say tells in words how far it is.
func (p *Progress) Say(text string) {
	if p.due() {
		p.draw(Printable(text))
	}
}

// due reports whether a line is wanted, and time for it.
func (p *Progress) due() bool {
	wanted := p.std.ErrColumns > 0 && !p.std.JSON
	return wanted && time.Since(p.started) >= progressAfter && time.Since(p.drawn) >= progressEvery
}

func (p *Progress) draw(text string) {
	p.drawn = time.Now()
	line := shorten(p.label+": "+text, p.std.ErrColumns-1)
	_, _ = io.WriteString(p.std.Err, "\r\x1b[K"+line) // a lost progress line harms nobody
}

// Done takes the line away.
func (p *Progress) Done() {
	if !p.drawn.IsZero() {
		_, _ = io.WriteString(p.std.Err, "\r\x1b[K")
	}
}
