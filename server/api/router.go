// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

// Route is one row of the table.
type Route struct {
	Method string
	// Pattern is the path below the server's root. "{name}" stands for one segment. Where it
	// starts with /api/S/, the space may be left out and may be spelled both ways. "{space}" is a space.
	Pattern string
	Need    identity.Permission
	// Public routes need no key.
	Public  bool
	Summary string
	handle  func(*call) error
}

// router finds routes by method and path, without regard to case.
type router struct {
	// byLength holds the routes by number of segments, literal ones before parameters.
	byLength map[int][]compiled
}

type compiled struct {
	segments []string
	route    Route
}

func newRouter(table []Route) *router {
	rt := &router{byLength: map[int][]compiled{}}
	for _, route := range table {
		pattern := strings.Replace(route.Pattern, "/api/S/", "/api/", 1)
		segments := strings.Split(strings.Trim(pattern, "/"), "/")
		rt.byLength[len(segments)] = append(rt.byLength[len(segments)], compiled{segments, route})
	}
	for _, list := range rt.byLength {
		slices.SortStableFunc(list, func(a, b compiled) int { return countParams(a) - countParams(b) })
	}
	return rt
}

func countParams(c compiled) (n int) {
	for _, s := range c.segments {
		if strings.HasPrefix(s, "{") {
			n++
		}
	}
	return n
}

// methodProblem says that a path is there, but not for this method.
type methodProblem struct{ allowed []string }

func (m *methodProblem) Error() string { return "this address takes " + strings.Join(m.allowed, ", ") }

// find looks a route up. Errors: NotFound, *methodProblem.
func (rt *router) find(method string, segments []string) (*Route, map[string]string, error) {
	var allowed []string
	list := rt.byLength[len(segments)]
	for i := range list {
		params, ok := list[i].match(segments)
		if !ok {
			continue
		}
		if list[i].route.Method == method {
			return &list[i].route, params, nil
		}
		allowed = append(allowed, list[i].route.Method)
	}
	if len(allowed) > 0 {
		slices.Sort(allowed)
		return nil, nil, &methodProblem{slices.Compact(allowed)}
	}
	return nil, nil, errkind.NotFound.Errorf("there is nothing at this address")
}

func (c *compiled) match(segments []string) (map[string]string, bool) {
	var params map[string]string
	for i, want := range c.segments {
		if want == "{space}" && !isSpaceID(segments[i]) {
			return nil, false // an address that there is not, rather than a space
		}
		if name, ok := strings.CutPrefix(want, "{"); ok {
			if params == nil {
				params = map[string]string{}
			}
			params[strings.TrimSuffix(name, "}")] = segments[i]
			continue
		}
		if !strings.EqualFold(want, segments[i]) {
			return nil, false
		}
	}
	return params, true
}

// effectiveMethod is the request's method, or the one that a POST carries in a header: stock
// Tentacles tunnel PUT and DELETE so. Errors: Invalid.
func effectiveMethod(r *http.Request) (string, error) {
	override := r.Header.Get("X-HTTP-Method-Override")
	switch {
	case override == "" && r.Method == http.MethodHead:
		return http.MethodGet, nil
	case override == "":
		return r.Method, nil
	case r.Method != http.MethodPost:
		return "", errkind.Invalid.Errorf("X-HTTP-Method-Override goes with POST only")
	}
	switch method := strings.ToUpper(override); method {
	case http.MethodPut, http.MethodDelete:
		return method, nil
	default:
		return "", errkind.Invalid.Errorf("X-HTTP-Method-Override is %.20q: want PUT or DELETE", override)
	}
}

// segmentsOf splits the path into decoded segments and takes the space out: /api/Spaces-1/x and
// /api/spaces/Spaces-1/x are /api/x. There is one canonical spelling of a path; anything that
// another program could read differently is refused. Errors: Invalid, NotFound.
func segmentsOf(r *http.Request) (rest []string, space string, err error) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	inside, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, "", errkind.NotFound.Errorf("there is nothing at this address")
	}
	segments := strings.Split(inside, "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		bad := err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\") ||
			strings.ContainsFunc(plain, func(c rune) bool { return c < ' ' || c == 0x7f })
		if bad {
			return nil, "", errkind.Invalid.Errorf("the path has a segment that is empty, a dot or badly encoded")
		}
		segments[i] = plain
	}
	rest, space = withoutSpace(segments)
	return rest, space, nil
}
