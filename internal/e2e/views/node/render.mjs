// Renders sites with Express and express-handlebars: an array of sites on stdin, an array of lists of pages on stdout.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import express from "express";
import { create } from "express-handlebars";
import Handlebars from "handlebars";

const helpers = {
  upper: (text) => String(text).toUpperCase(),
  wrap: (tag, options) => new Handlebars.SafeString(`<${tag}>${options.fn ? options.fn(options.data.root) : ""}</${tag}>`),
  eq: (a, b) => a === b,
  joined(items, options) {
    if (!items || items.length === 0) return options.inverse(this);
    return items.map((item, index) => options.fn(item, { data: { ...options.data, number: index + 1 }, blockParams: [item, index] })).join(options.hash.separator ?? "");
  },
  level: () => "engine",
  attributes: (options) => Object.keys(options.hash).sort().map((key) => `${key}:${options.hash[key]}`).join(" "),
};
const others = { app: { level: () => "app" }, page: { level: () => "page", upper: (text) => `(${text})` } };

function rename(file, namespace) {
  return [namespace, basename(file).replace(/\.[^.]*$/, "")].filter(Boolean).join(":");
}

function page(app, { view, data, layout, helpers: level, partials, variables }) {
  const options = { ...data };
  if (layout !== undefined) options.layout = layout;
  if (level) options.helpers = others[level];
  if (partials) options.partials = partials;
  if (variables) options.data = variables;
  return new Promise((resolve) => {
    app.render(view, options, (error, text) => resolve(error ? { error: error.message } : { text }));
  });
}

async function render({ dir, config, pages }) {
  const views = (config.views ?? ["."]).map((name) => join(dir, name));
  const extname = config.extname ?? ".handlebars";
  const options = { extname, helpers, compilerOptions: config.compilerOptions };
  if (config.layoutsDir) options.layoutsDir = join(views[0], config.layoutsDir);
  if ("defaultLayout" in config) options.defaultLayout = config.defaultLayout;
  if (config.partialsDirs) {
    options.partialsDir = config.partialsDirs.map((from) => ({
      dir: from.dir && join(views[0], from.dir),
      namespace: from.namespace,
      rename: from.rename ? rename : undefined,
      templates: from.templates && Object.fromEntries(Object.entries(from.templates).map(([name, source]) => [name, Handlebars.compile(source)])),
    }));
  }
  const app = express();
  app.engine(extname.slice(1), create(options).engine);
  app.set("view engine", extname.slice(1));
  app.set("views", config.views ? views : views[0]);
  if (config.cache) app.enable("view cache");
  Object.assign(app.locals, config.locals);
  if (config.appHelpers) app.locals.helpers = others.app;
  const texts = [];
  for (const one of pages) texts.push(await page(app, one));
  return texts;
}

const sites = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(sites.map(render))));
