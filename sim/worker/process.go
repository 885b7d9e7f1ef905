// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"fairlead/internal/errkind"
)

const (
	// maxSaid bounds what is kept of a process's standard error: 256 KiB from its beginning.
	maxSaid = 256 << 10
	// stacksLimit is how long a process that hangs may take to print its stacks.
	stacksLimit = 5 * time.Second
)

// process is one process on the other side.
type process struct {
	command *exec.Cmd
	orders  io.WriteCloser
	replies chan Reply // closed when its output has ended
	said    *beginning
	reading sync.WaitGroup
	runs    int
}

func start(c Command) (*process, error) {
	p := &process{command: exec.Command(c.Path, c.Args...), replies: make(chan Reply), said: &beginning{}}
	p.command.Env, p.command.Stderr = c.Env, p.said
	// A terminal's interrupt is for whoever leads the process, and not for it.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	orders, err := p.command.StdinPipe()
	if err != nil {
		return nil, errkind.Internal.Errorf("start %s: %w", c.Path, err)
	}
	output, err := p.command.StdoutPipe()
	if err != nil {
		return nil, errkind.Internal.Errorf("start %s: %w", c.Path, err)
	}
	if err := p.command.Start(); err != nil {
		return nil, errkind.Internal.Errorf("start a process for runs: %w", err)
	}
	p.orders = orders
	p.reading.Go(func() { p.read(output) })
	return p, nil
}

// read hands the replies on until the process closes its output.
func (p *process) read(output io.Reader) {
	defer close(p.replies)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		var r Reply
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			_, _ = p.said.Write(append([]byte("it answered: "), lines.Bytes()...)) // it never fails
			return
		}
		p.replies <- r
	}
	if err := lines.Err(); err != nil {
		_, _ = fmt.Fprintf(p.said, "its answer cannot be read: %v; a line has %d bytes at most\n", err, maxLineBytes)
	}
}

// order hands one order to the process.
func (p *process) order(o Order) error {
	p.runs++
	return json.NewEncoder(p.orders).Encode(o)
}

// end closes the process's input and waits for it, up to a limit; then it is killed.
func (p *process) end(limit time.Duration) {
	_ = p.orders.Close() // a process that has ended has closed it already
	hurry := time.AfterFunc(limit, func() { _ = p.command.Process.Kill() })
	defer hurry.Stop()
	for range p.replies { // until it has closed its output
	}
	p.reading.Wait()
	_ = p.command.Wait() // its end says nothing that its words do not
}

// stacks makes the process print all stacks and die.
func (p *process) stacks() {
	_ = p.command.Process.Signal(syscall.SIGQUIT) // it may have ended meanwhile
	p.end(stacksLimit)
}

// kill ends the process at once.
func (p *process) kill() { p.end(0) }

// beginning keeps the first bytes of what is written to it. It is safe for concurrent use.
type beginning struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer. It never fails.
func (b *beginning) Write(more []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, more[:min(len(more), maxSaid-len(b.text))]...)
	return len(more), nil
}

// String is what was kept.
func (b *beginning) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
