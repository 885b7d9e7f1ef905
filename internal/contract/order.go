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
	// ConfigureIn lists globs, as SubstituteIn, of JSON, YAML, XML and properties files in which
	// existing values are replaced by variables of the same path: "Database:Port".
	ConfigureIn []string `json:"configure_in,omitempty"`
	// Hooks are scripts of the process that run beside the package's own.
	Hooks *Hooks `json:"hooks,omitempty"`
	// Copy names a folder that the package is copied to before its deploy hook; nil means none.
	Copy *Copy `json:"copy,omitempty"`
	// SkipIfInstalled ends the order as succeeded, with nothing done, when the newest installation of
	// this package by this step is of this version, succeeded, and is still there.
	SkipIfInstalled bool `json:"skip_if_installed,omitempty"`
	// Run turns the order into "run a script from this package": it is unpacked for this order only,
	// substituted in, and the script run; no hook, no switch, no journal, no retention.
	Run *PackageScript `json:"run,omitempty"`
}

// Hooks are the bodies of bash scripts, expanded already; an empty one does not run.
type Hooks struct {
	PreDeploy    string `json:"pre_deploy,omitempty"`  // before the package's PreDeploy.sh
	Deploy       string `json:"deploy,omitempty"`      // after its Deploy.sh
	PostDeploy   string `json:"post_deploy,omitempty"` // after its PostDeploy.sh
	DeployFailed string `json:"deploy_failed,omitempty"`
}

// Copy is a folder of the machine's own.
type Copy struct {
	Path string `json:"path"` // absolute, clean, at least two names deep
	// Purge empties the folder first but for what fits one of the globs in Keep.
	Purge bool     `json:"purge,omitempty"`
	Keep  []string `json:"keep,omitempty"`
}

// PackageScript is a file of a package and what to call it with.
type PackageScript struct {
	Path string `json:"path"` // relative, slashes
	// Arguments are words of bash: quotes and variables work as on its command line.
	Arguments string `json:"arguments,omitempty"`
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
