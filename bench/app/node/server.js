// The same server on Express and on Fastify: node server.js express|fastify
const [host, port] = process.env.BENCH_ADDR.split(":");
const dir = process.env.BENCH_DIR;
const servers = {
  express() {
    const express = require("express");
    const app = express();
    app.disable("etag").disable("x-powered-by");
    app.get("/hello", (req, res) => res.send("Hello, World!"));
    app.get("/users/:id", (req, res) => res.json({ id: req.params.id, name: "Ana" }));
    for (let i = 0; i < 25; i++) {
      app.get(`/things${i}`, (req, res) => res.send("list"));
      app.get(`/things${i}/:id`, (req, res) => res.send(req.params.id));
    }
    const next = (req, res, next) => next();
    app.get("/five", next, next, next, next, next, (req, res) => res.send("five"));
    app.post("/echo", express.json(), (req, res) => res.json(req.body));
    app.use("/static", express.static(dir, { etag: false }));
    app.listen(+port, host);
  },
  fastify() {
    const app = require("fastify")();
    const html = (reply, text) => reply.type("text/html; charset=utf-8").send(text);
    app.get("/hello", (req, reply) => html(reply, "Hello, World!"));
    app.get("/users/:id", (req, reply) => reply.send({ id: req.params.id, name: "Ana" }));
    for (let i = 0; i < 25; i++) {
      app.get(`/things${i}`, (req, reply) => html(reply, "list"));
      app.get(`/things${i}/:id`, (req, reply) => html(reply, req.params.id));
    }
    const next = (req, reply, done) => done();
    app.get("/five", { preHandler: [next, next, next, next, next] }, (req, reply) => html(reply, "five"));
    app.post("/echo", (req, reply) => reply.send(req.body));
    app.register(require("@fastify/static"), { root: dir, prefix: "/static/" });
    app.listen({ port: +port, host });
  },
};
servers[process.argv[2]]();
