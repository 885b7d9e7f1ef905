// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"regexp"
	"strings"
)

// escapeFilter makes a value fit into a text of some kind.
func escapeFilter(name, value string) (result string, known bool) {
	switch name {
	case "htmlescape":
		return htmlEscapes().Replace(value), true
	case "xmlescape":
		return xmlEscapes().Replace(value), true
	case "jsonescape":
		return jsonEscape(value), true
	case "yamlsinglequoteescape":
		return yamlSingleQuoteEscape(value), true
	case "yamldoublequoteescape":
		return yamlDoubleQuoteEscape(value), true
	case "propertieskeyescape":
		return propertiesEscape(value, ` :=`), true
	case "propertiesvalueescape":
		return propertiesValueEscape(value), true
	case "uriescape":
		return percentEscape(value, uriPlain), true
	case "uridataescape":
		return percentEscape(value, uriDataPlain), true
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

// yamlSingleQuoteEscape doubles quotes and line breaks, which a YAML reader halves again.
func yamlSingleQuoteEscape(value string) string {
	breaks := regexp.MustCompile(`\r?\n`)
	return breaks.ReplaceAllString(strings.ReplaceAll(value, "'", "''"), "$0$0")
}

func yamlDoubleQuoteEscape(value string) string {
	const lastPlain = '~'
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
		case r > 0xFFFF:
			fmt.Fprintf(&out, `\U%08x`, r)
		case r < ' ' || r > lastPlain:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// propertiesEscape writes what a .properties file may hold: ISO 8859-1, marks with a backslash.
func propertiesEscape(value, marks string) string {
	const lastLatin = 0xFF
	var out strings.Builder
	for _, r := range value {
		switch {
		case r == '\\' || strings.ContainsRune(marks, r):
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r > 0xFFFF:
			const half = 0x400
			over := r - 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+over/half, 0xDC00+over%half)
		case r > lastLatin:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// propertiesValueEscape also keeps the space that a value begins with.
func propertiesValueEscape(value string) string {
	escaped := propertiesEscape(value, "")
	if strings.HasPrefix(escaped, " ") {
		return `\` + escaped
	}
	return escaped
}

// What stays as it is beside letters and digits. Source: RFC 3986 2.2 and 2.3; System.Uri's
// EscapeUriString and EscapeDataString.
const (
	uriDataPlain = "-_.~"
	uriPlain     = uriDataPlain + ":/?#[]@!$&'()*+,;=%"
)

func percentEscape(value, plain string) string {
	var out strings.Builder
	for i := range len(value) {
		c := value[i]
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte(plain, c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
