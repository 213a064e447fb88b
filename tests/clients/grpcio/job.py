"""The whole job with grpcio, and what a client meets on the way: deadlines, cancellation, refusals.

    python job.py FILE CURRENCY [--revert]

DJINN_URL names the gateway, DJINN_TOKEN is the user's. The modules of the contract are generated
by grpcio-tools into a folder of PYTHONPATH. Ends with `ok ROWS SUM`, the sum in minor units.
"""

import hashlib
import os
import pathlib
import queue
import sys
import threading
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from djinn.imports.v1 import import_service_pb2 as imports_pb
from djinn.imports.v1 import import_service_pb2_grpc as imports_grpc
from djinn.sync.v1 import ledger_service_pb2 as ledger_pb
from djinn.sync.v1 import ledger_service_pb2_grpc as ledger_grpc

# What one call may take. Whoever sets no deadline waits for ever on a network that is gone.
DEADLINE_S = 30

# More than a client may send ahead of the server: what is asked for beyond has been taken.
AHEAD_BYTES = 2 * 1024 * 1024
CHUNK_BYTES = 64 * 1024

State = imports_pb.ImportState


class Djinn:
    """The services over one channel, with the user's token on each call."""

    def __init__(self, url: str, token: str) -> None:
        self.channel = grpc.insecure_channel(url.removeprefix("http://"))
        self.imports = imports_grpc.ImportServiceStub(self.channel)
        self.ledger = ledger_grpc.LedgerServiceStub(self.channel)
        self.reflection = reflection_pb2_grpc.ServerReflectionStub(self.channel)
        self.metadata = (("authorization", f"Bearer {token}"),)

    def call(self, method, request, deadline_s: float = DEADLINE_S):
        """One call with token and deadline."""
        return method(request, metadata=self.metadata, timeout=deadline_s)


def check(holds: bool, what: str) -> None:
    """Ends the program unless something holds."""
    if not holds:
        sys.exit(f"FAILED: {what}")


def request_id() -> str:
    """A new id that makes a call safe to repeat."""
    return str(uuid.uuid4())


def reason(error: grpc.RpcError) -> str:
    """The reason in a refusal's google.rpc.ErrorInfo."""
    status = rpc_status.from_call(error)
    check(status is not None, f"{error.code()} came without details: {error.details()}")
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            check(info.domain == "djinn", f"the domain of a reason is {info.domain!r}")
            return info.reason
    return ""


def refused(what: str, code: grpc.StatusCode, call) -> grpc.RpcError:
    """The refusal of a call that must be refused."""
    try:
        call()
    except grpc.RpcError as error:
        check(error.code() == code, f"{what}: {error.code()} {error.details()}, expected {code}")
        print(f"{what}: {code.name}")
        return error
    sys.exit(f"FAILED: {what} was accepted")


def parts(file_id: str, name: str, content: bytes):
    """The messages of an upload."""
    header = imports_pb.UploadHeader(request_id=file_id, file_name=name, size_bytes=len(content))
    yield imports_pb.UploadStatementRequest(header=header)
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        yield imports_pb.UploadStatementRequest(chunk=chunk)


def upload(djinn: Djinn, name: str, content: bytes, file_id: str) -> str:
    """Streams a file and checks what was stored."""
    stored = djinn.call(djinn.imports.UploadStatement, parts(file_id, name, content)).upload
    check(stored.size_bytes == len(content), f"{stored.size_bytes} bytes were stored")
    check(stored.sha256 == hashlib.sha256(content).hexdigest(), "other bytes were stored")
    return stored.upload_id


def give_up_an_upload(djinn: Djinn, file_id: str) -> None:
    """Cancels an upload when the server has taken part of it. Nothing of it may stay."""
    taken, over = threading.Event(), threading.Event()

    def endless():
        header = imports_pb.UploadHeader(request_id=file_id, file_name="half.csv")
        yield imports_pb.UploadStatementRequest(header=header)
        for _ in range(AHEAD_BYTES // CHUNK_BYTES):
            yield imports_pb.UploadStatementRequest(chunk=b"x" * CHUNK_BYTES)
        taken.set()
        over.wait()

    method = djinn.imports.UploadStatement
    call = method.future(endless(), metadata=djinn.metadata, timeout=DEADLINE_S)
    check(taken.wait(DEADLINE_S), "the upload that is to be given up is not taken")
    call.cancel()
    over.set()
    check(call.code() == grpc.StatusCode.CANCELLED, f"a cancelled upload ended {call.code()}")


def follow(djinn: Djinn, import_id: str, wanted: int):
    """Waits until an import is in a state."""
    request = imports_pb.WatchImportRequest(import_id=import_id)
    messages, last = djinn.call(djinn.imports.WatchImport, request), None
    for message in messages:
        last = getattr(message, "import")
        print(State.Name(last.state))
        if last.state == wanted:
            messages.cancel()
            return last
    sys.exit(f"FAILED: the import ended: {last.job.failure}")


def pages(djinn: Djinn, method, request, field: str):
    """The items of a list, page by page."""
    request.page_size = 5
    while True:
        page = djinn.call(method, request)
        yield from getattr(page, field)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def decide(djinn: Djinn, review):
    """Leaves the first row out and takes it in again; an old etag is refused."""
    import_id = review.import_id
    request = imports_pb.ListImportRowsRequest(import_id=import_id)
    rows = list(pages(djinn, djinn.imports.ListImportRows, request, "rows"))
    check(len(rows) == review.counts.row_count, f"{len(rows)} rows were listed")

    def choose(etag: str, included: bool):
        change = imports_pb.ImportRowChange(row_number=rows[0].row_number, included=included)
        request = imports_pb.UpdateImportRowsRequest(
            import_id=import_id, etag=etag, changes=[change]
        )
        return getattr(djinn.call(djinn.imports.UpdateImportRows, request), "import")

    without = choose(review.etag, False)
    less = review.included_amount.minor_units - without.included_amount.minor_units
    check(less == rows[0].amount.minor_units, f"leaving a row out changed the sum by {less}")
    error = refused(
        "an old etag", grpc.StatusCode.ABORTED, lambda: choose(review.etag, True)
    )
    check(reason(error) == "ETAG_MISMATCH", f"the reason is {reason(error)!r}")
    return choose(without.etag, True)


def silent_stream(djinn: Djinn, import_id: str) -> None:
    """A stream on which nothing comes ends at its client's deadline."""
    request = imports_pb.WatchImportRequest(import_id=import_id)
    refused(
        "a watch of half a second",
        grpc.StatusCode.DEADLINE_EXCEEDED,
        lambda: list(djinn.call(djinn.imports.WatchImport, request, deadline_s=0.5)),
    )


def both_directions(djinn: Djinn) -> None:
    """Reflection is a stream both ways: each question is asked after the answer to the last."""
    questions: queue.SimpleQueue = queue.SimpleQueue()
    ask = reflection_pb2.ServerReflectionRequest
    questions.put(ask(list_services=""))
    answers = djinn.reflection.ServerReflectionInfo(iter(questions.get, None), timeout=DEADLINE_S)
    listed = next(answers).list_services_response.service
    names = sorted(service.name for service in listed)
    check("djinn.imports.v1.ImportService" in names, f"reflection names {names}")
    for name in names:
        questions.put(ask(file_containing_symbol=name))
        check(bool(next(answers).file_descriptor_response.file_descriptor_proto), name)
    questions.put(None)
    check(next(answers, None) is None, "reflection says more than it was asked")
    print(f"reflection: {', '.join(names)}")


def metadata(djinn: Djinn) -> None:
    """Metadata goes both ways, and a call without a token is refused."""
    request = ledger_pb.ListAccountsRequest()
    sent = djinn.metadata + (("x-note", "from grpcio"), ("x-note-bin", b"\0\xff"))
    _, call = djinn.ledger.ListAccounts.with_call(request, metadata=sent, timeout=DEADLINE_S)
    ids = [value for key, value in call.initial_metadata() if key == "x-request-id"]
    check(len(ids) == 1 and bool(uuid.UUID(ids[0])), f"x-request-id is {ids}")
    error = refused(
        "a call without a token",
        grpc.StatusCode.UNAUTHENTICATED,
        lambda: djinn.ledger.ListAccounts(request, timeout=DEADLINE_S),
    )
    check(reason(error) == "TOKEN_MISSING", f"the reason is {reason(error)!r}")


def count(djinn: Djinn, account_id: str) -> tuple[int, int]:
    """How many transactions an account has, and their sum."""
    request = ledger_pb.ListTransactionsRequest(account_id=account_id)
    listed = pages(djinn, djinn.ledger.ListTransactions, request, "transactions")
    amounts = [transaction.amount.minor_units for transaction in listed]
    return len(amounts), sum(amounts)


def revert(djinn: Djinn, import_id: str, account_id: str) -> None:
    """Undoes the import: nothing of it stays."""
    request = imports_pb.RevertImportRequest(request_id=request_id(), import_id=import_id)
    djinn.call(djinn.imports.RevertImport, request)
    follow(djinn, import_id, State.IMPORT_STATE_REVERTED)
    rows, _ = count(djinn, account_id)
    check(rows == 0, f"{rows} transactions are left after the import was undone")


def main(path: str, currency: str, undo: bool) -> None:
    """Walks the whole way."""
    djinn = Djinn(os.environ["DJINN_URL"], os.environ["DJINN_TOKEN"])
    file = pathlib.Path(path)
    both_directions(djinn)
    metadata(djinn)

    request = ledger_pb.CreateAccountRequest(
        request_id=request_id(), name="From Python", currency_code=currency
    )
    account_id = djinn.call(djinn.ledger.CreateAccount, request).account.account_id
    # The same id for both: had the first left anything, the second would be refused for it.
    file_id = request_id()
    give_up_an_upload(djinn, file_id)
    upload_id = upload(djinn, file.name, file.read_bytes(), file_id)

    request = imports_pb.CreateImportRequest(
        request_id=request_id(), upload_id=upload_id, account_id=account_id
    )
    created = getattr(djinn.call(djinn.imports.CreateImport, request), "import")
    review = follow(djinn, created.import_id, State.IMPORT_STATE_REVIEW)
    silent_stream(djinn, review.import_id)
    reviewed = decide(djinn, review)
    request = imports_pb.ConfirmImportRequest(
        request_id=request_id(), import_id=review.import_id, etag=reviewed.etag
    )
    djinn.call(djinn.imports.ConfirmImport, request)
    follow(djinn, review.import_id, State.IMPORT_STATE_COMMITTED)
    rows, total = count(djinn, account_id)
    if undo:
        revert(djinn, review.import_id, account_id)
    print(f"ok {rows} {total}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--revert" in sys.argv[3:])
