// Keeps a page in step with the source: devserver serves it, in development only.
(() => {
	let id = LOADED; // the state under which this page was loaded
	let stream, overlay;
	let delay = 50; // milliseconds until the next attempt to connect
	const problem = document.documentElement.dataset.devserverProblem; // set on the error page

	if (problem && window.parent !== window) {
		const dismiss = () => window.parent.postMessage("devserver:dismiss", location.origin);
		addEventListener("keydown", (e) => e.key === "Escape" && dismiss());
		const button = document.querySelector("[data-dismiss]");
		button.style.display = "block";
		button.addEventListener("click", dismiss);
		return; // the page around this frame listens to the events
	}

	const handlers = {
		hello(data) {
			delay = 50;
			if (data !== id) location.reload();
		},
		reload() {
			location.reload();
		},
		css(data) {
			const change = JSON.parse(data);
			id = change.id;
			restyle(change.file.split("/").pop());
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
