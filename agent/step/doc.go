// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package step carries one package order out on the machine: unpack, substitute, hooks, switch,
// keep the last N. It is what "fairlead-agent step <ticket folder>" does, as the child of a shim.
//
// It does not receive packages (agent/transfer), start itself or report (agent/script): its output
// is the ticket's log and its exit code the verdict.
//
//	<home>/applications/journal.json                      what is installed
//	<home>/applications/<environment>/<package>/<version> one installation; _1, _2 … when repeated
//	<home>/applications/<environment>/<package>/current   link to the one in use
//	<home>/applications/<environment>/<package>/.partial-…  being unpacked or removed
//
// The order of work: unpack, PreDeploy.sh, substitute in files, replace values in configuration files,
// copy to a folder of the machine's own, Deploy.sh, switch current, PostDeploy.sh, journal, retention.
// Scripts of the process run beside the package's: before PreDeploy.sh, after the others. When something
// fails, current is switched back if it was switched, and DeployFailed.sh runs; a copy stays. A canceled
// order switches back and runs no more hooks. An order for a script from a package installs nothing: it
// unpacks into the ticket's folder, substitutes, replaces and runs.
//
// How a step that died is carried out anew: each stage but the hooks may be repeated. A copy that died
// leaves whole files, new or old, and the next one makes them all new.
//
//  1. current names a whole installation or does not exist, whenever the process dies.
//  2. Nothing outside the applications folder is written or removed, whatever the package or the
//     journal says, but in the one folder that the order names for a copy. That is never the agent's own
//     nor around it.
//  3. Retention removes what this project, environment, step and package installed before, never
//     what current names and never a file it did not install.
//  4. One step at a time works on one package in one environment.
//
// Run may be called for several orders at once. step.go is the order of work, place.go names and
// switches folders, substitute.go, configure.go and glob.go change files, copy.go brings them to the
// machine's own folder, hook.go runs scripts and script.go one from a package, journal.go, previous.go and
// retain.go remember and forget, lock.go and disk.go speak to the kernel.
package step
