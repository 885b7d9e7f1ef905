// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package structured replaces values in configuration files by variables that are named like their
// paths.
//
// It does not read or write files, and it does not expand variables.
//
//		JSON, YAML   "Database:Port", "Servers:0:Host": keys and indexes from the root, joined by ":"
//		properties   the key: "database.port"
//		XML          a path of its own: "/app/db/@port", "//add[@key='url']/@value" (xpath.go)
//
//	 1. Only what exists is replaced; nothing is added. Of a whole object and a value inside of it that
//	    both have a variable, the object counts.
//	 2. Every byte outside of the replaced values stays: comments, order, blanks, line ends.
//	 3. A value keeps its type where the variable's text is one of that type, and is a string otherwise;
//	    a string stays one whatever the text.
//	 4. A text that is not read with certainty is refused as a whole: better no change than a wrong one.
//	 5. The cost is linear in the text but for XML, whose paths are tried one by one.
//
// Everything is pure.
//
// replace.go is the entry; json.go, yaml.go (blocks), scalar.go (YAML's scalars), properties.go, xml.go and
// xpath.go find values in their form.
package structured
