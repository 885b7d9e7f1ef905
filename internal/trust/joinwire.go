// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// MaxJoinBytes is the longest document of the join exchange in either direction.
const MaxJoinBytes = 16 << 10

const maxRefusalText = 2 << 10 // bytes of message and of hint

// joinEnvelope carries the request byte for byte, since the signature is over it.
type joinEnvelope struct {
	Request   []byte `json:"request"` // JSON of a joinBody; base64 on the wire
	Signature []byte `json:"signature"`
}

type joinBody struct {
	Token   TokenID        `json:"token"`
	Secret  string         `json:"secret"`
	Name    string         `json:"name"`
	Mode    JoinMode       `json:"mode"`
	Address string         `json:"address,omitempty"`
	Facts   contract.Facts `json:"facts"`
}

// joinAnswer holds exactly one of its members.
type joinAnswer struct {
	Reply   *JoinReply   `json:"reply,omitempty"`
	Refusal *joinRefusal `json:"refusal,omitempty"`
}

type joinRefusal struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// newRefusal tells an applicant why. What goes wrong inside is for the log: an applicant may be anybody.
func newRefusal(err error) *joinRefusal {
	if errkind.Of(err) == errkind.Internal {
		err = errkind.Hinted(errkind.Internal.Errorf("something went wrong at the server"),
			"look into the server's log, and join again with the same token")
	}
	return &joinRefusal{
		Kind:    errkind.Of(err).String(),
		Message: cutText(err.Error()),
		Hint:    cutText(errkind.Hint(err)),
	}
}

func cutText(text string) string {
	if len(text) > maxRefusalText {
		text = text[:maxRefusalText] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}

func (r joinRefusal) err() error {
	err := errkind.Parse(r.Kind).Errorf("join refused: %s", r.Message)
	if r.Hint != "" {
		err = errkind.Hinted(err, "%s", r.Hint)
	}
	return err
}

// joinMessage is what an applicant signs: the label, the server's pin, its own pin and the channel
// binding (32 bytes each), and the hash of the request. It fits this connection only.
func joinMessage(server, applicant Pin, binding [BindingBytes]byte, request []byte) []byte {
	hash := sha256.Sum256(request)
	message := append([]byte(joinLabel), server[:]...)
	message = append(message, applicant[:]...)
	message = append(message, binding[:]...)
	return append(message, hash[:]...)
}

// writeDocument writes u32 length, then JSON. Errors: Exhausted (too long), or the writer's.
func writeDocument(w io.Writer, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return errkind.Internal.Errorf("encode join message: %w", err)
	}
	if len(body) > MaxJoinBytes {
		return errkind.Exhausted.Errorf("join message has %d bytes: limit is %d", len(body), MaxJoinBytes)
	}
	framed := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	_, err = w.Write(append(framed, body...))
	return err
}

// readDocument reads what writeDocument wrote. Errors: Corrupt, or the reader's.
func readDocument(r io.Reader, document any) error {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return cutShort("length", err)
	}
	size := binary.BigEndian.Uint32(prefix[:])
	if size == 0 || size > MaxJoinBytes {
		return errkind.Corrupt.Errorf("join message announces %d bytes: want 1 to %d", size, MaxJoinBytes)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return cutShort("text", err)
	}
	if err := contract.Decode(body, document); err != nil {
		return errkind.Corrupt.Errorf("join message: %w", err)
	}
	return nil
}

func cutShort(what string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errkind.Corrupt.Errorf("join message: %s is cut short: %w", what, err)
	}
	return Explain(err)
}
