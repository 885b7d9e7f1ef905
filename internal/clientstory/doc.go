// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package clientstory drives the built programs with the public Go client library of Octopus Deploy, as the tools of
// its users do: a real server, one polling and one listening agent, and the library in between.
//
// It is a module of its own, so that the library is no module of the product; `make story` runs it. There is nothing
// but tests in it: TestServices makes every call of every service that the server offers, TestStory goes from an empty
// server to two deployed versions with all that happens on the way.
//
// site_test.go holds what both share; the files named after services hold their calls; story_test.go the story.
package clientstory
