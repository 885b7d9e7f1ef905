// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"slices"
)

// Floor against floor should be 1. It counts as quiet when its median is between controlMin and
// controlMax, and half of its ratios between spreadMin and spreadMax.
const (
	controlMin, controlMax = 0.9, 1.1
	spreadMin, spreadMax   = 0.75, 1 / 0.75
)

// summary is the middle and the ends of some ratios.
type summary struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Low    float64 `json:"low"`  // a quarter is not above it
	High   float64 `json:"high"` // a quarter is not below it
	Count  int     `json:"count"`
}

func summarise(values []float64) summary {
	if len(values) == 0 {
		return summary{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return summary{median(sorted), sorted[0], sorted[n-1], sorted[(n-1)/4], sorted[n-1-(n-1)/4], n}
}

func (s summary) String() string {
	if s.Count == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", s.Median, s.Min, s.Max)
}

func (s summary) quiet() bool {
	return s.Count == 0 ||
		s.Median >= controlMin && s.Median <= controlMax && s.Low >= spreadMin && s.High <= spreadMax
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// pairs holds what floor and candidate took in turn: floor, candidate, floor, candidate, …
type pairs struct {
	Floor     []float64 `json:"floor"`
	Candidate []float64 `json:"candidate"`
}

// ratios are candidate to floor, pair by pair.
func (p pairs) ratios() summary {
	ratios := make([]float64, min(len(p.Floor), len(p.Candidate)))
	for i := range ratios {
		ratios[i] = p.Candidate[i] / p.Floor[i]
	}
	return summarise(ratios)
}

// control is each floor to the one before it. They lie further apart in time than a pair, so it
// rather finds noise where there is none.
func (p pairs) control() summary {
	var ratios []float64
	for i := 1; i < len(p.Floor); i++ {
		ratios = append(ratios, p.Floor[i]/p.Floor[i-1])
	}
	return summarise(ratios)
}

// column takes one figure of each run.
func column[T any](runs []T, of func(T) float64) []float64 {
	values := make([]float64, len(runs))
	for i, run := range runs {
		values[i] = of(run)
	}
	return values
}
