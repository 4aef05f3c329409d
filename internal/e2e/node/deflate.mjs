// The WebSocket client of Node, ws, with the ways it can offer permessage-deflate: one JSON line each on stdout. The
// server at URL echoes the messages of Engine.IO.
import WebSocket from "ws";

const offers = {
  nothing: false,
  default: true,
  "no context takeover": { serverNoContextTakeover: true, clientNoContextTakeover: true },
  "the client's window is small": { clientMaxWindowBits: 9 },
  "the server's window is to be small": { serverMaxWindowBits: 9 },
  "everything is compressed": { threshold: 0 },
};
const messages = ["short", "a long text, ".repeat(1000), "é".repeat(200_000), ""];

for (const [name, perMessageDeflate] of Object.entries(offers)) {
  const result = { name, echoed: 0 };
  const socket = new WebSocket(process.env.URL + "?EIO=4&transport=websocket", { perMessageDeflate });
  const inbox = [];
  let wake = () => {};
  socket.on("message", (data) => {
    inbox.push(data.toString());
    wake();
  });
  socket.on("error", (error) => (result.error = String(error)));
  const over = new Promise((resolve) => socket.on("close", resolve));
  const next = async () => {
    while (inbox.length === 0) await Promise.race([new Promise((resolve) => (wake = resolve)), over]);
    return inbox.shift();
  };
  await next(); // the handshake
  result.extensions = socket.extensions;
  for (const message of messages) {
    socket.send("4" + message);
    if ((await next()) === "4" + message) result.echoed++;
  }
  result.received = socket._socket.bytesRead;
  socket.close();
  await over;
  process.stdout.write(JSON.stringify(result) + "\n");
}
