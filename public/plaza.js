// The page of the square. The server has rendered it, with the last messages; this script enters the square through
// a socket, and from then on the page and the server tell each other what happens.
//
//   to the server      enter(visit) rename(name) say(note) picture(note, bytes)   each is acknowledged
//                      typing()
//   from the server    message(message) picture(message, bytes) people(list) topics(counts) stir(topic) typing(name)
//
// Whatever a person wrote goes into the page as textContent, never as HTML.

const answerTime = 8000; // ms that an acknowledgement may take
const groupTime = 5 * 60_000; // ms in which messages of one person stand together
const mostWaiting = 20; // messages kept while the square cannot be reached
const mostShown = 400; // messages kept in the page
const longestSide = 1280; // pixels of a picture that is sent

const $ = (id) => document.getElementById(id);
const log = $("log");
const scroller = $("scroller");
const field = $("message");
const maxPicture = Number($("picture").dataset.maxBytes);

/** What this browser remembers; a browser that forbids it forgets when the page goes. */
const memory = {
  read: (store, name) => {
    try { return store()[name] ?? ""; } catch { return ""; }
  },
  write: (store, name, value) => {
    try { store()[name] = value; } catch { /* forbidden, or full */ }
  },
  get name() { return this.read(() => localStorage, "zocalo.name"); },
  set name(value) { this.write(() => localStorage, "zocalo.name", value); },
  get key() { return this.read(() => sessionStorage, "zocalo.key"); },
  set key(value) { this.write(() => sessionStorage, "zocalo.key", value); },
};

// The key tells the server that a socket which comes back is the same tab, so that it keeps its name.
const key = memory.key || (memory.key = nonce());

let topic = $("square").dataset.topic; // that the page shows
let wanted = topic; // that the person asked for
let here = false; // the server has let us in
let me = "";
let visits = 0;
let flushing = false;
let present = { count: 0, list: [] }; // the people of the topic
let picked = null; // the picture that goes with the next message
let outbox = []; // notes that the server has not acknowledged

const socket = window.io();

// Coming and going.

socket.on("connect", () => enter());
socket.on("connect_error", () => away());
socket.on("disconnect", (reason) => {
  here = false;
  away();
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 2000); // the client leaves this one to us
});
addEventListener("offline", () => status("away", "You are offline"));
addEventListener("online", () => (here ? showTransport() : away()));

/** Asks the server, and waits for its answer, but not for a connection: what is asked now would be wrong later. */
function ask(event, ...args) {
  if (!socket.connected) return Promise.reject(new Error("not connected"));
  return socket.timeout(answerTime).emitWithAck(event, ...args);
}

/** Enters the topic that the person wants, and gets what was said since the last message of the page. */
async function enter() {
  const visit = ++visits;
  const to = wanted;
  const after = to === topic ? lastSeen() : 0;
  let welcome;
  try {
    welcome = await ask("enter", { name: me || memory.name, key, topic: to, after });
  } catch {
    if (visit === visits && socket.connected) setTimeout(enter, 2000);
    return;
  }
  if (visit !== visits) return;
  if (welcome.error) {
    complain(welcome.error);
    setTimeout(() => visit === visits && socket.connected && enter(), 2000);
    return;
  }
  here = true;
  topic = welcome.topic.slug;
  present = welcome.people;
  called(welcome.you.name);
  showTopic(welcome.topic);
  showCounts(welcome.topics);
  scroller.setAttribute("aria-busy", String(welcome.fresh)); // a whole topic is not read aloud
  if (welcome.fresh) {
    for (const item of [...log.children]) forget(item);
    for (const note of outbox) if (note.topic === topic) place(note.item);
  }
  for (const message of welcome.messages) arrived(message);
  if (welcome.fresh) toBottom();
  scroller.removeAttribute("aria-busy");
  showTransport();
  flush();
}

function called(name) {
  me = name;
  if (!memory.name) memory.name = name;
  if (document.activeElement !== $("name")) $("name").value = name;
  showPeople(present);
}

function status(state, text) {
  const pill = $("status");
  pill.dataset.state = state;
  if (pill.textContent !== text) pill.textContent = text;
}

function away() {
  if (here) return;
  status("away", navigator.onLine ? "Reconnecting…" : "You are offline");
  for (const note of outbox) receipt(note, "waiting", "Goes out when you are back");
}

function showTransport() {
  const engine = socket.io?.engine;
  const name = engine?.transport?.name;
  status("here", "Connected");
  if (name) $("status").title = `by ${name}`;
  engine?.once?.("upgrade", showTransport);
}

// Topics.

$("topics").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-topic]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (link.dataset.topic === wanted) return;
  history.pushState(null, "", link.href);
  go(link.dataset.topic);
});
addEventListener("popstate", () => {
  const link = [...$("topics").querySelectorAll("a")].find((a) => a.pathname === location.pathname);
  if (link) go(link.dataset.topic);
});

function go(slug) {
  wanted = slug;
  if (socket.connected) enter();
  else complain("The topic opens as soon as you are connected again.");
}

function showTopic({ slug, name, about }) {
  const changed = $("square").dataset.topic !== slug;
  $("square").dataset.topic = slug;
  for (const link of $("topics").querySelectorAll("a")) {
    if (link.dataset.topic === slug) {
      link.setAttribute("aria-current", "page");
      link.classList.remove("stirred");
      link.querySelector(".news")?.remove();
    } else {
      link.removeAttribute("aria-current");
    }
  }
  if (!changed) return;
  $("topic-name").textContent = name;
  $("topic-about").textContent = about;
  document.title = `${name} · Zócalo`;
  typists.clear();
  showTypists();
  complain("");
}

socket.on("topics", showCounts);
function showCounts(counts) {
  for (const link of $("topics").querySelectorAll("a")) {
    link.querySelector("[data-count]").textContent = counts[link.dataset.topic] ?? 0;
  }
}

socket.on("stir", (slug) => {
  for (const link of $("topics").querySelectorAll("a")) {
    if (link.dataset.topic !== slug || slug === topic || link.querySelector(".news")) continue;
    link.classList.add("stirred");
    const news = element("span", "sr news", ", new messages");
    link.append(news);
  }
});

// People.

socket.on("people", showPeople);
function showPeople(people) {
  const { count, list } = present = people;
  $("people-count").textContent = count;
  const items = list.map((person) => {
    const item = fill("person-template", person);
    if (person.name === me) item.append(element("span", "you", "you"));
    return item;
  });
  if (count > list.length) items.push(element("li", "more", `and ${count - list.length} more`));
  $("people").replaceChildren(...items);
}

$("people-toggle").addEventListener("click", () => openPeople(!$("people-panel").classList.contains("open")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !$("people-panel").classList.contains("open")) return;
  openPeople(false);
  $("people-toggle").focus();
});
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest("#people-panel, #people-toggle")) openPeople(false);
});

function openPeople(open) {
  $("people-panel").classList.toggle("open", open);
  $("people-toggle").setAttribute("aria-expanded", String(open));
}

$("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  rename();
});

async function rename() {
  const name = $("name").value.trim();
  if (!name || name === me) return;
  memory.name = name;
  try {
    const you = await ask("rename", name);
    if (you.error) return complain(you.error);
    called(you.name);
    $("name").value = you.name;
    complain("");
  } catch {
    me = ""; // the next visit asks for the remembered name
  }
}

// Who is typing.

const typists = new Map(); // name to the timer that ends it
let typedAt = 0;

socket.on("typing", (name) => {
  clearTimeout(typists.get(name));
  typists.set(name, setTimeout(() => stopped(name), 3500));
  showTypists();
});

function stopped(name) {
  if (!typists.has(name)) return;
  clearTimeout(typists.get(name));
  typists.delete(name);
  showTypists();
}

function showTypists() {
  const names = [...typists.keys()];
  $("typing").textContent =
    names.length === 0 ? "" :
    names.length === 1 ? `${names[0]} is writing…` :
    names.length === 2 ? `${names[0]} and ${names[1]} are writing…` :
    `${names.length} people are writing…`;
}

field.addEventListener("input", () => {
  fit();
  if (!here || !field.value || Date.now() - typedAt < 2000) return;
  typedAt = Date.now();
  socket.emit("typing");
});

// Writing.

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  post();
});
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  post();
});

function post() {
  const text = field.value.trim();
  if (!text && !picked) return field.focus();
  if (outbox.length >= mostWaiting) return complain("Too many messages are waiting. They go out when you are connected.");
  const note = { nonce: nonce(), topic, text, picture: picked };
  note.item = compose({ at: Date.now(), name: me || memory.name || "You", tint: tintOf(me), text }, picked?.url);
  note.item.id = note.nonce;
  receipt(note, "waiting", here ? "Sending…" : "Goes out when you are back");
  outbox.push(note);
  place(note.item);
  toBottom();
  field.value = "";
  fit();
  typedAt = 0;
  picked = null;
  showPicked();
  complain("");
  flush();
}

/** Sends what waits, in order, one after the other. A note keeps its nonce, so that the server takes it once. */
async function flush() {
  if (flushing) return;
  flushing = true;
  while (here && outbox.length > 0) {
    const note = outbox[0];
    try {
      const { nonce, topic, text } = note;
      const reply = note.picture
        ? await ask("picture", { nonce, topic, text }, await note.picture.blob.arrayBuffer())
        : await ask("say", { nonce, topic, text });
      if (!outbox.includes(note)) continue;
      if (reply.error) refused(note, reply.error);
      else settled(note, reply);
    } catch {
      await new Promise((done) => setTimeout(done, 500)); // no answer: again, if we are still here
    }
  }
  flushing = false;
}

/** Makes the field as high as its text, where CSS field-sizing does not. */
function fit() {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function settled(note, message) {
  outbox = outbox.filter((other) => other !== note);
  for (const old of log.querySelectorAll(".receipt.sent")) old.remove();
  note.item.dataset.at = message.at;
  note.item.dataset.name = message.name;
  note.item.querySelector(".by").textContent = message.name;
  note.item.className = `message tint-${message.tint}`;
  note.item.removeAttribute("id");
  if (message.topic === topic) place(note.item);
  receipt(note, "sent", "Sent");
}

function refused(note, reason) {
  outbox = outbox.filter((other) => other !== note);
  receipt(note, "refused", sentence(reason));
  const again = element("button", "", "Try again");
  again.type = "button";
  again.addEventListener("click", () => {
    outbox.push(note);
    receipt(note, "waiting", here ? "Sending…" : "Goes out when you are back");
    flush();
  });
  note.item.querySelector(".receipt").append(again);
}

function receipt(note, state, text) {
  const line = note.item.querySelector(".receipt") ?? note.item.appendChild(element("p", "receipt"));
  line.className = `receipt ${state}`;
  if (line.textContent !== text) line.textContent = text;
  note.item.classList.toggle("waiting", state === "waiting");
  note.item.classList.toggle("refused", state === "refused");
}

function complain(text) {
  $("problem").textContent = sentence(text);
}

// Pictures.

$("picture").addEventListener("change", () => {
  pick($("picture").files[0]);
  $("picture").value = "";
});
field.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  pick(file);
});
const sheet = document.querySelector(".sheet");
sheet.addEventListener("dragover", (event) => {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  sheet.classList.add("dropping");
});
for (const end of ["dragleave", "drop"]) sheet.addEventListener(end, () => sheet.classList.remove("dropping"));
sheet.addEventListener("drop", (event) => {
  if (event.dataTransfer.files.length === 0) return;
  event.preventDefault();
  pick(event.dataTransfer.files[0]);
});
$("preview-drop").addEventListener("click", () => {
  URL.revokeObjectURL(picked.url);
  picked = null;
  showPicked();
  field.focus();
});

async function pick(file) {
  if (!file) return;
  complain("");
  try {
    const blob = await shrink(file, maxPicture);
    if (picked) URL.revokeObjectURL(picked.url);
    picked = { blob, url: URL.createObjectURL(blob) };
    showPicked();
    field.focus();
  } catch (error) {
    complain(error.message);
  }
}

function showPicked() {
  $("preview").hidden = !picked;
  $("preview-picture").src = picked?.url ?? "";
  $("preview-note").textContent = picked ? `A picture of ${Math.ceil(picked.blob.size / 1024)} KB goes with your message.` : "";
}

// The log.

socket.on("message", (message) => arrived(message));
socket.on("picture", (message, bytes) => arrived(message, URL.createObjectURL(new Blob([bytes]))));

function arrived(message, url) {
  const mine = outbox.find((note) => note.nonce === message.nonce);
  if (mine) return settled(mine, message); // its acknowledgement was lost
  if (message.topic !== topic || log.querySelector(`[data-at="${Number(message.at)}"]`)) return;
  stopped(message.name);
  const atBottom = nearBottom();
  const item = compose(message, message.picture ? url ?? `/pictures/${message.at}` : undefined);
  item.dataset.at = message.at;
  item.classList.add("fresh");
  place(item);
  if (atBottom) toBottom();
  else $("latest").hidden = false;
  while (log.children.length > mostShown) forget(log.firstElementChild);
}

/** Makes the item of a message that is not in the log yet. */
function compose({ at, name, tint, text, picture }, url) {
  const item = fill("message-template", { name, tint });
  const time = item.querySelector("time");
  time.dateTime = new Date(at).toISOString();
  localTime(time);
  if (text) item.append(element("p", "text", text));
  if (url) {
    const link = element("a", "picture");
    link.href = url;
    link.target = "_blank";
    const image = element("img");
    image.alt = `Picture from ${name}`;
    if (picture) Object.assign(image, { width: picture.width, height: picture.height });
    image.addEventListener("load", () => nearBottom(400) && toBottom(), { once: true });
    image.src = url;
    link.append(image);
    item.append(link);
  }
  return item;
}

/** Puts an item where it belongs: by the server's time, and what waits at the end. */
function place(item) {
  const at = Number(item.dataset.at) || Infinity;
  let next = null;
  for (let other = log.lastElementChild; other; other = other.previousElementSibling) {
    if (other === item) continue;
    if ((Number(other.dataset.at) || Infinity) <= at) break;
    next = other;
  }
  if (item.parentNode !== log || item.nextElementSibling !== next) log.insertBefore(item, next);
  group(item);
  if (item.nextElementSibling) group(item.nextElementSibling);
}

/** Messages that one person writes in a row stand under one name. */
function group(item) {
  const before = item.previousElementSibling;
  const time = (of) => Date.parse(of.querySelector("time").dateTime);
  item.classList.toggle("follows",
    before !== null && before.dataset.name === item.dataset.name && time(item) - time(before) < groupTime);
}

function forget(item) {
  const waits = outbox.some((note) => note.item === item);
  const url = item.querySelector(".picture img")?.src ?? "";
  if (!waits && url.startsWith("blob:")) URL.revokeObjectURL(url);
  item.remove();
}

function lastSeen() {
  return Math.max(0, ...[...log.children].map((item) => Number(item.dataset.at) || 0));
}

scroller.addEventListener("scroll", () => {
  if (nearBottom()) $("latest").hidden = true;
});
$("latest").addEventListener("click", toBottom);

function nearBottom(margin = 80) {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < margin;
}

function toBottom() {
  scroller.scrollTop = scroller.scrollHeight;
  $("latest").hidden = true;
}

// Small things.

/** Clones a template of the page, and fills in who it is about. */
function fill(template, { name, tint }) {
  const item = $(template).content.firstElementChild.cloneNode(true);
  item.classList.remove("tint-");
  item.classList.add(`tint-${tint}`);
  item.dataset.name = name;
  delete item.dataset.at;
  item.querySelector(".by").textContent = name;
  item.querySelector(".tile").textContent = [...name][0]?.toUpperCase() ?? "";
  return item;
}

function tintOf(name) {
  const item = [...$("people").children].find((person) => person.dataset.name === name);
  return item?.className.match(/tint-(\d)/)?.[1] ?? 1;
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** Makes a sentence of an error: the server's begin with a small letter. */
function sentence(text) {
  return text && text[0].toUpperCase() + text.slice(1).replace(/([^.!?…])$/, "$1.");
}

function localTime(time) {
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function nonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Pictures are made smaller in the browser before they travel: a phone's photograph of 5 MB becomes one of 200 KB,
// without the place where it was taken.

/**
 * Makes a JPEG of at most maxBytes from a picture file.
 * @param {Blob} file
 * @param {number} maxBytes
 * @returns {Promise<Blob>} rejects with a message for people
 */
async function shrink(file, maxBytes) {
  if (!file.type.startsWith("image/")) throw new Error("That is not a picture.");
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error("Your browser cannot read this picture. Try a JPEG or a PNG.");
  });
  try {
    for (let side = longestSide; side >= 320; side = Math.round(side / 1.5)) {
      for (const quality of [0.85, 0.7]) {
        const blob = await draw(picture, side, quality);
        if (blob && blob.size <= maxBytes) return blob;
      }
    }
  } finally {
    picture.close();
  }
  throw new Error(`This picture does not get smaller than ${Math.round(maxBytes / 1024)} KB, the most that fits.`);
}

function draw(picture, side, quality) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#fff"; // what is transparent in a PNG
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

log.querySelectorAll("time").forEach(localTime);
$("name").value = memory.name;
toBottom();
