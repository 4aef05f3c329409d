/** The timer functions of one connection. */
export interface Timers {
  set(fn: () => void, ms: number): number;
  clear(timer: number | undefined): void;
}

const native: Timers = {
  set: globalThis.setTimeout.bind(globalThis),
  clear: globalThis.clearTimeout.bind(globalThis),
};

const current: Timers = {
  set: (fn, ms) => globalThis.setTimeout(fn, ms),
  clear: (timer) => globalThis.clearTimeout(timer),
};

/**
 * The timers to use: those that are installed when they are called, or, for
 * pages that replace setTimeout, those that were there when the client loaded.
 */
export function timersFor(options: { useNativeTimers?: boolean }): Timers {
  return options.useNativeTimers ? native : current;
}
