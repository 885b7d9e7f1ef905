// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package servicemessage takes the messages that scripts write for the deployment system out of
// their output.
//
// It does not act on a message and does not hide secrets. The form is that of Octopus Deploy; values
// are UTF-8 text in standard base64, in which blanks and line breaks are skipped:
//
//		message    "##octopus[" name { blanks attribute } [ blanks ] "]"
//		attribute  name "=" ( "'" base64 "'" | '"' base64 '"' )
//		name       a letter, then letters, digits and "-"; at most 64 bytes
//
//		setVariable name value [sensitive]      an output variable
//		createArtifact path [name]              a file to hand over
//		progress percentage [message]           how far the script has come
//		resultMessage message                   why it is going to fail
//		stdout-W, stderr-W                      how loud what follows is; W is one of default, verbose,
//		                                        highlight, wait, warning, error, progress, ignore
//
//	 1. The result is the same however the output is cut into writes.
//	 2. What is no message, by its form or by its name, stays as it is, byte for byte. It is held back
//	    until the first byte that decides, and never more than MaxBytes.
//	 3. A message may stand anywhere in a line. One that has its line for itself takes the line's end along.
//	 4. A message of a known name that cannot be acted on is taken out all the same, as Refused: its
//	    values may be secret.
//	 5. The cost is linear in the output.
//
// A Parser belongs to one goroutine. It is pure.
//
// parser.go finds messages, message.go reads them.
package servicemessage
