// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/tasklog"
)

const (
	// ingestGoal is how many lines a second must get from a script to the server's durable log.
	ingestGoal = 50_000
	// ingestLineBytes is how long a line is, its newline included.
	ingestLineBytes = 100
	// ingestLook lies between two looks whether the task is done; each costs the server a little.
	ingestLook = 10 * time.Millisecond
	// ingestWait bounds one round.
	ingestWait = 5 * time.Minute
)

// ingested is one round: from the script's first write until all lines lie on the server's disk.
type ingested struct {
	Took  time.Duration
	CPU   time.Duration // of the server
	Lines int
}

func (i ingested) rate() float64 { return float64(i.Lines) / i.Took.Seconds() }

// ingest lets a script on the real agent print a file of lines, and compares with the same file from
// a pipe through TLS to a synced file.
func (b *bench) ingest(ctx context.Context) error {
	path := filepath.Join(b.work, "lines")
	if err := makeLines(path, b.lines); err != nil {
		return err
	}
	server, stop, err := b.startIngest(ctx)
	if err != nil {
		return err
	}
	defer stop()
	bare, err := b.startBareIngest(ctx, path)
	if err != nil {
		return err
	}
	defer bare.kill()
	var floors, candidates []ingested
	err = b.profiled(server.process, "ingest", func() error {
		for round := -1; round < b.rounds; round++ { // the first pair warms up
			floor, err := ask[ingested](bare.server, "ingest", bareIngest{
				filepath.Join(b.work, "ingested"), int64(b.lines) * ingestLineBytes,
			})
			if err != nil {
				return fmt.Errorf("floor: %w", err)
			}
			candidate, err := server.print(ctx, path, b.lines)
			if err != nil {
				return err
			}
			if round >= 0 {
				floors, candidates = append(floors, floor), append(candidates, candidate)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.report.Raw["ingest"] = map[string]any{"floor": floors, "candidate": candidates}
	b.judgeIngest(floors, candidates)
	return nil
}

func (b *bench) judgeIngest(floors, candidates []ingested) {
	both := func(of func(ingested) float64) pairs { return pairs{column(floors, of), column(candidates, of)} }
	rate := both(ingested.rate)
	goal := fmt.Sprintf("%d lines of %d bytes, script to the server's durable log", b.lines, ingestLineBytes)
	b.report.judge(goal, fmt.Sprintf(">= %d", ingestGoal), "lines/s", rate, nil)
	last := &b.report.Rows[len(b.report.Rows)-1]
	if last.Verdict = met; median(rate.Candidate) < ingestGoal {
		last.Verdict = missed
	}
	cpu := both(func(i ingested) float64 { return i.CPU.Seconds() / (float64(i.Lines) / 1e6) })
	b.report.judge("the server's CPU for a million of them", "-", "s", cpu, nil)
}

// makeLines writes lines that differ, as logs do.
func makeLines(path string, count int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for i := range count {
		line := fmt.Sprintf("2026-11-27T20:15:46Z INFO [worker-%02d] item %08d: copied /srv/app/%d/file", i%17, i, i%977)
		text.WriteString(line + strings.Repeat(".", ingestLineBytes-1-len(line)) + "\n")
		if text.Len() > 1<<20 || i == count-1 {
			if _, err := text.WriteTo(f); err != nil {
				return errors.Join(err, f.Close())
			}
		}
	}
	return f.Close()
}

// ingestServer is a server with one real agent.
type ingestServer struct {
	process *process
	home    string
	machine deploy.MachineID
	web     http.Client
}

// startIngest starts both.
func (b *bench) startIngest(ctx context.Context) (s *ingestServer, _ func(), err error) {
	f := &fleet{home: filepath.Join(b.work, "ingest")}
	program, home := filepath.Join(b.work, "fairlead-agent"), filepath.Join(b.work, "ingest-agent")
	agent := exec.CommandContext(ctx, program, "run", "--home", home)
	stop := func() {
		if agent.Process != nil {
			_ = agent.Process.Kill()
			_ = agent.Wait()
		}
		f.server.kill()
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	if err := buildAgent(ctx, program, platform{runtime.GOARCH, ""}); err != nil {
		return nil, nil, err
	}
	if f.server, f.opened, err = b.openServer(ctx, f.home, "127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	s = &ingestServer{process: f.server, home: f.home}
	if s.machine, err = joinAgent(ctx, f, program, home); err != nil {
		return nil, nil, err
	}
	if err = agent.Start(); err != nil {
		return nil, nil, err
	}
	reached, err := ask[awaited](f.server, "await", await{[]deploy.MachineID{s.machine}, 10})
	if err == nil && reached.Missing > 0 {
		err = errors.New("the agent is not on line after 10 s")
	}
	s.web.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.home, "admin.sock"))
	}}
	return s, stop, err
}

// print runs a script that notes the time and prints the file.
func (s *ingestServer) print(ctx context.Context, path string, lines int) (i ingested, err error) {
	before, err := ask[usage](s.process, "usage", nil)
	if err != nil {
		return i, err
	}
	body := "date +%s%N\nexec cat '" + path + "'\n"
	var task struct {
		ID          string `json:"Id"`
		IsCompleted bool
	}
	err = s.call(ctx, http.MethodPost, "/api/tasks", map[string]any{
		"Name": "AdHocScript", "Description": "ingest",
		"Arguments": map[string]any{"ScriptBody": body, "Syntax": "Bash", "MachineIds": []deploy.MachineID{s.machine}},
	}, &task)
	for end := time.Now().Add(ingestWait); err == nil && !task.IsCompleted && time.Now().Before(end); {
		time.Sleep(ingestLook)
		err = s.call(ctx, http.MethodGet, "/api/tasks/"+task.ID, nil, &task)
	}
	ended := time.Now()
	if err != nil || !task.IsCompleted {
		return i, errors.Join(errors.New("the script was not done in time"), err)
	}
	after, err := ask[usage](s.process, "usage", nil)
	if err != nil {
		return i, err
	}
	began, err := s.verify(deploy.TaskID(task.ID), lines)
	return ingested{ended.Sub(began), after.CPU - before.CPU, lines}, err
}

// verify counts the lines in the log and returns when the script began.
func (s *ingestServer) verify(task deploy.TaskID, want int) (began time.Time, err error) {
	folder, err := tasklog.Open(filepath.Join(s.home, "logs"), benchEnv().Disk, time.Now)
	if err != nil {
		return began, err
	}
	count := 0
	for at := int64(0); ; {
		lines, next, err := folder.Read(task, at, 1<<20)
		if err != nil {
			return began, err
		}
		for _, l := range lines {
			if l.Ticket == "" || l.Category != tasklog.Info {
				continue
			}
			if ns, err := strconv.ParseInt(l.Text, 10, 64); err == nil && began.IsZero() {
				began = time.Unix(0, ns)
				continue
			}
			count++
		}
		if next == at {
			break
		}
		at = next
	}
	if count != want || began.IsZero() {
		return began, fmt.Errorf("the log of %s holds %d lines, want %d", task, count, want)
	}
	return began, nil
}

func (s *ingestServer) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.web.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s %s", method, path, response.Status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// startBareIngest connects a caller that prints the file at path when it is asked to.
func (b *bench) startBareIngest(ctx context.Context, path string) (barePair, error) {
	return b.startBare(ctx, openBareCallers{Lines: path})
}

type bareIngest struct {
	Out   string
	Bytes int64
}

// ingest is the plain loop "TLS to file".
func (s *bareServer) ingest(_ context.Context, o bareIngest) (any, error) {
	before, err := usageOfSelf()
	if err != nil {
		return nil, err
	}
	conn := s.conns[0]
	if _, err := conn.Write([]byte{1}); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	began := time.Unix(0, int64(binary.BigEndian.Uint64(head[:])))
	f, err := os.Create(o.Out)
	if err != nil {
		return nil, err
	}
	buffer := make([]byte, bareBufferBytes)
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{io.LimitReader(conn, o.Bytes)}, buffer)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil || n != o.Bytes {
		return nil, fmt.Errorf("%d of %d bytes came: %w", n, o.Bytes, err)
	}
	took := time.Since(began)
	after, err := usageOfSelf()
	return ingested{took, after.CPU - before.CPU, int(o.Bytes / ingestLineBytes)}, err
}

// printLines is the plain loop "pipe to TLS", each time a byte comes.
func printLines(conn net.Conn, path string) {
	var asked [1]byte
	buffer := make([]byte, bareBufferBytes)
	for {
		if _, err := io.ReadFull(conn, asked[:]); err != nil {
			return
		}
		cat := exec.Command("cat", path)
		out, err := cat.StdoutPipe()
		if err != nil {
			return
		}
		began := time.Now()
		if cat.Start() != nil {
			return
		}
		_, err = conn.Write(binary.BigEndian.AppendUint64(nil, uint64(began.UnixNano())))
		if err == nil {
			_, err = io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{out}, buffer)
		}
		if errors.Join(err, cat.Wait()) != nil {
			return
		}
	}
}
