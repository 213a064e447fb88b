"""Uploads with curl: whole, as a form, in chunks, again, and what is refused. Health as an operator asks it.

    python3 job.py FILE

DJINN_URL names the gateway, DJINN_TOKEN is the user's. Ends with `ok BYTES SHA256`.
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import uuid

URL = os.environ["DJINN_URL"]
TOKEN = os.environ["DJINN_TOKEN"]
STATEMENTS = f"{URL}/v1/statements"
UPLOADS = f"{URL}/v1/uploads"

# One byte more than a statement may have.
TOO_LARGE_BYTES = 256 * 1024 * 1024 + 1


def check(holds: bool, what: str) -> None:
    """Ends the program unless something holds."""
    if not holds:
        sys.exit(f"FAILED: {what}")


def curl(*words: str, token: str = TOKEN) -> tuple[int, dict, dict]:
    """Status, headers and JSON of an answer."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as head:
        options = ["--silent", "--show-error", "--max-time", "30", "--dump-header", head.name]
        bearer = ["--header", f"authorization: Bearer {token}"] if token else []
        done = subprocess.run(
            ["curl", *options, *bearer, *words], capture_output=True, text=True, check=False
        )
        check(done.returncode == 0, f"curl {words}: {done.stderr}")
        # The last head: one of `100 Continue` may stand before it.
        lines = head.read().strip().split("\n\n")[-1].splitlines()
    status = int(lines[0].split()[1])
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return status, headers, json.loads(done.stdout)


def refused(what: str, status: int, reason: str, answer: tuple[int, dict, dict]) -> dict:
    """The headers of an answer that must be this refusal."""
    found, headers, body = answer
    check((found, body.get("reason")) == (status, reason), f"{what}: {found} {body}")
    check(bool(body.get("message")), f"{what}: {body}")
    print(f"{what}: {status} {reason}")
    return headers


def stored(what: str, content: bytes, answer: tuple[int, dict, dict]) -> str:
    """The id of an upload that must have succeeded."""
    status, headers, body = answer
    check(status == 201, f"{what}: {status} {body}")
    check(int(body["sizeBytes"]) == len(content), f"{what}: {body}")
    check(body["sha256"] == hashlib.sha256(content).hexdigest(), f"{what}: {body}")
    check(bool(uuid.UUID(headers["x-request-id"])), f"{what}: {headers}")
    print(f"{what}: {status} {body['uploadId']}")
    return body["uploadId"]


def uploads(path: pathlib.Path) -> None:
    """What is accepted."""
    content, request_id = path.read_bytes(), str(uuid.uuid4())
    raw = ("--header", "content-type: text/csv", "--data-binary", f"@{path}")
    named = f"{STATEMENTS}?file_name={path.name}"
    stored("as it is", content, curl(*raw, named))
    key = ("--header", f"idempotency-key: {request_id}")
    first = stored("with a key", content, curl(*raw, *key, named))
    again = stored("again with the key", content, curl(*raw, *key, named))
    check(first == again, f"the same upload twice is {first} and {again}")
    form = ("--form", f"request_id={uuid.uuid4()}", "--form", f"file=@{path};type=text/csv")
    other = stored("as a form", content, curl(*form, STATEMENTS))
    check(other != first, "two uploads have one id")
    chunked = ("--header", "transfer-encoding: chunked")
    stored("of unknown length", content, curl(*raw, *chunked, named))
    stored("over HTTP/2", content, curl(*raw, "--http2-prior-knowledge", named))
    reused = curl("--data-binary", "another file", *key, named)
    refused("another file with the key", 409, "REQUEST_ID_REUSED", reused)


def chunk(upload_id: str, number: int, content: bytes) -> tuple[int, dict, dict]:
    """The answer to one chunk."""
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        put = ("--upload-file", file.name, "--header", f"content-digest: sha-256=:{digest}:")
        return curl(*put, f"{UPLOADS}/{upload_id}/chunks/{number}")


def chunks() -> None:
    """A file of two chunks, the last one first, with a look in between."""
    content = b"Date,Description,Amount\n" + b"2024-01-31,Coffee,-3.20\n" * 400_000
    asked = {"request_id": str(uuid.uuid4()), "file_name": "a.csv", "size_bytes": len(content)}
    asked["sha256"] = hashlib.sha256(content).hexdigest()
    status, _, begun = curl("--data", json.dumps(asked), UPLOADS)
    check(status == 201 and begun["chunkCount"] == 2, f"begun: {status} {begun}")
    upload_id, size = begun["uploadId"], int(begun["chunkSizeBytes"])
    status, _, body = chunk(upload_id, 1, content[size:])
    check(status == 200 and body["receivedChunks"] == [1], f"the last chunk: {status} {body}")
    _, _, seen = curl(f"{UPLOADS}/{upload_id}")
    check(seen == body, f"asked: {seen}, told: {body}")
    other = chunk(upload_id, 1, content[size:][::-1])
    refused("other bytes", 409, "CHUNK_CONFLICT", other)
    refused("a part of a chunk", 400, "INVALID_FIELD", chunk(upload_id, 0, content[:5]))
    for what in ("whole", "again"):
        status, _, body = chunk(upload_id, 0, content[:size])
        check(status == 200, f"{what}: {status} {body}")
        check(body["upload"]["sha256"] == asked["sha256"], f"{what}: {body}")
        print(f"in chunks, {what}: {status} {upload_id}")


def refusals(path: pathlib.Path) -> None:
    """What is not."""
    raw = ("--data-binary", f"@{path}", STATEMENTS)
    refused("without a token", 401, "TOKEN_MISSING", curl(*raw, token=""))
    headers = refused("with a wrong token", 401, "TOKEN_INVALID", curl(*raw, token="a.b.c"))
    check(headers["www-authenticate"] == "bearer", f"the refusal says {headers}")
    # Only the announcement: it is refused before a byte of the file is read.
    large = curl("--header", f"content-length: {TOO_LARGE_BYTES}", *raw)
    refused("too large", 413, "FILE_TOO_LARGE", large)
    refused("empty", 400, "INVALID_FIELD", curl("--data-binary", "", STATEMENTS))
    refused("elsewhere", 404, "NOT_FOUND", curl(f"{URL}/v1/nothing"))
    refused("by GET", 405, "METHOD_NOT_ALLOWED", curl(STATEMENTS))


def health() -> None:
    """Health needs no token."""
    status, _, body = curl(f"{URL}/health", token="")
    parts = {"imports": "serving", "sync": "serving"}
    check((status, body) == (200, {"status": "serving", "parts": parts}), f"{status} {body}")


def main(path: str) -> None:
    """Everything."""
    health()
    file = pathlib.Path(path)
    uploads(file)
    chunks()
    refusals(file)
    content = file.read_bytes()
    print(f"ok {len(content)} {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1])
