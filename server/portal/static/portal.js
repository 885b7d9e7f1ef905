// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
// Makes pages live. Without it every page can be read, and reloading brings it up to date.
"use strict";

const maxLines = 10000; // on a page; the raw log has all

function lostContact(lost) {
	const note = document.querySelector(".offline-note");
	if (note) note.hidden = !lost;
}

// Commands get a button that copies them.
function addCopyButtons(root) {
	if (!navigator.clipboard) return;
	for (const box of root.querySelectorAll(".command:not(.copies)")) {
		const button = document.createElement("button");
		button.type = "button";
		button.textContent = "Copy";
		button.addEventListener("click", async () => {
			try {
				await navigator.clipboard.writeText(box.querySelector("code").textContent);
				button.textContent = "Copied";
			} catch {
				button.textContent = "Not allowed";
			}
			setTimeout(() => { button.textContent = "Copy"; }, 1500);
		});
		box.classList.add("copies");
		box.append(button);
	}
}

// Pages that show work in progress are read again; not while somebody fills in a form or selects.
function keepFresh() {
	const main = document.querySelector("main[data-refresh]");
	if (!main) return;
	const busy = () => document.hidden || main.querySelector("form :focus, form [data-touched]") || String(getSelection());
	main.addEventListener("input", (event) => event.target.setAttribute("data-touched", ""));
	const again = async () => {
		try {
			if (!busy()) {
				const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
				if (answer.redirected) {
					location.reload();
					return;
				}
				const page = new DOMParser().parseFromString(await answer.text(), "text/html");
				const fresh = page.querySelector("main");
				if (fresh && fresh.dataset.space !== main.dataset.space) {
					location.reload(); // another space was chosen in another tab: the head has to say so
					return;
				}
				if (answer.ok && fresh && !busy()) {
					replaceKeepingFocus(main, fresh);
					main.dataset.refresh = fresh.dataset.refresh || main.dataset.refresh;
				}
				lostContact(false);
			}
		} catch {
			lostContact(true);
		}
		setTimeout(again, main.dataset.refresh * 1000);
	};
	setTimeout(again, main.dataset.refresh * 1000);
}

function replaceKeepingFocus(main, fresh) {
	if (main.lastHTML === fresh.innerHTML) return;
	main.lastHTML = fresh.innerHTML;
	const href = main.contains(document.activeElement) && document.activeElement.getAttribute("href");
	const scrolled = [...main.querySelectorAll(".scroll")].map((s) => s.scrollLeft);
	main.replaceChildren(...fresh.childNodes);
	main.querySelectorAll(".scroll").forEach((s, i) => { s.scrollLeft = scrolled[i] || 0; });
	if (href) main.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
	addCopyButtons(main);
}

// A task: its log, its tree, and which part of it is shown.
class Task {
	constructor(root) {
		this.root = root;
		this.lines = root.querySelector("[data-lines]");
		this.state = root.querySelector("[data-state-part]");
		this.toggle = root.querySelector("[data-follow-toggle] input");
		this.node = new URLSearchParams(location.search).get("node") || "";
		this.filteredByServer = this.node;
		this.skew = Date.now() - Date.parse(root.dataset.now);
		root.addEventListener("click", (event) => this.pick(event));
		this.nameNodes();
		this.mark();
		if (root.dataset.follow) this.follow();
	}

	nameNodes() {
		this.names = new Map();
		for (const link of this.state.querySelectorAll("[data-node]")) this.names.set(link.dataset.node, link.dataset.name);
	}

	// pick shows the lines of one step or machine; a second click shows all again.
	pick(event) {
		const link = event.target.closest("a[data-node]");
		if (!link || event.metaKey || event.ctrlKey || this.filteredByServer) return;
		event.preventDefault();
		this.node = this.node === link.dataset.node ? "" : link.dataset.node;
		for (const line of this.lines.children) line.hidden = !this.fits(line.dataset.node);
		this.mark();
	}

	fits(place) {
		return !this.node || place === this.node || place.startsWith(this.node + "/");
	}

	mark() {
		for (const link of this.state.querySelectorAll("a[data-node]")) {
			if (link.dataset.node === this.node) link.setAttribute("aria-current", "true");
			else link.removeAttribute("aria-current");
		}
	}

	follow() {
		const label = this.root.querySelector("[data-follow-toggle]");
		label.hidden = false;
		if (matchMedia("(max-width: 1060px)").matches) this.toggle.checked = false; // the tree lies above the log
		this.root.querySelector("[data-log-more]")?.remove();
		let last = scrollY;
		addEventListener("scroll", () => {
			if (scrollY < last - 4) this.toggle.checked = false;
			else if (this.atEnd()) this.toggle.checked = true;
			last = scrollY;
		}, { passive: true });
		this.toggle.addEventListener("change", () => this.toEnd());
		const events = new EventSource(`${this.root.dataset.follow}?offset=${this.root.dataset.offset}`);
		events.addEventListener("open", () => lostContact(false));
		events.addEventListener("error", () => lostContact(true));
		events.addEventListener("lines", (event) => this.append(JSON.parse(event.data)));
		events.addEventListener("state", (event) => this.show(event.data));
		events.addEventListener("done", () => {
			events.close();
			label.hidden = true;
			lostContact(false);
			this.root.querySelector("[data-cancel]")?.remove();
		});
		events.addEventListener("gone", () => { events.close(); location.reload(); });
		addEventListener("pagehide", () => events.close());
		setInterval(() => this.count(), 1000);
		this.toEnd();
	}

	// show puts the state in place: HTML that this server has rendered. What it does not ask any more is answered; what
	// it asks now is shown beside the questions that are there, in which somebody may be typing.
	show(html) {
		const page = new DOMParser().parseFromString(html, "text/html");
		const questions = page.querySelector("template[data-questions]");
		questions?.remove();
		this.state.replaceChildren(...page.body.childNodes);
		for (const panel of questions ? questions.content.querySelectorAll("[data-question]") : []) {
			if (this.root.querySelector(`[data-question="${CSS.escape(panel.dataset.question)}"]`)) continue;
			this.state.before(document.importNode(panel, true));
			this.toggle.checked = false; // the end of the log would hide it
		}
		const asked = [...this.state.querySelectorAll("[data-asks]")].map((mark) => mark.dataset.asks);
		for (const panel of this.root.querySelectorAll("[data-question]")) {
			if (!asked.includes(panel.dataset.question)) panel.remove();
		}
		this.nameNodes();
		this.mark();
		this.count();
		if (this.state.querySelector(".notice.warn [href$='#stop']")) this.root.querySelector("[data-cancel]")?.remove();
	}

	append(lines) {
		this.root.querySelector("[data-log-empty]")?.remove();
		const made = document.createDocumentFragment();
		for (const line of lines) made.append(this.line(line));
		this.lines.append(made);
		while (this.lines.children.length > maxLines) this.lines.firstChild.remove();
		this.toEnd();
	}

	line(line) {
		const item = document.createElement("li");
		item.className = line.category + (line.more ? " more" : "");
		item.dataset.node = line.node;
		item.hidden = !this.fits(line.node);
		const clock = document.createElement("time");
		clock.textContent = line.clock;
		clock.title = line.full;
		item.append(clock);
		for (const [name, text] of [["line-who", this.names.get(line.node)], ["line-word", line.word], ["line-text", line.text]]) {
			const part = document.createElement("span");
			part.className = name;
			part.textContent = text || "";
			item.append(part);
		}
		return item;
	}

	atEnd() {
		return scrollY + innerHeight >= document.documentElement.scrollHeight - 40;
	}

	toEnd() {
		if (this.toggle.checked) scrollTo({ top: document.documentElement.scrollHeight });
	}

	// count lets the running time run.
	count() {
		const span = this.state.querySelector("[data-since]");
		if (!span) return;
		const seconds = Math.max(0, Math.floor((Date.now() - this.skew - Date.parse(span.dataset.since)) / 1000));
		const two = (n) => String(n).padStart(2, "0");
		if (seconds < 60) span.textContent = `${seconds} s`;
		else if (seconds < 3600) span.textContent = `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
		else span.textContent = `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
	}
}

// Octopus's clients print addresses such as /app#/Spaces-1/releases/Releases-21. pageOf is the page here, or "".
function pageOf(hash) {
	const [, space, ...way] = hash.replace(/\?.*/, "").split("/");
	if (!/^#/.test(hash) || !/^Spaces-\d+$/.test(space || "")) return "";
	const kept = (...parts) => "/" + ["app", ...parts].filter(Boolean).join("/") + "?space=" + space;
	const [a, b, c, d, e, f, g] = way;
	if (a === "infrastructure" && b === "machines") return kept("machines", c);
	if (a === "projects" && c === "deployments" && d === "releases" && e && f === "deployments" && g) return kept("deployments", g);
	if (a === "projects" && c === "deployments" && d === "releases" && e) return kept("projects", b, "releases", e);
	if (a === "library" && (b === "packages" || b === "builtinrepository")) return kept("packages");
	if (["projects", "releases", "deployments", "tasks", "machines"].includes(a) && (b || !/^[rd]/.test(a))) return kept(a, b);
	return "";
}

const page = pageOf(location.hash);
if (page && location.pathname === "/app") location.replace(page);
if (page && location.pathname === "/app/sign-in") {
	for (const to of document.querySelectorAll("input[name=to]")) to.value = page;
}

addCopyButtons(document);
keepFresh();
const task = document.querySelector(".task");
if (task) new Task(task);
