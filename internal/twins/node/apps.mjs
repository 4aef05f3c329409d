// Twenty applications on Express. Each has its twin on Zócalo in apps_test.go; twins_test.go asks both.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import express from "express";
import cookieParser from "cookie-parser";
import session from "express-session";
import multer from "multer";

const files = process.env.TWINS_FILES;

const apps = {
  hello(app) {
    app.get("/", (req, res) => res.send("Hello, World!"));
    app.get("/hello/:name", (req, res) => res.send(`Hello, ${req.params.name}!`));
    app.get("/flights/:from-:to", (req, res) => res.json(req.params));
    app.get("/files/*path", (req, res) => res.json(req.params.path));
    app.get("/posts{/:page}", (req, res) => res.send("page " + (req.params.page || "one")));
  },

  crud(app) {
    const books = new Map();
    let last = 0;
    app.use(express.json());
    const find = (req, res, next) => {
      req.book = books.get(req.params.id);
      req.book ? next() : res.status(404).json({ error: "no such book" });
    };
    app.get("/books", (req, res) => res.json([...books.values()]));
    app.post("/books", (req, res) => {
      if (!req.body?.title) return res.status(422).json({ error: "title is required" });
      const book = { id: String(++last), title: req.body.title };
      books.set(book.id, book);
      res.status(201).location("/books/" + book.id).json(book);
    });
    app.route("/books/:id").all(find)
      .get((req, res) => res.json(req.book))
      .put((req, res) => { req.book.title = req.body.title; res.json(req.book); })
      .delete((req, res) => { books.delete(req.params.id); res.sendStatus(204); });
  },

  nested(app) {
    const players = express.Router({ mergeParams: true });
    players.get("/", (req, res) => res.send(`players of ${req.params.team}`));
    players.get("/:player", (req, res) => res.json({ ...req.params, baseUrl: req.baseUrl, path: req.path, url: req.originalUrl }));
    const teams = express.Router();
    teams.get("/", (req, res) => res.send("teams"));
    teams.use("/:team/players", players);
    app.use("/teams", teams);
  },

  errors(app) {
    app.get("/throws", () => { throw new Error("boom"); });
    app.get("/rejects", async () => { throw Object.assign(new Error("gone"), { status: 410 }); });
    app.get("/next", (req, res, next) => next(Object.assign(new Error("teapot"), { status: 418 })));
    app.get("/page", (req, res, next) => next(Object.assign(new Error("secret"), { status: 503 })));
    app.get("/skips", (req, res, next) => next("route"));
    app.get("/skips", (req, res) => res.send("the second"));
    app.use((err, req, res, next) => req.path === "/page" ? next(err) : res.status(err.status || 500).json({ error: err.message }));
  },

  forms(app) {
    const notes = [];
    app.use(express.urlencoded({ extended: true }));
    app.get("/", (req, res) => res.send(`<ul>${notes.map((n) => `<li>${n}</li>`).join("")}</ul>`));
    app.post("/", (req, res) => { notes.push(req.body.note.text); res.redirect(303, "/"); });
    app.post("/echo", (req, res) => res.json(req.body));
  },

  sessions(app) {
    app.use(session({ secret: "keyboard cat", resave: false, saveUninitialized: false }));
    app.use(express.json());
    app.post("/login", (req, res, next) => req.session.regenerate((err) => {
      if (err) return next(err);
      req.session.user = req.body.user;
      res.json({ ok: true });
    }));
    app.use((req, res, next) => req.session.user ? next() : res.status(401).send("log in first"));
    app.get("/me", (req, res) => res.send(req.session.user));
    app.get("/count", (req, res) => { req.session.n = (req.session.n || 0) + 1; res.json(req.session.n); });
    app.post("/logout", (req, res, next) => req.session.destroy((err) => err ? next(err) : res.sendStatus(204)));
  },

  uploads(app) {
    const upload = multer({ storage: multer.memoryStorage(), limits: { fileSize: 1000 } });
    const show = (f) => ({ name: f.originalname, size: f.size, text: f.buffer.toString().slice(0, 10) });
    app.post("/one", upload.single("photo"), (req, res) => res.json({ file: show(req.file), title: req.body.title }));
    app.post("/many", upload.array("photos", 3), (req, res) => res.json(req.files.map(show)));
    app.use((err, req, res, next) => res.status(413).send("too large"));
  },

  cookies(app) {
    app.use(cookieParser("keyboard cat"));
    app.get("/set", (req, res) => res.cookie("plain", "ñ 1").cookie("signed", "tobi", { signed: true, httpOnly: true, sameSite: "lax" }).send("set"));
    app.get("/get", (req, res) => res.json({ plain: req.cookies.plain || "", signed: req.signedCookies.signed || "" }));
    app.get("/clear", (req, res) => res.clearCookie("plain").clearCookie("signed", { httpOnly: true }).send("cleared"));
  },

  negotiation(app) {
    const book = { title: "Rayuela" };
    app.get("/book", (req, res) => res.format({
      html: () => res.send(`<h1>${book.title}</h1>`),
      text: () => res.send(book.title),
      json: () => res.json(book),
    }));
    app.get("/language", (req, res) => res.send(req.acceptsLanguages("es", "en") || "none"));
    app.get("/encoding", (req, res) => res.send(req.acceptsEncodings("br", "gzip") || "none"));
    app.post("/is", (req, res) => res.send(req.is("json", "text/*", "urlencoded") || "none"));
  },

  site(app) {
    app.use("/assets", express.static(files, { maxAge: "1h", index: false, extensions: ["txt"] }));
    app.use(express.static(files, { dotfiles: "deny", fallthrough: true }));
    app.use((req, res) => res.status(404).send("nothing here"));
  },

  downloads(app) {
    app.get("/download", (req, res) => res.download(path.join(files, "hello.txt"), "año nuevo.txt"));
    app.get("/file/:name", (req, res) => res.sendFile(req.params.name, { root: files }));
    app.get("/attachment", (req, res) => res.attachment("a.csv").send("a,b\n"));
    app.get("/missing", (req, res, next) => res.sendFile("none.txt", { root: files }, (err) => err ? res.status(err.status).send("no file") : undefined));
  },

  search(app) {
    app.set("query parser", "extended");
    app.get("/", (req, res) => res.json(req.query));
    app.get("/jsonp", (req, res) => res.jsonp({ q: req.query.q || null }));
  },

  loader(app) {
    const users = { 1: "Ana", 2: "Eva" };
    app.param("user", (req, res, next, id) => {
      if (id === "me") return next("route");
      if (!users[id]) return next(Object.assign(new Error("no user " + id), { status: 404 }));
      req.user = users[id];
      next();
    });
    app.get("/users/:user", (req, res) => res.send(req.user));
    app.get("/users/:user/posts/:post", (req, res) => res.send(`${req.user} ${req.params.post}`));
    app.get("/users/me", (req, res) => res.send("it is you"));
    app.use((err, req, res, next) => res.status(err.status).send(err.message));
  },

  order(app) {
    const mark = (name) => (req, res, next) => { res.append("X-Trace", name); next(); };
    app.use(mark("first"));
    app.use("/admin", mark("admin"));
    app.get("/admin/stats", mark("handler"), (req, res) => res.send(res.get("X-Trace").join(" ")));
    app.all("/*rest", mark("all"), (req, res, next) => next());
    app.use(mark("late"));
    app.get("/late", (req, res) => res.send(res.get("X-Trace").join(" ")));
  },

  views(app) {
    app.engine("tpl", (file, data, done) => fs.readFile(file, "utf8", (err, text) =>
      err ? done(err) : done(null, text.replace(/\{(\w+)\}/g, (_, name) => data[name] ?? ""))));
    app.set("views", files).set("view engine", "tpl");
    app.locals.site = "plaza";
    app.use((req, res, next) => { res.locals.user = req.query.user || "nobody"; next(); });
    app.get("/", (req, res) => res.render("page", { title: "Hello" }));
    app.get("/own", (req, res) => res.status(203).type("text").render("page.tpl", { title: "Own", site: "mine" }));
  },

  conditional(app) {
    app.get("/tagged", (req, res) => res.send("the same every time"));
    app.get("/own", (req, res) => res.set("ETag", '"v1"').send("own"));
    app.get("/dated", (req, res) => res.set("Last-Modified", "Tue, 02 Jan 2024 03:04:05 GMT").set("Cache-Control", "no-cache").send("dated"));
    app.get("/fresh", (req, res) => { res.set("ETag", '"v1"'); res.set("X-Fresh", String(req.fresh)).end(); });
  },

  proxied(app) {
    app.set("trust proxy", "loopback, 10.0.0.0/8");
    app.get("/", (req, res) => res.json({ ip: req.ip, ips: req.ips, protocol: req.protocol, secure: req.secure, hostname: req.hostname, subdomains: req.subdomains, xhr: req.xhr }));
  },

  webhook(app) {
    const verify = (req, res, body) => {
      const want = crypto.createHmac("sha256", "hook").update(body).digest("hex");
      if (req.get("X-Signature") !== want) throw new Error("forged");
    };
    app.post("/json", express.json({ verify }), (req, res) => res.json({ got: req.body.event }));
    app.post("/text", express.text({ type: "*/*", limit: 20 }), (req, res) => res.send(req.body.toUpperCase()));
    app.post("/raw", express.raw({ type: "application/*" }), (req, res) => res.send(String(req.body.length)));
    app.use((err, req, res, next) => res.status(err.status || 500).json({ type: err.type, message: err.message }));
  },

  guarded(app) {
    app.use("/admin", (req, res, next) => {
      const [user, password] = Buffer.from((req.get("Authorization") || "").slice(6), "base64").toString().split(":");
      if (user === "ana" && password === "secret") return next();
      res.set("WWW-Authenticate", 'Basic realm="town"').sendStatus(401);
    });
    const admin = express().disable("x-powered-by");
    admin.get("/", (req, res) => res.send("welcome to " + admin.path()));
    app.use("/admin", admin);
    app.get("/", (req, res) => res.send("open"));
  },

  shortener(app) {
    const links = new Map([["town", "https://town.example/plaza?a=1&b=ñ"]]);
    app.use(express.json());
    app.get("/:key", (req, res, next) => links.has(req.params.key) ? res.redirect(301, links.get(req.params.key)) : next());
    app.post("/", (req, res) => {
      links.set(req.body.key, req.body.url);
      res.status(201).links({ self: "/" + req.body.key, target: req.body.url }).vary("Accept").end();
    });
    app.get("/stream/out", (req, res) => { res.type("txt"); res.write("one\n"); res.write("two\n"); res.end(); });
  },
};

const ports = {};
for (const [name, build] of Object.entries(apps)) {
  const app = express().set("env", "production").disable("x-powered-by");
  build(app);
  await new Promise((listening) => {
    const server = app.listen(0, "127.0.0.1", () => { ports[name] = server.address().port; listening(); });
  });
}
console.log(JSON.stringify(ports));
process.stdin.on("end", () => process.exit()).resume();
