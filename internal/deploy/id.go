// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"strings"
	"unicode"
)

// Ids have the form "<Collection>-<number>", for example "Machines-7". They are assigned by the
// store, compared without regard to case at the edges and never parsed for meaning.
type (
	SpaceID        string // "Spaces-1"
	EnvironmentID  string // "Environments-1"
	MachineID      string // "Machines-1"
	ProjectGroupID string // "ProjectGroups-1"
	ProjectID      string // "Projects-1"
	LibrarySetID   string // "LibraryVariableSets-1"
	AccountID      string // "Accounts-1"
	OwnerID        string // of variables: a ProjectID or a LibrarySetID
	LifecycleID    string // "Lifecycles-1"
	ChannelID      string // "Channels-1"
	ReleaseID      string // "Releases-1"
	DeploymentID   string // "Deployments-1"
	TaskID         string // "ServerTasks-1"
	InterruptionID string // "Interruptions-1"
	ArtifactID     string // "Artifacts-1"
	UserID         string // "Users-1"
	TokenID        string // join token, random
	KeyID          string // "apikeys-…", random
)

// DefaultSpace is the space every installation starts with.
const DefaultSpace SpaceID = "Spaces-1"

// OrDefault is the space, and the default one for "": rows of no space are of that.
func (id SpaceID) OrDefault() SpaceID { return cmp.Or(id, DefaultSpace) }

// Slug makes the name used in addresses: lower case letters, digits and single dashes.
func Slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}
