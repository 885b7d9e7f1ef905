// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"time"

	"fairlead/internal/errkind"
)

// TokenRecord is what the server keeps of a token. The zero record stands for a token that does
// not exist and admits nobody.
type TokenRecord struct {
	ID        TokenID
	Hash      SecretHash
	ExpiresAt time.Time
	Withdrawn bool
	// Machine is the only machine name that may use the token; "" for any.
	Machine string
	// UsedBy is the pin that has used the token, zero while nobody has.
	UsedBy Pin
}

// Admission is what a token gives to whoever shows it.
type Admission uint8

// The admissions. The zero value admits nobody.
const (
	AdmitNobody Admission = iota
	AdmitNew              // make the machine and set UsedBy, in one transaction
	AdmitAgain            // the same key asks again after a lost answer: give the same machine's data
)

// Reasons why nobody is admitted: for the server's log and audit, never for the peer.
const (
	DenyUnknown   = "no such token, or a wrong secret"
	DenyWithdrawn = "token was withdrawn"
	DenyExpired   = "token has expired"
	DenyMachine   = "token is for another machine name"
	// DenyReuse is worth an alarm: two keys have shown the same secret.
	DenyReuse = "token was used by another key"
)

// Admit judges a request against the record of its token; now is the server's wall clock. It does
// the same work for a token that exists and for one that does not. The reason is set when nobody is
// admitted; the peer gets TokenRefused whatever it is.
func (r TokenRecord) Admit(q JoinRequest, pin Pin, now time.Time) (Admission, string) {
	secretFits := r.Hash.Check(q.Secret)
	switch {
	case !secretFits || r.ID != q.TokenID || pin.IsZero():
		return AdmitNobody, DenyUnknown
	case r.Withdrawn:
		return AdmitNobody, DenyWithdrawn
	case !r.UsedBy.IsZero() && !r.UsedBy.Equal(pin):
		return AdmitNobody, DenyReuse
	case r.Machine != "" && r.Machine != q.Name:
		return AdmitNobody, DenyMachine
	case r.UsedBy.Equal(pin):
		return AdmitAgain, ""
	case !now.Before(r.ExpiresAt):
		return AdmitNobody, DenyExpired
	}
	return AdmitNew, ""
}

// TokenRefused is the one answer to every token that admits nobody: it tells a guesser nothing.
func TokenRefused() error {
	return errkind.Hinted(errkind.Untrusted.Errorf("the server does not accept this join token"),
		"a token works once, for an hour unless made otherwise, and may be bound to one machine name; "+
			"make a new one with: fairlead-server token create")
}
