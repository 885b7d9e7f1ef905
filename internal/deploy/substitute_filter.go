// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// applyFilter runs one filter; names ignore case. ok is false for an unknown filter, arguments it
// does not take, and input it cannot read: the expression then stays as it is.
func applyFilter(f filterCall, value string) (result string, ok bool) {
	if len(f.args) > 0 {
		return "", false
	}
	switch strings.ToLower(f.name) {
	case "tolower":
		return strings.ToLower(value), true
	case "toupper":
		return strings.ToUpper(value), true
	case "trim":
		return strings.TrimSpace(value), true
	case "htmlescape":
		return htmlEscapes().Replace(value), true
	case "xmlescape":
		return xmlEscapes().Replace(value), true
	case "jsonescape":
		return jsonEscape(value), true
	case "tobase64":
		return base64.StdEncoding.EncodeToString([]byte(value)), true
	case "frombase64":
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		return string(plain), err == nil && utf8.Valid(plain)
	}
	return "", false
}

func xmlEscapes() *strings.Replacer {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")
}

func htmlEscapes() *strings.Replacer {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "/", "&#x2F;")
}

// jsonEscape makes the inside of a JSON string.
func jsonEscape(value string) string {
	var out strings.Builder
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
