// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/cli"
)

func TestProgressWaitsTwoSecondsAndCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs bytes.Buffer
		std := cli.IO{Err: &errs, ErrColumns: 60}
		p := std.Progress("uploading web.tar.gz")
		p.Set(10, 100)
		if errs.Len() != 0 {
			t.Errorf("drew %q at once, want nothing in the first 2 s", errs.String())
		}
		<-time.After(2 * time.Second)
		p.Set(50<<10, 100<<10)
		p.Set(51<<10, 100<<10) // too soon after the last
		p.Say("half of it")
		if got, want := errs.String(), "\r\x1b[Kuploading web.tar.gz: 50 %, 50 KB of 100 KB, 25 KB/s"; got != want {
			t.Errorf("drew %q, want %q", got, want)
		}
		<-time.After(time.Second)
		if p.Say("more than half\n"); !strings.HasSuffix(errs.String(), "\r\x1b[Kuploading web.tar.gz: more than half ") {
			t.Errorf("Say drew %q", errs.String())
		}
		p.Done()
		if !strings.HasSuffix(errs.String(), "\r\x1b[K") {
			t.Errorf("Done left %q on the screen", errs.String())
		}
	})
}

func TestProgressKeepsOutOfPipesAndJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, std := range []cli.IO{{}, {ErrColumns: 80, JSON: true}} {
			var errs bytes.Buffer
			std.Err = &errs
			p := std.Progress("x")
			<-time.After(time.Minute)
			p.Set(1, 2)
			p.Done()
			if errs.Len() != 0 {
				t.Errorf("%+v drew %q, want nothing", std, errs.String())
			}
		}
	})
}
