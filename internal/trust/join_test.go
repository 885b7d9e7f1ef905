// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// joining makes a connection over which id may join.
func (h house) joining(t testing.TB, id trust.Identity) (dial, listen end) {
	t.Helper()
	dial, listen = meet(t, newDialler(t, trust.DialTerms{
		Identity: id, Pins: []trust.Pin{h.server.Pin}, Protocol: trust.JoinProtocol,
	}), h.door)
	if dial.err != nil || listen.err != nil {
		t.Fatalf("%v, %v", dial.err, listen.err)
	}
	return dial, listen
}

func (h house) bundle(t testing.TB) trust.SignedBundle {
	t.Helper()
	signed, err := trust.SignBundle(trust.Bundle{ServerID: "srv-a", Epoch: 1, IssuedAt: today(), Pins: []trust.BundlePin{
		{Pin: h.server.Pin, Role: trust.RoleServer, NotAfter: h.server.NotAfter()},
	}}, h.server)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (h house) reply(t testing.TB, name string) trust.JoinReply {
	t.Helper()
	return trust.JoinReply{
		MachineID: "Machines-12", Name: name, Environments: []string{"Production", "Prüfung"}, Tags: []string{"web"},
		ServerID: "srv-a", Bundle: h.bundle(t),
	}
}

func joinRequest(t testing.TB) trust.JoinRequest {
	t.Helper()
	token := newToken(t, "deploy.example.com:10943")
	return trust.JoinRequest{
		TokenID: token.ID(), Secret: token.Secret(), Name: "web-01", Mode: trust.ModeListening, Address: "[2001:db8::7]:10933",
		Facts: contract.Facts{Program: "fairlead-agent", Version: "1.0", Hostname: "WEB01", OS: "linux", Arch: "amd64"},
	}
}

// exchange runs both ends; admit sees what came through.
func exchange(t testing.TB, dial, listen end, id trust.Identity, q trust.JoinRequest,
	admit func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error),
) (reply trust.JoinReply, asked, served error) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		done <- trust.ServeJoin(listen.conn, listen.peer, admit)
		listen.conn.Close()
	}()
	reply, asked = trust.AskJoin(dial.conn, id, dial.peer, q)
	dial.conn.Close()
	return reply, asked, <-done
}

func TestJoin(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	dial, listen := h.joining(t, newcomer)
	want, q := h.reply(t, "web-01"), joinRequest(t)
	admit := func(p trust.Peer, got trust.JoinRequest) (trust.JoinReply, error) {
		if p.Pin() != newcomer.Pin || got != q {
			t.Errorf("the server got %v from %v", got, p.Pin())
		}
		return want, nil
	}
	got, asked, served := exchange(t, dial, listen, newcomer, q, admit)
	if asked != nil || served != nil {
		t.Fatalf("agent %v, server %v", asked, served)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
}

func TestE2RefusalsLookAlike(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	q := joinRequest(t)
	record := trust.TokenRecord{ID: q.TokenID, Hash: q.Secret.Hash(), ExpiresAt: today()}
	used := record
	used.UsedBy = trust.Pin{1}
	var first string
	for name, record := range map[string]trust.TokenRecord{"unknown": {}, "expired": record, "used": used} {
		dial, listen := h.joining(t, newcomer)
		admit := func(p trust.Peer, q trust.JoinRequest) (trust.JoinReply, error) {
			if admission, reason := record.Admit(q, p.Pin(), today()); admission != trust.AdmitNobody || reason == "" {
				t.Errorf("%s: admitted", name)
			}
			return trust.JoinReply{}, trust.TokenRefused()
		}
		_, asked, served := exchange(t, dial, listen, newcomer, q, admit)
		wantKind(t, asked, errkind.Untrusted, "join refused: the server does not accept this join token", "token create")
		wantKind(t, served, errkind.Untrusted)
		text := asked.Error() + errkind.Hint(asked)
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s: %q, elsewhere %q", name, text, first)
		}
	}
}

// Whoever has no token yet learns nothing of what goes wrong inside.
func TestJoinKeepsInternalErrorsToItself(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	dial, listen := h.joining(t, newcomer)
	_, asked, served := exchange(t, dial, listen, newcomer, joinRequest(t),
		func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
			return trust.JoinReply{}, errors.New("read /srv/fairlead/fairlead.db: disk I/O error")
		})
	wantKind(t, asked, errkind.Internal, "join refused", "server's log")
	if strings.Contains(asked.Error(), "fairlead.db") {
		t.Errorf("the applicant hears %v", asked)
	}
	wantKind(t, served, errkind.Internal, "fairlead.db")
}

// tape records what is written through it.
type tape struct {
	io.ReadWriter
	written bytes.Buffer
}

func (r *tape) Write(p []byte) (int, error) {
	r.written.Write(p)
	return r.ReadWriter.Write(p)
}

func TestE4ReplayedRegistration(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	dial, listen := h.joining(t, newcomer)
	go trust.ServeJoin(listen.conn, listen.peer, func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
		return h.reply(t, "web-01"), nil
	})
	recorded := &tape{ReadWriter: dial.conn}
	if _, err := trust.AskJoin(recorded, newcomer, dial.peer, joinRequest(t)); err != nil {
		t.Fatal(err)
	}
	replay := func(t *testing.T, house house, id trust.Identity) error {
		dial, listen := house.joining(t, id)
		go dial.conn.Write(recorded.written.Bytes())
		return trust.ServeJoin(listen.conn, listen.peer, func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
			t.Error("a replayed request was admitted")
			return trust.JoinReply{}, nil
		})
	}
	t.Run("E4 over a new connection of the same key", func(t *testing.T) {
		wantKind(t, replay(t, h, newcomer), errkind.Untrusted, "not signed", "for this connection")
	})
	t.Run("E4 by another key", func(t *testing.T) {
		wantKind(t, replay(t, h, identity(t, "thief")), errkind.Untrusted, "not signed")
	})
	t.Run("E4 at another server", func(t *testing.T) {
		wantKind(t, replay(t, newHouse(t), newcomer), errkind.Untrusted, "not signed")
	})
}

func TestE4EveryFieldIsSigned(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	for _, change := range [][2]string{
		{`"web-01"`, `"web-02"`},
		{`"listening"`, `"polling"`},
		{`:10933"`, `:10934"`},
		{`"WEB01"`, `"WEB02"`},
		{`"token":"`, `"token": "`},
	} {
		dial, listen := h.joining(t, newcomer)
		done := make(chan error, 1)
		go func() {
			done <- trust.ServeJoin(listen.conn, listen.peer, func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
				t.Errorf("request changed by %v was admitted", change)
				return trust.JoinReply{}, nil
			})
		}()
		_, err := trust.AskJoin(&forger{dial.conn, change}, newcomer, dial.peer, joinRequest(t))
		wantKind(t, err, errkind.Untrusted, "not signed")
		wantKind(t, <-done, errkind.Untrusted)
	}
}

// forger changes the signed request inside the envelope.
type forger struct {
	io.ReadWriter
	change [2]string
}

func (f *forger) Write(p []byte) (int, error) {
	var envelope map[string]string
	if err := json.Unmarshal(p[4:], &envelope); err != nil {
		return 0, err
	}
	request, err := base64.StdEncoding.DecodeString(envelope["request"])
	if err != nil {
		return 0, err
	}
	request = bytes.Replace(request, []byte(f.change[0]), []byte(f.change[1]), 1)
	envelope["request"] = base64.StdEncoding.EncodeToString(request)
	body, err := json.Marshal(envelope)
	if err != nil {
		return 0, err
	}
	_, err = f.ReadWriter.Write(framed(body))
	return len(p), err
}

func framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestJoinRequestIsCheckedOnBothEnds(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	dial, _ := h.joining(t, newcomer)
	for name, spoil := range map[string]func(*trust.JoinRequest){
		"E5 name":            func(q *trust.JoinRequest) { q.Name = "../x" },
		"mode":               func(q *trust.JoinRequest) { q.Mode = "both" },
		"address of polling": func(q *trust.JoinRequest) { q.Mode = trust.ModePolling },
		"no address":         func(q *trust.JoinRequest) { q.Address = "" },
		"E5 fact with ANSI":  func(q *trust.JoinRequest) { q.Facts.Hostname = "\x1b[2J" },
		"E5 fact with RTL":   func(q *trust.JoinRequest) { q.Facts.Distribution = "a\u202eb" },
		"E5 long fact":       func(q *trust.JoinRequest) { q.Facts.BootID = strings.Repeat("a", 10<<10) },
	} {
		t.Run(name, func(t *testing.T) {
			q := joinRequest(t)
			spoil(&q)
			_, err := trust.AskJoin(dial.conn, newcomer, dial.peer, q)
			wantKind(t, err, errkind.Invalid)
			q.Name = "web-01"
		})
	}
	if _, err := trust.AskJoin(dial.conn, newcomer, trust.Peer{}, joinRequest(t)); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("nobody was asked: %v", err)
	}
	line, _ := h.dial(t, h.agent)
	if _, err := trust.AskJoin(line.conn, h.agent, line.peer, joinRequest(t)); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("joined over the line's protocol: %v", err)
	}
}

func TestJoinReplyIsChecked(t *testing.T) {
	h, newcomer, stranger := newHouse(t), identity(t, "newcomer"), newHouse(t)
	for name, row := range map[string]struct {
		spoil func(*trust.JoinReply)
		kind  errkind.Kind
	}{
		"other name":        {func(r *trust.JoinReply) { r.Name = "web-02" }, errkind.Conflict},
		"id as path":        {func(r *trust.JoinReply) { r.MachineID = "../x" }, errkind.Corrupt},
		"no id":             {func(r *trust.JoinReply) { r.MachineID = "" }, errkind.Corrupt},
		"too many tags":     {func(r *trust.JoinReply) { r.Tags = make([]string, 65) }, errkind.Corrupt},
		"control character": {func(r *trust.JoinReply) { r.Environments = []string{"a\nb"} }, errkind.Invalid},
		"other server":      {func(r *trust.JoinReply) { r.ServerID = "srv-b" }, errkind.Untrusted},
		"no bundle":         {func(r *trust.JoinReply) { r.Bundle = trust.SignedBundle{} }, errkind.Corrupt},
		"foreign bundle":    {func(r *trust.JoinReply) { r.Bundle = stranger.bundle(t) }, errkind.Untrusted},
		"too long": {func(r *trust.JoinReply) {
			r.Tags = strings.Split(strings.Repeat(strings.Repeat("a", 255)+" ", 63)+"a", " ")
		}, errkind.Exhausted},
	} {
		t.Run(name, func(t *testing.T) {
			reply := h.reply(t, "web-01")
			row.spoil(&reply)
			dial, listen := h.joining(t, newcomer)
			// A server that is sound finds its own mistake …
			_, asked, served := exchange(t, dial, listen, newcomer, joinRequest(t),
				func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) { return reply, nil })
			if asked == nil || served == nil {
				t.Fatalf("agent %v, server %v", asked, served)
			}
			if name == "too long" {
				return
			}
			// … and an agent does not believe one that is not.
			dial, listen = h.joining(t, newcomer)
			body, err := json.Marshal(map[string]any{"reply": reply})
			if err != nil {
				t.Fatal(err)
			}
			go listen.conn.Write(framed(body))
			_, err = trust.AskJoin(dial.conn, newcomer, dial.peer, joinRequest(t))
			wantKind(t, err, row.kind)
		})
	}
}

func TestJoinWireFaults(t *testing.T) {
	h, newcomer := newHouse(t), identity(t, "newcomer")
	for name, sent := range map[string]string{
		"W1 length 0":        "\x00\x00\x00\x00",
		"W1 length 16385":    "\x00\x00\x40\x01",
		"W1 length 2^31-1":   "\x7f\xff\xff\xff",
		"W1 length 2^32-1":   "\xff\xff\xff\xff",
		"W2 ends in length":  "\x00\x00",
		"W2 ends in text":    "\x00\x00\x00\x09{\"reply",
		"W2 trailing bytes":  string(framed([]byte(`{} {}`))),
		"W3 nested":          string(framed([]byte(strings.Repeat("[", 33) + strings.Repeat("]", 33)))),
		"W4 invalid UTF-8":   string(framed([]byte("{\"reply\":\"\xff\"}"))),
		"W5 repeated member": string(framed([]byte(`{"reply":null,"reply":null}`))),
		"W5 unknown member":  string(framed([]byte(`{"admin":true}`))),
		"neither":            string(framed([]byte(`{}`))),
		"both":               string(framed([]byte(`{"reply":{},"refusal":{"kind":"denied","message":"x"}}`))),
		"HTTP":               "HTTP/1.1 200 OK\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			dial, listen := h.joining(t, newcomer)
			go func() {
				io.WriteString(listen.conn, sent)
				listen.conn.CloseWrite()
			}()
			_, err := trust.AskJoin(dial.conn, newcomer, dial.peer, joinRequest(t))
			wantKind(t, err, errkind.Corrupt)

			dial, listen = h.joining(t, newcomer)
			go func() {
				io.WriteString(dial.conn, sent)
				dial.conn.CloseWrite()
				io.Copy(io.Discard, dial.conn)
			}()
			err = trust.ServeJoin(listen.conn, listen.peer, func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
				t.Error("admitted")
				return trust.JoinReply{}, nil
			})
			if errkind.Of(err) != errkind.Corrupt && errkind.Of(err) != errkind.Untrusted {
				t.Errorf("the server: %v of kind %v", err, errkind.Of(err))
			}
		})
	}
	t.Run("refusal with odd text", func(t *testing.T) {
		dial, listen := h.joining(t, newcomer)
		_, asked, _ := exchange(t, dial, listen, newcomer, joinRequest(t),
			func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
				return trust.JoinReply{}, errkind.Hinted(errkind.Conflict.Errorf("\xff\x00%s", strings.Repeat("x", 40<<10)), "\x00")
			})
		wantKind(t, asked, errkind.Conflict, "join refused", "xxx…")
	})
}

func FuzzJoin(f *testing.F) {
	h, newcomer := newHouse(f), identity(f, "newcomer")
	dial, listen := h.joining(f, newcomer)
	taped := &tape{ReadWriter: dial.conn}
	go trust.ServeJoin(listen.conn, listen.peer, func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) {
		return h.reply(f, "web-01"), nil
	})
	heard := &tape{ReadWriter: taped}
	if _, err := trust.AskJoin(heard, newcomer, dial.peer, joinRequest(f)); err != nil {
		f.Fatal(err)
	}
	f.Add(heard.written.Bytes())
	reply, err := json.Marshal(map[string]any{"reply": h.reply(f, "web-01")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(framed(reply))
	f.Add(framed([]byte(`{"refusal":{"kind":"denied","message":"m","hint":"h"}}`)))
	f.Fuzz(func(t *testing.T, sent []byte) {
		_, err := trust.AskJoin(halves{bytes.NewReader(sent), io.Discard}, newcomer, dial.peer, joinRequest(t))
		if err == nil && !bytes.Contains(sent, []byte("Machines-12")) {
			t.Fatal("an answer nobody gave was believed")
		}
		err = trust.ServeJoin(halves{bytes.NewReader(sent), io.Discard}, listen.peer,
			func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) { return h.reply(t, "web-01"), nil })
		if err != nil && errkind.Of(err) == errkind.Internal {
			t.Fatalf("kind of %v", err)
		}
	})
}

type halves struct {
	io.Reader
	io.Writer
}
