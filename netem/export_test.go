// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

// KeepAwake makes the loop get up for every event, quiet or not.
func (w *World) KeepAwake() {
	w.lock()
	defer w.mu.Unlock()
	w.wakeful = true
}
