// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

// A Method names one call and the types of its arguments and its result.
type Method[A, R any] struct {
	Name string
	// Bulk methods run on streams that control never waits behind.
	Bulk bool
}

// The methods that an agent serves.
var (
	// Hello introduces the server and asks who the agent is. It is the first call of a session.
	Hello = Method[HelloArgs, Facts]{Name: "hello"}
	// ScriptStart hands an order over. The order's JSON (Order) follows the head. A known ticket
	// answers its status and starts nothing.
	ScriptStart = Method[StartArgs, TicketStatus]{Name: "script.start"}
	// ScriptStatus tells what is known of a ticket; an unknown ticket is an answer, not an error.
	ScriptStatus = Method[TicketArgs, TicketStatus]{Name: "script.status"}
	// ScriptFollow pushes Records from an offset as they appear, and Status whenever it changes,
	// until the verdict was sent (see record.go for the frames). Errors: NotFound.
	ScriptFollow = Method[FollowArgs, TicketStatus]{Name: "script.follow"}
	// ScriptCancel asks for the end of a ticket: TERM to the group, KILL after the grace. A ticket
	// that is not known yet is remembered as canceled and will never start.
	ScriptCancel = Method[CancelArgs, TicketStatus]{Name: "script.cancel"}
	// ScriptForget says that the server keeps the verdict and the whole log. The agent deletes its
	// copy. A ticket without a verdict is a Conflict.
	ScriptForget = Method[TicketArgs, Nothing]{Name: "script.forget"}
	// ScriptList names the tickets that the agent keeps, page by page. Errors: NotFound (the agent is
	// older than the method).
	ScriptList = Method[ListArgs, TicketList]{Name: "script.list"}
	// ScriptResult reads the Result that the ticket's verdict names; its JSON follows the answer.
	// Errors: NotFound (no such ticket, no verdict yet, or no result).
	ScriptResult = Method[TicketArgs, ResultInfo]{Name: "script.result"}
	// ScriptArtifact reads one of the ticket's artifacts; its bytes from the offset on follow the answer.
	// Errors: NotFound, Invalid (the offset is past its end).
	ScriptArtifact = Method[ArtifactArgs, FileInfo]{Name: "script.artifact", Bulk: true}
	// BlobMissing tells how much of some content the agent lacks.
	BlobMissing = Method[BlobArgs, BlobState]{Name: "blob.missing"}
	// BlobDrop has the agent take content anew: it removes what lies there whole, and tells what is left of it.
	// What an order waits for or a script reads stays. Errors: NotFound (the agent is older than the method).
	BlobDrop = Method[BlobArgs, BlobState]{Name: "blob.drop"}
	// BlobCheck compares what lies there with running sums (RunningSums), which follow the head, and
	// tells from where content is to be sent: from the first chunk that is damaged, or from the end of
	// what there is. The next BlobPut is checked chunk by chunk.
	BlobCheck = Method[BlobArgs, BlobState]{Name: "blob.check", Bulk: true}
	// BlobWhich tells which of some contents lie there.
	BlobWhich = Method[BlobWhichArgs, BlobHeld]{Name: "blob.which"}
	// BlobPatch makes a package of an older one and a delta. Errors: NotFound (the older one or the
	// delta is not there), Corrupt (another content came out: send the package), Exhausted (space).
	BlobPatch = Method[BlobPatchArgs, BlobState]{Name: "blob.patch", Bulk: true}
	// BlobPut sends content from an offset; the bytes follow the head. The answer comes after the
	// whole was checked and is durable. Errors: Corrupt (hash differs), Exhausted (space).
	BlobPut = Method[BlobPutArgs, BlobState]{Name: "blob.put", Bulk: true}
	// FilePut writes one file below the agent's files folder, whole or not at all; bytes follow.
	FilePut = Method[FilePutArgs, Nothing]{Name: "file.put", Bulk: true}
	// FileGet reads one file below the agent's files folder; bytes follow the answer.
	FileGet = Method[FileGetArgs, FileInfo]{Name: "file.get", Bulk: true}
	// Health reports on the machine.
	Health = Method[Nothing, HealthReport]{Name: "health"}
)

// Nothing is an empty message.
type Nothing struct{}

// HelloArgs introduces the server.
type HelloArgs struct {
	ServerID string `json:"server_id"` // never changes for one installation
	Version  string `json:"version"`
	Machine  string `json:"machine"` // the name the server knows this agent by
}

// Facts introduces the agent.
type Facts struct {
	Program      string `json:"program"` // "fairlead-agent"
	Version      string `json:"version"`
	Hostname     string `json:"hostname"`
	OS           string `json:"os"`
	Distribution string `json:"distribution,omitempty"`
	Arch         string `json:"arch"`
	BootID       string `json:"boot_id"`
	// RunID is made anew at each start of the agent, StateID once for each home folder. A change
	// of StateID means that the agent's journal was lost; two RunIDs at once mean a clone.
	RunID   string `json:"run_id"`
	StateID string `json:"state_id"`
	// Journal is how far the journal has come. Each order that the agent takes over and each start
	// raise it, and only an older state of its disk lowers it; 0 is not told.
	Journal   int64  `json:"journal,omitempty"`
	StartedAt string `json:"started_at"` // RFC 3339, the agent's wall clock
	// StorageFailed is what the agent's disk met, or "": no work is started then.
	StorageFailed string `json:"storage_failed,omitempty"`
}

// HealthReport describes the machine at one moment.
type HealthReport struct {
	DiskFreeBytes   int64      `json:"disk_free_bytes"` // of the file system that holds the home
	DiskTotalBytes  int64      `json:"disk_total_bytes"`
	MemoryFreeBytes int64      `json:"memory_free_bytes"` // MemAvailable
	Load1           float64    `json:"load1"`
	UptimeSeconds   int64      `json:"uptime_seconds"`
	Shell           string     `json:"shell"` // path of bash, or "" when there is none
	ShellVersion    string     `json:"shell_version,omitempty"`
	Running         []TicketID `json:"running"`
	Warnings        []string   `json:"warnings"` // full sentences
	// StorageFailed is a sentence on what the agent's disk met, or "": no work is started then.
	StorageFailed string `json:"storage_failed,omitempty"`
}
