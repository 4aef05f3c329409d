// The page at /_dev/. Whatever comes from clients or the app is set as text,
// never as HTML.

const $ = (id) => document.getElementById(id);
const mostRows = 500; // of a list

/** el makes an element with a class and children, of which strings are text. */
function el(name, className, ...children) {
	const e = document.createElement(name);
	if (className) e.className = className;
	e.append(...children.filter((c) => c !== undefined && c !== ""));
	return e;
}

const clock = (at) => new Date(at).toTimeString().slice(0, 8) + "." + String(Math.floor(at) % 1000).padStart(3, "0");
const ms = (n) => (n < 10 ? n.toFixed(2) : n < 1000 ? n.toFixed(0) : (n / 1000).toFixed(1) + " s").replace(/^[\d.]+$/, "$& ms");
const size = (n) => (n < 1000 ? n + " B" : n < 1e6 ? (n / 1000).toFixed(1) + " kB" : (n / 1e6).toFixed(1) + " MB");
const count = (tab, n) => ($("tab-" + tab).querySelector("b").textContent = n);

// Tabs, as https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ has them.
const tabs = [...document.querySelectorAll("[role=tab]")];
function choose(tab) {
	for (const t of tabs) {
		t.setAttribute("aria-selected", t === tab);
		t.tabIndex = t === tab ? 0 : -1;
		$(t.getAttribute("aria-controls")).hidden = t !== tab;
	}
	history.replaceState(null, "", "#" + tab.getAttribute("aria-controls"));
}
for (const [i, tab] of tabs.entries()) {
	tab.addEventListener("click", () => choose(tab));
	tab.addEventListener("keydown", (e) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
		const next = step ? tabs[(i + step + tabs.length) % tabs.length] : { Home: tabs[0], End: tabs.at(-1) }[e.key];
		if (!next) return;
		e.preventDefault();
		choose(next);
		next.focus();
	});
}
const named = () => choose(tabs.find((t) => "#" + t.getAttribute("aria-controls") === location.hash) ?? tabs[0]);
addEventListener("hashchange", named);
named();

/** A List shows the newest rows first, as far as they pass the filter. */
class List {
	constructor(list, search, tab, test = () => true) {
		Object.assign(this, { list, search, tab, test, rows: [], held: [], holding: false });
		search.addEventListener("input", () => this.sift());
	}
	add(data, row, text) {
		const entry = { data, row, text: text.toLowerCase() };
		if (this.holding) {
			this.held.push(entry);
			if (this.held.length > mostRows) this.held.shift();
			return;
		}
		this.rows.push(entry);
		row.hidden = !this.passes(entry);
		row.classList.add("fresh");
		this.list.prepend(row);
		if (this.rows.length > mostRows) this.rows.shift().row.remove();
		if (this.tab) count(this.tab, this.rows.length);
	}
	passes({ data, text }) {
		return !data || (text.includes(this.search.value.toLowerCase()) && this.test(data));
	}
	sift() {
		for (const entry of this.rows) entry.row.hidden = !this.passes(entry);
	}
	hold(holding) {
		this.holding = holding;
		if (holding) return;
		for (const { data, row, text } of this.held.splice(0)) this.add(data, row, text);
	}
	clear() {
		this.rows = [];
		this.held = [];
		this.list.replaceChildren();
		if (this.tab) count(this.tab, 0);
	}
	divide() {
		if (this.rows.length) this.add(undefined, el("li", "break", "the app started again"), "");
	}
}

let chosen = ""; // the key of a socket, "" for everybody
const events = new List($("events"), $("find-events"), "", (e) => !chosen || e.keys.includes(chosen) || e.count > e.keys.length);
const requests = new List($("asked"), $("find-requests"), "requests");
const lines = new List($("lines"), $("find-log"), "log", (l) => !$("level").value || l.level === $("level").value);
$("level").addEventListener("input", () => lines.sift());
const lists = { events, requests, log: lines };
for (const b of document.querySelectorAll("[data-clear]")) b.addEventListener("click", () => lists[b.dataset.clear].clear());
$("hold").addEventListener("click", () => {
	events.hold(!events.holding);
	$("hold").setAttribute("aria-pressed", events.holding);
	$("hold").textContent = events.holding ? "Resume" : "Pause";
});

/** details is a row that opens; its inside is made when it does. */
function details(summary, inside) {
	const d = el("details", "", summary);
	d.addEventListener("toggle", () => d.open && d.childElementCount === 1 && d.append(inside()), { once: true });
	return el("li", "", d);
}

function pretty(text) {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}

// Sockets.

const servers = new Map(); // by the URL of their tools: {source, census, id, last}
const keyOf = (tools, namespace, id) => `${tools} ${namespace} ${id}`;
const labels = {
	in: ["from client", "in"], out: ["to client", "out"], "ack in": ["ack from", "in"], "ack out": ["ack to", "out"],
	connection: ["connected", "in"], disconnect: ["gone", "bad"],
};

function showEvent(tools, e) {
	e.keys = e.sockets.map((id) => keyOf(tools, e.namespace, id));
	const [label, tone] = labels[e.kind] ?? [e.kind, ""];
	const who = e.count === 1 ? e.sockets[0].slice(0, 6) : `${e.count} sockets`;
	const args = e.args === undefined ? "" : e.args.slice(1, -1);
	const more = [e.took && "after " + ms(e.took), e.size && size(e.size), (e.kind === "in" || e.kind === "out") && e.ack >= 0 && "wants ack", e.namespace !== "/" && e.namespace, who].filter(Boolean);
	const summary = el("summary", "row", el("time", "", clock(e.at)), el("span", "tag " + tone, label), el("span", "name", e.event ?? ""),
		el("span", "text", args), el("span", "more", more.join(" · ")));
	const text = [e.kind, e.event, e.args, e.namespace, ...e.sockets].join(" ");
	events.add(e, details(summary, () => el("pre", "", [
		e.args === undefined ? "" : pretty(e.args) + (e.size ? `\n… ${size(e.size)} in all` : ""),
		e.ack >= 0 ? `acknowledgement ${e.ack}` : "",
		`namespace ${e.namespace}, ${e.sockets.join(", ")}${e.count > e.sockets.length ? ` and ${e.count - e.sockets.length} more` : ""}`,
	].filter(Boolean).join("\n"))), text);
}

const everybody = () => [...servers].flatMap(([tools, s]) => (s.census?.sockets ?? []).map((socket) => ({ ...socket, tools, key: keyOf(tools, socket.namespace, socket.id) })));
const browser = (agent) => /(Edg|OPR|Firefox|Chrome|Safari)\/[\d]+/.exec(agent)?.[0].replace("/", " ").replace("Edg ", "Edge ").replace("OPR", "Opera") ?? agent.slice(0, 40);

function person(key, name, about, title) {
	const b = el("button", key ? "" : "all", el("span", "id", el("span", "", name)), el("span", "about", about));
	b.type = "button";
	b.title = title;
	b.dataset.key = key;
	b.setAttribute("aria-pressed", key === chosen);
	return el("li", "", b);
}

function showPeople() {
	const all = everybody();
	const clients = [...servers.values()].reduce((n, s) => n + (s.census?.clients ?? 0), 0);
	const sockets = [...servers.values()].flatMap((s) => Object.values(s.census?.namespaces ?? {})).reduce((n, m) => n + m, 0);
	count("sockets", sockets);
	if (chosen && !all.some((s) => s.key === chosen)) chosen = "";
	const focused = document.activeElement?.closest?.("#people button")?.dataset.key;
	$("people").replaceChildren(
		person("", "Everybody", `${sockets} socket${sockets === 1 ? "" : "s"} of ${clients} client${clients === 1 ? "" : "s"}${sockets > all.length ? `, the last ${all.length} are listed` : ""}`, "Show what all of them do"),
		...all.map((s) => person(s.key, s.id, [s.transport, s.namespace !== "/" && s.namespace, browser(s.agent), s.latency && ms(s.latency)].filter(Boolean).join(" · "), s.id)),
	);
	if (focused !== undefined) [...$("people").querySelectorAll("button")].find((b) => b.dataset.key === focused)?.focus();
	$("rooms").replaceChildren(...[...new Set(all.flatMap((s) => [s.namespace, ...s.rooms]))].slice(0, 200).map((room) => {
		const o = el("option");
		o.value = room;
		return o;
	}));
	showFacts(all.find((s) => s.key === chosen));
}

function showFacts(s) {
	$("facts").hidden = !s;
	$("to").textContent = s ? `to ${s.id}` : "to everybody, or a room";
	document.querySelector("form .namespace").hidden = Boolean(s);
	$("send").ack.disabled = !s;
	if (!s) return;
	const fact = (name, ...value) => el("div", "", el("dt", "", name), el("dd", "", ...value));
	const agent = fact("Browser", s.agent || "unknown");
	const rooms = fact("Rooms", ...(s.rooms.length ? s.rooms.map((r) => el("span", "", r)) : ["none"]), s.more ? ` and ${s.more} more` : "");
	agent.className = rooms.className = "long";
	$("facts").replaceChildren(fact("Socket", s.id), fact("Namespace", s.namespace), fact("Transport", s.transport), fact("Address", s.address),
		fact("Here since", clock(s.since).slice(0, 8) + (s.recovered ? ", recovered" : "")), fact("Latency", s.latency ? ms(s.latency) : "with the first heartbeat"),
		fact("Waiting to be sent", size(s.buffered ?? 0)), rooms, agent);
}

$("people").addEventListener("click", (e) => {
	const b = e.target.closest("button");
	if (!b) return;
	chosen = b.dataset.key;
	showPeople();
	events.sift();
});

async function post(url, body) {
	const res = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
	const text = await res.text();
	return { ok: res.ok, text };
}

function say(where, text, wrong) {
	where.textContent = text;
	where.classList.toggle("wrong", Boolean(wrong));
}

$("send").addEventListener("submit", async (e) => {
	e.preventDefault();
	const form = $("send");
	let args;
	try {
		args = JSON.parse(`[${form.args.value}]`);
	} catch (err) {
		say($("sent"), `The arguments are no JSON: ${err.message}. Text stands in double quotes, a comma between two arguments.`, true);
		return;
	}
	const socket = everybody().find((s) => s.key === chosen);
	const room = form.room.value.trim();
	const tools = socket?.tools ?? [...servers.keys()][0];
	if (!tools) {
		say($("sent"), "There is no Socket.IO server in this app.", true);
		return;
	}
	const namespaces = servers.get(tools).census?.namespaces ?? {};
	const event = socket
		? { namespace: socket.namespace, to: socket.id, event: form.event.value, args, ack: form.ack.checked }
		: { namespace: room in namespaces ? room : "/", to: room in namespaces ? "" : room, event: form.event.value, args };
	say($("sent"), event.ack ? "Waiting for the answer" : "Sending");
	try {
		const { text } = await post(tools + "/emit", event);
		let result;
		try {
			result = JSON.parse(text);
		} catch {
			result = { error: text };
		}
		if (result.error) say($("sent"), result.error, true);
		else if (event.ack) say($("sent"), `Answered after ${ms(result.took ?? 0)}: ${result.answer}`);
		else say($("sent"), `Sent to ${result.reached ?? 0} socket${result.reached === 1 ? "" : "s"}`);
	} catch (err) {
		say($("sent"), `Not sent: ${err.message}`, true);
	}
});

// Requests, routes, log.

function showRequest(r) {
	const bad = r.status >= 400;
	const summary = el("summary", "row", el("time", "", clock(r.at)), el("span", "tag short " + (bad ? "bad" : r.status < 300 ? "in" : "out"), String(r.status)),
		el("span", "name", r.method), el("span", "text main", r.url), el("span", "more", [ms(r.took), size(r.bytes), r.route].filter(Boolean).join(" · ")));
	requests.add(r, details(summary, () => el("pre", "", [`${r.method} ${r.url}`, r.route && `route ${r.route}`, `from ${r.from}`, r.error && `error ${r.error}`].filter(Boolean).join("\n"))),
		[r.status, r.method, r.url, r.route, r.error].join(" "));
}

let routes = [];
function showRoutes() {
	const search = $("find-routes").value.toLowerCase();
	const shown = routes.filter((r) => `${r.method} ${r.pattern} ${r.handler} ${r.file}`.toLowerCase().includes(search));
	$("answers").replaceChildren(...shown.map((r) => {
		const where = el("span", "where");
		if (r.file && !/^(\/|[A-Za-z]:)/.test(r.file)) {
			const b = el("button", "open", `${r.file}:${r.line}`);
			b.type = "button";
			b.title = "Open in the editor";
			b.addEventListener("click", () => open(r.file, r.line));
			where.append(b);
		} else if (r.file) where.append(r.file.split(/[\\/]/).slice(-2).join("/") + ":" + r.line);
		return el("li", "", el("div", "row", el("span", "tag", r.kind === "mount" ? "MOUNT" : r.method || "ALL"), el("span", "pattern", r.pattern), el("span", "handler", r.handler), where));
	}));
	count("routes", routes.length);
}
$("find-routes").addEventListener("input", showRoutes);

async function open(file, line) {
	try {
		const { ok, text } = await post("/_dev/open", { file, line });
		say($("opened"), ok ? `Opened ${file}:${line}` : text, !ok);
	} catch (err) {
		say($("opened"), `Not opened: ${err.message}`, true);
	}
}

function showLine(l) {
	const row = el("li", l.level ?? "", el("div", "row", el("time", "", clock(l.at)), el("span", "tag short " + ({ ERROR: "bad", WARN: "bad", INFO: "in" }[l.level] ?? ""), l.level ?? (l.stderr ? "stderr" : "stdout")),
		l.node ? el("span", "node", `node ${l.node}`) : "",
		el("span", "text", l.text)));
	lines.add(l, row, l.text);
}

// The log in the console is reload.js's work, on the pages of the app.
$("mirror").checked = localStorage.getItem("devserver:log") === "on";
$("mirror").addEventListener("change", () => localStorage.setItem("devserver:log", $("mirror").checked ? "on" : "off"));

// Streams.

/** A Stream goes on asking until it is stopped, also while the app is replaced. */
class Stream {
	constructor(url, handlers, state = () => {}) {
		Object.assign(this, { url, handlers, state, delay: 50 });
		this.connect();
	}
	connect() {
		if (this.source || document.hidden) return;
		this.source = new EventSource(typeof this.url === "function" ? this.url() : this.url);
		for (const [name, handle] of Object.entries(this.handlers)) {
			this.source.addEventListener(name, (e) => handle(JSON.parse(e.data)));
		}
		this.source.onopen = () => {
			this.delay = 50;
			this.state(true);
		};
		this.source.onerror = () => {
			this.disconnect();
			this.state(false);
			this.timer = setTimeout(() => this.connect(), this.delay);
			this.delay = Math.min(this.delay * 2, 1000);
		};
	}
	disconnect() {
		clearTimeout(this.timer);
		this.source?.close();
		this.source = undefined;
	}
}

const streams = new Set();
function listen(...args) {
	const s = new Stream(...args);
	streams.add(s);
	return s;
}
const everyStream = (f) => streams.forEach(f);
document.addEventListener("visibilitychange", () => everyStream((s) => (document.hidden ? s.disconnect() : s.connect())));
addEventListener("pagehide", () => everyStream((s) => s.disconnect()));
addEventListener("pageshow", () => everyStream((s) => s.connect()));

let status = { app: false, devserver: false };
function showState(change) {
	status = { ...status, ...change };
	const [state, text] = status.app ? ["up", "Running"] : status.devserver ? ["down", "The app is not running"] : ["waiting", "devserver does not answer"];
	if ($("state").dataset.state !== state || $("state").textContent !== text) {
		$("state").dataset.state = state;
		$("state").textContent = text;
	}
}

/** fresh tells what has not been shown yet of entries with the numbers of one process. */
function fresh(seen, id, entries, list) {
	if (seen.id !== id) {
		if (seen.id) list.divide();
		Object.assign(seen, { id, last: 0 });
	}
	const unseen = entries.filter((e) => e.seq > seen.last);
	if (unseen.length) {
		const missed = unseen[0].seq - seen.last - 1;
		if (missed > 0 && seen.last > 0) list.add(undefined, el("li", "break", `${missed} more happened in between`), "");
		seen.last = unseen.at(-1).seq;
	}
	return unseen;
}

function follow(mounts) {
	for (const [tools, server] of servers) {
		if (mounts.some((m) => m.tools === tools)) continue;
		server.stream.disconnect();
		streams.delete(server.stream);
		servers.delete(tools);
	}
	for (const { tools } of mounts.slice(0, 3)) { // a browser opens six connections to a host
		if (servers.has(tools)) continue;
		const server = { seen: {} };
		servers.set(tools, server);
		server.stream = listen(tools + "/events", {
			sockets(census) {
				server.census = census;
				showPeople();
			},
			events(list) {
				for (const e of fresh(server.seen, server.census.id, list, events)) showEvent(tools, e);
			},
		}, (up) => {
			if (up) return;
			server.census = undefined;
			showPeople();
		});
	}
	showPeople();
}

// Of several nodes one is shown; it is asked through whichever gets the request.
const nodes = Number(document.body.dataset.nodes);
const node = Math.min(Math.max(Number(new URLSearchParams(location.search).get("node")) || 1, 1), nodes);
const place = nodes ? `/_dev/node/${node}/app/` : "/_dev/app/";
$("nodes").hidden = !nodes;
for (let n = 1; n <= nodes; n++) {
	const link = el("a", "", `Node ${n}`);
	link.href = `?node=${n}`;
	if (n === node) link.setAttribute("aria-current", "true");
	link.addEventListener("click", () => (link.href = `?node=${n}${location.hash}`));
	$("nodes").append(link);
}

let app;
const seen = {};
listen(place + "events", {
	app(data) {
		app = data;
		routes = data.routes;
		showRoutes();
		follow(data.mounts.map((m) => ({ ...m, tools: m.tools.replace("/_dev/app/", place) })));
	},
	requests(list) {
		for (const r of fresh(seen, app.id, list, requests)) showRequest(r);
	},
}, (up) => showState({ app: up }));

let lastLine = 0;
listen(() => "/_dev/logs?after=" + lastLine, {
	logs(list) {
		for (const l of list) {
			if (l.seq <= lastLine - mostRows) lines.clear(); // another run of devserver
			showLine(l);
			lastLine = l.seq;
		}
	},
}, (up) => showState({ devserver: up }));
