export interface EngineOptions {
  /** Path of the server's endpoint. Default "/socket.io". */
  path?: string;
  /** Whether a slash ends the path. Default true. */
  addTrailingSlash?: boolean;
  /** Parameters added to the URL of every request; read anew for each connection. */
  query?: Record<string, any>;
  /** Transports to use, in order of preference. Default ["polling", "websocket"]. */
  transports?: readonly string[];
  /** Whether to move from polling to WebSocket when the server offers it. Default true. */
  upgrade?: boolean;
  /** Whether to begin with WebSocket once it has worked on this page. Default false. */
  rememberUpgrade?: boolean;
  /** Whether to try the next transport when one cannot connect. Default false. */
  tryAllTransports?: boolean;
  /** Whether binary data travels as base64 on WebSocket, too. Default false. */
  forceBase64?: boolean;
  /** Whether requests to another origin carry cookies. Default false. */
  withCredentials?: boolean;
  /** Headers of the polling requests. A browser lets nobody set those of a WebSocket. */
  extraHeaders?: Record<string, string>;
  /** Whether the URL carries a time stamp. Default: on polling. */
  timestampRequests?: boolean;
  /** The name of that parameter. Default "t". */
  timestampParam?: string;
  /** Subprotocols of the WebSocket. */
  protocols?: string | string[];
  /** Whether to say goodbye to the server when the page goes, without a disconnect event. Default false. */
  closeOnBeforeunload?: boolean;
  /** Whether to keep to the timer functions there were when the client loaded. Default false. */
  useNativeTimers?: boolean;
  /** The WebSocket implementation. Default the one of the platform, if it has one. */
  WebSocket?: new (url: string, protocols?: string | string[]) => WebSocket;
}
