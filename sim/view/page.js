"use strict";
// Draws the run that stands in the page. Times are nanoseconds since the world began; between them
// and the screen lies a scale in which quiet stretches may be folded.
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  for (const list of ["hosts", "conns", "spans", "faults", "marks", "checks", "phases", "quiet"]) run[list] ??= [];
  const byId = (id) => document.getElementById(id);
  const scroll = byId("scroll"), lanes = byId("lanes"), ruler = byId("ruler"), overview = byId("overview"), tip = byId("tip");
  const end = Math.max(1, run.end);

  // ---- words
  const ENDS = {
    fin: "closed", rst: "reset", time: "no answer any more", open: "open at the end", refused: "refused", none: "never opened",
  };
  const hollow = (c) => c.e === "refused" || c.e === "none";
  const hostName = (n) => (n < 0 ? "" : run.hosts[n].name);
  const pad = (n) => String(n).padStart(2, "0");
  function clock(t, step) {
    const ms = Math.floor(t / 1e6), s = Math.floor(ms / 1000);
    let text = s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
    if (step < 1e9) text += "." + String(ms % 1000).padStart(3, "0");
    if (step < 1e6) text += String(Math.floor(t / 1e3) % 1000).padStart(3, "0");
    return text;
  }
  function length(t) {
    if (t < 1e6) return `${(t / 1e3).toFixed(0)} µs`;
    if (t < 1e9) return `${(t / 1e6).toFixed(t < 1e7 ? 1 : 0)} ms`;
    if (t < 60e9) return `${(t / 1e9).toFixed(t < 1e10 ? 2 : 1)} s`;
    const s = Math.round(t / 1e9);
    return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  }
  function bytes(n) {
    return n < 1e4 ? `${n} B` : n < 1e7 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
  }

  // ---- colours, which change with the reader's theme
  let colour = {};
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    colour = {};
    for (const name of ["ground", "panel", "ink", "soft", "rule", "stripe", "fin", "rst", "time", "open", "none", "line", "script",
      "fault", "faultband", "bad", "badband", "quiet", "area"]) colour[name] = style.getPropertyValue("--" + name).trim();
    colour.refused = colour.none;
  }

  // ---- the scale: time to u, in which quiet stretches are short
  let parts = [], uEnd = end;
  function makeScale(fold) {
    parts = [];
    let t = 0, u = 0;
    const push = (to, width, quiet) => {
      if (to > t) { parts.push({ a: t, b: to, ua: u, ub: u + width, quiet }); t = to; u += width; }
    };
    if (fold) {
      const loud = end - run.quiet.reduce((sum, q) => sum + q[1] - q[0], 0);
      const each = Math.max(1, loud / 40);
      for (const [a, b] of run.quiet) { push(a, a - t, false); push(b, Math.min(b - a, each), true); }
    }
    push(end, end - t, false);
    uEnd = u;
  }
  function find(value, lo, hi) {
    let a = 0, b = parts.length - 1;
    while (a < b) { const m = (a + b) >> 1; if (value > parts[m][hi]) a = m + 1; else b = m; }
    return parts[a];
  }
  const toU = (t) => { const p = find(t, "a", "b"); return p.ua + (t - p.a) / (p.b - p.a) * (p.ub - p.ua); };
  const toT = (u) => { const p = find(u, "ua", "ub"); return p.a + (u - p.ua) / (p.ub - p.ua) * (p.b - p.a); };

  // ---- what is in view
  const GUTTER = 168, INSET = 9, LEFT = GUTTER + INSET, view = { a: 0, b: 1 };
  let width = 800, height = 400;
  const plot = () => Math.max(50, width - LEFT - INSET);
  const X = (t) => LEFT + (toU(t) - view.a) / (view.b - view.a) * plot();
  const T = (x) => toT(Math.min(uEnd, Math.max(0, view.a + (x - LEFT) / plot() * (view.b - view.a))));
  function setView(a, b) {
    const least = uEnd / 2e5;
    let span = Math.min(uEnd, Math.max(least, b - a));
    let from = Math.min(uEnd - span, Math.max(0, (a + b) / 2 - span / 2));
    view.a = from; view.b = from + span;
    draw();
  }
  function zoom(factor, x) {
    const at = view.a + ((x ?? LEFT + plot() / 2) - LEFT) / plot() * (view.b - view.a);
    setView(at - (at - view.a) * factor, at + (view.b - at) * factor);
  }
  function fit(a, b) {
    const ua = toU(a), ub = toU(b), room = Math.max((ub - ua) * .15, uEnd / 2000);
    setView(ua - room, ub + room);
  }

  // ---- lanes: what each machine shows
  const BAR = 9, STEP = 12, LEVELS = 4, GROUP = 24, AREA = 26, MARKS = 13;
  const hosts = run.hosts.map((h, i) => ({ ...h, i, dialled: [], taken: [], spans: [], marks: [], faults: [], levels: 0 }));
  for (const c of run.conns) {
    if (c.f >= 0) hosts[c.f].dialled.push(c);
    if (c.o >= 0 && c.o !== c.f && !hollow(c)) hosts[c.o].taken.push(c);
  }
  for (const s of run.spans) if (s.h >= 0) hosts[s.h].spans.push(s);
  for (const m of run.marks) if (m.h >= 0) hosts[m.h].marks.push(m);
  for (const f of run.faults) if (f.h >= 0) hosts[f.h].faults.push(f);
  for (const h of hosts) {
    const ends = [];
    for (const c of h.dialled) {
      let level = ends.findIndex((e) => e <= c.a);
      if (level < 0) level = ends.length < LEVELS ? ends.length : LEVELS - 1;
      ends[level] = Math.max(ends[level] ?? 0, c.c + end / 1500);
      c.level = level;
    }
    h.levels = ends.length;
    h.area = steps(h.taken);
    h.line = h.spans.some((s) => s.k === "line");
    h.script = h.spans.some((s) => s.k === "script");
    h.height = 6 + (h.marks.length ? MARKS : 0) + h.levels * STEP + (h.area.most ? AREA + 4 : 0) + (h.line ? 6 : 0) + (h.script ? 8 : 0) + 4;
    h.height = Math.max(22, h.height);
  }
  // steps counts open connections over time.
  function steps(conns) {
    const changes = [];
    for (const c of conns) if (c.u >= 0) changes.push([c.u, 1], [Math.max(c.u, c.b), -1]);
    changes.sort((p, q) => p[0] - q[0] || q[1] - p[1]);
    const list = [[0, 0]];
    let n = 0, most = 0;
    for (const [t, by] of changes) { n += by; most = Math.max(most, n); list.push([t, n]); }
    list.push([end, n]);
    return { list, most };
  }
  const groups = new Map();
  for (const h of hosts) {
    if (!h.group) continue;
    if (!groups.has(h.group)) groups.set(h.group, { name: h.group, hosts: [], open: true });
    groups.get(h.group).hosts.push(h);
  }
  for (const g of groups.values()) {
    g.conns = g.hosts.flatMap((h) => h.dialled).sort((p, q) => p.a - q.a);
    g.area = steps(g.conns);
    g.marks = g.hosts.flatMap((h) => h.marks).sort((p, q) => p.t - q.t);
    g.open = g.hosts.length <= 12 || hosts.length <= 24;
  }
  let rows = [], total = 0;
  function layOut() {
    rows = [];
    let y = 0, last = null;
    const add = (row, h) => { rows.push({ ...row, y, height: h }); y += h; };
    for (const h of hosts) {
      const g = groups.get(h.group);
      if (g && g !== last) add({ group: g }, g.open ? GROUP : AREA + MARKS + 14);
      last = g ?? null;
      if (!g || g.open) add({ host: h, inGroup: !!g }, h.height);
    }
    total = y;
    byId("spacer").style.height = Math.max(total, 40) + "px";
    scroll.style.height = total < innerHeight * .62 ? Math.max(60, total + 2) + "px" : "";
    byId("groups").checked = groups.size > 0 && [...groups.values()].every((g) => g.open);
    byId("groups").parentElement.hidden = groups.size === 0;
  }

  // ---- faults have a strip of their own below the ruler
  const RULER = 26, FAULT = 17, FAULTS = 8;
  let faultLevels = 0;
  {
    const ends = [];
    for (const f of [...run.faults].sort((p, q) => p.a - q.a)) {
      let level = ends.findIndex((e) => e < f.a);
      if (level < 0) level = ends.length < FAULTS ? ends.length : FAULTS - 1;
      ends[level] = Math.max(ends[level] ?? 0, f.b, f.a + end / 8);
      f.level = level;
    }
    faultLevels = ends.length;
  }

  // ---- drawing
  function prepare(canvas, w, h) {
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
      canvas.style.width = w + "px"; canvas.style.height = h + "px";
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, w, h);
    g.font = "12px system-ui, sans-serif";
    g.textBaseline = "middle";
    return g;
  }
  function fitText(g, text, room) {
    if (g.measureText(text).width <= room) return text;
    while (text.length > 1 && g.measureText(text + "…").width > room) text = text.slice(0, -1);
    return text + "…";
  }
  const STEPS = [1e3, 1e4, 1e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7, 1e8, 2e8, 5e8, 1e9, 2e9, 5e9, 1e10, 15e9, 3e10, 6e10, 12e10, 3e11, 6e11, 9e11,
    18e11, 36e11, 72e11, 108e11, 216e11, 432e11, 864e11, 864e12];
  function ticks() {
    const room = 86, list = [];
    const perPixel = (view.b - view.a) / plot();
    const step = STEPS.find((s) => s / perPixel >= room) ?? STEPS.at(-1);
    for (const p of parts) {
      if (p.quiet || p.ub < view.a || p.ua > view.b) continue;
      const a = Math.max(p.a, toT(Math.max(p.ua, view.a))), b = Math.min(p.b, toT(Math.min(p.ub, view.b)));
      for (let t = Math.ceil(a / step) * step; t <= b; t += step) {
        const x = X(t);
        if (!list.length || x - list.at(-1).x > 58) list.push({ t, x });
      }
    }
    return { step, list };
  }
  const foldsInView = () => parts.filter((p) => p.quiet && p.ub > view.a && p.ua < view.b);

  function hatch(g, x, y, w, h, ink) {
    g.save();
    g.beginPath(); g.rect(x, y, w, h); g.clip();
    g.strokeStyle = ink; g.lineWidth = 1; g.beginPath();
    for (let i = -h; i < w; i += 6) { g.moveTo(x + i, y + h); g.lineTo(x + i + h, y); }
    g.stroke(); g.restore();
  }
  function inGraph(g, h, body) {
    g.save(); g.beginPath(); g.rect(GUTTER, 0, width - GUTTER, h); g.clip(); body(); g.restore();
  }

  function drawRuler() {
    const h = RULER + faultLevels * FAULT + (faultLevels ? 5 : 0);
    const g = prepare(ruler, width, h), { step, list } = ticks();
    g.fillStyle = colour.panel; g.fillRect(0, 0, width, RULER);
    g.fillStyle = colour.soft; g.fillText("virtual time", 10, RULER / 2);
    if (faultLevels) g.fillText("faults", 10, RULER + FAULT / 2 + 2);
    inGraph(g, h, () => {
      for (const p of foldsInView()) {
        const a = X(p.a), b = X(p.b);
        hatch(g, a, 0, b - a, RULER, colour.quiet);
        const text = length(p.b - p.a), w = g.measureText(text).width;
        if (b - a > w + 12) {
          g.fillStyle = colour.panel; g.fillRect((a + b - w) / 2 - 3, 5, w + 6, 16);
          g.fillStyle = colour.soft; g.fillText(text, (a + b - w) / 2, RULER / 2);
        }
      }
      for (const { t, x } of list) {
        g.fillStyle = colour.rule; g.fillRect(Math.round(x), 0, 1, h);
        const text = clock(t, step);
        if (x + 6 + g.measureText(text).width < width) {
          const pinned = run.checks.some((v) => Math.abs(X(v.t) - x) < 10);
          g.fillStyle = colour.ink; g.fillText(text, x + (pinned ? 12 : 4), RULER / 2);
        }
      }
      for (const p of run.phases) {
        const x = X(p.t);
        g.fillStyle = colour.soft; g.fillRect(Math.round(x), 0, 1, RULER);
      }
      const used = [];
      for (const f of run.faults) drawFaultBar(g, f, used);
      drawPins(g, RULER);
    });
  }
  // drawFaultBar draws a fault with its name where there is room; used is how far each level is.
  function drawFaultBar(g, f, used) {
    const a = X(f.a), b = Math.max(a + 3, X(f.b)), y = RULER + 3 + f.level * FAULT;
    if (b < GUTTER || a > width) return;
    g.fillStyle = colour.faultband; g.fillRect(a, y, b - a, FAULT - 3);
    g.strokeStyle = colour.fault; g.lineWidth = 1; g.strokeRect(a + .5, y + .5, b - a - 1, FAULT - 4);
    const text = f.k + (f.x ? " " + f.x : ""), from = Math.max(a, GUTTER) + 5;
    const at = b - a < 8 ? b + 4 : from, next = run.faults.find((o) => o.level === f.level && o.a > f.a);
    const room = Math.max(b - 4, Math.min(next ? X(next.a) : width, width)) - at - 3;
    if (room < 30 || at < (used[f.level] ?? 0)) return;
    const shown = fitText(g, text, room);
    g.fillStyle = colour.ink; g.fillText(shown, at, y + FAULT / 2 - 1);
    used[f.level] = at + g.measureText(shown).width + 6;
  }
  function drawPins(g, h) {
    let last = -99, n = 0;
    for (const v of run.checks) {
      const x = X(v.t);
      if (x < GUTTER - 8 || x > width + 8) continue;
      n = x - last < 12 ? n + 1 : 1;
      if (n === 1) {
        g.fillStyle = colour.bad; g.beginPath(); g.arc(x, h / 2, 8, 0, 7); g.fill();
        g.beginPath(); g.moveTo(x - 5, h / 2 + 6); g.lineTo(x + 5, h / 2 + 6); g.lineTo(x, h); g.fill();
        last = x;
      }
      g.fillStyle = colour.bad; g.beginPath(); g.arc(last, h / 2, 8, 0, 7); g.fill();
      g.fillStyle = colour.ground; g.font = "bold 11px system-ui, sans-serif"; g.textAlign = "center";
      g.fillText(n > 1 ? String(n) : "!", last, h / 2 + .5);
      g.textAlign = "left"; g.font = "12px system-ui, sans-serif";
    }
  }

  function drawLanes() {
    height = scroll.clientHeight;
    const g = prepare(lanes, width, height), top = scroll.scrollTop, { list } = ticks();
    const shown = rows.filter((r) => r.y + r.height > top && r.y < top + height);
    let odd = false;
    for (const r of shown) {
      odd = rows.indexOf(r) % 2 === 1;
      if (r.group) { g.fillStyle = colour.panel; g.fillRect(0, r.y - top, width, r.height); }
      else if (odd) { g.fillStyle = colour.stripe; g.fillRect(0, r.y - top, width, r.height); }
    }
    inGraph(g, height, () => {
      for (const { x } of list) { g.fillStyle = colour.rule; g.fillRect(Math.round(x), 0, 1, height); }
      for (const p of foldsInView()) { const a = X(p.a); g.globalAlpha = .45; hatch(g, a, 0, X(p.b) - a, height, colour.quiet); g.globalAlpha = 1; }
      for (const f of run.faults) if (f.h < 0) band(g, f, 0, height);
      for (const p of run.phases) {
        const x = Math.round(X(p.t));
        g.strokeStyle = colour.soft; g.setLineDash([3, 3]); g.beginPath(); g.moveTo(x + .5, 0); g.lineTo(x + .5, height); g.stroke(); g.setLineDash([]);
      }
    });
    for (const r of shown) {
      g.save(); g.translate(0, r.y - top);
      if (r.group) drawGroup(g, r); else drawHost(g, r);
      g.restore();
    }
    inGraph(g, height, () => {
      for (const v of run.checks) { const x = Math.round(X(v.t)); g.fillStyle = colour.badband; g.fillRect(x, 0, 1.5, height); }
    });
    g.fillStyle = colour.rule; g.fillRect(GUTTER - 1, 0, 1, height);
  }
  function band(g, f, y, h) {
    const a = X(f.a), b = X(f.b);
    if (b < GUTTER || a > width) return;
    g.fillStyle = colour.faultband; g.fillRect(a, y, Math.max(2, b - a), h);
    g.fillStyle = colour.fault; g.fillRect(a, y, 1, h);
  }
  function drawGroup(g, r) {
    const group = r.group;
    g.fillStyle = colour.ink; g.font = "600 12px system-ui, sans-serif";
    const label = `${group.open ? "▾" : "▸"} ${group.name} `;
    g.fillText(label, 10, 12);
    const w = g.measureText(label).width;
    g.font = "12px system-ui, sans-serif"; g.fillStyle = colour.soft;
    g.fillText(`${group.hosts.length} machines`, 10 + w, 12);
    if (group.open) return;
    g.fillText(`at most ${group.area.most} open`, 23, 29);
    inGraph(g, r.height, () => {
      for (const h of group.hosts) for (const f of h.faults) band(g, f, 0, r.height);
      drawMarks(g, group.marks, 2);
      drawArea(g, group.area, MARKS + 4, AREA);
      let last = -9;
      for (const c of group.conns) {
        if (c.e === "fin" || c.e === "open") continue;
        const x = X(c.b);
        if (x < GUTTER || x > width || x - last < 1 && x >= last) continue;
        g.fillStyle = colour[c.e]; g.fillRect(x, MARKS + AREA + 6, 2, 5); last = x;
      }
    });
  }
  function drawHost(g, r) {
    const h = r.host;
    g.fillStyle = colour.ink;
    g.fillText(fitText(g, h.name, GUTTER - (r.inGroup ? 34 : 20)), r.inGroup ? 24 : 10, 12);
    if (h.area.most) {
      g.fillStyle = colour.soft;
      if (h.height >= 40) g.fillText(`takes ${h.area.most} at most`, r.inGroup ? 24 : 10, 28);
    }
    inGraph(g, h.height, () => {
      for (const f of h.faults) band(g, f, 0, h.height);
      let y = 4;
      if (h.marks.length) { drawMarks(g, h.marks, y - 1); y += MARKS; }
      for (const c of h.dialled) drawBar(g, c, y + c.level * STEP);
      y += h.levels * STEP;
      if (h.area.most) { drawArea(g, h.area, y, AREA); y += AREA + 4; }
      if (h.line) { for (const s of h.spans) if (s.k === "line") strip(g, s, y, 3, colour.line); y += 6; }
      if (h.script) for (const s of h.spans) if (s.k === "script") strip(g, s, y, 5, colour.script);
      for (const v of run.checks) if (v.h === h.i) {
        const x = X(v.t);
        g.strokeStyle = colour.bad; g.lineWidth = 2; g.beginPath(); g.arc(x, h.height / 2, 6, 0, 7); g.stroke(); g.lineWidth = 1;
      }
    });
  }
  function strip(g, s, y, h, ink) {
    const a = X(s.a), b = X(s.b);
    if (b < GUTTER || a > width) return;
    g.fillStyle = ink; g.fillRect(a, y, Math.max(1.5, b - a), h);
  }
  function drawArea(g, area, y, h) {
    if (!area.most) return;
    const list = area.list, scale = h / area.most;
    g.fillStyle = colour.area; g.globalAlpha = .75; g.beginPath(); g.moveTo(GUTTER, y + h);
    let i = 0, before = list[0][1];
    while (i < list.length && X(list[i][0]) < GUTTER) before = list[i++][1];
    g.lineTo(GUTTER, y + h - before * scale);
    for (; i < list.length; i++) {
      const x = Math.min(width, X(list[i][0]));
      g.lineTo(x, y + h - before * scale);
      before = list[i][1];
      g.lineTo(x, y + h - before * scale);
      if (x >= width) break;
    }
    g.lineTo(Math.min(width, X(end)), y + h); g.closePath(); g.fill(); g.globalAlpha = 1;
  }
  function drawBar(g, c, y) {
    const a = X(c.a), b = Math.max(a + 2, X(c.b)), late = X(c.c);
    if (Math.max(b, late) < GUTTER || a > width) return;
    const ink = colour[c.e];
    if (hollow(c)) {
      g.strokeStyle = ink; g.lineWidth = 1.4; g.strokeRect(a + .7, y + .7, Math.max(2, b - a - 1.4), BAR - 1.4);
    } else {
      g.fillStyle = ink; g.globalAlpha = c.p ? .34 : .7; g.fillRect(a, y, b - a, BAR); g.globalAlpha = 1;
      drawBusy(g, c, y, b);
      if (c.e === "rst") cross(g, b, y + BAR / 2, ink);
      if (c.e === "time") g.fillRect(b - 2, y - 2, 2.5, BAR + 4);
    }
    if (late > b + 2) {
      g.strokeStyle = ink; g.lineWidth = 3; g.setLineDash([4, 3]); g.beginPath();
      g.moveTo(b, y + BAR / 2); g.lineTo(late, y + BAR / 2); g.stroke(); g.setLineDash([]);
      g.fillStyle = ink; g.fillRect(late - 1, y + 1, 2, BAR - 2);
    }
    if (c === chosen) { g.strokeStyle = colour.ink; g.lineWidth = 1.5; g.strokeRect(a - 2, y - 2, b - a + 4, BAR + 4); }
    g.lineWidth = 1;
  }
  function drawBusy(g, c, y, b) {
    if (!c.p) return;
    let n = 0, drawn = -9;
    for (const step of c.p) {
      n += step;
      const from = X(Math.max(c.a, n * run.bucket));
      if (from > width) break;
      const to = Math.min(b, Math.max(from + 1, X(Math.min(end, (n + 1) * run.bucket))));
      if (to < GUTTER || to - drawn < .8) continue;
      g.fillRect(from, y, Math.max(1, to - from), BAR); drawn = to;
    }
  }
  function cross(g, x, y, ink) {
    g.strokeStyle = ink; g.lineWidth = 2; g.beginPath();
    g.moveTo(x - 4, y - 5); g.lineTo(x + 4, y + 5); g.moveTo(x + 4, y - 5); g.lineTo(x - 4, y + 5); g.stroke(); g.lineWidth = 1;
  }
  const GLYPHS = {
    "proc.start": ["▲", "open"], "proc.crash": ["✖", "bad"], "proc.exit": ["■", "soft"], "proc.point": ["◇", "bad"], kill: ["✖", "bad"],
    reset: ["✖", "rst"], "op.asked": ["◆", "soft"], warn: ["●", "time"], error: ["●", "bad"],
  };
  function drawMarks(g, marks, y) {
    g.font = "10px system-ui, sans-serif"; g.textAlign = "center";
    const last = {};
    for (const m of marks) {
      const x = X(m.t);
      if (x < GUTTER - 5) continue;
      if (x > width + 5) break;
      const [glyph, ink] = GLYPHS[m.k] ?? ["•", "soft"];
      if (x - (last[m.k] ?? -99) < 3) continue;
      last[m.k] = x;
      g.fillStyle = colour[ink]; g.fillText(glyph, x, y + MARKS / 2);
    }
    g.textAlign = "left"; g.font = "12px system-ui, sans-serif";
  }

  const all = steps(run.conns);
  function drawOverview() {
    const w = width, h = 44, g = prepare(overview, w, h), x = (u) => LEFT + u / uEnd * plot();
    g.fillStyle = colour.soft; g.fillText("open connections", 10, 14); g.fillText(`at most ${all.most}`, 10, 30);
    for (const f of run.faults) { g.fillStyle = colour.faultband; g.fillRect(x(toU(f.a)), 0, Math.max(2, x(toU(f.b)) - x(toU(f.a))), h); }
    const keep = { ...view };
    view.a = 0; view.b = uEnd;
    drawArea(g, all, 8, h - 12);
    for (const v of run.checks) { g.fillStyle = colour.bad; g.fillRect(X(v.t) - 1, 0, 2.5, h); }
    view.a = keep.a; view.b = keep.b;
    g.fillStyle = colour.ground; g.globalAlpha = .62;
    g.fillRect(GUTTER, 0, x(view.a) - GUTTER, h); g.fillRect(x(view.b), 0, w - x(view.b), h); g.globalAlpha = 1;
    g.strokeStyle = colour.ink; g.strokeRect(x(view.a) + .5, .5, Math.max(3, x(view.b) - x(view.a)) - 1, h - 1);
  }

  let due = 0, chosen = null;
  function paint() { due = 0; width = scroll.clientWidth; drawOverview(); drawRuler(); drawLanes(); }
  function draw() {
    if (!due) due = requestAnimationFrame(paint);
  }

  // ---- what lies under the pointer
  function say(title, ...lines) { return { title, lines: lines.filter(Boolean) }; }
  function tellConn(c) {
    const opened = c.u >= 0 ? `opened after ${length(c.u - c.a)}` : "";
    return say(`#${c.s}  ${hostName(c.f) || "?"} → ${hostName(c.o) || c.q || "?"}`, c.q && hostName(c.o) ? `dialled ${c.q}` : "",
      `${clock(c.a, 1e6)} to ${clock(c.b, 1e6)}, ${length(c.b - c.a)}; ${ENDS[c.e]}`,
      c.c > c.b ? `the other end knew ${length(c.c - c.b)} later` : "", opened,
      `${bytes(c.x)} out, ${bytes(c.y)} back` + (c.r ? `; ${c.r} flights came again` : ""), c.l ? `${c.l} packets lost: ${c.w}` : "");
  }
  const MARKNAMES = {
    "proc.start": "start", "proc.crash": "crash", "proc.exit": "exit", "proc.point": "crash point", kill: "killed", reset: "connections reset",
    "op.asked": "somebody asks", warn: "warning", error: "error",
  };
  function tellMark(m) { return say(`${MARKNAMES[m.k] ?? m.k}  ${hostName(m.h)}`, clock(m.t, 1e6), m.x); }
  function tellSpan(s) {
    const what = s.k === "line" ? "on line" : s.k === "script" ? "script" : s.k;
    return say(`${what}  ${s.k === "line" || s.k === "script" ? hostName(s.h) : s.x ?? ""}`, `${clock(s.a, 1e6)} to ${clock(s.b, 1e6)}, ${length(s.b - s.a)}`,
      s.k === "script" ? s.x : "");
  }
  const near = (x, t, by) => Math.abs(X(t) - x) <= (by ?? 5);
  const inSpan = (x, s) => x >= X(s.a) - 2 && x <= Math.max(X(s.b), X(s.a) + 3) + 1;
  function underLanes(x, y) {
    y += scroll.scrollTop;
    const r = rows.find((one) => y >= one.y && y < one.y + one.height);
    if (!r || x < GUTTER) return null;
    y -= r.y;
    const pin = run.checks.find((v) => near(x, v.t, 3));
    if (r.group) {
      if (pin) return say("violation", clock(pin.t, 1e6), hostName(pin.h), pin.x);
      if (r.group.open) return null;
      const m = y < MARKS + 4 && r.group.marks.find((one) => near(x, one.t));
      if (m) return tellMark(m);
      const t = T(x), n = at(r.group.area, t);
      return say(`${r.group.name}: ${n} of ${r.group.hosts.length} machines`, "have an open connection each, or one machine several", clock(t, 1e6));
    }
    return underHost(r.host, x, y, pin);
  }
  function underHost(h, x, y, pin) {
    let from = 4;
    if (h.marks.length) {
      const m = y < from + MARKS && h.marks.find((one) => near(x, one.t));
      if (m) return tellMark(m);
      from += MARKS;
    }
    const level = Math.floor((y - from + 1) / STEP);
    for (let i = h.dialled.length - 1; i >= 0; i--) {
      const c = h.dialled[i];
      if (c.level === level && x >= X(c.a) - 2 && x <= Math.max(X(c.b), X(c.c), X(c.a) + 3) + 2) return { ...tellConn(c), conn: c };
    }
    if (pin) return say("violation", clock(pin.t, 1e6), hostName(pin.h), pin.x);
    from += h.levels * STEP;
    if (h.area.most) {
      if (y >= from && y < from + AREA + 4) return say(`${h.name}: ${at(h.area, T(x))} connections taken`, clock(T(x), 1e6));
      from += AREA + 4;
    }
    const kinds = [h.line && "line", h.script && "script"].filter(Boolean);
    const kind = kinds[Math.floor((y - from) / 7)];
    const s = kind && h.spans.find((one) => one.k === kind && inSpan(x, one));
    if (s) return tellSpan(s);
    const f = h.faults.find((one) => inSpan(x, one)) ?? run.faults.find((one) => one.h < 0 && inSpan(x, one));
    return f ? tellSpan(f) : null;
  }
  function at(area, t) {
    let n = 0;
    for (const [when, count] of area.list) { if (when > t) break; n = count; }
    return n;
  }
  function underRuler(x, y) {
    if (x < GUTTER) return null;
    if (y < RULER) {
      const pins = run.checks.filter((v) => near(x, v.t, 9));
      if (pins.length) return say(pins.length > 1 ? `${pins.length} violations` : "violation", ...pins.slice(0, 6).map((v) => `${clock(v.t, 1e6)} ${hostName(v.h)} ${v.x}`));
      const p = foldsInView().find((q) => x >= X(q.a) && x <= X(q.b));
      if (p) return say(`${length(p.b - p.a)} without a begin or an end`, `folded: ${clock(p.a, 1e9)} to ${clock(p.b, 1e9)}`);
      const phase = run.phases.find((q) => near(x, q.t));
      return phase ? say(`phase: ${phase.x}`, clock(phase.t, 1e6)) : say(clock(T(x), view.b - view.a < 6e10 ? 1e6 : 1e9));
    }
    const level = Math.floor((y - RULER - 3) / FAULT);
    const under = run.faults.filter((one) => one.level === level && inSpan(x, one));
    if (under.length < 2) return under.length ? tellSpan(under[0]) : null;
    return say(`${under.length} faults`, ...under.slice(0, 12).map((f) => `${clock(f.a, 1e6)} to ${clock(f.b, 1e6)}  ${f.k} ${f.x ?? ""}`));
  }
  function show(what, event) {
    tip.hidden = !what;
    if (!what) return;
    tip.replaceChildren();
    const title = document.createElement("b");
    title.textContent = what.title;
    tip.append(title, ...what.lines.map((text) => { const line = document.createElement("span"); line.textContent = text; return line; }));
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(innerWidth - box.width - 8, event.clientX + 14)) + "px";
    tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 16) + "px";
  }
  const place = (event, canvas) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  // ---- hands
  let drag = null;
  scroll.addEventListener("pointerdown", (event) => {
    const [x, y] = place(event, lanes);
    if (event.button || x > scroll.clientWidth) return;
    const r = rows.find((one) => one.group && y + scroll.scrollTop >= one.y && y + scroll.scrollTop < one.y + one.height);
    if (r && x < GUTTER) { r.group.open = !r.group.open; layOut(); draw(); return; }
    drag = { x: event.clientX, a: view.a, b: view.b };
    scroll.setPointerCapture(event.pointerId); scroll.classList.add("drags"); show(null);
  });
  scroll.addEventListener("pointermove", (event) => {
    if (drag) {
      const by = (drag.x - event.clientX) / plot() * (drag.b - drag.a);
      setView(drag.a + by, drag.b + by);
      return;
    }
    show(underLanes(...place(event, lanes)), event);
  });
  for (const name of ["pointerup", "pointercancel"]) scroll.addEventListener(name, () => { drag = null; scroll.classList.remove("drags"); });
  scroll.addEventListener("pointerleave", () => show(null));
  scroll.addEventListener("scroll", draw);
  scroll.addEventListener("dblclick", (event) => {
    const what = underLanes(...place(event, lanes));
    if (what?.conn) { chosen = what.conn; fit(chosen.a, chosen.c); }
  });
  for (const canvas of [scroll, ruler, overview]) canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && canvas === scroll && Math.abs(event.deltaY) >= Math.abs(event.deltaX)) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = event.deltaX / plot() * (view.b - view.a);
      setView(view.a + by, view.b + by);
      return;
    }
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 160), Math.max(LEFT, place(event, canvas)[0]));
  }, { passive: false });
  ruler.addEventListener("pointermove", (event) => show(underRuler(...place(event, ruler)), event));
  ruler.addEventListener("pointerleave", () => show(null));
  let choosing = null;
  const overU = (event) => Math.min(uEnd, Math.max(0, (place(event, overview)[0] - LEFT) / plot() * uEnd));
  overview.addEventListener("pointerdown", (event) => { choosing = overU(event); overview.setPointerCapture(event.pointerId); });
  overview.addEventListener("pointermove", (event) => {
    if (choosing !== null && Math.abs(overU(event) - choosing) > uEnd / 400) setView(Math.min(choosing, overU(event)), Math.max(choosing, overU(event)));
  });
  overview.addEventListener("pointerup", (event) => {
    if (Math.abs(overU(event) - choosing) <= uEnd / 400) { const half = (view.b - view.a) / 2; setView(choosing - half, choosing + half); }
    choosing = null;
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
    const by = (view.b - view.a) / 5;
    if (event.key === "+" || event.key === "=") zoom(1 / 1.6);
    else if (event.key === "-") zoom(1.6);
    else if (event.key === "0") setView(0, uEnd);
    else if (event.key === "ArrowLeft") setView(view.a - by, view.b - by);
    else if (event.key === "ArrowRight") setView(view.a + by, view.b + by);
    else return;
    event.preventDefault();
  });
  byId("in").onclick = () => zoom(1 / 1.6);
  byId("out").onclick = () => zoom(1.6);
  byId("all").onclick = () => setView(0, uEnd);
  byId("groups").onchange = (event) => { for (const g of groups.values()) g.open = event.target.checked; layOut(); draw(); };
  byId("fold").onchange = (event) => {
    const a = toT(view.a), b = toT(view.b);
    makeScale(event.target.checked);
    setView(toU(a), toU(b));
  };
  function bring(host) {
    const group = host >= 0 ? groups.get(hosts[host].group) : null;
    if (group && !group.open) { group.open = true; layOut(); }
    const r = rows.find((one) => one.host?.i === host);
    if (r) scroll.scrollTop = Math.max(0, r.y - scroll.clientHeight / 2);
  }
  for (const button of document.querySelectorAll("[data-check]")) button.onclick = () => {
    const v = run.checks[button.dataset.check];
    bring(v.h);
    const half = Math.min(uEnd / 2, Math.max(30e9, uEnd / 60));
    setView(toU(v.t) - half, toU(v.t) + half);
    scroll.scrollIntoView({ block: "center" });
  };

  // ---- the table
  const PAGE = 300;
  let sortKey = "a", falling = false, limit = PAGE, list = [];
  const value = {
    f: (c) => hostName(c.f), o: (c) => hostName(c.o), q: (c) => c.q, life: (c) => c.b - c.a, late: (c) => c.c - c.b, e: (c) => ENDS[c.e],
  };
  const key = (c) => (value[sortKey] ? value[sortKey](c) : c[sortKey]);
  function choose() {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean), ended = byId("ends").value;
    list = run.conns.filter((c) => {
      if (ended && c.e !== ended) return false;
      const text = `#${c.s} ${hostName(c.f)} ${hostName(c.o)} ${c.q} ${ENDS[c.e]} ${c.w ?? ""}`.toLowerCase();
      return words.every((w) => text.includes(w));
    });
    list.sort((p, q) => {
      const a = key(p), b = key(q);
      const order = typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
      return (falling ? -order : order) || p.s - q.s;
    });
    fill();
  }
  function fill() {
    const body = document.createDocumentFragment();
    for (const c of list.slice(0, limit)) {
      const row = document.createElement("tr");
      const cell = (text, number) => { const td = document.createElement("td"); td.textContent = text; if (number) td.className = "n"; row.append(td); return td; };
      cell(c.s, true); cell(hostName(c.f)); cell(hostName(c.o)); cell(c.q); cell(clock(c.a, 1e6), true); cell(length(c.b - c.a), true);
      const ended = document.createElement("span");
      ended.className = hollow(c) ? "end hollow" : "end";
      ended.style.setProperty("--end", `var(--${c.e === "refused" ? "none" : c.e})`);
      ended.textContent = ENDS[c.e];
      cell("").append(ended);
      cell(c.c > c.b ? `${length(c.c - c.b)} later` : "", true); cell(bytes(c.x), true); cell(bytes(c.y), true); cell(c.r || "", true);
      cell(c.l ? `${c.l}: ${c.w}` : "");
      row.onclick = () => { chosen = c; bring(c.f); fit(c.a, c.c); scroll.scrollIntoView({ block: "center" }); };
      body.append(row);
    }
    byId("rows").replaceChildren(body);
    byId("count").textContent = list.length === run.conns.length ? `${list.length}` : `${list.length} of ${run.conns.length}`;
    byId("more").hidden = list.length <= limit;
    for (const th of document.querySelectorAll("th")) th.ariaSort = th.dataset.key === sortKey ? (falling ? "descending" : "ascending") : "none";
  }
  for (const th of document.querySelectorAll("th")) th.onclick = () => {
    falling = th.dataset.key === sortKey ? !falling : false;
    sortKey = th.dataset.key; limit = PAGE; choose();
  };
  byId("filter").oninput = byId("ends").onchange = () => { limit = PAGE; choose(); };
  byId("more").onclick = () => { limit += PAGE; fill(); };

  // ---- begin
  const quiet = run.quiet.reduce((sum, q) => sum + q[1] - q[0], 0);
  byId("fold").checked = end > 7200e9 && quiet > end * .8; // what is shorter fits unfolded
  byId("fold").parentElement.hidden = run.quiet.length === 0;
  readColours();
  makeScale(byId("fold").checked);
  view.b = uEnd;
  layOut();
  choose();
  paint(); // at once: a busy browser may print a page before its first frame
  // A page may be opened at a part of the run: #2400-2520, in seconds.
  function goToHash() {
    const part = /^#([\d.]+)-([\d.]+)$/.exec(location.hash);
    if (part) setView(toU(Math.min(end, part[1] * 1e9)), toU(Math.min(end, part[2] * 1e9)));
  }
  goToHash();
  addEventListener("hashchange", goToHash);
  new ResizeObserver(draw).observe(scroll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
})();
