// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package portal serves the pages for people: rendered at the server, readable without
// JavaScript, live by server-sent events.
//
// It decides nothing: reads and effects are use cases behind Source, and so is every permission
// check. What a page leaves out for lack of a permission is a courtesy.
//
//  1. A GET has no effect.
//  2. Every name and every line of output is a text node. Pages carry no inline script or style,
//     and the content policy allows none.
//  3. A request with an effect comes from one of these pages: same origin, proved by the
//     browser's own headers. The session cookie proves nothing about that.
//  4. Neither Host nor any forwarded header finds its way into an answer; redirects are relative
//     and lead to pages of the portal only.
//  5. A page is rendered in memory before its first byte is sent.
//
// Safe for concurrent use. A followed log has one goroutine that reads; the request's own
// goroutine writes and waits for it.
//
// source.go is what the portal needs; portal.go has the table of routes; guard.go refuses;
// session.go signs in and out; pages.go, things.go, tasks.go and follow.go answer; acts.go holds
// the effects; render.go, words.go, badge.go and visible.go turn values into text; problem.go
// shows errors; assets.go serves what lies in static. Templates lie in templates, one for each
// page.
package portal
