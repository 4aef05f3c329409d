import type { Flags } from "./socket";

interface Entry {
  data: unknown[];
  flags: Flags;
  tries: number;
  pending: boolean;
}

/**
 * The events of a socket with the retries option. They leave one at a time, in
 * order: the next one when the server has acknowledged the one before, or when
 * that one has used up its tries. The server must be ready to see one twice.
 */
export class RetryQueue {
  private readonly entries: Entry[] = [];

  constructor(
    private readonly retries: number,
    private readonly connected: () => boolean,
    private readonly post: (data: unknown[], flags: Flags) => void,
  ) {}

  get length(): number {
    return this.entries.length;
  }

  /** Adds an event; its last item may be the ack, called with an error or null first. */
  add(data: unknown[], flags: Flags): void {
    const ack = typeof data.at(-1) === "function" ? (data.pop() as (...args: unknown[]) => void) : undefined;
    const settle = (error: Error | null, ...answers: unknown[]) => {
      if (this.entries[0] !== entry) {
        return;
      }
      entry.pending = false;
      if (error === null || entry.tries > this.retries) {
        this.entries.shift();
        ack?.(error, ...answers);
      }
      this.drain();
    };
    const entry: Entry = { data: [...data, settle], flags: { ...flags, withError: true }, tries: 0, pending: false };
    this.entries.push(entry);
    this.drain();
  }

  /** Sends the first event unless it is on its way; a new connection sends it in any case. */
  drain(resend = false): void {
    const [entry] = this.entries;
    if (entry && this.connected() && (resend || !entry.pending)) {
      entry.pending = true;
      entry.tries++;
      this.post([...entry.data], entry.flags);
    }
  }
}
