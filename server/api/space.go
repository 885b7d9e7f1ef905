// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// What is shown names the space of the call by these; write puts its id in. No text that people store begins so.
const (
	spaceHome                = "/api/\x00"
	spacePath                = spaceHome + "/"
	thisSpace deploy.SpaceID = "\x00"
)

// defaultPath is the prefix of the default space, for texts that no call makes.
const defaultPath = "/api/" + string(deploy.DefaultSpace) + "/"

// eachInSpace hands out the JSON of an answer in pieces, with the space put into it.
func eachInSpace(text []byte, space deploy.SpaceID, piece func([]byte)) {
	const mark = `\u0000` // as JSON writes it
	id := []byte(space.OrDefault())
	for {
		before, after, found := bytes.Cut(text, []byte(mark))
		piece(before)
		if !found {
			return
		}
		isWhole := bytes.HasPrefix(after, []byte(`"`))
		isPath := bytes.HasSuffix(before, []byte(`"/api/`)) && (isWhole || bytes.HasPrefix(after, []byte("/")))
		isID := bytes.HasSuffix(before, []byte(`"SpaceId":"`)) && isWhole
		if isPath || isID {
			piece(id)
		} else {
			piece([]byte(mark))
		}
		text = after
	}
}

// withoutSpace takes the space out of a path: /api/Spaces-1/x and /api/spaces/Spaces-1/x are /api/x. The name is
// "" when the path has none.
func withoutSpace(segments []string) (rest []string, name string) {
	if len(segments) < 2 || !strings.EqualFold(segments[0], "api") {
		return segments, ""
	}
	switch {
	case isSpaceID(segments[1]) && len(segments) == 2:
		return segments, segments[1] // the space's own document
	case isSpaceID(segments[1]):
		name, rest = segments[1], segments[2:]
	case strings.EqualFold(segments[1], "spaces") && len(segments) > 3:
		name, rest = segments[2], segments[3:]
	default:
		return segments, ""
	}
	return append([]string{"api"}, rest...), name
}

// isSpaceID reports whether a segment of a path is a space, and not the name of a collection.
func isSpaceID(segment string) bool {
	return strings.HasPrefix(strings.ToLower(segment), "spaces-") || strings.EqualFold(segment, deploy.DefaultSpaceName)
}

// enter has the caller act in the space that the address names; without one it is the default one, or that of the
// task that it names: addresses of tasks have no space. What he has no permission in is not there. Errors: NotFound.
func (a *api) enter(c *call, name string) error {
	if name == "" {
		return a.enterTask(c)
	}
	c.isNamed = true
	space, err := a.spaceNamed(c, name)
	if err == nil {
		c.principal = c.principal.In(space)
	}
	return err
}

// spaceNamed finds a space by id or name. Errors: NotFound.
func (a *api) spaceNamed(c *call, name string) (deploy.SpaceID, error) {
	if strings.EqualFold(name, string(deploy.DefaultSpace)) { // everybody knows of it; his permissions say the rest
		return deploy.DefaultSpace, nil
	}
	return a.Catalog.SpaceID(c.ctx(), c.principal, name)
}

// enterTask is enter for an address without a space.
func (a *api) enterTask(c *call) error {
	if !strings.HasPrefix(c.route.Pattern, "/api/tasks") && !strings.HasPrefix(c.route.Pattern, "/api/events") {
		return nil
	}
	spaces := commaList(c.query()["spaces"], true)
	if len(spaces) == 1 {
		return a.enter(c, spaces[0])
	}
	if c.route.Pattern == "/api/tasks" && c.route.Method == http.MethodGet {
		return a.enterAll(c, spaces)
	}
	if c.route.Pattern == "/api/tasks" {
		c.principal = somewhere(c) // the body says where: enterBody
		return nil
	}
	id := c.param("id")
	if id == "" || strings.HasPrefix(c.route.Pattern, "/api/events") {
		return nil
	}
	space, err := a.Catalog.SpaceOfTask(c.ctx(), c.principal, id)
	if err == nil {
		c.principal = c.principal.In(space)
	}
	return err
}

// enterAll is enter for a list of several spaces; none means all in which the caller has the permission. He acts in
// one of them.
func (a *api) enterAll(c *call, names []string) error {
	c.isEverywhere = true
	for _, name := range names {
		space, err := a.spaceNamed(c, name)
		if err != nil {
			return err
		}
		c.spaces = append(c.spaces, space)
	}
	c.principal = somewhere(c)
	return nil
}

// somewhere is the caller where he has the permission that the route needs, if there is such a space.
func somewhere(c *call) identity.Principal {
	if held := c.principal.SpacesWith(c.route.Need); c.principal.Need(c.route.Need) != nil && len(held) > 0 {
		return c.principal.In(held[0])
	}
	return c.principal
}

// enterBody is enter for what a body says of its space: one that the address names already is to be the same, and
// without either it is the default one. Errors: NotFound.
func (a *api) enterBody(c *call, name string) error {
	if c.isNamed {
		return a.sameSpace(c, name)
	}
	return a.enter(c, cmp.Or(name, string(deploy.DefaultSpace)))
}

// sameSpace refuses a body that names another space than the path. Errors: NotFound.
func (a *api) sameSpace(c *call, names ...string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		space, err := a.spaceNamed(c, name)
		if err != nil {
			return err
		}
		if space != c.principal.SpaceID() {
			return errkind.NotFound.Errorf("there is no space %.80q at this address", name)
		}
	}
	return nil
}

func (c *call) reply(status int, body any) error {
	c.write(status, body)
	return nil
}

// created answers 201.
func (c *call) created(body any) error { return c.reply(http.StatusCreated, body) }
