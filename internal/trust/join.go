// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"encoding/json"
	"io"
	"unicode"
	"unicode/utf8"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// JoinMode says who will dial whom.
type JoinMode string

// The modes.
const (
	ModePolling   JoinMode = "polling"   // the agent dials the server
	ModeListening JoinMode = "listening" // the server dials the agent at its Address
)

const (
	maxListEntries = 64
	maxEntryBytes  = 255
	maxFactBytes   = 255
	maxIDBytes     = 64
)

// JoinRequest is what a machine says to join. Nothing in it says who it is: the Peer does.
type JoinRequest struct {
	TokenID TokenID
	Secret  Secret
	Name    string // see CheckMachineName
	Mode    JoinMode
	Address string // host:port where a listening agent is dialled; "" when polling
	Facts   contract.Facts
}

func (q JoinRequest) check() error {
	if err := CheckMachineName(q.Name); err != nil {
		return err
	}
	switch q.Mode {
	case ModePolling:
		if q.Address != "" {
			return errkind.Invalid.Errorf("join: a polling agent has no address, got %.80q", q.Address)
		}
	case ModeListening:
		if err := CheckAddress(q.Address); err != nil {
			return errkind.Invalid.Errorf("join: listening %w", err)
		}
	default:
		return errkind.Invalid.Errorf("join: mode %.40q: want %s or %s", q.Mode, ModePolling, ModeListening)
	}
	f := q.Facts
	for _, fact := range []string{
		f.Program, f.Version, f.Hostname, f.OS, f.Distribution, f.Arch, f.BootID, f.RunID, f.StateID, f.StartedAt,
	} {
		if err := checkText("fact", fact, maxFactBytes); err != nil {
			return err
		}
	}
	return nil
}

// JoinReply is what a machine gets when it has joined.
type JoinReply struct {
	MachineID    string       `json:"machine_id"` // [A-Za-z0-9-], 1 to 64 bytes
	Name         string       `json:"name"`       // the one that was asked for
	Environments []string     `json:"environments"`
	Tags         []string     `json:"tags"`
	ServerID     string       `json:"server_id"`
	Bundle       SignedBundle `json:"bundle"`
}

func (r JoinReply) check(name string, proved Pin) error {
	if r.Name != name {
		return errkind.Hinted(errkind.Conflict.Errorf("join reply is for machine %.80q: asked for %q", r.Name, name),
			"this key has joined under the first name already: ask for that name, "+
				"or delete identity.pem to join as another machine")
	}
	if err := checkID(r.MachineID); err != nil {
		return err
	}
	for _, list := range [][]string{r.Environments, r.Tags} {
		if len(list) > maxListEntries {
			return errkind.Corrupt.Errorf("join reply lists %d names: limit is %d", len(list), maxListEntries)
		}
		for _, entry := range list {
			if err := checkText("name", entry, maxEntryBytes); err != nil {
				return err
			}
		}
	}
	opened, err := OpenBundle(r.Bundle)
	if err != nil {
		return err
	}
	if opened.bundle.ServerID != r.ServerID {
		return errkind.Untrusted.Errorf("join reply is of server %.80q, its trust bundle of %q",
			r.ServerID, opened.bundle.ServerID)
	}
	return AcceptFirst(opened, proved)
}

func checkID(id string) error {
	if len(id) == 0 || len(id) > maxIDBytes {
		return errkind.Corrupt.Errorf("machine id %.80q has %d bytes: want 1 to %d", id, len(id), maxIDBytes)
	}
	for _, c := range []byte(id) {
		if !isNameByte(c) && c != '-' && (c < 'A' || c > 'Z') {
			return errkind.Corrupt.Errorf("machine id %q holds a byte that is no letter, digit or dash", id)
		}
	}
	return nil
}

// checkText keeps control characters and endless text out of logs and pages.
func checkText(what, text string, limit int) error {
	if len(text) > limit {
		return errkind.Invalid.Errorf("%s %.40q… has %d bytes: limit is %d", what, text, len(text), limit)
	}
	for _, r := range text {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return errkind.Invalid.Errorf("%s %q holds a control character", what, text)
		}
	}
	return nil
}

// AskJoin is the agent's end of the exchange on a connection that peer was proved on, as by a
// Dialler for JoinProtocol with the pin of the token. The caller bounds the time. Errors: the
// server's kind and hint when it refuses; Invalid before anything is sent; Untrusted when the reply is
// not what the proved server may say; Corrupt, Unavailable, Timeout.
func AskJoin(rw io.ReadWriter, id Identity, peer Peer, q JoinRequest) (JoinReply, error) {
	if err := checkJoinPeer(peer, RoleServer); err != nil {
		return JoinReply{}, err
	}
	if !peer.Local().Equal(id.Pin) {
		return JoinReply{}, errkind.Internal.Errorf("join: identity %s was not proved on this connection", id.Pin.Short())
	}
	if err := q.check(); err != nil {
		return JoinReply{}, err
	}
	envelope, err := seal(id, peer, q)
	if err != nil {
		return JoinReply{}, err
	}
	writeErr := writeDocument(rw, envelope)
	var answer joinAnswer
	if err := readDocument(rw, &answer); err != nil { // says more than writeErr: the alert, if any
		if writeErr != nil && errkind.Of(err) == errkind.Unavailable {
			return JoinReply{}, Explain(writeErr)
		}
		return JoinReply{}, err
	}
	switch {
	case (answer.Reply == nil) == (answer.Refusal == nil):
		return JoinReply{}, errkind.Corrupt.Errorf("join answer holds neither or both of reply and refusal")
	case answer.Refusal != nil:
		return JoinReply{}, answer.Refusal.err()
	}
	return *answer.Reply, answer.Reply.check(q.Name, peer.Pin())
}

func seal(id Identity, peer Peer, q JoinRequest) (joinEnvelope, error) {
	request, err := json.Marshal(joinBody{
		Token: q.TokenID, Secret: q.Secret.Reveal(), Name: q.Name, Mode: q.Mode, Address: q.Address, Facts: q.Facts,
	})
	if err != nil {
		return joinEnvelope{}, errkind.Internal.Errorf("encode join request: %w", err)
	}
	signature, err := id.sign(joinMessage(peer.Pin(), id.Pin, peer.Binding(), request))
	return joinEnvelope{Request: request, Signature: signature}, err
}

// ServeJoin is the server's end: it reads one request, asks admit, and sends the reply or the
// refusal. A request gets as far as admit only if the key of peer has signed it for this connection. The
// error is for the log; the other side has been told. The caller bounds the time and the number.
func ServeJoin(rw io.ReadWriter, peer Peer, admit func(Peer, JoinRequest) (JoinReply, error)) error {
	reply, err := serveJoin(rw, peer, admit)
	if err != nil {
		if told := writeDocument(rw, joinAnswer{Refusal: newRefusal(err)}); told != nil {
			return errkind.Of(err).Errorf("%w (and the other side could not be told: %v)", err, told)
		}
		return err
	}
	return Explain(writeDocument(rw, joinAnswer{Reply: &reply}))
}

func serveJoin(r io.Reader, peer Peer, admit func(Peer, JoinRequest) (JoinReply, error)) (JoinReply, error) {
	q, err := readJoin(r, peer)
	if err != nil {
		return JoinReply{}, err
	}
	reply, err := admit(peer, q)
	if err != nil {
		return JoinReply{}, err
	}
	return reply, reply.check(q.Name, peer.Local())
}

func readJoin(r io.Reader, peer Peer) (JoinRequest, error) {
	if err := checkJoinPeer(peer, RoleApplicant); err != nil {
		return JoinRequest{}, err
	}
	var envelope joinEnvelope
	if err := readDocument(r, &envelope); err != nil {
		return JoinRequest{}, err
	}
	message := joinMessage(peer.Local(), peer.Pin(), peer.Binding(), envelope.Request)
	if !verify(peer.get().key, message, envelope.Signature) {
		return JoinRequest{}, errkind.Untrusted.Errorf("join request is not signed by pin %s for this connection", peer.Pin())
	}
	return decodeJoin(envelope.Request)
}

func decodeJoin(request []byte) (JoinRequest, error) {
	var body joinBody
	if err := contract.Decode(request, &body); err != nil {
		return JoinRequest{}, errkind.Corrupt.Errorf("join request: %w", err)
	}
	secret, err := ParseSecret(body.Secret)
	if err != nil {
		return JoinRequest{}, err
	}
	q := JoinRequest{
		TokenID: body.Token, Secret: secret, Name: body.Name, Mode: body.Mode, Address: body.Address, Facts: body.Facts,
	}
	return q, q.check()
}

func checkJoinPeer(peer Peer, role Role) error {
	if err := peer.Check(); err != nil {
		return err
	}
	if peer.Role() != role || peer.Protocol() != JoinProtocol {
		return errkind.Untrusted.Errorf("join: peer is %s on %q: want %s on %q",
			peer.Role(), peer.Protocol(), role, JoinProtocol)
	}
	return nil
}
