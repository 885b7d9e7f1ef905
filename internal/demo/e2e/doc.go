// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package e2e tests the built programs against each other, as users meet them: the story of `make demo`, kill -9 of
// every program in the middle of a deployment, cancel, bad input. `make e2e` runs it; there is nothing but tests in it.
//
// site_test.go holds what the tests share, story_test.go the story, crash_test.go the killing, cancel_test.go the end
// of a task by hand, isolation_test.go scripts that wait for each other, refusal_test.go bad input, secret_test.go what
// must not be seen.
package e2e
