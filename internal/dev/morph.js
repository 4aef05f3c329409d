// Brings an open page from what the server sent for it to what the server sends
// now. Only what differs between those two is changed in the page, so whatever
// its scripts have made of the rest stays: text, attributes, listeners, what is
// typed, the focus, how far it is scrolled.

/**
 * Changes the document, or throws before it has changed anything, when only
 * loading the page again will do: scripts differ, or the page has nothing any
 * more of what has to change.
 * @param {string} before the HTML that the page was loaded from
 * @param {string} after the HTML to show
 */
export function morph(before, after) {
	const parser = new DOMParser();
	const edits = [];
	const old = parser.parseFromString(before, "text/html");
	const fresh = parser.parseFromString(after, "text/html");
	const plan = new Plan(edits);
	plan.compare(document.documentElement, old.documentElement, fresh.documentElement);
	if (plan.taken && plan.templates) throw new Error("scripts have made something of a template that has changed");
	for (const edit of edits) edit();
}

const mostPairs = 40_000; // of children that are compared with each other

/** blank tells a text of which nothing is seen. */
const blank = (node) => node.nodeType === Node.TEXT_NODE && !node.data.trim();

/** covers tells whether made, which scripts have made, shows all that node does; it may show more. */
function covers(made, node) {
	if (made.localName !== node.localName) return false;
	for (const { name, value } of node.attributes) {
		if (!made.hasAttribute(name)) return false;
		if (/^(id|href|src|data-.*)$/.test(name) && made.getAttribute(name) !== value) return false;
	}
	if (!node.children.length && !node.attributes.length) return made.textContent.trim() === node.textContent.trim();
	const rest = [...made.children];
	return [...node.children].every((child) => {
		while (rest.length) if (covers(rest.shift(), child)) return true;
		return false;
	});
}

/** A plan collects edits, and makes none: after it the page is as it was. */
class Plan {
	constructor(edits) {
		this.edits = edits;
		this.texts = new WeakMap(); // HTML of nodes; templates differ in nothing else
		this.taken = false; // something new was there already, made by scripts
		this.templates = false; // a template has changed
	}

	/** compare plans what has to happen to live, which was old and should be fresh. */
	compare(live, old, fresh) {
		if (this.html(old) === this.html(fresh)) return;
		if (old.nodeType !== Node.ELEMENT_NODE) {
			this.edits.push(() => (live.data = fresh.data));
			return;
		}
		if (old.localName === "script") throw new Error("a script has changed");
		if (old.localName === "noscript") return; // nobody sees it
		this.attributes(live, old, fresh);
		if (old.localName === "template") {
			this.templates = true;
			this.edits.push(() => (live.innerHTML = fresh.innerHTML));
			return;
		}
		this.children(live, [...old.childNodes], [...fresh.childNodes]);
	}

	attributes(live, old, fresh) {
		for (const { name, value } of fresh.attributes) {
			if (old.getAttribute(name) !== value) this.edits.push(() => live.setAttribute(name, value));
		}
		for (const { name } of old.attributes) {
			if (!fresh.hasAttribute(name)) this.edits.push(() => live.removeAttribute(name));
		}
	}

	children(live, old, fresh) {
		const place = this.align(old, [...live.childNodes]); // in the page, of each old node
		const own = new Set([...live.children].filter((node) => !place.includes(node))); // of scripts
		// taken is what scripts have made that shows a new node already: the person who
		// has come since is on the list, and in what the server sends now, too.
		const taken = (node) => {
			for (const made of node.nodeType === Node.ELEMENT_NODE ? own : []) {
				if (!covers(made, node)) continue;
				own.delete(made);
				this.taken = true;
				return made;
			}
		};
		const was = this.align(fresh, old);
		const kept = new Set(was);
		for (const [i, node] of old.entries()) {
			if (!kept.has(node) && place[i]) this.edits.push(() => place[i].remove());
		}
		let last = null; // what the next new node comes after
		for (const [i, node] of fresh.entries()) {
			const index = old.indexOf(was[i]);
			const here = index < 0 ? undefined : place[index];
			const made = here ? undefined : taken(node);
			if (here) {
				this.compare(here, was[i], node);
				last = here;
			} else if (made) {
				last = made;
			} else if (index < 0) {
				if (node.nodeType === Node.ELEMENT_NODE && (node.localName === "script" || node.querySelector("script"))) {
					throw new Error("a script is new");
				}
				const [after, added] = [last, document.importNode(node, true)];
				this.edits.push(() => (after ? after.after(added) : live.prepend(added)));
				last = added;
			} else if (this.html(was[i]) !== this.html(node) && !(blank(was[i]) && blank(node))) {
				throw new Error("what has to change is not in the page");
			}
		}
	}

	/** align finds for each of a its counterpart in b, in the same order, or undefined. */
	align(a, b) {
		const pairs = new Array(a.length);
		let start = 0;
		let [endA, endB] = [a.length, b.length];
		const equal = (x, y) => this.html(x) === this.html(y);
		while (start < endA && start < endB && equal(a[start], b[start])) pairs[start] = b[start++];
		while (endA > start && endB > start && equal(a[endA - 1], b[endB - 1])) pairs[--endA] = b[--endB];

		const [n, m] = [endA - start, endB - start];
		if (n * m > mostPairs) throw new Error("too much has changed");
		// best[i][j] is how well the nodes from i and j on can be paired.
		const best = Array.from({ length: n + 1 }, () => new Float64Array(m + 1));
		const likeness = Array.from({ length: n }, () => new Float64Array(m));
		for (let i = n - 1; i >= 0; i--) {
			for (let j = m - 1; j >= 0; j--) {
				likeness[i][j] = this.likeness(a[start + i], b[start + j]);
				const both = likeness[i][j] > 0 ? likeness[i][j] + best[i + 1][j + 1] : 0;
				best[i][j] = Math.max(both, best[i + 1][j], best[i][j + 1]);
			}
		}
		for (let i = 0, j = 0; i < n && j < m; ) {
			if (likeness[i][j] > 0 && best[i][j] === likeness[i][j] + best[i + 1][j + 1]) {
				pairs[start + i++] = b[start + j++];
			} else if (best[i][j] === best[i + 1][j]) i++;
			else j++;
		}
		return pairs;
	}

	/** likeness says how probably two nodes are the same at two times: 0 is never. */
	likeness(x, y) {
		if (x.nodeType !== y.nodeType) return 0;
		if (x.nodeType !== Node.ELEMENT_NODE) return x.data === y.data ? 1 : 0.5;
		if (x.localName !== y.localName || x.id !== y.id) return 0;
		if (x.id) return 10;
		if (this.html(x) === this.html(y)) return 6;
		const most = Math.max(x.attributes.length, y.attributes.length);
		const shared = [...x.attributes].filter(({ name, value }) => y.getAttribute(name) === value).length;
		return 1 + (most ? (3 * shared) / most : 3);
	}

	html(node) {
		if (node.nodeType !== Node.ELEMENT_NODE) return `${node.nodeType}${node.data}`;
		let text = this.texts.get(node);
		if (text === undefined) this.texts.set(node, (text = node.outerHTML));
		return text;
	}
}
