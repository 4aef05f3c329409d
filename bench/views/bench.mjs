// Measures npm's handlebars, compiled and warm. It gets {views, pages: {name: {data, count}}} on stdin, and renders a
// page count times for each line that names one; the answer is {cpu: microseconds of CPU a render, bytes}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import Handlebars from "handlebars";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { views, pages } = JSON.parse((await lines.next()).value);
const compile = (file) => Handlebars.compile(readFileSync(join(views, file + ".handlebars"), "utf8").trim());
for (const name of ["head", "nav", "foot", "card"]) Handlebars.registerPartial(name, compile("partials/" + name));
const layout = compile("layouts/main");
const templates = Object.fromEntries(Object.keys(pages).map((name) => [name, compile(name)]));

// What express-handlebars does for a page: the template, and with a layout that around it.
function render(name) {
  const { data } = pages[name];
  const body = templates[name](data).trim();
  return pages[name].layout ? layout({ ...data, body }).trim() : body;
}

for (;;) {
  const { value: name, done } = await lines.next();
  if (done) break;
  let bytes = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < pages[name].count; i++) bytes = Buffer.byteLength(render(name));
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu: (user + system) / pages[name].count, bytes, text: render(name) }));
}
