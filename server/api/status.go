// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"runtime"
	"strings"

	"fairlead/internal/errkind"
)

func (a *api) getStatus(c *call) error {
	row, err := a.Catalog.Installation(c.ctx())
	if err != nil {
		return err
	}
	return c.ok(obj{
		"IsDatabaseEncrypted": false, "IsMajorMinorUpgrade": false, "IsInMaintenanceMode": row.IsInMaintenance,
		"IsUpgradeAvailable": false, "MaximumAvailableVersion": octopusVersion,
		"MaximumAvailableVersionCoveredByLicense": octopusVersion, "MaintenanceExpires": nil,
		"FairleadVersion": a.Version, "Warnings": a.warnings(),
		"Links": obj{"Self": "/api/serverstatus", "Health": "/healthz", "SystemInfo": "/api/serverstatus/system-info"},
	})
}

// getSystemInfo tells how the program is doing.
func (a *api) getSystemInfo(c *call) error {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return c.ok(obj{
		"Version": octopusVersion, "FairleadVersion": a.Version, "OSVersion": runtime.GOOS + "/" + runtime.GOARCH,
		"ClrVersion": runtime.Version(), "ProcessorCount": runtime.NumCPU(), "ThreadCount": runtime.NumGoroutine(),
		"WorkingSetBytes": memory.Sys, "Uptime": timeSpan(a.Wall().Sub(a.started)), "UserAccountName": "",
		"Links": obj{"Self": "/api/serverstatus/system-info"},
	})
}

const maintenanceID = "maintenance"

func (a *api) getMaintenance(c *call) error {
	row, err := a.Catalog.Installation(c.ctx())
	if err != nil {
		return err
	}
	return c.ok(obj{
		"Id": maintenanceID, "IsInMaintenanceMode": row.IsInMaintenance,
		"Links": obj{"Self": "/api/maintenanceconfiguration"},
	})
}

func (a *api) setMaintenance(c *call) error {
	var q struct{ IsInMaintenanceMode *bool }
	if err := c.decode(&q); err != nil {
		return err
	}
	if q.IsInMaintenanceMode == nil {
		return errkind.Invalid.Errorf("the body says not whether IsInMaintenanceMode")
	}
	if err := a.Catalog.SetMaintenance(c.ctx(), c.principal, *q.IsInMaintenanceMode); err != nil {
		return err
	}
	return a.getMaintenance(c)
}

// certificateID is the one certificate there is: what agents see of the server.
const certificateID = "certificate-global"

func (a *api) showCertificate(id string) obj {
	own := a.Server()
	return obj{
		"Id": id, "Name": own.Name, "Thumbprint": own.Thumbprint, "Pin": own.Pin, "SignatureAlgorithm": own.Algorithm,
		"Links": obj{"Self": "/api/configuration/certificates/" + id},
	}
}

func (a *api) listCertificates(c *call) error {
	all := chosen(c, []string{certificateID}, func(id string) (string, string) { return id, a.Server().Name })
	return paged(c, "CertificateConfiguration", all, a.showCertificate)
}

func (a *api) getCertificate(c *call) error {
	if !strings.EqualFold(c.param("id"), certificateID) {
		return errkind.NotFound.Errorf("there is no certificate %q", c.param("id"))
	}
	return c.ok(a.showCertificate(certificateID))
}
