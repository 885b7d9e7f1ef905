// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// process is a role of this program in a process of its own.
type process struct {
	name    string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	log     *os.File
}

// start runs this program again in a role; what it says on standard error goes to a file in dir. It
// ends at the latest when the bench ends, since its standard input ends then.
func start(ctx context.Context, dir, name string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, command: exec.CommandContext(ctx, self, "-role", name)}
	if p.log, err = os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	p.command.Stderr = p.log
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, errors.Join(err, p.log.Close())
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, p.log.Close())
	}
	p.out = bufio.NewReaderSize(out, 64<<10)
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(err, p.log.Close())
	}
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// ask gives one order and waits for the answer.
func ask[R any](p *process, do string, args any) (result R, err error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return result, err
	}
	line, err := json.Marshal(order{Do: do, Args: raw})
	if err != nil {
		return result, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return result, fmt.Errorf("%s: order %s: %w", p.name, do, err)
	}
	text, err := p.out.ReadBytes('\n')
	if err != nil {
		return result, fmt.Errorf("%s: answer to %s: %w; see %s", p.name, do, err, p.log.Name())
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return result, fmt.Errorf("%s: answer to %s: %w", p.name, do, err)
	}
	if a.Error != "" {
		return result, fmt.Errorf("%s: %s: %s", p.name, do, a.Error)
	}
	if len(a.Result) > 0 {
		err = json.Unmarshal(a.Result, &result)
	}
	return result, err
}

// tell gives an order whose answer does not matter.
func (p *process) tell(do string, args any) error {
	_, err := ask[json.RawMessage](p, do, args)
	return err
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	if p == nil {
		return
	}
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
	_ = p.log.Close()
}
