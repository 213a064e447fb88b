"""The whole job with grpcurl, through the gateway and at each service.

    python3 job.py FILE CURRENCY

DJINN_GRPCURL is the program, DJINN_URL names the gateway, DJINN_SERVICE_URLS the services behind it
(`imports=http://.. sync=http://..`), DJINN_TOKEN is the user's, DJINN_PROTO the folder of the
contract. Ends with `ok ROWS SUM`, the sum in minor units.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import uuid

GRPCURL = os.environ["DJINN_GRPCURL"]
TOKEN = os.environ["DJINN_TOKEN"]
PROTO = os.environ["DJINN_PROTO"]
IMPORTS = "djinn.imports.v1.ImportService"
LEDGER = "djinn.sync.v1.LedgerService"
HEALTH = "grpc.health.v1.Health"

# What one call may take.
DEADLINE_S = 30

# Bytes of a file in one message.
CHUNK_BYTES = 64 * 1024


def check(holds: bool, what: str) -> None:
    """Ends the program unless something holds."""
    if not holds:
        sys.exit(f"FAILED: {what}")


def address(url: str) -> str:
    """What grpcurl calls a server."""
    return url.removeprefix("http://")


def command(server: str, *words: str, options: tuple[str, ...] = ()) -> list[str]:
    """grpcurl's command line."""
    limit = ("-max-time", str(DEADLINE_S))
    return [GRPCURL, "-plaintext", *limit, *options, server, *words]


def run(words: list[str], stdin: str = "") -> str:
    """What grpcurl prints."""
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    shown = " ".join(word for word in words if TOKEN not in word)
    check(done.returncode == 0, f"{shown}: {done.stderr}")
    return done.stdout


def documents(text: str) -> list[dict]:
    """JSON documents one behind the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        found.append(document)
    return found


class Server:
    """One server, with reflection or with the proto files."""

    def __init__(self, url: str, with_protos: bool = False) -> None:
        self.address = address(url)
        self.options: tuple[str, ...] = ("-H", f"authorization: Bearer {TOKEN}")
        if with_protos:
            for name in ("imports/v1/import_service", "sync/v1/ledger_service"):
                self.options += ("-proto", f"djinn/{name}.proto")
            self.options += ("-import-path", PROTO)

    def call(self, method: str, *messages: dict) -> dict:
        """The only answer to some messages."""
        options = self.options + ("-d", "@")
        stdin = "\n".join(json.dumps(message) for message in messages)
        answers = documents(run(command(self.address, method, options=options), stdin))
        check(len(answers) == 1, f"{method} answered {len(answers)} times")
        return answers[0]

    def watch(self, import_id: str, wanted: str) -> dict:
        """Follows an import until it is in a state, then ends the call."""
        options = self.options + ("-d", json.dumps({"importId": import_id}))
        words = command(self.address, f"{IMPORTS}/WatchImport", options=options)
        text, last = "", {}
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
            for line in watching.stdout:
                text += line
                if line != "}\n":
                    continue
                last, text = documents(text)[0]["import"], ""
                print(last["state"])
                if last["state"] == wanted:
                    watching.terminate()
                    return last
        sys.exit(f"FAILED: the import ended: {last}")


def look_around(url: str, services: list[str]) -> None:
    """Reflection and health, as an engineer looks at a server nobody told them about."""
    server = address(url)
    listed = run(command(server, "list")).split()
    for service in services:
        check(service in listed, f"{server} lists {listed}")
        described = run(command(server, "describe", service))
        check("rpc " in described, f"{service} is described as {described}")
    print(f"{server}: {', '.join(listed)}")


def healthy(url: str, service: str) -> None:
    """Health of one service, for it alone and for the whole process."""
    for name in ("", service):
        options = ("-d", json.dumps({"service": name}))
        told = run(command(address(url), f"{HEALTH}/Check", options=options))
        check(json.loads(told)["status"] == "SERVING", f"{service} is {told}")


def refused(url: str) -> None:
    """Without a token nothing is answered, and what a method needs can be read off the refusal."""
    words = command(address(url), f"{LEDGER}/ListAccounts")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    check(done.returncode != 0, "a call without a token was answered")
    for word in ("Unauthenticated", "TOKEN_MISSING"):
        check(word in done.stderr, f"the refusal does not name {word}: {done.stderr}")


def upload(server: Server, file: pathlib.Path) -> str:
    """Streams a file."""
    content = file.read_bytes()
    header = {"requestId": str(uuid.uuid4()), "fileName": file.name, "sizeBytes": len(content)}
    starts = range(0, len(content), CHUNK_BYTES)
    chunks = (content[start : start + CHUNK_BYTES] for start in starts)
    parts = [{"chunk": base64.b64encode(chunk).decode()} for chunk in chunks]
    stored = server.call(f"{IMPORTS}/UploadStatement", {"header": header}, *parts)["upload"]
    check(int(stored["sizeBytes"]) == len(content), f"stored: {stored}")
    return stored["uploadId"]


def pages(server: Server, method: str, request: dict, field: str) -> list[dict]:
    """The items of a list, page by page."""
    items, token = [], ""
    while True:
        page = server.call(method, request | {"pageSize": 5, "pageToken": token})
        items += page.get(field, [])
        token = page.get("nextPageToken", "")
        if not token:
            return items


def minor(money: dict) -> int:
    """Minor units; zero is left out in JSON."""
    return int(money.get("minorUnits", "0"))


def decide(server: Server, review: dict) -> dict:
    """Leaves the first row out and takes it in again."""
    import_id = review["importId"]
    rows = pages(server, f"{IMPORTS}/ListImportRows", {"importId": import_id}, "rows")
    check(len(rows) == int(review["counts"]["rowCount"]), f"{len(rows)} rows were listed")
    first = rows[0]

    def choose(etag: str, included: bool) -> dict:
        changes = [{"rowNumber": first["rowNumber"], "included": included}]
        request = {"importId": import_id, "etag": etag, "changes": changes}
        return server.call(f"{IMPORTS}/UpdateImportRows", request)["import"]

    without = choose(review["etag"], False)
    less = minor(review["includedAmount"]) - minor(without["includedAmount"])
    check(less == minor(first["amount"]), f"leaving a row out changed the sum by {less}")
    return choose(without["etag"], True)


def job(imports: Server, ledger: Server, file: pathlib.Path, currency: str) -> tuple[int, int]:
    """From a file to transactions; how many there are, and their sum."""
    request = {"requestId": str(uuid.uuid4()), "name": "grpcurl", "currencyCode": currency}
    account_id = ledger.call(f"{LEDGER}/CreateAccount", request)["account"]["accountId"]
    upload_id = upload(imports, file)
    request = {"requestId": str(uuid.uuid4()), "uploadId": upload_id, "accountId": account_id}
    created = imports.call(f"{IMPORTS}/CreateImport", request)["import"]
    review = imports.watch(created["importId"], "IMPORT_STATE_REVIEW")
    reviewed = decide(imports, review)
    request = {
        "requestId": str(uuid.uuid4()),
        "importId": reviewed["importId"],
        "etag": reviewed["etag"],
    }
    imports.call(f"{IMPORTS}/ConfirmImport", request)
    imports.watch(reviewed["importId"], "IMPORT_STATE_COMMITTED")
    method, request = f"{LEDGER}/ListTransactions", {"accountId": account_id}
    amounts = [minor(row["amount"]) for row in pages(ledger, method, request, "transactions")]
    return len(amounts), sum(amounts)


def main(path: str, currency: str) -> None:
    """Once through the gateway, once at the services themselves."""
    gateway = os.environ["DJINN_URL"]
    urls = dict(pair.split("=", 1) for pair in os.environ["DJINN_SERVICE_URLS"].split())
    imports, sync = urls["imports"], urls["sync"]
    look_around(gateway, [IMPORTS, LEDGER])
    look_around(imports, [IMPORTS, HEALTH])
    look_around(sync, [LEDGER, HEALTH])
    healthy(imports, IMPORTS)
    healthy(sync, LEDGER)
    for url in (gateway, sync):
        refused(url)
    file = pathlib.Path(path)
    edge = Server(gateway)
    through = job(edge, edge, file, currency)
    # The proto files instead of reflection, so that both ways of grpcurl are walked.
    direct = job(Server(imports, True), Server(sync, True), file, currency)
    check(through == direct, f"{through} through the gateway, {direct} at the services")
    print(f"ok {through[0]} {through[1]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
