// node dist/node.js grpc|web FILE CURRENCY [--revert]
//
// DJINN_URL names the gateway, DJINN_TOKEN is the user's. Ends with `ok ROWS SUM`, the sum in minor
// units.

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { webcrypto } from "node:crypto";

import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";

import { bearer, connect, importStatement, revert, type Upload } from "./djinn.js";
import { posted, streamed } from "./upload.js";

// Node 18 has it, but not yet under this name.
globalThis.crypto ??= webcrypto as Crypto;

const [protocol, file, currency, flag] = process.argv.slice(2);
const { DJINN_URL: baseUrl, DJINN_TOKEN: token } = process.env;
if (!protocol || !file || !currency || !baseUrl || !token) {
  console.error("usage: DJINN_URL=.. DJINN_TOKEN=.. node dist/node.js grpc|web FILE CURRENCY");
  process.exit(64);
}

const fileName = basename(file);
const interceptors = [bearer(() => token)];
const web = protocol === "web";
const djinn = connect(
  web
    ? createGrpcWebTransport({ baseUrl, httpVersion: "1.1", interceptors })
    : createGrpcTransport({ baseUrl, interceptors }),
);
const upload: Upload = web
  ? async () => posted(baseUrl, token, fileName, new Blob([Uint8Array.from(await readFile(file))]))
  : async () => streamed(djinn, fileName, (await stat(file)).size, createReadStream(file));

const done = await importStatement(djinn, currency, upload, console.log);
if (flag === "--revert") {
  const after = await revert(djinn, done, console.log);
  if (after.rows !== 0) {
    throw new Error(`${after.rows} transactions are left after the import was undone`);
  }
}
console.log(`ok ${done.rows} ${done.sum}`);
// HTTP/2 connections stay open for the next call; a program that is done need not wait for them.
process.exit(0);
