// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// compare answers "true" or "false" on two numbers; what is no number compares as false. Source of this and of
// hashBucket: Octostache's NumericComparisonFunctions and HashBucketFunction.
func (in filterInput) compare(word string, holds func(a, b float64) bool) string {
	switch n := len(in.args); n {
	case 0:
		return "[" + word + " error: no argument given]"
	case 1:
	default:
		return fmt.Sprintf("[%s error: expected 1 argument, got %d]", word, n)
	}
	a, isNumber := decimal(in.value)
	b, isToo := decimal(in.args[0])
	return strconv.FormatBool(isNumber && isToo && holds(a, b))
}

// decimal reads a number with a sign, a point and an exponent: no other base, no thousands, no words.
func decimal(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil || math.IsInf(n, 0)
}

// hashBucket maps a value to one of some buckets, the same one on every machine: the first 32 bits of its SHA-256.
func (in filterInput) hashBucket() string {
	if len(in.args) != 1 {
		return "[HashBucket error: expected a single bucket count]"
	}
	n, err := strconv.ParseInt(strings.TrimSpace(in.args[0]), 10, 32)
	switch {
	case err != nil || n < 1:
		return "[HashBucket error: bucket count '" + in.args[0] + "' is not a positive integer]"
	case in.value == "":
		return ""
	}
	sum := sha256.Sum256([]byte(in.value))
	return strconv.FormatInt(int64(binary.BigEndian.Uint32(sum[:]))%n, 10)
}
