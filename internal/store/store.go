// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package store is the storage contract, in the domain's words.
//
// Implementations live in folders of their own (sqlite; postgres later) and must pass storetest.
//
//  1. Update runs its function in one transaction: all of it is durable when Update returns nil,
//     none of it otherwise. Updates do not overlap, and each sees what earlier ones wrote.
//  2. View sees one state of the whole store.
//  3. Functions given to View and Update do no I/O, take no locks and do not wait; they may run
//     more than once when a group commit has to be repeated, so they set only what they return.
//  4. Lists are sorted as their comment says, down to a unique key.
//  5. What a read returns is the caller's to change; empty lists and maps come back as nil.
//  6. Times come back in UTC, cut to microseconds; 1970-01-01T00:00:00Z stands for no time.
//  7. "By name" is by the name in lower case, bytewise. Ids sort by the number at their end, then
//     bytewise; equal times are settled by id, newest first meaning the higher id first.
//  8. A Put that refers to a project, release, task, user or key that is not there is a Conflict.
//
// Errors: NotFound (a single thing that is not there), Conflict (a unique name, version, pin or
// key is taken), Exhausted (no space left), Unavailable (store closed), Corrupt (database
// damaged), Internal. All methods are safe for concurrent use.
package store

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// Store keeps everything that must survive the server.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	Update(ctx context.Context, f func(Writer) error) error
	// PeopleMark changes before an Update returns that wrote users, teams, roles or API keys: what a View found out about
	// them holds as long as the mark is the one from before it. It means nothing once the store was closed.
	PeopleMark() int64
	// Backup writes a consistent copy to a new file while the store is in use.
	Backup(ctx context.Context, path string) error
	// Check looks for damage; it reads the whole store. Errors: Corrupt.
	Check(ctx context.Context) error
	// Close waits for running transactions. Later calls are Unavailable.
	Close() error
}

// Reader reads.
type Reader interface {
	Installation() (Installation, error)

	Environment(id deploy.EnvironmentID) (deploy.Environment, error)
	Environments(space deploy.SpaceID) ([]deploy.Environment, error) // by sort order, then name, then id

	Machine(id deploy.MachineID) (deploy.Machine, error)
	MachineByPin(pin string) (deploy.Machine, error)
	Machines(f MachineFilter) ([]deploy.Machine, error) // by name
	// ChangedMachines says what happened to machines since a mark that an earlier call returned; 0
	// asks for all machines. A mark means nothing once the store was closed.
	ChangedMachines(since int64) (MachineChanges, error)
	// RetiredPins are pins that belonged to a machine once and may never be used again; sorted.
	RetiredPins() ([]string, error)

	ProjectGroups(space deploy.SpaceID) ([]deploy.ProjectGroup, error) // by name
	Lifecycles(space deploy.SpaceID) ([]deploy.Lifecycle, error)       // by name
	Project(id deploy.ProjectID) (deploy.Project, error)
	Projects(space deploy.SpaceID) ([]deploy.Project, error)        // by name
	Channels(project deploy.ProjectID) ([]deploy.Channel, error)    // default first, then by name
	Process(project deploy.ProjectID) (deploy.Process, error)       // an empty one if never written
	Variables(project deploy.ProjectID) (deploy.VariableSet, error) // an empty one if never written
	LibrarySet(id deploy.LibrarySetID) (deploy.LibrarySet, error)
	LibrarySets(space deploy.SpaceID) ([]deploy.LibrarySet, error) // by name
	Account(id deploy.AccountID) (deploy.Account, error)
	Accounts(space deploy.SpaceID) ([]deploy.Account, error) // by name
	// Package finds one by its id without regard to case.
	Package(space deploy.SpaceID, id, version string) (deploy.Package, error)
	Packages(f PackageFilter) ([]deploy.Package, error) // by id, then time of publication, newest first, then space
	PackagesWithContent(sha256 string) (int, error)     // how many packages share the content
	Release(id deploy.ReleaseID) (deploy.Release, error)
	ReleaseNumbered(project deploy.ProjectID, version string) (deploy.Release, error)
	Releases(project deploy.ProjectID) ([]ReleaseRow, error) // newest first
	Deployment(id deploy.DeploymentID) (deploy.Deployment, error)
	Deployments(f DeploymentFilter) ([]deploy.Deployment, error) // newest first
	// CountDeployments tells how many there are, whatever Skip and Take say.
	CountDeployments(f DeploymentFilter) (int, error)
	// DeploymentCells are Deployments without what they were planned to do, but with how their tasks stand.
	DeploymentCells(f DeploymentFilter) ([]DashboardCell, error)
	// LastDeployments are the newest deployment of each (project, environment), with its task's
	// state and release number: what a dashboard shows. By project, then environment.
	LastDeployments(space deploy.SpaceID) ([]DashboardCell, error)

	Task(id deploy.TaskID) (deploy.Task, error)
	Tasks(f TaskFilter) (tasks []deploy.Task, total int, err error) // newest first; total before Skip and Take
	// LooseTasks are the tasks of a space that have ended and belong to no deployment that is there; oldest end first.
	// With ids, only those of them.
	LooseTasks(space deploy.SpaceID, ids ...deploy.TaskID) ([]deploy.LooseTask, error)
	// KnownTasks are those of the ids that there are, in any space; sorted bytewise.
	KnownTasks(ids []deploy.TaskID) ([]deploy.TaskID, error)
	Ticket(id contract.TicketID) (deploy.Ticket, error)
	Tickets(task deploy.TaskID) ([]deploy.Ticket, error) // by step, action, machine, attempt
	// OpenTickets are those of a machine that are not forgotten yet; by creation.
	OpenTickets(machine deploy.MachineID) ([]deploy.Ticket, error)
	Interruption(id deploy.InterruptionID) (deploy.Interruption, error)
	Interruptions(f InterruptionFilter) ([]deploy.Interruption, error) // newest first
	// Outputs are what a task's scripts have handed over; by ticket. With tickets, only those of them.
	Outputs(task deploy.TaskID, of ...contract.TicketID) ([]deploy.Outputs, error)

	JoinToken(id deploy.TokenID) (deploy.JoinToken, error)
	JoinTokens(space deploy.SpaceID) ([]deploy.JoinToken, error) // newest first
	ArtifactReader
	PeopleReader
	MachinePolicyReader
	SpaceReader
	APIKeyByHash(sha256 string) (deploy.APIKey, error)
	APIKeys(user deploy.UserID) ([]deploy.APIKey, error) // newest first
	SessionByHash(sha256 string) (deploy.Session, error)
	Events(f EventFilter) ([]deploy.Event, error) // newest first
}

// Writer reads and writes. A Put replaces what has the same key. A Delete of something that is
// not there is NotFound.
type Writer interface {
	Reader
	Writes
}

// Writes are what a Writer has beside its reads.
type Writes interface {
	PutInstallation(Installation) error
	// NextID assigns the next id of a collection, for example NextID("Machines") is "Machines-7".
	NextID(collection string) (string, error)
	// JumpIDs raises the counter of each collection by so many, and adds an event whose number is
	// that much higher than the next one's: no id in between is ever assigned.
	JumpIDs(by int64, why deploy.Event) error

	PutEnvironment(deploy.Environment) error
	DeleteEnvironment(deploy.EnvironmentID) error
	PutMachine(deploy.Machine) error
	// A pin that PutMachine replaces and that of a machine that DeleteMachine removes is retired;
	// a retired pin is a Conflict.
	DeleteMachine(deploy.MachineID) error
	PutProjectGroup(deploy.ProjectGroup) error
	DeleteProjectGroup(deploy.ProjectGroupID) error
	PutLifecycle(deploy.Lifecycle) error
	DeleteLifecycle(deploy.LifecycleID) error
	PutProject(deploy.Project) error
	// DeleteProject also deletes its process, variables, channels, releases and deployments.
	DeleteProject(deploy.ProjectID) error
	PutChannel(deploy.Channel) error
	DeleteChannel(deploy.ChannelID) error
	// PutProcess and PutVariables raise the stored version by one; the version given must be the
	// stored one, else Conflict. They return the new version.
	PutProcess(deploy.Process) (int, error)
	PutVariables(deploy.VariableSet) (int, error)
	PutLibrarySet(deploy.LibrarySet) error
	DeleteLibrarySet(deploy.LibrarySetID) error
	PutAccount(deploy.Account) error
	DeleteAccount(deploy.AccountID) error
	PutPackage(deploy.Package) error
	DeletePackage(space deploy.SpaceID, id, version string) error
	PutRelease(deploy.Release) error
	DeleteRelease(deploy.ReleaseID) error // and its deployments
	PutDeployment(deploy.Deployment) error
	PutTask(deploy.Task) error
	// PutTaskLeased writes the task only if the stored LeaseEpoch is still t.LeaseEpoch, else
	// Conflict: whoever lost the lease changes nothing.
	PutTaskLeased(t deploy.Task) error
	// DeleteTask also deletes its tickets, interruptions, output variables and artifacts, and says how many. A
	// deployment that refers to it stays.
	DeleteTask(deploy.TaskID) (DeletedTask, error)
	PutTicket(deploy.Ticket) error
	PutInterruption(deploy.Interruption) error
	PutOutputs(deploy.Outputs) error
	PutJoinToken(deploy.JoinToken) error
	DeleteJoinToken(deploy.TokenID) error
	ArtifactWriter
	PeopleWriter
	MachinePolicyWriter
	SpaceWriter
	PutAPIKey(deploy.APIKey) error
	DeleteAPIKey(deploy.KeyID) error // and the sessions it opened
	PutSession(deploy.Session) error
	DeleteSession(sha256 string) error
	// DeleteExpired removes sessions and unused join tokens that ended before now.
	DeleteExpired(now time.Time) error
	// AddEvent appends to the audit trail and assigns the number.
	AddEvent(deploy.Event) (int64, error)
}

// MachineChanges is what happened to machines. It may tell of some that did not change.
type MachineChanges struct {
	Mark    int64            // to ask with the next time
	IsAll   bool             // Written are all machines: others are gone
	Written []deploy.Machine // by id; by name when they are all
	Deleted []deploy.MachineID
}

// IsNone reports whether nothing changed. Then no pin was retired either.
func (c MachineChanges) IsNone() bool { return !c.IsAll && len(c.Written)+len(c.Deleted) == 0 }

// Installation is the server's own row.
type Installation struct {
	ID        string // UUID, never changes
	Name      string
	CreatedAt time.Time
	// BundleEpoch is the number of the newest trust bundle.
	BundleEpoch int64
	// MasterKey is the id of the key that what is secret here is sealed with; "" while nothing is.
	MasterKey string
	// Restores counts how often the store came out of a backup. RestoredAt is when that was last, and
	// BackupAt when that backup was made; AcceptedAt is when a person let the server work again, zero
	// until then.
	Restores   int64
	RestoredAt time.Time
	BackupAt   time.Time
	AcceptedAt time.Time
	// IsInMaintenance keeps all but administrators from changing anything.
	IsInMaintenance bool
}

// IsHeld reports whether the store came out of a backup that nobody has accepted yet.
func (i Installation) IsHeld() bool { return i.Restores > 0 && i.AcceptedAt.IsZero() }

// ReleaseRow is a release without its snapshot.
type ReleaseRow struct {
	ID          deploy.ReleaseID
	Project     deploy.ProjectID
	Channel     deploy.ChannelID
	Version     string
	AssembledAt time.Time
}

// DeletedTask is what went with a task.
type DeletedTask struct {
	Tickets, Interruptions, Outputs, Artifacts int64
}

// Rows is how many rows went, with the task's own.
func (d DeletedTask) Rows() int64 { return 1 + d.Tickets + d.Interruptions + d.Outputs + d.Artifacts }

// DashboardCell is a deployment, its release and how its task stands. One whose task is gone counts as done at the time
// it was made, in no state.
type DashboardCell struct {
	Project     deploy.ProjectID
	Environment deploy.EnvironmentID
	Deployment  deploy.DeploymentID
	Release     deploy.ReleaseID
	Version     string
	Task        deploy.TaskID
	State       deploy.TaskState
	At          time.Time // queued, or completed once it is
}

// MachineFilter picks machines; empty fields pick all.
type MachineFilter struct {
	Space       deploy.SpaceID
	Environment deploy.EnvironmentID
	Tag         string
	Name        string // exact, without regard to case
}

// PackageFilter picks packages; empty fields pick all.
type PackageFilter struct {
	Space    deploy.SpaceID
	ID       string // exact, without regard to case
	Contains string // part of the id, without regard to case
}

// DeploymentFilter picks deployments; empty fields pick all. Take 0 means no limit.
type DeploymentFilter struct {
	Space       deploy.SpaceID
	IDs         []deploy.DeploymentID
	Projects    []deploy.ProjectID
	Places      []deploy.EnvironmentID // Environment is one alone
	Channels    []deploy.ChannelID
	Project     deploy.ProjectID
	Release     deploy.ReleaseID
	Environment deploy.EnvironmentID
	States      []deploy.TaskState // of the task
	Contains    string             // part of the name, without regard to the case of ASCII
	Skip, Take  int
}

// TaskFilter picks tasks; empty fields pick all. Take 0 means no limit.
type TaskFilter struct {
	Space       deploy.SpaceID
	IDs         []deploy.TaskID
	States      []deploy.TaskState
	Kind        deploy.TaskKind
	HasWarnings bool   // or errors
	IsClean     bool   // it has neither
	IsAsking    bool   // it waits for people to answer
	AsksNothing bool   // it does not
	Node        string // the server's node that works or worked on it, without regard to the case of ASCII
	Contains    string // part of the description, likewise
	Project     deploy.ProjectID
	Environment deploy.EnvironmentID
	// Scopes, unless nil, picks deployments within one of them. IsLoose picks tasks of no project.
	Scopes     []TaskScope
	IsLoose    bool
	Skip, Take int
}

// TaskScope is deployments of some projects to some environments; an empty list means any.
type TaskScope struct {
	Projects     []deploy.ProjectID
	Environments []deploy.EnvironmentID
}

// InterruptionFilter picks interruptions; empty fields pick all.
type InterruptionFilter struct {
	Space     deploy.SpaceID
	Task      deploy.TaskID
	IsPending bool // only those that wait for an answer
}

// EventFilter picks events; empty fields pick all. Take 0 means no limit.
type EventFilter struct {
	// Space picks the events of a space; those of the installation go with the default one.
	Space      deploy.SpaceID
	Subject    string
	User       string
	Category   string
	Subjects   []string // any of them; Subject is one alone
	Users      []string // any of them
	Categories []string // any of them
	Types      []string // what the subject's id begins with, such as "Machines", without regard to case
	From, To   time.Time
	// FromNumber and ToNumber bound the number, both included; 0 means no bound.
	FromNumber, ToNumber int64
	Skip, Take           int
}

// IDNumber is the number at the end of an id, 7 for "Machines-7", or 0.
func IDNumber(id string) int64 {
	n, err := strconv.ParseInt(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// CompareIDs orders ids by number, then bytewise.
func CompareIDs[T ~string](a, b T) int {
	return cmp.Or(cmp.Compare(IDNumber(string(a)), IDNumber(string(b))), strings.Compare(string(a), string(b)))
}
