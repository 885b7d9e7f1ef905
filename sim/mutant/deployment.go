// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

// deploymentMutants harm what people rely on in a deployment.
var deploymentMutants = []Mutant{
	{
		Name: "window-ignored", Caught: []string{"S16"}, Plan: "story",
		Story: "a step begins on all of its machines at once, whatever its window",
		Edits: []Edit{{
			"internal/deploy/walk.go",
			`		case count(machines, ActivityRunning) < step.Window:`,
			`		case count(machines, ActivityRunning) < step.Window || active.Is("window-ignored"):`,
		}},
	},
	{
		Name: "question-taken-for-yes", Caught: []string{"S17"}, Plan: "story",
		Story: "a manual step lets the deployment go on as soon as it has asked",
		Edits: []Edit{{
			"internal/deploy/walk.go",
			`	case known && asked.Choice == ChoiceProceed:`,
			`	case known && (asked.Choice == ChoiceProceed || active.Is("question-taken-for-yes")):`,
		}},
	},
	{
		Name: "again-without-a-word", Caught: []string{"S18"}, Plan: "story",
		Story: "a failed script is tried again while people are still asked what to do about it",
		Edits: []Edit{{
			"internal/deploy/walk.go",
			`	case known && asked.Choice == ChoiceRetry:`,
			`	case known && (asked.Choice == ChoiceRetry || active.Is("again-without-a-word") && ticket.Attempt == 1):`,
		}},
	},
	{
		Name: "outputs-mixed-up", Caught: []string{"S19"}, Plan: "story",
		Story: "every machine's output variables are taken for those of the first",
		Edits: []Edit{{
			"server/engine/outputs.go",
			`			value := v.Value
`,
			`			value := v.Value
			if active.Is("outputs-mixed-up") && len(h.outputs[0].Values) > 0 {
				value = h.outputs[0].Values[0].Value
			}
`,
		}},
	},
	{
		Name: "variables-of-now", Caught: []string{"S23"}, Plan: "story",
		Story: "a step sees the variables that the release took afresh after the deployment was queued",
		Edits: []Edit{{
			"server/engine/order.go",
			`		f.release = f.release.At(f.deployment.Taking)
`,
			`		if !active.Is("variables-of-now") {
			f.release = f.release.At(f.deployment.Taking)
		}
`,
		}},
	},
	{
		Name: "condition-unheeded", Caught: []string{"S19"}, Plan: "story",
		Story: "a step runs on a machine for which it was decided that it does not",
		Edits: []Edit{{
			"internal/deploy/walk.go",
			`	return step.Condition == OnExpression && known && !made.Runs && made.Fault == ""
`,
			`	return step.Condition == OnExpression && known && !made.Runs && made.Fault == "" &&
		!active.Is("condition-unheeded")
`,
		}},
	},
	{
		Name: "deployed-release-deleted", Caught: []string{"S20"}, Plan: "story",
		Story: "retention deletes the releases that are deployed as well",
		Edits: []Edit{{
			"internal/deploy/retention.go",
			`		if !kept[r.ID] {
`,
			`		if !kept[r.ID] || active.Is("deployed-release-deleted") {
`,
		}},
	},
	{
		Name: "answer-untold", Caught: []string{"S21"}, Plan: "story",
		Story: "the audit trail tells who took a question, and not who answered it",
		Edits: []Edit{{
			"server/catalog/interruptions.go",
			`		return event("InterruptionSubmitted", i.Task, "%s: %s: %s", i.ID, i.Title, i.Said()), nil
`,
			`		if active.Is("answer-untold") {
			return event("InterruptionTaken", i.Task, "%s: %s: %s", i.ID, i.Title, i.Said()), nil
		}
		return event("InterruptionSubmitted", i.Task, "%s: %s: %s", i.ID, i.Title, i.Said()), nil
`,
		}},
	},
}
