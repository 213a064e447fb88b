// Two ways to send a file.

import type { MessageInitShape } from "@bufbuild/protobuf";

import type { UploadStatementRequestSchema } from "./gen/djinn/imports/v1/import_service_pb.js";
import { requestId, type Djinn } from "./djinn.js";

type Part = MessageInitShape<typeof UploadStatementRequestSchema>;

/** By gRPC: the client streams. Works where HTTP/2 can be spoken freely, so not in browsers. */
export async function streamed(
  djinn: Djinn,
  fileName: string,
  size: number,
  bytes: AsyncIterable<Uint8Array>,
): Promise<string> {
  async function* parts(): AsyncGenerator<Part> {
    const header = { requestId: requestId(), fileName, sizeBytes: BigInt(size) };
    yield { part: { case: "header", value: header } };
    for await (const chunk of bytes) {
      yield { part: { case: "chunk", value: chunk } };
    }
  }
  const { upload } = await djinn.imports.uploadStatement(parts());
  return upload?.uploadId ?? "";
}

/** By HTTP: `POST /v1/statements` on the same port. The way of browsers and of curl. */
export async function posted(
  baseUrl: string,
  token: string,
  fileName: string,
  body: Blob,
): Promise<string> {
  const url = new URL("/v1/statements", baseUrl);
  url.searchParams.set("file_name", fileName);
  url.searchParams.set("request_id", requestId());
  const headers = { authorization: `Bearer ${token}`, "content-type": "text/csv" };
  const answer = await fetch(url, { method: "POST", headers, body });
  const json = (await answer.json()) as { uploadId?: string; reason?: string; message?: string };
  if (answer.status !== 201 || json.uploadId === undefined) {
    throw new Error(`the upload was refused: ${json.reason}: ${json.message}`);
  }
  return json.uploadId;
}
