// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

// Route names one row of the table for tests.
type Route struct {
	Method, Pattern string
	Open, Page      bool
}

// Routes lists the table.
func (p *Portal) Routes() (list []Route) {
	for _, r := range p.routes() {
		list = append(list, Route{r.method, r.pattern, r.open, r.page})
	}
	return list
}

// Words for tests.
var (
	Visible  = visible
	Shown    = shown
	Ago      = ago
	Span     = span
	Size     = size
	Statuses = statuses
)

// LocalPage see localPage.
func (p *Portal) LocalPage(to string) string { return p.localPage(to) }
