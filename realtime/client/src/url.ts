/** What a URL given to io or Manager stands for. */
export interface Target {
  secure: boolean;
  /** The host name; an IPv6 address in its brackets. */
  host: string;
  /** Never empty: 80 or 443 when the URL names none. */
  port: string;
  query: Record<string, string>;
  /** The path of the URL is a namespace, not a place on the server. */
  namespace: string;
  /** Names the connection that namespaces may share: origin and path of the endpoint. */
  id: string;
}

type Place = Pick<Location, "protocol" | "host">;

/**
 * Reads "/namespace", "//host", "host:port" or a whole http, https, ws or wss
 * URL, against the address of the page where there is one.
 */
export function resolve(uri = "/", path = "", page: Place | undefined = globalThis.location): Target {
  const scheme = page && /^https?:$/.test(page.protocol) ? page.protocol : undefined;
  if (uri.startsWith("//")) {
    uri = (scheme ?? "https:") + uri;
  } else if (uri.startsWith("/")) {
    uri = `${scheme ?? "http:"}//${page?.host || "localhost"}${uri}`;
  } else if (!/^(https?|wss?):\/\//.test(uri)) {
    uri = `${scheme ?? "https:"}//${uri}`;
  }
  const url = new URL(uri);
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const port = url.port || (secure ? "443" : "80");
  return {
    secure,
    host: url.hostname,
    port,
    query: Object.fromEntries(url.searchParams),
    // As it was written: URL would escape a name that is not ASCII.
    namespace: /^\w+:\/\/[^/?#]*([^?#]*)/.exec(uri)?.[1] || "/",
    id: `${secure ? "https" : "http"}://${url.hostname}:${port}${path}`,
  };
}
