// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"time"
)

// lookEvery is the time between two looks at something that is waited for.
const lookEvery = 25 * time.Millisecond

// Await looks until there returns true, an error ends it, or limit is over; what names it in the error.
func Await(ctx context.Context, limit time.Duration, what string, there func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		ok, err := there(ctx)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w after %s", what, ctx.Err(), limit)
		case <-ticker.C:
		}
	}
}
