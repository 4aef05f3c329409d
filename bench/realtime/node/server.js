// The official server on the contract of the benchmark: bench/realtime/README.md.
import { createServer } from "node:http";
import { Server } from "socket.io";

const setting = (name, fallback) => Number(process.env[name] || fallback);

const http = createServer((request, response) => {
	if (request.url === "/__gc") {
		global.gc(); // node --expose-gc
		global.gc();
		response.end();
		return;
	}
	response.writeHead(404).end();
});

const io = new Server(http, {
	pingInterval: setting("PING_INTERVAL", 25000),
	pingTimeout: setting("PING_TIMEOUT", 20000),
	serveClient: false,
});

io.on("connection", (socket) => {
	socket.on("echo", (...args) => args.pop()(...args));
	socket.on("bin", (data, ack) => ack(data));
	socket.on("broadcast", (...args) => io.emit("tick", ...args));
	socket.on("join", (room, ack) => {
		socket.join(room);
		ack();
	});
	socket.on("say", (room, ...args) => io.to(room).emit("said", ...args));
	socket.on("flood", (times, ...args) => {
		for (let i = 0; i < times; i++) socket.emit("tick", ...args);
	});
});

http.listen(setting("PORT", 3000), process.env.HOST || "127.0.0.1", () => console.log("READY", process.pid));
