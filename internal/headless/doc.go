// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package headless opens pages in an installed Chromium without a window, for tests of what people see.
//
// The browser talks to nobody but the page's server, keeps its profile in a folder of the test, and is
// ended with the test. What the page writes on its console comes back with what the browser prints.
package headless
