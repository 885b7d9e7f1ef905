// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"context"
	"io"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/identity"
)

// Source is everything the portal asks of the server. Things are named by id or slug, as the
// values it returned name them. Errors are shown to the reader by their kind, message and hint.
type Source interface {
	Gate
	Reader
	Actor
}

// Gate lets browsers in. identity.Directory is one.
type Gate interface {
	// SignIn opens a session for the holder of an API key. Source is the caller's address without its port. Errors:
	// *identity.Refused (Untrusted, Exhausted).
	SignIn(ctx context.Context, source, key string) (cookie string, expires time.Time, err error)
	// SignInWithPassword opens one for a user by his name and password. Errors: as SignIn.
	SignInWithPassword(ctx context.Context, source, name, password string) (
		p identity.Principal, cookie string, expires time.Time, err error,
	)
	// BySession says whose cookie it is. Errors: Untrusted.
	BySession(ctx context.Context, cookie string) (identity.Principal, error)
	// SignOut ends the session of a cookie, if there is any; "" is of none.
	SignOut(ctx context.Context, cookie string) error
}

// Reader reads. None of its methods has an effect. Errors: Denied, NotFound, Unavailable.
type Reader interface {
	// Spaces are those in which the reader has a permission, the default one first.
	Spaces(ctx context.Context, p identity.Principal) ([]Space, error)
	Dashboard(ctx context.Context, p identity.Principal) (Dashboard, error)
	Projects(ctx context.Context, p identity.Principal) ([]ProjectSummary, error)
	Project(ctx context.Context, p identity.Principal, ref string) (Project, error)
	Release(ctx context.Context, p identity.Principal, project, version string) (Release, error)
	// FindRelease and FindDeployment say what a page is named by, for addresses that have an id alone.
	FindRelease(ctx context.Context, p identity.Principal, id string) (project, version string, err error)
	FindDeployment(ctx context.Context, p identity.Principal, id string) (deploy.TaskID, error)
	Machines(ctx context.Context, p identity.Principal) ([]Machine, error)
	Machine(ctx context.Context, p identity.Principal, ref string) (MachineDetail, error)
	Tasks(ctx context.Context, p identity.Principal, q TaskQuery) (tasks []Task, total int, err error)
	Task(ctx context.Context, p identity.Principal, id deploy.TaskID) (TaskDetail, error)
	// OpenArtifact opens a file of a task, which the caller closes.
	OpenArtifact(
		ctx context.Context, p identity.Principal, task deploy.TaskID, id deploy.ArtifactID,
	) (Artifact, io.ReadSeekCloser, error)
	// ReadLog returns whole lines from an offset (0, or what an earlier call named next), at most
	// about maxBytes of them. An empty result means that there is no more for now.
	ReadLog(
		ctx context.Context, p identity.Principal, id deploy.TaskID, offset int64, maxBytes int,
	) (lines []LogLine, next int64, err error)
	// FollowLog delivers lines from an offset as they appear. It waits for a log that has not
	// begun and returns nil when the log is finished. It ends with deliver's error, or with ctx.
	FollowLog(
		ctx context.Context, p identity.Principal, id deploy.TaskID, offset int64,
		deliver func(lines []LogLine, next int64) error,
	) error
	// Packages are the highest version of each package whose id contains the text, by id.
	Packages(ctx context.Context, p identity.Principal, contains string) ([]Package, error)
	// PackageVersions are all versions of one package, highest first.
	PackageVersions(ctx context.Context, p identity.Principal, id string) ([]Package, error)
	// Restored is the last restore. Errors: NotFound, when the server was never restored.
	Restored(ctx context.Context, p identity.Principal) (Restored, error)
	// Events are rows of the audit trail, newest first; more tells whether there are older ones.
	Events(ctx context.Context, p identity.Principal, q EventQuery) (events []Event, more bool, err error)
}

// Actor has effects. Errors as Reader's, and Invalid, Conflict, Exhausted.
type Actor interface {
	CreateRelease(ctx context.Context, p identity.Principal, r NewRelease) (version string, err error)
	Deploy(ctx context.Context, p identity.Principal, d NewDeployment) (deploy.TaskID, error)
	Cancel(ctx context.Context, p identity.Principal, id deploy.TaskID) error
	Answer(ctx context.Context, p identity.Principal, a NewAnswer) error
	ForgetOrphan(ctx context.Context, p identity.Principal, machine, ticket string) error
	CheckHealth(ctx context.Context, p identity.Principal, machine string) (deploy.TaskID, error)
	// AcceptMachine lets a disabled machine work again. Why is the reason of its quarantine that the reader saw, "" when
	// a person disabled it; with another one it is a Conflict.
	AcceptMachine(ctx context.Context, p identity.Principal, machine, why string) error
	// AcceptRestore ends the safe mode after the restore of that number.
	AcceptRestore(ctx context.Context, p identity.Principal, number int64) error
}

// NewRelease asks for a release; an empty version takes the next one, and the newest packages.
type NewRelease struct{ Project, Version, Notes string }

// NewAnswer answers a question of a task.
type NewAnswer struct {
	Task          deploy.TaskID
	Question      deploy.InterruptionID
	Choice, Notes string
}

// NewDeployment asks for a release to go to an environment (id).
type NewDeployment struct {
	Project, Version string
	Environment      deploy.EnvironmentID
}

// Dashboard is the state of everything on one page.
type Dashboard struct {
	Environments     []Environment
	Projects         []DashboardRow
	Machines, Online int
	Running, Queued  int
	Asking           int // of the running ones: those that wait for people to answer
	Packages         int // ids
}

// Environment is one column.
type Environment struct {
	ID   deploy.EnvironmentID
	Name string
}

// DashboardRow is one project; Cells run parallel to the environments.
type DashboardRow struct {
	Slug, Name, Group string
	Cells             []DashboardCell
}

// DashboardCell is the newest deployment of a project in an environment; no Version, no deployment.
type DashboardCell struct {
	Version     string
	Task        deploy.TaskID
	State       deploy.TaskState
	HasWarnings bool
	IsAsking    bool
	At          time.Time
}

// ProjectSummary is a project in a list.
type ProjectSummary struct {
	Slug, Name, Description, Group string
	Steps                          int
	Latest                         string // version of the newest release; "" without one
	LatestAt                       time.Time
	IsDisabled                     bool
}

// Project is a project with what it does and what was made of it.
type Project struct {
	ProjectSummary
	Process      []Step
	Releases     []ReleaseSummary // newest first
	Environments []Environment    // that it can be deployed to
	NextVersion  string           // what a release without a version would be
}

// Step is one step of a process.
type Step struct {
	Number    int
	Name      string
	Tags      []string
	Condition deploy.Condition
	Window    int
	Actions   []Action
}

// AsksPeople tells whether the step waits for an answer and runs on no machine.
func (s Step) AsksPeople() bool {
	return slices.ContainsFunc(s.Actions, func(a Action) bool { return a.Kind == deploy.ManualAction })
}

// Action is one action of a step.
type Action struct {
	Name       string
	Kind       deploy.ActionKind
	PackageID  string
	Only       []string // environment names
	Settings   []string // in clauses: what it does when something goes wrong
	IsDisabled bool
}

// ReleaseSummary is a release in a list.
type ReleaseSummary struct {
	Version     string
	AssembledAt time.Time
	AssembledBy string
	// In are the environments whose newest deployment is of this release.
	In []Place
}

// Place is an environment with the state of the deployment there.
type Place struct {
	Environment string
	Task        deploy.TaskID
	State       deploy.TaskState
	IsAsking    bool
}

// Release is a release with what it carries.
type Release struct {
	ReleaseSummary
	Project      ProjectSummary
	Notes        string
	Packages     []ReleasePackage
	Deployments  []Deployment // newest first
	Environments []Environment
}

// ReleasePackage is the version of a package that a release carries for a step.
type ReleasePackage struct{ Step, PackageID, Version string }

// Deployment is one deployment of a release.
type Deployment struct {
	Environment string
	Task        deploy.TaskID
	State       deploy.TaskState
	IsAsking    bool
	At          time.Time
	By          string
}

// Machine is a machine with its presence.
type Machine struct {
	ID           deploy.MachineID
	Name         string
	Style        deploy.Style
	Address      string // of a listening agent
	Remote       string // where its line comes from
	Online       bool
	Since        time.Time // on line or off line since; zero when it was never seen
	LastSeen     time.Time
	Trouble      string // why the last try to reach it did not work
	Health       deploy.HealthStatus
	Summary      string // of the last health check
	CheckedAt    time.Time
	Environments []string
	Tags         []string
	AgentVersion string
	System       string // "Debian GNU/Linux 12 (bookworm)"
	Arch         string
	IsDisabled   bool
	Quarantine   string // why the server disabled it; "" when it did not
}

// MachineDetail is a machine with its facts and recent tasks.
type MachineDetail struct {
	Machine
	Pin      string // hex
	Hostname string
	Shell    string
	DiskFree int64 // bytes; 0 when not known
	AddedAt  time.Time
	Warnings []string
	Orphans  []Orphan
	Recent   []Task // newest first
}

// Orphan is a result on a machine that a restored server does not know.
type Orphan struct {
	Ticket   string
	Sentence string // what it was, and how it ended
	Ended    bool
}

// Restored is a restore of the server from a backup.
type Restored struct {
	Number               int64 // from 1
	BackupAt, RestoredAt time.Time
	AcceptedAt           time.Time // zero in safe mode
	Machines             []Machine
}

// Held says that the server is in safe mode.
func (r Restored) Held() bool { return r.AcceptedAt.IsZero() }

// TaskQuery picks tasks. Active are those that have not ended.
type TaskQuery struct {
	Active     bool
	IsAsking   bool // waits for people to answer
	States     []deploy.TaskState
	Skip, Take int
}

// Task is a task in a list.
type Task struct {
	ID                   deploy.TaskID
	Kind                 deploy.TaskKind
	Description          string
	State                deploy.TaskState
	HasWarnings          bool
	IsAsking             bool // it waits for people to answer
	Error                string
	WaitsFor             string // in a clause, while queued or while a machine or an answer is waited for
	Environment          string
	QueuedAt             time.Time
	QueuedBy             string
	StartedAt            time.Time
	CompletedAt          time.Time
	CancelAsked          bool
	ProjectSlug, Project string // of a deployment
	Version              string // of the release, likewise
}

// TaskDetail is a task with its tree.
type TaskDetail struct {
	Task
	Steps []TaskStep
	// Questions wait for people to answer.
	Questions []Question
	// Answers are those that it got, oldest first; none for who may not see them.
	Answers []Answer
	// Artifacts are files that its scripts handed over, oldest first; none for who may not see them.
	Artifacts []Artifact
}

// Artifact is a file that a script handed over.
type Artifact struct {
	ID      deploy.ArtifactID
	Name    string
	Machine string
	Size    int64 // bytes
	SHA256  string
	KeptAt  time.Time
}

// Question is one that a task waits with.
type Question struct {
	ID           deploy.InterruptionID
	Title        string
	Instructions string // several lines
	Choices      []deploy.Choice
	AskedAt      time.Time
	ExpiresAt    time.Time // zero: it does not
	// Responsible is who has taken it; "" nobody. MayAnswer tells whether the reader may, whoever has.
	Responsible string
	MayAnswer   bool
}

// Answer is what was said to a question of a task.
type Answer struct {
	Title string
	Said  string // who said what, in sentences; several lines
	At    time.Time
}

// TaskStep is a step of a task; Node is its place in the log ("2").
type TaskStep struct {
	Number   int
	Name     string
	Node     string
	Activity deploy.Activity
	Reason   string // why it was skipped, or failed without a failure on a machine
	Machines []TaskMachine
}

// TaskMachine is a machine in a step; Node is "2/Machines-1".
type TaskMachine struct {
	ID       deploy.MachineID
	Name     string
	Node     string
	Activity deploy.Activity
	Said     string // in a sentence; "" when there is nothing to say
}

// LogLine is one line of a task's log, or a piece of one when More is set. Text is as the script
// wrote it: the portal makes it harmless.
type LogLine struct {
	At       time.Time
	Category string // "Verbose", "Info", "Highlight", "Wait", "Warning", "Error", "Fatal"
	Node     string
	Text     string
	More     bool
}

// Package is one version of a package.
type Package struct {
	ID, Version, Format string
	Size                int64
	SHA256              string
	PublishedAt         time.Time
	Versions            int // how many there are of this id; in lists of ids only
}

// EventQuery picks audit rows; empty fields pick all.
type EventQuery struct {
	Subject, User, Category string
	Skip, Take              int
}

// Event is one audit row.
type Event struct {
	Number                           int64
	At                               time.Time
	User, Category, Subject, Message string
}
