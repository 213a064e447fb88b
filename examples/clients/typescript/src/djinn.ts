// A statement's way into the ledger, as an app walks it: account, upload, review, confirmation.
//
// Nothing here knows where it runs. `node.ts` brings gRPC and a file on disk, `browser.ts` gRPC-Web
// and a file that was picked on a page.

import {
  Code,
  ConnectError,
  createClient,
  type Client,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";

import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import {
  ImportService,
  ImportState,
  type Import,
  type ImportRow,
} from "./gen/djinn/imports/v1/import_service_pb.js";
import { AccountKind, LedgerService } from "./gen/djinn/sync/v1/ledger_service_pb.js";

/** The services of Djinn, over any transport. */
export interface Djinn {
  readonly imports: Client<typeof ImportService>;
  readonly ledger: Client<typeof LedgerService>;
}

/** What an import has added to its account. The sum is in minor units, as a bigint: it is money. */
export interface Outcome {
  readonly importId: string;
  readonly accountId: string;
  readonly rows: number;
  readonly sum: bigint;
}

/** Stores a file and gives the id of the upload. */
export type Upload = () => Promise<string>;

/** Told of each state an import comes to. */
export type OnState = (state: string) => void;

export function connect(transport: Transport): Djinn {
  return {
    imports: createClient(ImportService, transport),
    ledger: createClient(LedgerService, transport),
  };
}

/** Sends the user's token with each call. It is asked for each time: tokens expire, apps stay. */
export function bearer(token: () => string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token()}`);
    return next(request);
  };
}

/** The stable word of a refusal, as "ETAG_MISMATCH". Texts are for people, this is for programs. */
export function reason(error: unknown): string | undefined {
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
}

/** A request id makes a call safe to repeat: keep it until the answer is there. */
export function requestId(): string {
  return globalThis.crypto.randomUUID();
}

/** Imports a file into a new account and counts what is in the ledger afterwards. */
export async function importStatement(
  djinn: Djinn,
  currencyCode: string,
  upload: Upload,
  onState: OnState,
): Promise<Outcome> {
  const { account } = await djinn.ledger.createAccount({
    requestId: requestId(),
    name: `Imported in ${currencyCode}`,
    kind: AccountKind.CHECKING,
    currencyCode,
  });
  const accountId = present(account, "account").accountId;
  const uploadId = await upload();
  const created = await djinn.imports.createImport({
    requestId: requestId(),
    uploadId,
    accountId,
  });
  const importId = present(created.import, "import").importId;

  const review = await follow(djinn, importId, ImportState.REVIEW, onState);
  const reviewed = await decide(djinn, review);
  await djinn.imports.confirmImport({ requestId: requestId(), importId, etag: reviewed.etag });
  await follow(djinn, importId, ImportState.COMMITTED, onState);
  return { importId, accountId, ...(await count(djinn, accountId)) };
}

/**
 * Undoes an import and counts again. The transactions it added are gone afterwards, unless they
 * were edited by hand meanwhile.
 */
export async function revert(djinn: Djinn, done: Outcome, onState: OnState): Promise<Outcome> {
  await djinn.imports.revertImport({ requestId: requestId(), importId: done.importId });
  await follow(djinn, done.importId, ImportState.REVERTED, onState);
  return { ...done, ...(await count(djinn, done.accountId)) };
}

/** Waits until an import is in a state. The stream begins with the present one: none is missed. */
async function follow(
  djinn: Djinn,
  importId: string,
  wanted: ImportState,
  onState: OnState,
): Promise<Import> {
  let last: Import | undefined;
  for await (const message of djinn.imports.watchImport({ importId })) {
    last = present(message.import, "import");
    onState(ImportState[last.state]);
    if (last.state === wanted) {
      return last;
    }
  }
  const failure = last?.job?.failure;
  throw new Error(`the import ended: ${failure?.reason ?? "?"}: ${failure?.message ?? "?"}`);
}

/**
 * What a person does in a review: looks at the rows, leaves the first one out, thinks better of it.
 * An etag stands for what was seen, and an old one is refused, so nobody confirms what has changed
 * under their eyes.
 */
async function decide(djinn: Djinn, review: Import): Promise<Import> {
  const { importId } = review;
  let first: ImportRow | undefined;
  for await (const row of rows(djinn, importId)) {
    first ??= row;
  }
  const { rowNumber, amount } = present(first, "first row");
  const choose = async (etag: string, included: boolean): Promise<Import> => {
    const changes = [{ rowNumber, included }];
    const updated = await djinn.imports.updateImportRows({ importId, etag, changes });
    return present(updated.import, "import");
  };
  const without = await choose(review.etag, false);
  const less = minor(review.includedAmount) - minor(without.includedAmount);
  if (less !== minor(amount)) {
    throw new Error(`leaving out ${minor(amount)} changed the sum by ${less}`);
  }
  try {
    await choose(review.etag, true);
    throw new Error("an old etag was accepted");
  } catch (error) {
    if (reason(error) !== "ETAG_MISMATCH" || ConnectError.from(error).code !== Code.Aborted) {
      throw error;
    }
  }
  return choose(without.etag, true);
}

/** The rows of an import, page by page. */
async function* rows(djinn: Djinn, importId: string): AsyncGenerator<ImportRow> {
  let pageToken = "";
  do {
    const page = await djinn.imports.listImportRows({ importId, pageSize: 5, pageToken });
    yield* page.rows;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

/** How many transactions an account has, and their sum. */
async function count(djinn: Djinn, accountId: string): Promise<{ rows: number; sum: bigint }> {
  const counted = { rows: 0, sum: 0n };
  let pageToken = "";
  do {
    const page = await djinn.ledger.listTransactions({ accountId, pageSize: 5, pageToken });
    for (const transaction of page.transactions) {
      counted.rows += 1;
      counted.sum += minor(transaction.amount);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return counted;
}

function minor(money: { minorUnits: bigint } | undefined): bigint {
  return present(money, "amount").minorUnits;
}

/** Messages are optional in proto3, so TypeScript asks; Djinn always sends these. */
function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new Error(`the answer has no ${what}`);
  }
  return value;
}
