// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"net/http"
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// spaceCookie holds the space that a browser has chosen. It gives no right: one that its reader does not see is not
// entered.
const spaceCookie = "fairlead-space"

// Space is one that the reader may choose.
type Space struct {
	ID   deploy.SpaceID
	Name string
}

// enter has the reader act in the space that he chose; else in the default one, or, when he sees nothing there, in the
// first that he does. Who sees none stays: each page says what he lacks.
func (p *Portal) enter(v *visit) (err error) {
	if v.spaces, err = p.source.Spaces(v.Context(), v.who); err != nil || len(v.spaces) == 0 {
		return err
	}
	here := v.spaces[0].ID
	if cookie, err := v.Request.Cookie(spaceCookie); err == nil && v.seesSpace(cookie.Value) {
		here = deploy.SpaceID(cookie.Value)
	}
	v.who = v.who.In(here)
	return nil
}

func (v *visit) seesSpace(id string) bool {
	return slices.ContainsFunc(v.spaces, func(s Space) bool { return string(s.ID) == id })
}

// chooseSpace leads to the dashboard of another space.
func (p *Portal) chooseSpace(v *visit) error {
	id := v.PostFormValue("space")
	if !v.seesSpace(id) {
		return errkind.NotFound.Errorf("there is no space %.40q", id)
	}
	http.SetCookie(v.ResponseWriter, &http.Cookie{
		Name: spaceCookie, Value: id, Path: "/app", HttpOnly: true, Secure: p.isSecure(v.Request),
		SameSite: http.SameSiteLaxMode,
	})
	return redirect(v, "/app")
}
