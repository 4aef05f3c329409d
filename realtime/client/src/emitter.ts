/** Maps the names of events to the signatures of their listeners. */
export interface EventsMap {
  [event: string]: any;
}

/** The map of somebody who declares no events: every name, any arguments. */
export interface DefaultEventsMap {
  [event: string]: (...args: any[]) => void;
}

export type EventNames<Events extends EventsMap> = keyof Events & (string | symbol);

/** The listener of an event: the emitter's own events come before the user's. */
export type ListenerOf<
  Events extends EventsMap,
  Own extends EventsMap,
  Name extends PropertyKey,
> = Name extends EventNames<Own> ? Own[Name] : Name extends EventNames<Events> ? Events[Name] : never;

interface Entry {
  listener: (...args: any[]) => void;
  once: boolean;
}

/**
 * Calls fn. What it throws is reported as an uncaught error, and the caller
 * goes on: a faulty listener must not stop a transport or another listener.
 */
export function isolate(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/**
 * An event emitter. Listeners run in the order in which they were added; a
 * listener that is added or removed while its event is emitted takes part from
 * the next time on.
 */
export class Emitter<Events extends EventsMap, Own extends EventsMap = {}> {
  private readonly entries = new Map<PropertyKey, Entry[]>();

  on<Name extends EventNames<Own> | EventNames<Events>>(event: Name, listener: ListenerOf<Events, Own, Name>): this {
    return this.register(event, listener, false);
  }

  /** Like on, for the next time only. */
  once<Name extends EventNames<Own> | EventNames<Events>>(event: Name, listener: ListenerOf<Events, Own, Name>): this {
    return this.register(event, listener, true);
  }

  /** Removes one listener, or those of one event, or all. */
  off<Name extends EventNames<Own> | EventNames<Events>>(event?: Name, listener?: ListenerOf<Events, Own, Name>): this {
    if (event === undefined) {
      this.entries.clear();
    } else if (listener === undefined) {
      this.entries.delete(event);
    } else {
      const entry = this.entries.get(event)?.find((entry) => entry.listener === listener);
      if (entry) {
        this.unregister(event, entry);
      }
    }
    return this;
  }

  addEventListener<Name extends EventNames<Own> | EventNames<Events>>(
    event: Name,
    listener: ListenerOf<Events, Own, Name>,
  ): this {
    return this.on(event, listener);
  }

  removeEventListener<Name extends EventNames<Own> | EventNames<Events>>(
    event?: Name,
    listener?: ListenerOf<Events, Own, Name>,
  ): this {
    return this.off(event, listener);
  }

  removeListener<Name extends EventNames<Own> | EventNames<Events>>(
    event?: Name,
    listener?: ListenerOf<Events, Own, Name>,
  ): this {
    return this.off(event, listener);
  }

  removeAllListeners<Name extends EventNames<Own> | EventNames<Events>>(event?: Name): this {
    return this.off(event);
  }

  listeners<Name extends EventNames<Own> | EventNames<Events>>(event: Name): ListenerOf<Events, Own, Name>[] {
    return (this.entries.get(event) ?? []).map((entry) => entry.listener as ListenerOf<Events, Own, Name>);
  }

  hasListeners(event: EventNames<Own> | EventNames<Events>): boolean {
    return this.entries.has(event);
  }

  protected emit(event: any, ...args: any[]): any {
    for (const entry of [...(this.entries.get(event) ?? [])]) {
      if (!entry.once || this.unregister(event, entry)) {
        isolate(() => entry.listener.apply(this, args));
      }
    }
    return this;
  }

  private register(event: PropertyKey, listener: Entry["listener"], once: boolean): this {
    const list = this.entries.get(event);
    if (list) {
      list.push({ listener, once });
    } else {
      this.entries.set(event, [{ listener, once }]);
    }
    return this;
  }

  /** Tells whether the entry was still there. */
  private unregister(event: PropertyKey, entry: Entry): boolean {
    const list = this.entries.get(event);
    const index = list?.indexOf(entry) ?? -1;
    if (!list || index < 0) {
      return false;
    }
    list.splice(index, 1);
    if (list.length === 0) {
      this.entries.delete(event);
    }
    return true;
  }
}
