// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"net/http"
	"net/url"
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
// first that he does. Who sees none stays: each page says what he lacks. An address that names a space
// (/app/tasks/ServerTasks-7?space=Spaces-2) chooses it: the answer leads on to the same address without the name, so
// that a page which reads itself again does not choose once more. isDone tells that it was given. HEAD chooses nothing:
// it is answered in the space that its address names.
func (p *Portal) enter(v *visit) (isDone bool, err error) {
	if v.spaces, err = p.source.Spaces(v.Context(), v.who); err != nil || len(v.spaces) == 0 {
		return false, err
	}
	if id := v.URL.Query().Get("space"); id != "" && v.Method == http.MethodGet {
		return true, p.choose(v, id, v.addressIn(""))
	}
	here := v.spaces[0].ID
	if id := v.URL.Query().Get("space"); id != "" && v.Method == http.MethodHead {
		if !v.seesSpace(id) {
			return false, unseen(id)
		}
		v.who = v.who.In(deploy.SpaceID(id))
		return false, nil
	}
	if cookie, err := v.Request.Cookie(spaceCookie); err == nil && v.seesSpace(cookie.Value) {
		here = deploy.SpaceID(cookie.Value)
	}
	v.who = v.who.In(here)
	return false, nil
}

func (v *visit) seesSpace(id string) bool {
	return slices.ContainsFunc(v.spaces, func(s Space) bool { return string(s.ID) == id })
}

// addressIn is the address of this page in a space; without one, in that which is chosen.
func (v *visit) addressIn(space deploy.SpaceID) string {
	query := v.URL.Query()
	query.Del("space")
	if space != "" {
		query.Set("space", string(space))
	}
	to := url.URL{Path: v.URL.Path, RawPath: v.URL.RawPath, RawQuery: query.Encode()}
	return to.String()
}

// chooseSpace leads to the dashboard of another space.
func (p *Portal) chooseSpace(v *visit) error {
	return p.choose(v, v.PostFormValue("space"), "/app")
}

func (p *Portal) choose(v *visit, id, to string) error {
	if !v.seesSpace(id) {
		return unseen(id)
	}
	http.SetCookie(v.ResponseWriter, &http.Cookie{
		Name: spaceCookie, Value: id, Path: "/app", HttpOnly: true, Secure: p.isSecure(v.Request),
		SameSite: http.SameSiteLaxMode,
	})
	return redirect(v, to)
}

func unseen(space string) error {
	return errkind.Hinted(errkind.NotFound.Errorf("there is no space %.40q that you may see", space),
		"ask an administrator of this server to let you in, if there is one; at the top are those that you see")
}

// checkSpace refuses a form whose page was of another space than the one chosen since, in another tab: a project there
// may have the same name. Errors: Conflict.
func (v *visit) checkSpace() error {
	of := v.PostForm.Get("space")
	if of == "" || of == string(v.who.SpaceID()) {
		return nil
	}
	return errkind.Hinted(
		errkind.Conflict.Errorf("this page was of %.40s, and since then %s was chosen", of, v.who.SpaceID()),
		"choose the space at the top that you mean, and open the page again")
}
