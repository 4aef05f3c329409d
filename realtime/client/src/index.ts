import type { DefaultEventsMap } from "./emitter";
import { Manager, type ManagerOptions } from "./manager";
import { protocol } from "./parser";
import { Socket, type SocketOptions } from "./socket";
import { resolve } from "./url";

export interface Options extends ManagerOptions, SocketOptions {
  /** Whether to make a connection of its own. Default false. */
  forceNew?: boolean;
  /** Whether sockets of other namespaces may share the connection. Default true. */
  multiplex?: boolean;
}

/** The connections that sockets of several namespaces share, by their Target's id. */
const managers = new Map<string, Manager>();

/**
 * The socket of a namespace. The path of the URL names the namespace; without a
 * URL it is "/" on the server of the page. Namespaces of one server share a
 * connection; a second socket of the same namespace gets its own.
 */
export function io(options?: Options): Socket<DefaultEventsMap, DefaultEventsMap>;
export function io(uri?: string, options?: Options): Socket<DefaultEventsMap, DefaultEventsMap>;
export function io(uri?: string | Options, options?: Options): Socket<DefaultEventsMap, DefaultEventsMap> {
  if (typeof uri === "object") {
    options = uri;
    uri = undefined;
  }
  const { id, namespace } = resolve(uri, options?.path ?? "/socket.io");
  const shared = managers.get(id);
  let manager: Manager;
  if (options?.forceNew || options?.multiplex === false || shared?.has(namespace)) {
    manager = new Manager(uri, options);
  } else {
    manager = shared ?? new Manager(uri, options);
    managers.set(id, manager);
  }
  return manager.socket(namespace, options);
}

export { io as connect, io as default, Manager, protocol, Socket };
export type { DefaultEventsMap, EventNames, EventsMap } from "./emitter";
export type { Engine, Handshake } from "./engine/engine";
export type { CloseDetails, TransportError } from "./engine/transport";
export type { ManagerEvents, ManagerOptions } from "./manager";
export type { Packet, Parser } from "./parser";
export type { Auth, ConnectError, SocketEvents, SocketOptions } from "./socket";
