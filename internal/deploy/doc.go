// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package deploy is the deployment domain: its values and its rules, without storage, transport
// or clock.
//
//  1. Every function is pure: the same arguments give the same answer, and time is an argument.
//  2. A release is a snapshot: nothing that changes in its project afterwards changes it.
//  3. Lists that leave the package are sorted.
//
// id.go names things; machine.go, project.go, channel.go, process.go, release.go, task.go and
// access.go hold the values; lifecycle.go says where a release may go; version.go orders versions,
// version_range.go asks of them, version_next.go makes them; substitute.go expands #{...};
// variable.go holds variables, scope.go picks their values, scope_tie.go finds where nothing says
// which, system_variable.go tells of the system's own; plan.go says what a deployment will do, or why
// it cannot be done; walk.go says where a plan stands and what is next; policy.go reads what an action
// wants when something goes wrong; verdict.go says verdicts in words.
package deploy
