// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/hex"
	"math"
	"net/url"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

// Words of the wire for who opens the line.
const (
	listeningStyle = "TentaclePassive"
	pollingStyle   = "TentacleActive"
	// subscriptionCharacters is the length of the name in a polling address: poll://…/.
	subscriptionCharacters = 20
)

func styleWord(m deploy.Machine) string {
	if m.Style == deploy.Listening {
		return listeningStyle
	}
	return pollingStyle
}

func machineURI(m deploy.Machine) string {
	if m.Style == deploy.Listening {
		return "https://" + m.Address + "/"
	}
	return "poll://" + m.Pin[:min(len(m.Pin), subscriptionCharacters)] + "/"
}

func systemOf(m deploy.Machine) string {
	if m.Facts.Distribution != "" {
		return m.Facts.Distribution
	}
	return m.Facts.OS
}

func shellOf(m deploy.Machine) string {
	if m.Facts.Shell != "" {
		return "Bash"
	}
	return "Unknown"
}

func policyOf(m deploy.Machine) deploy.MachinePolicyID {
	if m.Policy == "" {
		return deploy.DefaultPolicyID(m.Space)
	}
	return m.Policy
}

func orUnknown(text string) string {
	if text == "" {
		return "Unknown"
	}
	return text
}

func statusWord(m deploy.Machine, online Online) string {
	switch {
	case m.IsDisabled:
		return "Disabled"
	case online.IsOnline:
		return "Online"
	case m.Health.Status == deploy.HealthUnknown:
		return "Unknown"
	}
	return "Offline"
}

func (a *api) showMachine(m deploy.Machine) obj {
	online := a.Presence.Machine(m.ID)
	version, lastSeen := m.Facts.AgentVersion, m.Health.LastSeen
	if online.Version != "" {
		version = online.Version
	}
	if online.LastSeen.After(lastSeen) {
		lastSeen = online.LastSeen
	}
	system, shell := systemOf(m), shellOf(m)
	summary := m.Health.Summary
	if summary == "" {
		summary = "This machine was recently added. Please perform a health check."
	}
	self := spacePath + "machines/" + string(m.ID)
	return obj{
		"Id": m.ID, "SpaceId": m.Space, "Name": m.Name, "Slug": m.Name, "EnvironmentIds": list(m.Environments),
		"Roles": list(m.Tags), "TenantIds": []string{}, "TenantTags": []string{},
		"TenantedDeploymentParticipation": "Untenanted",
		"MachinePolicyId":                 policyOf(m), "IsDisabled": m.IsDisabled, "QuarantineReason": m.Quarantine,
		"IsInProcess": false, "HasLatestCalamari": true,
		"HealthStatus": m.Health.Status, "Status": statusWord(m, online), "StatusSummary": summary,
		"OperatingSystem": orUnknown(system), "Architecture": orUnknown(m.Facts.Arch), "ShellName": shell,
		"ShellVersion": orUnknown(m.Facts.ShellVersion), "Thumbprint": m.Pin, "Uri": machineURI(m),
		"IsOnline": online.IsOnline, "OnlineSince": at(online.Since), "LastSeen": at(lastSeen), "AgentVersion": version,
		"Endpoint": obj{
			"CommunicationStyle": styleWord(m), "Uri": machineURI(m), "Thumbprint": m.Pin, "ProxyId": nil,
			"CertificateSignatureAlgorithm": nil,
			"TentacleVersionDetails": obj{
				"Version": version, "UpgradeLocked": false, "UpgradeSuggested": false, "UpgradeRequired": false,
			},
			"Links": obj{},
		},
		"Links": obj{"Self": self, "Connection": self + "/connection"},
	}
}

func containsFold(list []string, text string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, text) })
}

// wantedMachines reads the filters of the address: ids, name, partialName and those of machines alone.
func (a *api) wantedMachines(c *call) (func(*deploy.Machine) bool, error) {
	planned, err := a.plannedMachines(c)
	if err != nil {
		return nil, err
	}
	disabled, enabled, err := c.yesOrNo("isDisabled")
	if err != nil {
		return nil, err
	}
	query := c.query()
	conditions := []func(*deploy.Machine) bool{
		func(m *deploy.Machine) bool { return m.IsDisabled && !enabled || !m.IsDisabled && !disabled },
	}
	keep := func(name string, fits func(m *deploy.Machine, wanted []string) bool) {
		text, given := query[name]
		if wanted := commaList(text, given); wanted != nil {
			conditions = append(conditions, func(m *deploy.Machine) bool { return fits(m, wanted) })
		}
	}
	style := func(m *deploy.Machine, wanted []string) bool { return containsFold(wanted, styleWord(*m)) }
	keep("commstyles", style)
	keep("deploymenttargettypes", style)
	keep("roles", func(m *deploy.Machine, wanted []string) bool {
		return slices.ContainsFunc(m.Tags, func(tag string) bool { return containsFold(wanted, tag) })
	})
	keep("environmentids", func(m *deploy.Machine, wanted []string) bool {
		return slices.ContainsFunc(m.Environments, func(id deploy.EnvironmentID) bool {
			return containsFold(wanted, string(id))
		})
	})
	keep("healthstatuses", func(m *deploy.Machine, wanted []string) bool {
		return containsFold(wanted, string(m.Health.Status))
	})
	keep("thumbprint", func(m *deploy.Machine, wanted []string) bool { return containsFold(wanted, m.Pin) })
	keep("shellnames", func(m *deploy.Machine, wanted []string) bool { return containsFold(wanted, shellOf(*m)) })
	keep("deploymentid", func(m *deploy.Machine, _ []string) bool { return planned[m.ID] })
	keep("tenantids", isOfNoTenant)
	keep("tenanttags", isOfNoTenant)
	keep("ids", func(m *deploy.Machine, wanted []string) bool { return containsFold(wanted, string(m.ID)) })
	name, partial := query["name"], strings.ToLower(query["partialname"])
	return func(m *deploy.Machine) bool {
		if name != "" && !strings.EqualFold(name, m.Name) || !strings.Contains(strings.ToLower(m.Name), partial) {
			return false
		}
		return !slices.ContainsFunc(conditions, func(fits func(*deploy.Machine) bool) bool { return !fits(m) })
	}, nil
}

// isOfNoTenant fits no machine: tenants come later.
func isOfNoTenant(*deploy.Machine, []string) bool { return false }

// plannedMachines are those of the deployment that the address names; none when there is no such deployment.
func (a *api) plannedMachines(c *call) (map[deploy.MachineID]bool, error) {
	id := c.query()["deploymentid"]
	if id == "" {
		return nil, nil
	}
	d, err := a.Catalog.Deployment(c.ctx(), c.principal, id)
	if errkind.Of(err) == errkind.NotFound {
		return nil, nil
	}
	planned := map[deploy.MachineID]bool{}
	for _, step := range d.Plan.Steps {
		for _, machine := range step.Machines {
			planned[machine] = true
		}
	}
	return planned, err
}

func (a *api) listMachines(c *call) error {
	wanted, err := a.wantedMachines(c)
	if err != nil {
		return err
	}
	return a.answerMachines(c, wanted)
}

// answerMachines answers one page of the machines that are wanted.
func (a *api) answerMachines(c *call, wanted func(*deploy.Machine) bool) error {
	skip, take, err := c.pageOf()
	if err != nil {
		return err
	}
	page, total, err := a.Catalog.MachinePage(c.ctx(), c.principal, wanted, skip, take)
	if err != nil {
		return err
	}
	return envelope(c, "DeploymentTarget", each(page, a.showMachine), total)
}

func (a *api) allMachines(c *call) error {
	wanted, err := a.wantedMachines(c)
	if err != nil {
		return err
	}
	all, _, err := a.Catalog.MachinePage(c.ctx(), c.principal, wanted, 0, math.MaxInt)
	if err != nil {
		return err
	}
	return c.ok(each(all, a.showMachine))
}

func (a *api) getMachine(c *call) error {
	m, err := a.Catalog.Machine(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(a.showMachine(m))
}

type machineRequest struct {
	Name           string
	EnvironmentIDs []string `json:"EnvironmentIds"`
	Roles          []string
	Participation  string `json:"TenantedDeploymentParticipation"`
	IsDisabled     bool
	Thumbprint     string
	PolicyID       string   `json:"MachinePolicyId"`
	URI            string   `json:"Uri"`
	TenantIDs      []string `json:"TenantIds"`
	TenantTags     []string
	Endpoint       *endpointRequest
}

type endpointRequest struct {
	CommunicationStyle string
	URI                string `json:"Uri"`
	Thumbprint         string
	ProxyID            string `json:"ProxyId"`
}

func (c *call) machineDraft() (draft catalog.MachineDraft, style string, err error) {
	var q machineRequest
	if err := c.decode(&q); err != nil {
		return draft, "", err
	}
	end := endpointRequest{URI: q.URI, Thumbprint: q.Thumbprint}
	if q.Endpoint != nil {
		end = *q.Endpoint
	}
	var not later
	not.add(len(q.TenantIDs)+len(q.TenantTags) > 0 || isTenanted(q.Participation), "a machine for tenants")
	not.add(end.ProxyID != "", "reaching a machine through a proxy")
	draft = catalog.MachineDraft{
		Name: q.Name, Environments: q.EnvironmentIDs, Tags: q.Roles, IsDisabled: q.IsDisabled, Pin: end.Thumbprint,
		Policy: q.PolicyID,
	}
	if style := end.CommunicationStyle; style != "" && !containsFold([]string{listeningStyle, pollingStyle}, style) {
		not.add(true, "a machine of the communication style %.40q (this version knows %s)", style, listeningStyle)
	} else if !strings.HasPrefix(strings.ToLower(end.URI), "poll:") {
		draft.Address, err = addressOf(end.URI)
	}
	if err == nil {
		err = not.err()
	}
	return draft, end.CommunicationStyle, err
}

// isTenanted reports whether a word of TenantedDeploymentParticipation asks for tenants, alone or too.
func isTenanted(word string) bool { return word != "" && !strings.EqualFold(word, "Untenanted") }

// addressOf takes host:port out of https://host:port/; a bare host:port is taken too. Errors: Invalid.
func addressOf(text string) (string, error) {
	if !strings.Contains(text, "://") {
		return text, nil
	}
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Scheme, "https") || u.Host == "" {
		return "", errkind.Invalid.Errorf("the endpoint's Uri is %.100q: want https://host:port/", text)
	}
	return u.Host, nil
}

// howToJoin names the space itself: spacePath is for the links of an answer.
func (c *call) howToJoin() string {
	return "make a join token (POST /api/" + string(c.principal.SpaceID()) +
		"/jointokens), then run on the machine: fairlead-agent join"
}

func (a *api) createMachine(c *call) error {
	draft, style, err := c.machineDraft()
	if err != nil {
		return err
	}
	switch {
	case isStockThumbprint(draft.Pin):
		return errkind.Hinted(errkind.Invalid.Errorf("the thumbprint has %d hex digits: it is that of a stock Tentacle, "+
			"which this version does not deploy to", stockThumbprintDigits),
			"install fairlead-agent there, %s", c.howToJoin())
	case strings.EqualFold(style, pollingStyle):
		return errkind.Hinted(errkind.Invalid.Errorf("a polling machine joins by itself"), "%s", c.howToJoin())
	case style == "":
		return errkind.Invalid.Errorf("the endpoint has no CommunicationStyle: this version knows %s", listeningStyle)
	}
	m, err := a.Catalog.AddListening(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(a.showMachine(m))
}

// stockThumbprintDigits is the length of a SHA-1 digest, by which stock Tentacles name their certificates.
const stockThumbprintDigits = 40

// isStockThumbprint reports whether a thumbprint is a stock Tentacle's. Source: octopus-rest.md e.
func isStockThumbprint(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) == stockThumbprintDigits
}

func (a *api) editMachine(c *call) error {
	draft, _, err := c.machineDraft()
	if err != nil {
		return err
	}
	m, err := a.Catalog.EditMachine(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(a.showMachine(m))
}

func (a *api) deleteMachine(c *call) error {
	if err := a.Catalog.DeleteMachine(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

func (a *api) allTags(c *call) error {
	tags, err := a.Catalog.Tags(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(list(tags))
}

// systemNames lists what machines run on, sorted; shells likewise.
func (a *api) systemNames(c *call) error {
	return a.wordsOfMachines(c, func(m deploy.Machine) string { return orUnknown(systemOf(m)) })
}

func (a *api) shellNames(c *call) error { return a.wordsOfMachines(c, shellOf) }

func (a *api) wordsOfMachines(c *call, word func(deploy.Machine) string) error {
	all, err := a.Catalog.Machines(c.ctx(), c.principal, catalog.MachineFilter{})
	if err != nil {
		return err
	}
	words := []string{}
	for _, m := range all {
		words = append(words, word(m))
	}
	return c.ok(sortedIDs(words))
}
