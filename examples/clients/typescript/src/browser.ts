// The same in a page: gRPC-Web for the calls, fetch for the file. The page's origin must be listed
// in the gateway's DJINN_GATEWAY_CORS_ORIGINS.

import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { bearer, connect, importStatement, type OnState, type Outcome } from "./djinn.js";
import { posted } from "./upload.js";

/** Imports a file that was picked on the page. */
export async function importPicked(
  baseUrl: string,
  token: string,
  file: File,
  currency: string,
  onState: OnState,
): Promise<Outcome> {
  const interceptors = [bearer(() => token)];
  const djinn = connect(createGrpcWebTransport({ baseUrl, interceptors }));
  const upload = (): Promise<string> => posted(baseUrl, token, file.name, file);
  return importStatement(djinn, currency, upload, onState);
}

/** How many accounts a user has. */
export async function countAccounts(baseUrl: string, token: string): Promise<number> {
  const interceptors = [bearer(() => token)];
  const { ledger } = connect(createGrpcWebTransport({ baseUrl, interceptors }));
  return (await ledger.listAccounts({})).accounts.length;
}
