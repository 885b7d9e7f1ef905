// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// bytePipe is one direction of a stream with room for everything, as credit gives it.
type bytePipe struct {
	mu   sync.Mutex
	cond *sync.Cond
	buf  bytes.Buffer
	err  error // of reads, once the buffer is empty
}

func newBytePipe() *bytePipe {
	p := new(bytePipe)
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *bytePipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.buf.Len() == 0 && p.err == nil {
		p.cond.Wait()
	}
	if p.buf.Len() > 0 {
		return p.buf.Read(b)
	}
	return 0, p.err
}

func (p *bytePipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	defer p.cond.Broadcast()
	return p.buf.Write(b)
}

func (p *bytePipe) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.cond.Broadcast()
}

// pipeStream is a contract.Stream between two goroutines.
type pipeStream struct{ in, out *bytePipe }

func (s pipeStream) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s pipeStream) Write(b []byte) (int, error) { return s.out.Write(b) }

func (s pipeStream) CloseWrite() error {
	s.out.end(io.EOF)
	return nil
}

func (s pipeStream) Reset(reason string) {
	s.in.end(errors.New(reason))
	s.out.end(errors.New(reason))
}

// muxOpener opens streams that a Mux serves.
type muxOpener struct {
	mux   *contract.Mux
	owned *sync.WaitGroup
}

func (o muxOpener) Open(ctx context.Context, _ bool) (contract.Stream, error) {
	up, down := newBytePipe(), newBytePipe()
	o.owned.Go(func() { _ = o.mux.Serve(ctx, pipeStream{in: up, out: down}) })
	return pipeStream{in: down, out: up}, nil
}

func TestScriptOverTheContract(t *testing.T) {
	inBubble(t, newMachine(lasting(time.Minute)), script.Options{}, func(t *testing.T, a *agent) {
		var mux contract.Mux
		var owned sync.WaitGroup
		defer owned.Wait()
		a.Register(&mux)
		o := muxOpener{&mux, &owned}
		ctx := t.Context()
		raw := encode(bash("a", "x"))
		sum := sha256.Sum256(raw)
		args := contract.StartArgs{Ticket: "a", OrderBytes: int64(len(raw)), OrderSHA256: hex.EncodeToString(sum[:])}
		for name, test := range map[string]struct {
			change func(*contract.StartArgs)
			want   errkind.Kind
		}{
			"Q9 another ticket's order": {func(a *contract.StartArgs) { a.Ticket = "b" }, errkind.Invalid},
			"wrong hash":                {func(a *contract.StartArgs) { a.OrderSHA256 = strings.Repeat("0", 64) }, errkind.Corrupt},
			"more bytes than said":      {func(a *contract.StartArgs) { a.OrderBytes-- }, errkind.Corrupt},
			"fewer bytes than said":     {func(a *contract.StartArgs) { a.OrderBytes++ }, errkind.Corrupt},
			"said to be too long":       {func(a *contract.StartArgs) { a.OrderBytes = contract.MaxOrderBytes + 1 }, errkind.Exhausted},
		} {
			wrong := args
			test.change(&wrong)
			if _, err := contract.ScriptStart.Send(ctx, o, wrong, bytes.NewReader(raw)); errkind.Of(err) != test.want {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
		if _, err := contract.ScriptStart.Send(ctx, o, args, bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		answer, err := contract.ScriptFollow.Exchange(ctx, o, contract.FollowArgs{Ticket: "a"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		var last contract.TicketStatus
		for frames := (contract.FollowReader{R: answer}); ; {
			records, status, err := frames.Next()
			if err != nil {
				if err != io.EOF {
					t.Errorf("follow: %v", err)
				}
				break
			}
			for _, r := range records {
				text += string(r.Text)
			}
			if status != nil {
				last = *status
			}
		}
		_ = answer.Close()
		if text != "up" || last.Verdict == nil || last.Verdict.Outcome != contract.Succeeded {
			t.Errorf("followed %q, %+v", text, last)
		}
		_, err = contract.ScriptFollow.Exchange(ctx, o, contract.FollowArgs{Ticket: "a", Offset: 5}, nil)
		if errkind.Of(err) != errkind.Invalid {
			t.Errorf("follow from inside a record = %v, want Invalid", err)
		}
		if _, err := contract.ScriptForget.Call(ctx, o, contract.TicketArgs{Ticket: "a"}); err != nil {
			t.Error(err)
		}
		s, err := contract.ScriptStatus.Call(ctx, o, contract.TicketArgs{Ticket: "a"})
		if err != nil || s.State != contract.Unknown {
			t.Errorf("status of a forgotten ticket = %+v, %v", s, err)
		}
		c, err := contract.ScriptCancel.Call(ctx, o, contract.CancelArgs{Ticket: "later", By: "mia"})
		if err != nil || c.Verdict == nil || c.Verdict.Outcome != contract.Canceled {
			t.Errorf("cancel of an unknown ticket = %+v, %v", c, err)
		}
		if _, err := contract.ScriptCancel.Call(ctx, o, contract.CancelArgs{Ticket: "x", GraceMS: 600_001}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("a grace out of range = %v, want Invalid", err)
		}
	})
}

func TestBadOrdersAreRefused(t *testing.T) {
	good := bash("a", "true")
	if _, err := script.ParseOrder(encode(good)); err != nil {
		t.Fatal(err)
	}
	pkg := contract.Package{ID: "Web", Version: "1", Format: "zip", SHA256: strings.Repeat("ab", 32)}
	for name, test := range map[string]struct {
		change func(*contract.Order)
		want   errkind.Kind
	}{
		"Q3 ticket is a path":       {func(o *contract.Order) { o.Ticket = "../b" }, errkind.Corrupt},
		"Q3 empty ticket":           {func(o *contract.Order) { o.Ticket = "" }, errkind.Corrupt},
		"Q3 other case":             {func(o *contract.Order) { o.Ticket = "A" }, errkind.Corrupt},
		"no task":                   {func(o *contract.Order) { o.Task = "" }, errkind.Invalid},
		"task with newline":         {func(o *contract.Order) { o.Task = "a\nb" }, errkind.Invalid},
		"negative epoch":            {func(o *contract.Order) { o.Epoch = -1 }, errkind.Invalid},
		"neither script nor packet": {func(o *contract.Order) { o.Script = nil }, errkind.Invalid},
		"both":                      {func(o *contract.Order) { o.Package = &pkg }, errkind.Invalid},
		"H5 interpreter is a path":  {func(o *contract.Order) { o.Script.Interpreter = "/tmp/bash" }, errkind.Invalid},
		"H5 name is an assignment":  {func(o *contract.Order) { o.Variables["env:A=B"] = "x" }, errkind.Invalid},
		"H5 loader":                 {func(o *contract.Order) { o.Variables["env:LD_PRELOAD"] = "x" }, errkind.Invalid},
		"NUL in a value":            {func(o *contract.Order) { o.Variables["x"] = "a\x00b" }, errkind.Corrupt},
		"no level":                  {func(o *contract.Order) { o.Isolation.Level = "" }, errkind.Invalid},
		"named without name":        {func(o *contract.Order) { o.Isolation.Level = contract.IsolationNamed }, errkind.Invalid},
		"full with a name":          {func(o *contract.Order) { o.Isolation = contract.Isolation{Level: "full", Name: "x"} }, errkind.Invalid},
		"long lock name": {func(o *contract.Order) {
			o.Isolation = contract.Isolation{Level: "named", Name: strings.Repeat("x", 256)}
		}, errkind.Invalid},
		"negative time-out": {func(o *contract.Order) { o.TimeoutMS = -1 }, errkind.Invalid},
		"grace too long":    {func(o *contract.Order) { o.GraceMS = 600_001 }, errkind.Invalid},
		"package hash": {func(o *contract.Order) {
			o.Script, o.Package = nil, &contract.Package{ID: "Web", Format: "zip", SHA256: "../x"}
		}, errkind.Invalid},
		"package format": {func(o *contract.Order) {
			o.Script, o.Package = nil, &contract.Package{ID: "Web", Format: "rar", SHA256: pkg.SHA256}
		}, errkind.Invalid},
	} {
		o := bash("a", "true")
		test.change(&o)
		if _, err := script.ParseOrder(encode(o)); errkind.Of(err) != test.want || err == nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	for name, raw := range map[string]string{
		"W unknown member":  strings.Replace(string(encode(good)), `"task"`, `"extra":1,"task"`, 1),
		"W repeated member": strings.Replace(string(encode(good)), `"task"`, `"epoch":1,"task"`, 1),
		"W bytes after":     string(encode(good)) + "{}",
		"W empty":           "",
	} {
		if _, err := script.ParseOrder([]byte(raw)); errkind.Of(err) != errkind.Corrupt || err == nil {
			t.Errorf("%s: %v, want Corrupt", name, err)
		}
	}
	if _, err := script.ParseOrder(make([]byte, contract.MaxOrderBytes+1)); errkind.Of(err) != errkind.Exhausted {
		t.Errorf("an order too long = %v, want Exhausted", err)
	}
}
