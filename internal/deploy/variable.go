// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"strings"

	"fairlead/internal/errkind"
)

// Variable is one value of a name, for the scope it is meant for.
type Variable struct {
	ID          string // UUID
	Name        string // compared without regard to case
	Value       string // "" of a sensitive one
	Description string
	// IsSensitive says that nobody is shown the value. It is in Sealed, as package secret writes it;
	// "" there is no value.
	IsSensitive bool
	Sealed      string
	Prompt      *Prompt // who deploys is asked for the value; nil when nobody is
	Scope       Scope
}

// HasValue reports whether there is a value beside an answer to its prompt.
func (v Variable) HasValue() bool { return v.Value != "" || v.Sealed != "" }

// Prompt is what a variable asks of whoever deploys.
type Prompt struct {
	Label      string // "" means the variable's name
	Help       string
	IsRequired bool
	Control    Control
	Options    []Option // of ControlSelect
}

// Control is the kind of a form's field.
type Control string

// The controls; the words are the wire's.
const (
	ControlLine      Control = "SingleLineText"
	ControlText      Control = "MultiLineText"
	ControlSelect    Control = "Select"
	ControlCheckbox  Control = "Checkbox"
	ControlSensitive Control = "Sensitive"
)

// Option is a value to choose and the text it is shown as.
type Option struct{ Value, Text string }

// Check refuses a prompt that no form can show. Errors: Invalid.
func (p Prompt) Check() error {
	switch p.Control {
	case ControlLine, ControlText, ControlCheckbox, ControlSensitive:
		return nil
	case ControlSelect:
		if len(p.Options) == 0 {
			return errkind.Invalid.Errorf("a prompt with the control %s needs options", p.Control)
		}
		return nil
	}
	return errkind.Invalid.Errorf("a prompt has the control %.40q: want %s, %s, %s, %s or %s", p.Control,
		ControlLine, ControlText, ControlSelect, ControlCheckbox, ControlSensitive)
}

// Accepts refuses a value that is none of the options. Errors: Invalid.
func (p Prompt) Accepts(value string) error {
	if p.Control != ControlSelect || slices.ContainsFunc(p.Options, func(o Option) bool { return o.Value == value }) {
		return nil
	}
	values := make([]string, len(p.Options))
	for i, o := range p.Options {
		values[i] = o.Value
	}
	return errkind.Invalid.Errorf("want one of %s", strings.Join(values, ", "))
}

// Answer is the value that a deployment gives a prompted variable; Sealed of a sensitive one.
type Answer struct {
	Variable string // id
	Value    string
	Sealed   string
}

// Scope narrows a variable. Each empty list means "any"; all must match.
type Scope struct {
	Environments []EnvironmentID
	Machines     []MachineID
	Tags         []string
	Actions      []string // action ids
	Channels     []ChannelID
	Owners       []OwnerID // whose process asks
}

// VariableSet holds the variables of a project or a library set.
type VariableSet struct {
	Owner     OwnerID
	Version   int // raised by each change
	Variables []Variable
}

// LibrarySet holds variables that several projects include.
type LibrarySet struct {
	ID          LibrarySetID
	Space       SpaceID
	Name        string // unique in its space without regard to case
	Description string
	Version     int // of its variables: raised by each change of them
	Variables   []Variable
	Kept        Kept
}

// Set is the library set's variables.
func (l LibrarySet) Set() VariableSet {
	return VariableSet{Owner: OwnerID(l.ID), Version: l.Version, Variables: l.Variables}
}

// AccountKind says what an account lets in with.
type AccountKind string

// The kinds; the words are the wire's.
const (
	KeyPairAccount  AccountKind = "SshKeyPair"       // user name, private key, passphrase
	PasswordAccount AccountKind = "UsernamePassword" // user name and password
	TokenAccount    AccountKind = "Token"
)

// Account is what lets a deployment into another system.
type Account struct {
	ID           AccountID
	Space        SpaceID
	Name         string // unique in its space without regard to case
	Slug         string
	Description  string
	Kind         AccountKind
	Username     string          // "" of a token
	Environments []EnvironmentID // where it may be used; none means everywhere
	// Secret is the private key, the password or the token, sealed by package secret; Passphrase
	// opens the private key. "" is none.
	Secret     string
	Passphrase string
	Kept       Kept
}

// SealedAs names the place that the value of a variable is sealed for, by the owner of its set. It stays
// the same when a release takes the variable along, and differs for every other row.
func (v Variable) SealedAs(owner OwnerID) string { return "variable " + string(owner) + " " + v.ID }

// SealedAs names the place that an answer is sealed for.
func (a Answer) SealedAs(deployment DeploymentID) string {
	return "answer " + string(deployment) + " " + a.Variable
}

// SecretSealedAs and PassphraseSealedAs name the places that an account's secrets are sealed for.
func (a Account) SecretSealedAs() string { return "account " + string(a.ID) + " secret" }

// PassphraseSealedAs is the other one.
func (a Account) PassphraseSealedAs() string { return "account " + string(a.ID) + " passphrase" }
