// node job.js FILE CURRENCY
//
// The whole job over GraphQL: POST /graphql with fetch, progress over WebSocket with graphql-ws.
// DJINN_URL names the gateway, DJINN_TOKEN is the user's. Ends with `ok ROWS SUM`, the sum in minor
// units.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [file, currencyCode] = process.argv.slice(2);
const { DJINN_URL: url, DJINN_TOKEN: token } = process.env;
const authorization = `Bearer ${token}`;

const MONEY = "{ currencyCode minorUnits }";
const IMPORT = `{
  id state etag
  counts { rowCount includedCount }
  includedAmount ${MONEY}
  job { failure { reason message } }
}`;

/** The answer to a query or mutation, refusals and all. */
async function ask(query, variables, headers = { authorization }) {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

/** The only field of an answer that must be complete. */
async function field(query, variables) {
  const { data, errors } = await ask(query, variables);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data)[0];
}

/** The reason of an answer that must be a refusal. */
function reason({ errors }) {
  assert.ok(errors?.length > 0, "it was not refused");
  return errors[0].extensions.reason;
}

/** The nodes of a connection, page by page. */
async function nodes(query, variables) {
  const found = [];
  let after = null;
  do {
    const page = await field(query, { ...variables, after });
    found.push(...page.nodes);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return found;
}

/** A connection over WebSocket with this token. */
function socket(authorization) {
  return createClient({
    url: `${url.replace("http", "ws")}/graphql/ws`,
    connectionParams: { authorization },
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
}

/** Follows an import until it is in a state. */
async function follow(client, importId, wanted) {
  const query = `subscription ($importId: ID!) { importProgress(importId: $importId) ${IMPORT} }`;
  let last;
  for await (const { data, errors } of client.iterate({ query, variables: { importId } })) {
    assert.equal(errors, undefined, JSON.stringify(errors));
    last = data.importProgress;
    console.log(last.state);
    if (last.state === wanted) {
      return last;
    }
  }
  assert.fail(`the import ended: ${JSON.stringify(last)}`);
}

/** Stores the file the way every client without gRPC does. */
async function upload() {
  const body = await readFile(file);
  const address = `${url}/v1/statements?file_name=${basename(file)}`;
  const answer = await fetch(address, { method: "POST", headers: { authorization }, body });
  assert.equal(answer.status, 201);
  const { uploadId, sha256 } = await answer.json();
  assert.equal(sha256, createHash("sha256").update(body).digest("hex"));
  return uploadId;
}

/** Leaves the first row out and takes it in again; an old etag is refused. */
async function decide(review) {
  const ROWS = `query ($importId: ID!, $after: String) {
    importRows(importId: $importId, first: 5, after: $after) {
      nodes { rowNumber included amount ${MONEY} }
      pageInfo { hasNextPage endCursor }
    }
  }`;
  const UPDATE = `mutation ($input: UpdateImportRowsInput!) {
    updateImportRows(input: $input) ${IMPORT}
  }`;
  const importId = review.id;
  const rows = await nodes(ROWS, { importId });
  assert.equal(rows.length, review.counts.rowCount);
  const [{ rowNumber, amount }] = rows;
  const change = (etag, included) => ({
    input: { importId, etag, changes: [{ rowNumber, included }] },
  });
  const without = await field(UPDATE, change(review.etag, false));
  const sum = (it) => BigInt(it.includedAmount.minorUnits);
  assert.equal(sum(review) - sum(without), BigInt(amount.minorUnits));
  assert.equal(reason(await ask(UPDATE, change(review.etag, true))), "ETAG_MISMATCH");
  return field(UPDATE, change(without.etag, true));
}

/** What must not be answered. */
async function refusals() {
  const accounts = "{ accounts { nodes { id } } }";
  assert.equal(reason(await ask(accounts, {}, {})), "TOKEN_MISSING");
  assert.equal(reason(await ask("{ nothing }", {})), "QUERY_INVALID");
  const unknown = `{ import(id: "${randomUUID()}") { id } }`;
  assert.equal(reason(await ask(unknown, {})), "NOT_FOUND");
  // A socket without a good token is closed before anything is told.
  const query = `subscription { importProgress(importId: "${randomUUID()}") { id } }`;
  const stranger = socket("Bearer a.b.c");
  await assert.rejects(async () => {
    for await (const answer of stranger.iterate({ query })) {
      assert.fail(JSON.stringify(answer));
    }
  }, (error) => error.code === 4403 || error.code === 4401);
}

const CREATE_ACCOUNT = `mutation ($input: CreateAccountInput!) {
  createAccount(input: $input) { id currencyCode }
}`;
const CREATE_IMPORT = `mutation ($input: CreateImportInput!) {
  createImport(input: $input) { id }
}`;
const CONFIRM = `mutation ($input: ConfirmImportInput!) { confirmImport(input: $input) { id } }`;
const TRANSACTIONS = `query ($accountId: ID!, $after: String) {
  transactions(accountId: $accountId, first: 5, after: $after) {
    nodes { id amount ${MONEY} }
    pageInfo { hasNextPage endCursor }
  }
}`;
const IMPORTS = `query ($after: String) {
  imports(first: 5, after: $after) { nodes { id state } pageInfo { hasNextPage endCursor } }
}`;

const requestId = randomUUID;
await refusals();
const account = await field(CREATE_ACCOUNT, {
  input: { requestId: requestId(), name: "GraphQL", currencyCode },
});
const uploadId = await upload();
const created = await field(CREATE_IMPORT, {
  input: { requestId: requestId(), uploadId, accountId: account.id },
});
const client = socket(authorization);
const review = await follow(client, created.id, "REVIEW");
const { etag } = await decide(review);
await field(CONFIRM, { input: { requestId: requestId(), importId: created.id, etag } });
await follow(client, created.id, "COMMITTED");
const listed = await nodes(IMPORTS, {});
assert.deepEqual(listed, [{ id: created.id, state: "COMMITTED" }]);
const amounts = await nodes(TRANSACTIONS, { accountId: account.id });
const sum = amounts.reduce((sum, { amount }) => sum + BigInt(amount.minorUnits), 0n);
console.log(`ok ${amounts.length} ${sum}`);
await client.dispose();
process.exit(0);
