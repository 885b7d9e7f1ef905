// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

// StatusOf is the table of statuses.
var StatusOf = statusOf

// OwnCategories are the words of the audit trail.
func OwnCategories() []string { return ownCategories() }
