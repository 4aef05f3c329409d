// Package dev runs an app while it is being written: it builds, hands over
// the listening socket, watches, restarts, reloads the page, and explains
// every mistake in the browser. It knows no web framework, only a contract of
// environment variables that any server can honour.
//
// Start with [Run], which does all of this until its context ends, and
// [Config], whose zero value (but for the listener) works. [Serve] builds and
// runs once, the way production does.
//
// # The contract with the app
//
// The public listener belongs to this package for the whole session. Each
// build of the app inherits it as file descriptor 3 (LISTEN_FDS=1, systemd's
// socket activation without LISTEN_PID), so connections wait in the kernel's
// queue while one build replaces another and none is refused. PORT carries
// its port. ZOCALO_DEV carries host:port of a control server on loopback: an
// app that proxies /_dev/ to it gets [Run]'s reload script and its events on
// its own origin. Every process has a control server of its own, which is how
// a stream through a process that is being replaced is told from one through
// its successor. While no process can serve, Run accepts on the public
// listener itself and answers each request with the error page.
//
// ZOCALO_SUCCESSOR and ZOCALO_PREDECESSOR name the file descriptors of two pipes.
// What a process writes to the first until it ends, the next one can read from the
// second, and then an end of file: so the clients of an app can go on where they
// were. Both are bytes that Run does not look at. What was for a process that
// ended before it answered a request is for the next one.
//
// Where a listener cannot be inherited (Windows) the old process is stopped
// first, the listener closed, and the new one told to listen by ZOCALO_LISTEN,
// host:port, which is as near or public as the listener was, or by PORT: requests
// in between are refused.
//
// With several nodes the public listener stays with this package, too: a front
// accepts, and hands each connection to the next node, whose process has inherited
// a listener of the node's own. Nodes are built once and replaced together; of each
// the rules above hold. Pages learn of the new build when all nodes run it.
//
// # Events
//
// /_dev/events is a stream of server-sent events:
//
//	hello   the state's id; a page loaded under another id reloads itself
//	reload  a script or another file of the page changed
//	view    a view changed; the data is the state's id; the page is changed in place, or reloaded
//	css     a style sheet changed: {"id": …, "file": …}; swapped in place
//	image   the same of a picture
//	error   something is broken; the data is the problem's id, /_dev/error shows it
//	ok      what was broken is mended
//
// # What the app does
//
// /_dev/ is a page that shows it, live: its script asks /_dev/logs, which has what
// the app printed, and everything else below /_dev/app/, which the app answers
// itself, after it has asked /_dev/allowed whether it may; below /_dev/node/N/app/
// one of several nodes answers the same. /_dev/open opens the editor. As everything below /_dev/ they refuse foreign names and origins.
//
// # Goroutines
//
//	Run          the caller's; owns all state of the session, starts all others
//	builder      one per build; runs go build; ends with it or is cancelled by the next
//	watcher      one; turns file system events into debounced changes
//	waiter       one per process; waits for it, and kills what is left of its group
//	stopper      one per process being stopped; SIGTERM, grace period, SIGKILL
//	probe        one per process; asks until the process answers or ends
//	control      one http.Server per process; closed when the process is replaced
//	fallback     one http.Server per node; accepts only while no process of it can serve
//	front        one, with several nodes, and three per connection
//
// All of them end before Run returns.
package dev
