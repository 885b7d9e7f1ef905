// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

func showInterruption(d catalog.InterruptionDetail) obj {
	self := spacePath + "interruptions/" + string(d.ID)
	return obj{
		"Id": d.ID, "SpaceId": d.Space, "Title": d.Title, "Created": at(d.CreatedAt), "IsPending": d.IsPending(),
		"Form": interruptionForm(d), "RelatedDocumentIds": d.Related(), "TaskId": d.Interruption.Task,
		"ResponsibleTeamIds": list(d.Teams), "ResponsibleUserId": idOrNull(d.Responsible),
		"CanTakeResponsibility": d.CanTake, "HasResponsibility": d.Has, "IsLinkedToOtherInterruption": false,
		"CorrelationId": string(d.Interruption.Task) + "_1/" + string(d.ID), "Expires": at(d.ExpiresAt),
		"Type": map[deploy.InterruptionKind]string{
			deploy.ManualInterruption: "ManualIntervention", deploy.FailureInterruption: "GuidedFailure",
		}[d.Kind],
		"Links": obj{
			"Self": self, "Submit": self + "/submit", "Responsible": self + "/responsible",
			"Task": "/api/tasks/" + string(d.Interruption.Task),
		},
	}
}

// interruptionForm is what people fill in: instructions, notes and a button for each choice.
// Source: what Octopus Deploy shows for both kinds.
func interruptionForm(d catalog.InterruptionDetail) obj {
	name := resultOf(d.Kind)
	buttons := each(d.Choices(), func(c deploy.Choice) obj {
		return obj{"Text": c, "Value": c, "RequiresConfirmation": false}
	})
	element := func(name string, control obj, isRequired bool) obj {
		return obj{"Name": name, "Control": control, "IsValueRequired": isRequired}
	}
	return obj{
		"Values": obj{"Instructions": d.Instructions, "Notes": d.Notes, name: d.Choice},
		"Elements": []obj{
			element("Instructions", obj{"Type": "Paragraph", "Text": d.Instructions, "ResolveLinks": false}, false),
			element("Notes", obj{"Type": "TextArea", "Label": "Notes"}, false),
			element(name, obj{"Type": "SubmitButtonGroup", "Buttons": buttons}, true),
		},
	}
}

// resultOf is the member that holds the answer.
func resultOf(kind deploy.InterruptionKind) string {
	if kind == deploy.ManualInterruption {
		return "Result"
	}
	return "Guidance"
}

func (a *api) interruptions(c *call) ([]catalog.InterruptionDetail, error) {
	query := c.query()
	all, err := a.Catalog.Interruptions(c.ctx(), c.principal, query["regarding"],
		catalog.InterruptionFilter{IsPending: strings.EqualFold(query["pendingonly"], "true")})
	return chosen(c, all, func(d catalog.InterruptionDetail) (string, string) { return string(d.ID), d.Title }), err
}

func (a *api) listInterruptions(c *call) error {
	all, err := a.interruptions(c)
	if err != nil {
		return err
	}
	return paged(c, "Interruption", all, showInterruption)
}

func (a *api) allInterruptions(c *call) error {
	all, err := a.interruptions(c)
	if err != nil {
		return err
	}
	return c.ok(each(all, showInterruption))
}

func (a *api) getInterruption(c *call) error {
	d, err := a.Catalog.Interruption(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showInterruption(d))
}

func (a *api) takeInterruption(c *call) error {
	if _, err := a.Catalog.TakeInterruption(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.ok(showUser(c.principal.User))
}

// responsibleFor answers who took the question; only his name may be read by those who see no users.
func (a *api) responsibleFor(c *call) error {
	d, err := a.Catalog.Interruption(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	if d.Responsible == "" {
		return errkind.NotFound.Errorf("nobody is responsible for %s yet", d.ID)
	}
	return c.ok(showUser(deploy.User{
		ID: d.Responsible, Name: d.ResponsibleName, DisplayName: d.ResponsibleName, IsActive: true,
	}))
}

type submitRequest struct {
	Instructions string
	Notes        string
	Result       string
	Guidance     string
	Form         *struct{ Values map[string]any }
}

func (a *api) submitInterruption(c *call) error {
	var q submitRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	choice := cmp.Or(q.Guidance, q.Result)
	if q.Form != nil {
		texts := answerTexts(q.Form.Values)
		choice = cmp.Or(choice, texts["Guidance"], texts["Result"])
		q.Notes = cmp.Or(q.Notes, texts["Notes"])
	}
	d, err := a.Catalog.Answer(c.ctx(), c.principal, c.param("id"), choice, q.Notes)
	if err != nil {
		return err
	}
	return c.ok(showInterruption(d))
}
