"""Runs the snippets of documents, in their order, and compares what they print with what the document says.

    python3 run.py ROOT STAGE DOCUMENT..

ROOT is the repository, STAGE an empty folder that is made to look like a checkout in use. A document's fenced
blocks mean:

* `sh`: run, in one shell per document, and must succeed; `sh fails` must fail.
* `json`, `text` or `csv` right behind it: what it prints, standard error included. `…` stands for anything in a
  line, a line of `…` for any lines; how much white space there is does not count.
* `ts`, `js` or `proto` with a path: stands in that file, word for word.
* `sh on-a-server`: for a machine that this is not; only its syntax is checked.
* without a language: a picture.

Anything else is refused: it would be neither run nor checked. DJINN_PROGRAMS names the programs that snippets call
(`djinn=.. grpcurl=..`), DJINN_PORTS what to put in place of the ports of a default start (`4000=..`), and every
other DJINN_* and TEMPORAL_* variable is what `source target/stack/demo/env` sets. Ends with `ok SNIPPETS OUTPUTS`.
"""

import dataclasses
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time

# How long one snippet may take.
SNIPPET_S = 60

FENCE = re.compile(r"^```(.*)$")
OUTPUTS = ("json", "text", "csv")
QUOTES = ("ts", "js", "proto")
ANYTHING = "…"
PORT = re.compile(r"\b(localhost|127\.0\.0\.1):(\d+)\b")


class Wrong(Exception):
    """What a document says does not hold."""


@dataclasses.dataclass
class Block:
    """A fenced block."""

    place: str
    words: list[str]
    text: str
    # Whether only blank lines are between it and the block before.
    follows: bool

    @property
    def language(self) -> str:
        """The first word of the fence; empty for a picture."""
        return self.words[0] if self.words else ""


def blocks(name: str, text: str) -> list[Block]:
    """The fenced blocks of a document."""
    found, open_at, words, lines, follows = [], 0, [], [], False
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if open_at and line == "```":
            found.append(Block(f"{name}:{open_at}", words, "\n".join(lines) + "\n", follows))
            open_at, follows = 0, True
        elif open_at:
            lines.append(line)
        elif fence:
            open_at, words, lines = number, fence[1].split(), []
        elif line.strip():
            follows = False
    if open_at:
        raise Wrong(f"{name}:{open_at}: the block has no end")
    return found


def pattern(expected: str) -> re.Pattern:
    """What an output must match, as lines with single spaces."""
    parts = []
    for line in squeezed(expected).splitlines():
        if line == ANYTHING:
            parts.append(r"(?:[^\n]*\n)*")
        else:
            parts.append("[^\n]+?".join(map(re.escape, line.split(ANYTHING))) + r"\n")
    return re.compile("".join(parts))


def squeezed(text: str) -> str:
    """Lines without blank ones, with single spaces."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


class Shell:
    """One bash that lives as long as its document, so that variables and functions stay."""

    def __init__(self, stage: pathlib.Path, environment: dict[str, str]) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=stage))
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=stage, env=environment,
        )
        # Any command that fails is noted, and not only the last one.
        self.tell("shopt -s expand_aliases; set -E -o pipefail; trap 'failed=$?' ERR")

    def tell(self, line: str) -> None:
        """Has bash do something."""
        self.bash.stdin.write(line + "\n")
        self.bash.stdin.flush()

    def run(self, snippet: str) -> tuple[int, str]:
        """The status of the first command that failed, or 0, and everything printed."""
        script, printed = self.folder / "snippet.sh", self.folder / "printed"
        script.write_text(snippet, encoding="utf-8")
        self.tell(f"failed=0; source {script} >{printed} 2>&1 </dev/null; echo ended $failed")
        deadline, said = time.monotonic() + SNIPPET_S, ""
        while not said.endswith("\n"):
            ready, _, _ = select.select([self.bash.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.bash.stdout.fileno(), 4096).decode() if ready else ""
            if not piece:
                self.bash.kill()
                raise Wrong("the shell ended" if ready else f"it took longer than {SNIPPET_S} s")
            said += piece
        return int(said.split()[-1]), printed.read_text(encoding="utf-8")

    def end(self) -> None:
        """Ends bash and whatever it left in the background."""
        try:
            self.tell("trap - ERR; kill $(jobs -p) 2>/dev/null; exit")
        except BrokenPipeError:
            pass  # A snippet has ended it, and that is told already.
        self.bash.wait(timeout=10)


class Stage:
    """A folder that looks like a checkout in which `cargo xtask demo --keep` runs."""

    def __init__(self, root: pathlib.Path, folder: pathlib.Path, variables: dict[str, str]) -> None:
        self.root, self.folder = root, folder
        programs, ports = (dict(pair.split("=", 1) for pair in variables.get(name, "").split())
                           for name in ("DJINN_PROGRAMS", "DJINN_PORTS"))
        self.ports = ports
        for name in ("examples", "proto", "deploy"):
            (folder / name).symlink_to(root / name)
        for place in ("bin", "target/debug", "target/stack/demo"):
            (folder / place).mkdir(parents=True)
        for name, path in programs.items():
            (folder / "bin" / name).symlink_to(path)
            (folder / "target/debug" / name).symlink_to(path)
        given = {name: value for name, value in variables.items()
                 if name.startswith(("DJINN_", "TEMPORAL_", "DATABASE_"))
                 and name not in ("DJINN_PROGRAMS", "DJINN_PORTS", "DJINN_TOKEN")}
        exports = "".join(f"export {name}='{value}'\n" for name, value in given.items())
        (folder / "target/stack/demo/env").write_text(exports, encoding="utf-8")
        path = f"{folder / 'bin'}:{variables['PATH']}"
        self.environment = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}

    def placed(self, snippet: str) -> str:
        """A snippet with the ports that are listened on here."""
        return PORT.sub(lambda it: f"{it[1]}:{self.ports.get(it[2], it[2])}", snippet)

    def document(self, name: str, text: str) -> tuple[int, int]:
        """How many snippets were run, and how many outputs compared."""
        shell = Shell(self.folder, self.environment)
        snippets, compared, printed, last = 0, 0, None, None
        try:
            for block in blocks(name, text):
                if block.language == "sh" and block.words[1:] in ([], ["fails"]):
                    printed, last = self.snippet(shell, block), block
                    snippets += 1
                elif block.language in OUTPUTS and len(block.words) == 1 and block.follows and printed is not None:
                    compare(block, last, printed)
                    compared, printed = compared + 1, None
                else:
                    printed = None
                    self.unrun(block)
        finally:
            shell.end()
        return snippets, compared

    def snippet(self, shell: Shell, block: Block) -> str:
        """What a snippet prints."""
        try:
            failed, printed = shell.run(self.placed(block.text))
        except Wrong as wrong:
            raise Wrong(f"{block.place}: {wrong}\n{block.text}") from None
        should_fail = block.words[1:] == ["fails"]
        if bool(failed) != should_fail:
            what = f"failed with {failed}" if failed else "did not fail"
            raise Wrong(f"{printed}\n{block.place}: the snippet {what}:\n{block.text}")
        return printed

    def unrun(self, block: Block) -> None:
        """Checks a block that is not run."""
        if block.words == ["sh", "on-a-server"]:
            done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
            if done.returncode:
                raise Wrong(f"{block.place}: {done.stderr}")
        elif block.language in QUOTES and len(block.words) == 2:
            if block.text not in (self.root / block.words[1]).read_text(encoding="utf-8"):
                raise Wrong(f"{block.place}: this does not stand in {block.words[1]}")
        elif block.words:
            raise Wrong(f"{block.place}: `{' '.join(block.words)}` is neither run nor checked here")


def compare(block: Block, snippet: Block, printed: str) -> None:
    """An output is what its document says."""
    is_now = squeezed(printed)
    if pattern(block.text).fullmatch(is_now):
        return
    lines = squeezed(block.text).splitlines(keepends=True)
    while lines and not pattern("".join(lines)).match(is_now):
        wrong = lines.pop()
    told = f"it goes wrong at: {wrong}" if len(lines) < len(squeezed(block.text).splitlines()) else "it prints more\n"
    raise Wrong(f"{printed}\n{block.place}: {snippet.place} prints something else than the document says: {told}")


# A runner that lets everything pass proves nothing: each of these documents must be refused, for this reason.
BROKEN = {
    "```sh\ntrue\nfalse\ntrue\n```": "the snippet failed with 1",
    "```sh\nmissing-program | cat\n```": "the snippet failed with 127",
    "```sh fails\ntrue\n```": "the snippet did not fail",
    "```sh\necho one\n```\n\n```text\ntwo\n```": "goes wrong at: two",
    "```sh\nprintf 'one\\ntwo\\n'\n```\n```text\none\n```": "prints more",
    "```sh\necho one\n```\n```text\none …\n```": "goes wrong at: one …",
    "```sh\ntrue\n```\nWords.\n```text\none\n```": "neither run nor checked",
    "```python\nprint()\n```": "neither run nor checked",
    "```js README.md\nnothing of the kind\n```": "does not stand in README.md",
    "```sh on-a-server\nif true\n```": "syntax error",
    "```sh\ntrue": "has no end",
    "```sh\nexit 0\n```": "the shell ended",
}
RIGHT = """
```sh
a=1
f() { echo "$a  b"; }
```
```sh
f; echo c d
```

```text
1 b
…
c …
```
```sh fails
false
```
"""


def prove(stage: Stage) -> None:
    """The runner can fail, and lets pass what is right."""
    for text, reason in BROKEN.items():
        try:
            stage.document("broken", text)
        except Wrong as wrong:
            if reason not in str(wrong):
                sys.exit(f"FAILED: {text!r} should be refused because {reason!r}: {wrong}")
        else:
            sys.exit(f"FAILED: {text!r} passed")
    if stage.document("right", RIGHT) != (3, 1):
        sys.exit("FAILED: a right document did not pass")


def main(root: str, stage: str, *names: str) -> None:
    """Everything."""
    place = Stage(pathlib.Path(root), pathlib.Path(stage), dict(os.environ))
    prove(place)
    snippets, outputs = 0, 0
    for name in names:
        try:
            run, compared = place.document(name, (place.root / name).read_text(encoding="utf-8"))
        except Wrong as wrong:
            sys.exit(str(wrong))
        if not run:
            sys.exit(f"FAILED: {name} has no snippet")
        snippets, outputs = snippets + run, outputs + compared
        print(f"{name}: {run} snippets run, {compared} outputs compared")
    print(f"ok {snippets} {outputs}")


if __name__ == "__main__":
    main(*sys.argv[1:])
