// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import "time"

// Input is one thing that happened: the inputs below, and no others.
type Input interface {
	apply(m *Machine, now time.Time) error
}

// The inputs.
type (
	// Start begins the session. It comes first and once.
	Start struct{}
	// Received is a whole frame whose header ParseHeader took. Payload may be nil for data: the
	// machine looks at its length in the header only.
	Received struct {
		Header  Header
		Payload []byte
	}
	// Broken says that the bytes received are no frame; Err is ParseHeader's.
	Broken struct{ Err error }
	// Lost says that the transport failed or ended (io.EOF).
	Lost struct{ Err error }
	// Open asks for a stream. The answer is StreamOpened, or an error of the kinds Invalid (not the
	// caller), Unavailable (not working, draining) or Exhausted (too many streams).
	Open struct{ Bulk bool }
	// Wrote offers so many more bytes of a stream to be sent.
	Wrote struct {
		Stream uint32
		Bytes  int
	}
	// Ended says that no more bytes will be offered.
	Ended struct{ Stream uint32 }
	// Abort resets a stream. What was offered and not sent is dropped, unless Ended came before and
	// Keep is set: then it is sent, and the end, before the reset.
	Abort struct {
		Stream uint32
		Text   string
		Keep   bool
	}
	// ReadSome says that so many delivered bytes were consumed.
	ReadSome struct {
		Stream uint32
		Bytes  int
	}
	// WriteReady says that everything sent so far was taken by the transport and that it can take
	// Room more bytes, MinRoomBytes at least. It follows every Wake and every WriteReady that was
	// answered with a Send.
	WriteReady struct{ Room int }
	// Tick says that the time of an Arm has come, or any other time.
	Tick struct{}
	// Drain announces that no new streams are wanted here. Address (host:port) may name a better
	// place, or is empty. The session says goodbye when the last stream has ended.
	Drain struct{ Address string }
	// Hush holds back all frames of streams until Leave, so that the goodbye is all that the peer hears, in
	// whatever order those who hold the streams end them. Goodbye is said after HushLimit at the latest.
	Hush struct{ Goodbye Goodbye }
	// Leave ends the session with a goodbye.
	Leave struct{ Goodbye Goodbye }
)

// Output is one thing that the shell must do: the outputs below, and no others.
type Output interface{ output() }

// The outputs.
type (
	// Wake asks for WriteReady as soon as the transport can take bytes.
	Wake struct{}
	// Send is a frame to be written, in the order of the outputs. Payload is nil for data: the
	// shell takes the next Header.Length bytes that were offered on the stream.
	Send struct {
		Header  Header
		Payload []byte
	}
	// Ready says that the peer's hello was accepted.
	Ready struct{}
	// StreamOpened answers Open, or tells of a stream that the peer opened.
	StreamOpened struct {
		Stream uint32
		Bulk   bool
		ByPeer bool
	}
	// Deliver hands the payload of the data frame just received to the stream's reader.
	Deliver struct {
		Stream uint32
		Bytes  int
	}
	// StreamEnded says that the peer sends no more bytes on the stream.
	StreamEnded struct{ Stream uint32 }
	// StreamReset says that the stream ended early, by the peer or by the rate floor.
	StreamReset struct {
		Stream uint32
		Code   ResetCode
		Text   string
		ByPeer bool
	}
	// Forgotten is the last output about a stream.
	Forgotten struct{ Stream uint32 }
	// PeerDrains says that the peer wants no new streams; Address may name a better place.
	PeerDrains struct{ Address string }
	// Arm asks for a Tick at that time, instead of any earlier asked one.
	Arm struct{ At time.Time }
	// Close says that the session is over for its users. A goodbye may still be on its way.
	Close struct{ Err *CloseError }
	// HalfClose follows the goodbye: nothing more will be sent.
	HalfClose struct{}
	// Cut asks to close the transport now. It is the last output.
	Cut struct{}
)

func (Wake) output()         {}
func (Send) output()         {}
func (Ready) output()        {}
func (StreamOpened) output() {}
func (Deliver) output()      {}
func (StreamEnded) output()  {}
func (StreamReset) output()  {}
func (Forgotten) output()    {}
func (PeerDrains) output()   {}
func (Arm) output()          {}
func (Close) output()        {}
func (HalfClose) output()    {}
func (Cut) output()          {}
