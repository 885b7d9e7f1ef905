// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"errors"
	"os"
	"sync"
	"time"
)

const (
	// maxFrames bounds the frames on the way in one direction; more are lost.
	maxFrames = 4096
	// maxFrameBytes is an Ethernet frame with a tag, and room to spare.
	maxFrameBytes = 2048
)

// frame is on its way until due.
type frame struct {
	due   time.Time
	bytes []byte
}

// wire carries frames between two TAP devices, each after a delay. It ends with close.
type wire struct {
	a, b  *os.File
	tasks sync.WaitGroup
}

func newWire(c cable, space func(string) string) (*wire, error) {
	a, err := openTap(space(c.a.node), c.a.device)
	if err != nil {
		return nil, err
	}
	b, err := openTap(space(c.b.node), c.b.device)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	w := &wire{a: a, b: b}
	w.lead(a, b, c.delay)
	w.lead(b, a, c.delay)
	return w, nil
}

// lead carries one direction: one goroutine takes frames in, one hands them out.
func (w *wire) lead(from, to *os.File, delay time.Duration) {
	frames := make(chan frame, maxFrames)
	w.tasks.Go(func() {
		defer close(frames)
		takeIn(from, frames, delay)
	})
	w.tasks.Go(func() { handOut(to, frames) })
}

// takeIn reads frames until the device is closed.
func takeIn(from *os.File, frames chan<- frame, delay time.Duration) {
	buffer := make([]byte, maxFrameBytes)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		f := frame{due: time.Now().Add(delay), bytes: append([]byte(nil), buffer[:n]...)}
		select {
		case frames <- f:
		default: // as a full queue of a real wire
		}
	}
}

// handOut writes each frame when it is due.
func handOut(to *os.File, frames <-chan frame) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for f := range frames {
		timer.Reset(time.Until(f.due))
		<-timer.C
		_, _ = to.Write(f.bytes) // a device that is down loses it; takeIn sees the end
	}
}

// close takes both devices away and waits for the goroutines.
func (w *wire) close() error {
	err := errors.Join(w.a.Close(), w.b.Close())
	w.tasks.Wait()
	return err
}
