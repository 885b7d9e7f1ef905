// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"strings"
)

// getOpenAPI answers the table of routes as an OpenAPI document: methods, paths, parameters of the path,
// permissions. Bodies are only named as objects; docs/api.md and the golden files of the tests show them.
func (a *api) getOpenAPI(c *call) error { return c.ok(openAPI(a.Version, a.table())) }

func openAPI(version string, table []Route) obj {
	paths := map[string]obj{}
	for _, r := range table {
		path := strings.Replace(r.Pattern, "/api/S/", defaultPath, 1)
		if paths[path] == nil {
			paths[path] = obj{}
		}
		paths[path][strings.ToLower(r.Method)] = operation(r)
	}
	return obj{
		"openapi": "3.0.3",
		"info": obj{
			"title": "Fairlead", "version": version, "description": "The surface that Octopus Deploy's clients speak.",
		},
		"paths": paths,
		"components": obj{
			"securitySchemes": obj{
				"key":     obj{"type": "apiKey", "in": "header", "name": "X-Octopus-ApiKey"},
				"session": obj{"type": "apiKey", "in": "cookie", "name": sessionCookie + "{InstallationId}"},
			},
			"schemas": obj{"Problem": obj{
				"type": "object", "required": []string{"ErrorMessage", "Errors"},
				"properties": obj{
					"ErrorMessage": obj{"type": "string"},
					"Errors":       obj{"type": "array", "items": obj{"type": "string"}},
				},
			}},
		},
	}
}

func operation(r Route) obj {
	problem := func(text string) obj {
		return obj{"description": text, "content": obj{"application/json": obj{
			"schema": obj{"$ref": "#/components/schemas/Problem"},
		}}}
	}
	answers := obj{"200": obj{"description": "It worked."}, "400": problem("A rule is broken; Errors tells each.")}
	if r.Method == http.MethodPost {
		answers["201"] = obj{"description": "It was made."}
	}
	security := []obj{}
	if !r.Public {
		answers["401"] = problem("No key, or one that is not valid.")
		answers["403"] = problem("The permission " + string(r.Need) + " is missing, or does not reach as far.")
		security = []obj{{"key": []string{}}, {"session": []string{}}}
	}
	parameters := pathParameters(r.Pattern)
	if len(parameters) > 0 {
		answers["404"] = problem("There is no such thing, or it lies outside of the caller's scope.")
	}
	shown := obj{
		"operationId": operationID(r), "summary": r.Summary, "tags": []string{collectionOf(r.Pattern)},
		"parameters": parameters, "responses": answers, "security": security, "x-permission": string(r.Need),
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		shown["requestBody"] = obj{"content": obj{"application/json": obj{"schema": obj{"type": "object"}}}}
	}
	return shown
}

func pathParameters(pattern string) []obj {
	parameters := []obj{}
	for _, segment := range strings.Split(pattern, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			parameters = append(parameters, obj{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": obj{"type": "string"},
			})
		}
	}
	return parameters
}

// collectionOf is the first word after the space: what the route is about.
func collectionOf(pattern string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(pattern, "/api/S/"), "/api/"), "/")
	word, _, _ := strings.Cut(rest, "/")
	return word
}

// operationID is unique: it holds the method and every segment.
func operationID(r Route) string {
	words := strings.FieldsFunc(r.Pattern, func(c rune) bool { return strings.ContainsRune("/{}-.", c) })
	return strings.ToLower(r.Method) + "_" + strings.Join(words, "_")
}
