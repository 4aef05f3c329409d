// Keeps a page in step with the source: devserver serves it, in development only.
(() => {
	let id = LOADED; // the state under which this page was loaded
	let stream, overlay;
	let delay = 10; // milliseconds until the next attempt to connect
	const problem = document.documentElement.dataset.devserverProblem; // set on the error page

	// The places on the error pages open the editor.
	document.addEventListener("click", async (e) => {
		const button = e.target.closest?.("button[data-devserver-open]");
		if (!button) return;
		const [, file, line, column] = /^(.*?)(?::(\d+))?(?::(\d+))?$/.exec(button.dataset.devserverOpen);
		let text = "";
		try {
			const res = await fetch("/_dev/open", {
				method: "POST",
				headers: { "Content-Type": "application/json" },
				body: JSON.stringify({ file, line: Number(line ?? 0), column: Number(column ?? 0) }),
			});
			if (!res.ok) text = await res.text();
		} catch {
			text = "devserver does not answer";
		}
		let note = button.nextElementSibling;
		if (!note?.matches("[data-devserver-note]")) {
			note = document.createElement("span");
			note.dataset.devserverNote = "";
			note.setAttribute("role", "status");
			button.after(note);
		}
		note.textContent = text && " " + text;
	});

	if (problem && window.parent !== window) {
		const dismiss = () => window.parent.postMessage("devserver:dismiss", location.origin);
		addEventListener("keydown", (e) => e.key === "Escape" && dismiss());
		const button = document.querySelector("[data-dismiss]");
		button.style.display = "block";
		button.addEventListener("click", dismiss);
		return; // the page around this frame listens to the events
	}

	// A change that came after the page and before this script is one that the
	// page has missed. AGE is how long before this script, in milliseconds.
	const loaded = performance.getEntriesByType("navigation")[0];
	const loading = performance.getEntriesByName(document.currentScript?.src ?? "").at(-1);
	if (loaded && loading && AGE < loading.responseStart - loaded.responseStart) {
		again();
		return;
	}

	// again loads the page again, past the cache: a server that compares times
	// by the second would say that what was saved twice in one has not changed.
	function again() {
		fetch(location.href, { cache: "reload" }).finally(() => location.reload());
	}

	const handlers = {
		hello(data) {
			delay = 10;
			if (data !== id) again();
		},
		reload() {
			again();
		},
		css(data) {
			const change = JSON.parse(data);
			id = change.id;
			restyle(change.file.split("/").pop());
		},
		image(data) {
			const change = JSON.parse(data);
			id = change.id;
			repaint(change.file.split("/").pop());
		},
		view(data) {
			id = data;
			rendering = rendering.then(rerender);
		},
		error(data) {
			if (problem) {
				if (problem !== data) location.reload();
				return;
			}
			show(`/_dev/error?${encodeURIComponent(data)}`);
		},
		ok() {
			hide();
		},
	};

	function connect() {
		if (stream || document.hidden) return;
		stream = new EventSource("/_dev/events");
		for (const [name, handle] of Object.entries(handlers)) {
			stream.addEventListener(name, (e) => "data" in e && handle(e.data));
		}
		// A server that is being replaced answers with an error, on which an
		// EventSource would give up for good.
		stream.onerror = (e) => {
			if ("data" in e) return; // our own event of that name
			disconnect();
			setTimeout(connect, delay);
			delay = Math.min(delay * 2, 1000);
		};
	}

	function disconnect() {
		stream?.close();
		stream = undefined;
	}

	// A browser opens six connections to a host; hidden tabs must not hold them.
	document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
	addEventListener("pagehide", disconnect);
	addEventListener("pageshow", connect);
	addEventListener("message", (e) => {
		if (e.origin === location.origin && e.data === "devserver:dismiss") hide();
	});

	// restyle loads the style sheets of that name again, or all of them when it
	// is one that another sheet imports. The old sheet stays until the new one is there.
	function restyle(file) {
		const sheets = [...document.querySelectorAll('link[rel~="stylesheet"][href]')].filter(
			(link) => new URL(link.href).origin === location.origin && !link.dataset.devserverOld,
		);
		const named = sheets.filter((link) => new URL(link.href).pathname.split("/").pop() === file);
		for (const link of named.length ? named : sheets) {
			const fresh = link.cloneNode();
			const url = new URL(link.href);
			url.searchParams.set("v", id);
			fresh.href = url;
			link.dataset.devserverOld = "true";
			fresh.onload = fresh.onerror = () => link.remove();
			link.after(fresh);
		}
	}

	// repaint loads the pictures of that name again, wherever the page shows one.
	function repaint(file) {
		// fresh is the URL under which the picture is new, or the same if it is another.
		const fresh = (text, base) => {
			const url = new URL(text, base);
			if (url.origin !== location.origin || url.pathname.split("/").pop() !== file) return text;
			url.searchParams.set("v", id);
			return url.href;
		};
		for (const name of ["src", "href", "poster"]) {
			for (const e of document.querySelectorAll(`:is(img, input, source, video, image, use, link[rel~="icon"])[${name}]`)) {
				const [old, now] = [e.getAttribute(name), fresh(e.getAttribute(name), document.baseURI)];
				if (now !== old) e.setAttribute(name, now);
			}
		}
		for (const e of document.querySelectorAll("[srcset]")) {
			e.srcset = e.srcset.replace(/[^\s,]\S*[^\s,]/g, (part) => (/^[\d.]+[wx]$/.test(part) ? part : fresh(part, document.baseURI)));
		}
		const repaintStyle = (style, base) => {
			for (const name of style) {
				const old = style.getPropertyValue(name);
				if (!old.includes(file)) continue;
				const now = old.replace(/url\((["']?)([^"')]+)\1\)/g, (whole, quote, url) => {
					const other = fresh(url, base);
					return other === url ? whole : `url("${other}")`;
				});
				if (now !== old) style.setProperty(name, now, style.getPropertyPriority(name));
			}
		};
		const repaintRules = (sheet, rules) => {
			for (const rule of rules) {
				if (rule.style) repaintStyle(rule.style, sheet.href ?? document.baseURI);
				if (rule.styleSheet) repaintRules(rule.styleSheet, rule.styleSheet.cssRules);
				if (rule.cssRules) repaintRules(sheet, rule.cssRules);
			}
		};
		for (const sheet of document.styleSheets) {
			try {
				repaintRules(sheet, sheet.cssRules);
			} catch {
				// Of another origin, so it shows none of our pictures.
			}
		}
		for (const e of document.querySelectorAll("[style]")) repaintStyle(e.style, document.baseURI);
	}

	// source is the HTML that this page was made from, or undefined. The cache
	// has it and nobody is asked; but it may have another answer for this
	// address, so the length must be that of ours.
	const here = location.pathname + location.search;
	let source = (async () => {
		const res = await fetch(here, { cache: "only-if-cached", mode: "same-origin" });
		const bytes = await res.arrayBuffer();
		if (!res.ok || (loaded.responseStatus ?? 200) !== 200 || bytes.byteLength !== loaded.decodedBodySize) return;
		return new TextDecoder().decode(bytes);
	})().catch(() => {});
	let rendering = Promise.resolve();

	// rerender changes the page to what the server sends for it now, or else
	// loads it again.
	async function rerender() {
		try {
			const before = await source;
			if (before === undefined || location.pathname + location.search !== here) throw new Error("unknown source");
			const [{ morph }, res] = await Promise.all([
				import("/_dev/morph.js"),
				// Into the cache, too, for the next reload.
				fetch(here, { cache: "reload", headers: { Accept: "text/html" } }),
			]);
			if (!res.ok || res.redirected || !res.headers.get("Content-Type")?.startsWith("text/html")) throw new Error("another answer");
			const after = await res.text();
			morph(before, after);
			source = after;
			document.dispatchEvent(new CustomEvent("devserver:morph"));
		} catch {
			again();
		}
	}

	// The log of the server, in this console, when the page at /_dev/ or ?log asks
	// for it. What the server printed stays text: the first argument is ours.
	let log;
	const logging = () => {
		const asked = new URLSearchParams(location.search).get("log");
		if (asked !== null && asked !== "off") return true;
		try {
			return asked === null && localStorage.getItem("devserver:log") === "on";
		} catch {
			return false; // a page without storage
		}
	};
	function mirror() {
		log?.close();
		log = undefined;
		if (!logging() || document.hidden) return;
		let after = "now";
		try {
			after = sessionStorage.getItem("devserver:line") ?? after;
		} catch {}
		log = new EventSource(`/_dev/logs?after=${after}`);
		log.addEventListener("logs", (e) => {
			for (const { seq, level, text, node } of JSON.parse(e.data)) {
				const print = { DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" }[level] ?? "log";
				console[print](node ? `%cnode ${node}` : "%cserver", "color: #0b8a76; font-weight: bold", text);
				try {
					sessionStorage.setItem("devserver:line", seq);
				} catch {}
			}
		});
		log.onerror = () => {
			log?.close();
			log = undefined;
			setTimeout(mirror, 1000);
		};
	}
	addEventListener("storage", (e) => e.key === "devserver:log" && mirror());
	document.addEventListener("visibilitychange", mirror);
	addEventListener("pagehide", () => log?.close());
	addEventListener("pageshow", mirror);

	// show lays the error page over the document. In a frame neither page can
	// disturb the other's styles, and its text stays text.
	function show(url) {
		if (!overlay) {
			overlay = document.createElement("iframe");
			overlay.title = "devserver: an error to mend";
			Object.assign(overlay.style, {
				position: "fixed", inset: "0", width: "100%", height: "100%",
				border: "0", zIndex: "2147483647", colorScheme: "normal",
			});
			overlay.onload = () => overlay?.focus();
		}
		overlay.src = url;
		if (!overlay.isConnected) document.documentElement.append(overlay);
	}

	function hide() {
		overlay?.remove();
		overlay = undefined;
	}

	connect();
})();
