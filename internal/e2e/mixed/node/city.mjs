// What a scenario stands on: clients of two servers, here and there.

import { io } from "socket.io-client";

const patience = 10_000;

export class City {
  constructor(fields) {
    Object.assign(this, fields, { opened: [] });
  }

  // client connects to a server.
  async client(side, options = {}) {
    const socket = io(this.urls[side] + this.namespace, {
      transports: ["websocket"],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
      query: { town: side },
      ...options,
    });
    this.opened.push(socket);
    await within("connect", (resolve) => socket.once("connect", resolve));
    return socket;
  }

  // clients connects one client to each server: here, there.
  async clients() {
    return [await this.client(this.here), await this.client(this.there)];
  }

  close() {
    for (const socket of this.opened) socket.disconnect();
  }
}

// perform has the server of a client do something: perform in peer.mjs.
export async function perform(socket, op, { args = [], ...fields } = {}) {
  const [error, result] = await within(op, (resolve) =>
    socket.emit("do", { op, ...fields }, ...args, (...answer) => resolve(answer)),
  );
  if (error) throw new Error(`${op}: ${error}`);
  return result;
}

// next resolves to the arguments of the next event of that name.
export function next(socket, event) {
  return within(`"${event}"`, (resolve) => socket.once(event, (...args) => resolve(args)));
}

// collect returns the arguments of all events of that name, as they come.
export function collect(socket, event) {
  const seen = [];
  socket.on(event, (...args) => seen.push(args));
  return seen;
}

// eventually tries again and again until f does not throw: what is said to the other server takes its time.
export async function eventually(f) {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await f();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function within(what, start) {
  const promise = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience);
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
  promise.catch(() => {}); // a scenario may fail before it looks
  return promise;
}
