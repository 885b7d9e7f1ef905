// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
)

// retain carries a retention task out. It can be repeated as a whole: what is gone is gone.
func (w *worker) retain(ctx context.Context) error {
	if w.engine.Retain == nil {
		return errkind.Internal.Errorf("%s deletes what has expired, and nobody can", w.id)
	}
	said, err := w.engine.Retain(ctx, w.task.Space)
	for _, line := range said {
		w.say("", tasklog.Info, line)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		w.say("", tasklog.Error, err.Error())
		return w.finish(ctx, deploy.Progress{State: deploy.TaskFailed, Reason: err.Error()})
	case len(said) == 0:
		w.say("", tasklog.Info, "Nothing has expired.")
	}
	return w.finish(ctx, deploy.Progress{State: deploy.TaskSuccess})
}
