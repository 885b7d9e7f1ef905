// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

// MaxOrderBytes is the longest order: 16 MiB of JSON.
const MaxOrderBytes = 16 << 20

// StartArgs announces an order; its bytes follow the head.
type StartArgs struct {
	Ticket      TicketID `json:"ticket"`
	OrderBytes  int64    `json:"order_bytes"`
	OrderSHA256 string   `json:"order_sha256"` // hex
}

// Order is what the server asks of a machine: one script, or one package to install.
// Exactly one of Script and Package is set.
type Order struct {
	Ticket TicketID `json:"ticket"`
	// Task names the server's task for people ("ServerTasks-7"). Epoch is the lease epoch the
	// order was given under; the agent refuses a lower one than it has seen for the same task.
	Task  string `json:"task"`
	Epoch int64  `json:"epoch"`
	// Name is shown to whoever waits for this order: "Deploy Web 1.2.0 to Production: step 2".
	Name      string            `json:"name"`
	Script    *Script           `json:"script,omitempty"`
	Package   *Package          `json:"package,omitempty"`
	Variables map[string]string `json:"variables"`
	// Sensitive names the variables whose values the agent hides in output before it keeps any. An
	// agent that does not know the member refuses the order: it would show them.
	Sensitive []string  `json:"sensitive,omitempty"`
	Isolation Isolation `json:"isolation"`
	// TimeoutMS ends the run as TimedOut; 0 means none. GraceMS lies between TERM and KILL.
	TimeoutMS int64 `json:"timeout_ms"`
	GraceMS   int64 `json:"grace_ms"`
}

// Script is a text and the interpreter that runs it.
type Script struct {
	Interpreter string `json:"interpreter"` // "bash" or "sh"
	Body        string `json:"body"`
}

// Package asks for a package to be installed: unpack, pre-deploy hook, substitute in files,
// deploy hook, switch, post-deploy hook; the failure hook when one of them fails.
type Package struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	// Format is the archive's kind: "zip", "tar.gz", "tar" or "nupkg".
	Format string `json:"format"`
	SHA256 string `json:"sha256"` // hex; the blob was put before
	Size   int64  `json:"size"`
	// Project, Environment and Step say what the journal entry is for; retention keeps to it.
	Project     string `json:"project"`
	Environment string `json:"environment"`
	Step        string `json:"step"`
	// SubstituteIn lists globs, relative to the package root, of text files whose #{Name} are
	// replaced. "**" crosses folders.
	SubstituteIn []string `json:"substitute_in"`
	// Keep is how many installed versions stay, the current one included; 0 means all.
	Keep int `json:"keep"`
}

// IsolationLevel says what may run beside an order.
type IsolationLevel string

// The levels.
const (
	// IsolationNone runs beside everything but a full one.
	IsolationNone IsolationLevel = "none"
	// IsolationFull runs alone on the machine.
	IsolationFull IsolationLevel = "full"
	// IsolationNamed runs beside everything but a full one and those with the same name.
	IsolationNamed IsolationLevel = "named"
)

// Isolation is the lock an order takes while it runs.
type Isolation struct {
	Level IsolationLevel `json:"level"`
	Name  string         `json:"name,omitempty"` // 1 to 255 bytes for IsolationNamed
}
