import { io, Manager, protocol, Socket } from "./index";

/** What a page gets that loads the client with a script element: the global io. */
Object.assign(globalThis, { io: Object.assign(io, { io, connect: io, Manager, Socket, protocol }) });
