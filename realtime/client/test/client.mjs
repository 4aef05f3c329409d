// What the tests of the client share.
import { io, Manager } from "../dist/socket.io.esm.js";

/** A socket with a connection of its own, which the test's end closes. */
export function connect(t, url, options = {}) {
  const socket = io(url, { forceNew: true, ...options });
  t.after(() => closeManager(socket.io));
  return socket;
}

/** A manager that the test's end closes. */
export function manage(t, url, options = {}) {
  const manager = new Manager(url, options);
  t.after(() => closeManager(manager));
  return manager;
}

export function closeManager(manager) {
  manager.reconnection(false);
  manager._close();
}

/** The arguments of the next event of that name. */
export function next(emitter, event) {
  return new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
}

/** Collects the errors that the process would have reported as uncaught. */
export function uncaught(t) {
  const others = process.listeners("uncaughtException");
  const errors = [];
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => errors.push(error));
  t.after(() => {
    process.removeAllListeners("uncaughtException");
    others.forEach((listener) => process.on("uncaughtException", listener));
  });
  return errors;
}

/** Replaces setTimeout: the functions of timers of that delay are collected, for the test to call. */
export function capture(t, delay) {
  const functions = [];
  const real = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (fn, ms, ...args) => {
    if (ms === delay) {
      functions.push(fn);
      return undefined;
    }
    return real(fn, ms, ...args);
  });
  return functions;
}

/**
 * Replaces setTimeout: timers of at least `from` milliseconds fire at once, and
 * their delays are recorded.
 */
export function hurry(t, from) {
  const delays = [];
  const real = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (fn, ms, ...args) => {
    if (ms >= from) {
      delays.push(ms);
      ms = 0;
    }
    return real(fn, ms, ...args);
  });
  return delays;
}
