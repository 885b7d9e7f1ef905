// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"time"

	"fairlead/sim/plan"
)

// addWork draws what people do: scripts above all.
func addWork(p *plan.Plan, d dice, profile Profile) {
	last := int(p.Safety.D()/time.Second) - 10
	for range d.between(1, profile.ops) {
		o := plan.Op{At: d.seconds(1, last)}
		switch d.IntN(12) {
		default:
			drawScript(p, d, &o)
		case 0, 1:
			o.Do = plan.DoCancel
		case 2, 3:
			drawDeployment(p, d, &o)
		case 4:
			o.Do = plan.DoHealth
		case 5:
			o.Do = pick(d, plan.DoRestart, plan.DoFailover)
			if len(p.Servers) < 2 {
				o.Do = plan.DoRestart
			}
		case 6:
			if p.Machines() > 1 {
				o.Do, o.On = plan.DoRemove, machine(p, d)
			} else {
				drawScript(p, d, &o)
			}
		case 7:
			o.Do = pick(d, plan.DoRedeploy, plan.DoRetention)
		}
		p.Ops = append(p.Ops, o)
	}
}

// drawDeployment draws what a deployment does, and people who answer what it asks.
func drawDeployment(p *plan.Plan, d dice, o *plan.Op) {
	o.Do, o.KB = plan.DoDeploy, pick(d, 16, 256, 1024)
	o.Asks, o.Guided = d.one(3), d.one(3)
	o.Outputs, o.Turns, o.Stumbles, o.Breaks = d.one(3), d.one(3), d.one(3), d.one(8)
	if d.one(4) {
		o.Repaints = d.seconds(1, 60)
	}
	if o.Stumbles {
		o.Retries = pick(d, 0, 0, 1, 3)
	}
	if o.Asks || o.Guided {
		p.Ops = append(p.Ops, plan.Op{
			Do: plan.DoAnswer, At: o.At, Every: d.seconds(5, 40), Choice: pick(d, "", "", "", "Abort"),
			Guidance: pick(d, "", "Retry", "Retry", "Ignore", "Exclude"),
		})
	}
}

func drawScript(p *plan.Plan, d dice, o *plan.Op) {
	o.Do = plan.DoScript
	o.Lasts = d.seconds(1, 90)
	o.Lines = pick(d, 1, 2, 5, 20, 200)
	if d.one(3) {
		o.Any = d.between(1, p.Machines())
	}
	if d.one(5) {
		o.Exit = d.between(1, 3)
	}
	o.Ignores = d.one(8)
	if d.one(6) {
		o.Every = d.seconds(20, 120)
	}
}
