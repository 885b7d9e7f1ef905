// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"os"
	"slices"
	"strings"
	"syscall"

	"fairlead/internal/errkind"
)

// settings of the runtime: no signal preempts a goroutine; math/rand begins with the same seed, as
// net/http asks it for jitter; handshakes are cheaper without the post-quantum key exchange, and
// goroutines with stacks that begin as large as others have turned out to need.
var settings = []string{"asyncpreemptoff=1", "randautoseed=0", "tlsmlkem=0", "adaptivestackstart=1"}

// godebug adds what is missing to a value of the variable GODEBUG. complete is true when nothing is.
func godebug(now string) (want string, complete bool) {
	have := strings.Split(now, ",")
	complete = true
	for _, s := range settings {
		if !slices.Contains(have, s) {
			have, complete = append(have, s), false
		}
	}
	return strings.Trim(strings.Join(have, ","), ","), complete
}

// again starts this program anew, in this process, unless the runtime has its settings. It returns only
// when it has, or on an error.
func again() error {
	want, complete := godebug(os.Getenv("GODEBUG"))
	if complete {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return errkind.Internal.Errorf("find this program to start it again with GODEBUG=%s: %w", want, err)
	}
	if err := os.Setenv("GODEBUG", want); err != nil {
		return errkind.Internal.Errorf("set GODEBUG=%s: %w", want, err)
	}
	err = syscall.Exec(self, os.Args, os.Environ())
	return errkind.Internal.Errorf("start %s again with GODEBUG=%s: %w", self, want, err)
}
