// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// statusOf is the only place where a kind becomes a status.
func statusOf(k errkind.Kind) int {
	switch k {
	case errkind.Invalid:
		return http.StatusBadRequest
	case errkind.NotFound:
		return http.StatusNotFound
	case errkind.Conflict:
		return http.StatusConflict
	case errkind.Denied:
		return http.StatusForbidden
	case errkind.Untrusted:
		return http.StatusUnauthorized
	case errkind.Unavailable, errkind.Canceled:
		return http.StatusServiceUnavailable
	case errkind.Timeout:
		return http.StatusGatewayTimeout
	case errkind.Exhausted:
		return http.StatusRequestEntityTooLarge
	case errkind.Internal, errkind.Corrupt:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// KindHeader carries the kind of an error beside its status, which says less: several kinds share 400 and 503.
const KindHeader = "X-Fairlead-Error-Kind"

// kindOf is the kind that programs are told.
func kindOf(err error) errkind.Kind {
	if broken, ok := errors.AsType[*catalog.ValidationError](err); ok {
		return broken.Because
	}
	return errkind.Of(err)
}

// statusProblem is an error whose status the kind does not tell.
type statusProblem struct {
	status int
	cause  error
}

func (s *statusProblem) Error() string { return s.cause.Error() }

func (s *statusProblem) Unwrap() error { return s.cause }

// problem answers with an error. The body is never empty: clients take an empty one for success.
func (a *api) problem(c *call, err error) {
	status := statusOf(errkind.Of(err))
	if wrong, ok := errors.AsType[*statusProblem](err); ok {
		status = wrong.status
	}
	if wrong, ok := errors.AsType[*methodProblem](err); ok {
		status = http.StatusMethodNotAllowed
		c.w.Header().Set("Allow", strings.Join(wrong.allowed, ", "))
	}
	if refused, ok := errors.AsType[*identity.Refused](err); ok && refused.RetryAfter > 0 {
		status = http.StatusTooManyRequests
		c.w.Header().Set("Retry-After", strconv.Itoa(int((refused.RetryAfter+time.Second-1)/time.Second)))
	}
	if status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	message, list := err.Error(), []string{}
	switch {
	case status == http.StatusInternalServerError:
		a.Log.Error("request ended with an internal error", "method", c.r.Method, "path", c.r.URL.Path, "err", err)
		message = "The server has an internal problem with this request; its log says more."
	case status == http.StatusNotFound, status == http.StatusUnauthorized:
	default:
		list = []string{message}
	}
	if broken, ok := errors.AsType[*catalog.ValidationError](err); ok {
		message, list = "There was a problem with your request.", broken.Reasons
	}
	var help any
	if hint := errkind.Hint(err); hint != "" {
		help = hint
	}
	c.w.Header().Set(KindHeader, kindOf(err).String())
	c.write(status, obj{
		"ErrorMessage": message, "Errors": list, "ParsedHelpLinks": []string{}, "HelpText": help, "FullException": nil,
	})
}
