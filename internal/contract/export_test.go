// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

// ReadHead reads one head, as both sides do.
var ReadHead = readHead
