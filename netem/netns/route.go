// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import "net/netip"

// via is how a segment is reached from another: the edge to cross first, and the address of that
// edge's router on this side. The zero value is the segment itself.
type via struct {
	edge *edge
	hop  netip.Addr
}

// ways tells how each segment is reached from one, by as few edges as can be, without crossing avoid.
// Segments that cannot be reached are missing.
func (d *drawing) ways(from string, avoid *edge) map[string]via {
	ways := map[string]via{from: {}}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, e := range d.edges {
			far, hop := e.Outer, e.routers[0].inner
			switch {
			case e == avoid || at != e.Inner && at != e.Outer:
				continue
			case at == e.Outer:
				far, hop = e.Inner, e.routers[len(e.routers)-1].outer
			}
			if _, known := ways[far]; known {
				continue
			}
			ways[far] = ways[at]
			if at == from {
				ways[far] = via{edge: e, hop: hop}
			}
			queue = append(queue, far)
		}
	}
	return ways
}

// route is one line of a routing table. An invalid hop is a direct one.
type route struct {
	to     netip.Prefix
	hop    netip.Addr
	device string
}

// hostRoutes leads from a machine to every segment.
func (d *drawing) hostRoutes(segment string) (routes []route) {
	ways := d.ways(segment, nil)
	for _, s := range d.segments {
		if way, known := ways[s.Name]; known {
			routes = append(routes, route{to: s.Prefix.Masked(), hop: way.hop, device: hostDevice})
		}
	}
	return routes
}

// routerRoutes leads from router number n of an edge to every segment, and to the outer addresses of
// the boxes before it.
func (d *drawing) routerRoutes(e *edge, n int) (routes []route) {
	inward, outward := d.ways(e.Inner, e), d.ways(e.Outer, e)
	for _, s := range d.segments {
		r := route{to: s.Prefix.Masked(), device: innerDevice}
		way, inside := inward[s.Name]
		if !inside {
			var known bool
			if way, known = outward[s.Name]; !known {
				continue
			}
			r.device = outerDevice
		}
		switch r.hop = way.hop; {
		case inside && n > 0:
			r.hop = e.routers[n-1].outer
		case !inside && n < len(e.routers)-1:
			r.hop = e.routers[n+1].inner
		}
		routes = append(routes, r)
	}
	for _, before := range e.routers[:n] {
		if a := before.box.owns(); a.IsValid() {
			routes = append(routes, route{to: netip.PrefixFrom(a, 32), hop: e.routers[n-1].outer, device: innerDevice})
		}
	}
	return routes
}
