// node drive.js FILE CURRENCY
//
// Runs the example client in a real browser. DJINN_URL names the gateway, DJINN_TOKEN is the
// user's, DJINN_CHROMIUM the browser, DJINN_PAGE_PORT the port on 127.0.0.1 whose origin the
// gateway lists. Ends with `ok ROWS SUM`, the sum in minor units.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

import { build } from "esbuild";
import { chromium } from "playwright-core";

const [file, currency] = process.argv.slice(2);
const { DJINN_URL: url, DJINN_TOKEN: token, DJINN_CHROMIUM, DJINN_PAGE_PORT } = process.env;
const here = (name) => new URL(name, import.meta.url);

// What else a browser does by itself on a machine, or tries to: nothing may leave this one.
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** The page as a bundle, as a web app would be delivered. */
async function bundle() {
  const entryPoints = [here("page.js").pathname];
  const options = { bundle: true, format: "esm", target: "es2022", write: false };
  const { outputFiles } = await build({ entryPoints, ...options });
  return outputFiles[0].text;
}

/** Serves the page on a port of 127.0.0.1 and gives its origin. */
async function serve(port, files) {
  const server = createServer((request, response) => {
    const [type, content] = files[request.url] ?? ["text/plain", undefined];
    response.writeHead(content === undefined ? 404 : 200, { "content-type": type });
    response.end(content);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

/** A page of this origin, with the file picked. */
async function open(context, origin) {
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(origin);
  await page.setInputFiles("#file", file);
  await page.waitForFunction(() => globalThis.djinn !== undefined);
  return { page, said };
}

/** What became of a function of the page. */
async function call(page, name) {
  const ask = ([name, options]) =>
    globalThis.djinn[name](options).then(
      (value) => ({ value }),
      (error) => ({ error: String(error) }),
    );
  return page.evaluate(ask, [name, { url, token, currency }]);
}

/** A page whose origin is not listed: the browser keeps every answer from it. */
async function stranger(context, origin) {
  const { page, said } = await open(context, origin);
  for (const name of ["countAccounts", "importFile"]) {
    const { value, error } = await call(page, name);
    assert.equal(value, undefined, `${name} works from ${origin}, which is not listed`);
    console.log(`${origin}: ${name}: ${error}`);
  }
  assert.ok(said.some((text) => text.includes("blocked by CORS policy")), said.join("\n"));
  // Not even an upload, whose answer the page would not have to read.
  const address = `${url}/v1/statements?file_name=stolen.csv`;
  const posted = ([address, token]) =>
    fetch(address, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: "Date,Amount\n",
    }).then(
      (answer) => `status ${answer.status}`,
      (error) => String(error),
    );
  assert.match(await page.evaluate(posted, [address, token]), /Failed to fetch/);
  await page.close();
}

/** A page whose origin is listed does the whole job. */
async function friend(context, origin) {
  const { page, said } = await open(context, origin);
  assert.deepEqual(await call(page, "countAccounts"), { value: 0 }, "a stranger left an account");
  const { value, error } = await call(page, "importFile");
  assert.equal(error, undefined, said.join("\n"));
  const states = await page.locator("#states li").allTextContents();
  assert.equal(states.at(-1), "COMMITTED", states.join());
  console.log(`${origin}: ${states.join(", ")}`);
  return value;
}

const files = {
  "/": ["text/html", await readFile(here("page.html"))],
  "/page.js": ["text/javascript", await bundle()],
};
const listed = await serve(Number(DJINN_PAGE_PORT), files);
const unlisted = await serve(0, files);
const browser = await chromium.launch({
  executablePath: DJINN_CHROMIUM,
  args: QUIET,
  // As root there is no sandbox to be had.
  chromiumSandbox: process.getuid() !== 0,
});
const context = await browser.newContext();
await stranger(context, unlisted);
const { rows, sum } = await friend(context, listed);
await browser.close();
console.log(`ok ${rows} ${sum}`);
process.exit(0);
