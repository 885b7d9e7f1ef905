// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package check judges a run by its history: what must never happen, what must happen in time once
// everything is healed, and what should happen now and then in a campaign.
//
// It runs nothing. Each statement is a pure function over history.Run in a file of its own.
//
//  1. A violation names the statement, when it happened, where, and in a sentence what is wrong.
//  2. Judging has no effect and gives the same answer each time.
package check
