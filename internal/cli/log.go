// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import "log/slog"

// Logger is the program's own log, on Err: text on a terminal, JSON where programs read it.
// Verbose adds what happened in detail (slog.LevelDebug).
func (std *IO) Logger(verbose bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		options.Level = slog.LevelDebug
	}
	if std.ErrColumns > 0 {
		return slog.New(slog.NewTextHandler(std.Err, options))
	}
	return slog.New(slog.NewJSONHandler(std.Err, options))
}
