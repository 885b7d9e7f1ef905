// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"

	"fairlead/internal/contract"
)

// memoryFolder is a file system in memory, where it is there.
const memoryFolder = "/dev/shm"

// push compares a package's way from file to verified file with the plain loop.
func (b *bench) push(ctx context.Context) (err error) {
	dir, err := b.folderFor(b.size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	content := push{Path: filepath.Join(dir, "content"), Size: b.size}
	if content.SHA256, content.Sums, err = makeContent(content.Path, b.size); err != nil {
		return err
	}
	f, err := b.startFleet(ctx, "push", openAgents{Count: 1, Blobs: dir})
	if err != nil {
		return err
	}
	defer f.kill()
	content.Machine = f.machines[0]
	bare, err := b.startBarePair(ctx, filepath.Join(dir, "bare"))
	if err != nil {
		return err
	}
	defer bare.kill()
	var floors, candidates []pushed
	err = b.profiled(f.server, "push", func() error {
		return b.profiled(f.agents, "push-agent", func() error {
			floors, candidates, err = b.pushInTurn(bare, f, content)
			return err
		})
	})
	if err != nil {
		return err
	}
	memory, err := ask[usage](f.agents, "usage", nil)
	if err != nil {
		return err
	}
	b.report.Raw["push"] = map[string]any{"floor": floors, "candidate": candidates, "receiver": memory, "bytes": b.size}
	b.judgePush(floors, candidates)
	return nil
}

// pushInTurn pushes the content over the floor and over the candidate; the first pair warms up.
func (b *bench) pushInTurn(bare barePair, f *fleet, content push) (floors, candidates []pushed, err error) {
	for range b.rounds + 1 {
		floor, err := pushOnce(bare.server, bare.callers, content)
		if err != nil {
			return nil, nil, fmt.Errorf("floor: %w", err)
		}
		candidate, err := pushOnce(f.server, f.agents, content)
		if err != nil {
			return nil, nil, err
		}
		if err := f.agents.tell("drop", content.SHA256); err != nil {
			return nil, nil, err
		}
		floors, candidates = append(floors, floor), append(candidates, candidate)
	}
	return floors[1:], candidates[1:], nil
}

// pushOnce has the content pushed and adds what its sender and its receiver took.
func pushOnce(sender, receiver *process, content push) (one pushed, err error) {
	var before, after [2]usage
	if before, err = usageOfPair(sender, receiver); err != nil {
		return one, err
	}
	if one, err = ask[pushed](sender, "push", content); err != nil {
		return one, err
	}
	after, err = usageOfPair(sender, receiver)
	one.ReceiverCPU = after[1].CPU - before[1].CPU
	one.Waits = after[0].Waits - before[0].Waits + after[1].Waits - before[1].Waits
	return one, err
}

func usageOfPair(sender, receiver *process) (pair [2]usage, err error) {
	if pair[0], err = ask[usage](sender, "usage", nil); err != nil {
		return pair, err
	}
	pair[1], err = ask[usage](receiver, "usage", nil)
	return pair, err
}

func (b *bench) judgePush(floors, candidates []pushed) {
	both := func(of func(pushed) float64) pairs { return pairs{column(floors, of), column(candidates, of)} }
	speed := both(func(p pushed) float64 { return float64(b.size) / 1e6 / p.Took.Seconds() })
	cpu := both(func(p pushed) float64 { return p.CPU.Seconds() / (float64(b.size) / 1e9) })
	receiver := both(func(p pushed) float64 { return p.ReceiverCPU.Seconds() / (float64(b.size) / 1e9) })
	goal := fmt.Sprintf("push of %d MiB, file to verified file", b.size>>20)
	b.report.judge(goal, ">= 1.0x", "MB/s", speed, func(ratio float64) bool { return ratio >= 1.0 })
	b.report.judge("the server's CPU for it", "-", "s/GB", cpu, nil)
	b.report.judge("the agent's CPU for it", "-", "s/GB", receiver, nil)
	b.report.judge("how often a thread of either waits", "-", "/MB",
		both(func(p pushed) float64 { return float64(p.Waits) / (float64(b.size) / 1e6) }), nil)
}

// folderFor makes a folder with room for content of size bytes at both ends, and for as much again.
func (b *bench) folderFor(size int64) (string, error) {
	parent := b.dir
	var fs syscall.Statfs_t
	if parent == "" && syscall.Statfs(memoryFolder, &fs) == nil && int64(fs.Bavail)*fs.Bsize > 4*size {
		parent = memoryFolder
	}
	return os.MkdirTemp(parent, "fairlead-bench-push-")
}

// makeContent writes size random bytes and returns their hash and running sums.
func makeContent(path string, size int64) (sum string, sums contract.RunningSums, err error) {
	f, err := os.Create(path)
	if err != nil {
		return "", nil, err
	}
	h := contract.NewSummer()
	random := rand.NewChaCha8([32]byte{1})
	_, err = io.CopyBuffer(io.MultiWriter(f, h), io.LimitReader(random, size), make([]byte, 1<<20))
	return h.SHA256(), h.Sums(), errors.Join(err, f.Close())
}

// sumFile reads a file for its hash and running sums.
func sumFile(path string) (sum string, sums contract.RunningSums, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", nil, err
	}
	h := contract.NewSummer()
	_, err = io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 1<<20))
	return h.SHA256(), h.Sums(), errors.Join(err, f.Close())
}
