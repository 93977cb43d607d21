"""Runs a page of documentation as its reader would, block by block, in a directory of its own.

What a fenced block does depends on what stands behind its backticks:

    python              runs, all of a page in one namespace of one fresh interpreter
    python title="f.py" is written to the file, for blocks that import it or run it
    pycon               runs as a session at a prompt, and each outcome must be as shown
    text                directly behind a block that runs: what that block prints
    console             runs each command after "$ "; other lines are what it prints
    console background  the same, but commands stay until the page ends

`...` in what is printed stands for anything. Any block but `text` may say `not-run="why"`, and
blocks of other languages are for reading. A page that needs optional packages names them in a
comment: `<!-- needs: gevent, flask -->`.

The page has a router of its own: `localhost:8080`, which is also where a `Client()` connects and
the `wampy` command, stands for it. What is absent: shells. A command line is split into words.
"""

import contextlib
import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNNER = Path(__file__).with_name("page_runner.py")
BLOCK_TIMEOUT_S = 30
#: How long what handlers print may take to come.
OUTPUT_TIMEOUT_S = 10
COMMANDS = ("wampy", "python", "pytest", "flask")

_FENCE = re.compile(r"(`{3,})(\w*)(.*)")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_NEEDS = re.compile(r"<!-- needs: ([\w, .-]+) -->")


@dataclasses.dataclass
class Block:
    """One fenced block: where it stands, and what it says."""

    line: int
    language: str
    words: set[str]
    attributes: dict[str, str]
    text: str
    #: what it prints, if the page says so
    printed: str | None = None


class PageError(AssertionError):
    """A block does not do what its page says."""


def needs(page):
    """The optional packages that a page needs."""
    found = _NEEDS.search(page.read_text(encoding="utf-8"))
    return [name.strip() for name in found[1].split(",")] if found else []


def blocks(page):
    """The blocks of a page, in its order; a `text` that tells what one prints is a part of it."""
    found = []
    lines = iter(enumerate(page.read_text(encoding="utf-8").split("\n"), 1))
    follows = False
    for number, line in lines:
        fence = _FENCE.fullmatch(line.rstrip())
        if not fence:
            follows = follows and not line.strip()
            continue
        body = []
        for _, inner in lines:
            if inner.rstrip() == fence[1]:
                break
            body.append(inner)
        else:
            raise PageError(f"{page.name}:{number}: this block does not end")
        attributes = dict(_ATTRIBUTE.findall(fence[3]))
        words = set(_ATTRIBUTE.sub("", fence[3]).split())
        block = Block(number, fence[2], words, attributes, "\n".join(body) + "\n")
        if block.language == "text" and follows:
            found[-1].printed = block.text
        else:
            found.append(block)
        follows = block.language == "python" and "title" not in attributes
    return found


def run(page, url):
    """Run every block of `page` against the router at `url`.

    Raises:
        PageError: with the page, the line, and what is wrong there.
    """
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        reader = stack.enter_context(_Reader(page, url, place))
        for block in blocks(page):
            with _located(page, block):
                reader.take(block)
        reader.finish()


@contextlib.contextmanager
def _located(page, block):
    try:
        yield
    except (PageError, subprocess.TimeoutExpired) as error:
        raise PageError(f"{page.name}:{block.line}: {error}") from None


class _Reader:
    """Does what the blocks of one page say."""

    def __init__(self, page, url, place):
        self.page = page
        self.url = url
        self.place = place
        self.interpreter = None
        self.background = []
        binaries = os.path.dirname(sys.executable)
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([binaries, os.environ.get("PATH", "")]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": "",
            "WAMPY_URL": url,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in [*self.background, self.interpreter]:
            if process is None:
                continue
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def take(self, block):
        """Do what one block says."""
        if "not-run" in block.attributes:
            if not block.attributes["not-run"].strip():
                raise PageError('not-run="" must say why')
            return
        if "not-run" in block.words:
            raise PageError('a block that is not run must say why: not-run="..."')
        if "title" in block.attributes:
            self.write(block)
        elif block.language in {"python", "pycon"}:
            self.interpret(block)
        elif block.language == "console":
            self.command(block)

    def finish(self):
        """End the interpreter as its reader would, and look at what it said on the way."""
        if self.interpreter is None:
            return
        self.interpreter.stdin.close()
        code, errors = self._end(self.interpreter)
        if code != 0 or "Traceback" in errors:
            raise PageError(f"{self.page.name}: the interpreter ended with {code}:\n{errors}")

    def here(self, text):
        """The text with our router in place of the one that it names."""
        return text.replace("localhost:8080", self.url.partition("://")[2])

    # Files and Python

    def write(self, block):
        name = block.attributes["title"]
        if Path(name).name != name:
            raise PageError(f"{name!r} is not the name of a file in this directory")
        (self.place / name).write_text(self.here(block.text), encoding="utf-8")

    def interpret(self, block):
        if self.interpreter is None:
            self.interpreter = self._start(
                [sys.executable, str(RUNNER), self.page.name, self.url],
                ".stderr",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        job = {
            "line": block.line,
            "code": self.here(block.text),
            "is_session": block.language == "pycon",
            "printed": block.printed and self.here(block.printed),
            "patience": OUTPUT_TIMEOUT_S,
            "timeout": BLOCK_TIMEOUT_S,
        }
        self.interpreter.stdin.write(json.dumps(job) + "\n")
        self.interpreter.stdin.flush()
        answer = self.interpreter.stdout.readline()
        if not answer:
            code, errors = self._end(self.interpreter)
            raise PageError(f"the interpreter ended with {code}:\n{errors}")
        failure = json.loads(answer)["failure"]
        if failure:
            raise PageError(failure)

    def _end(self, process):
        """Wait for the interpreter; returns its exit code and what it wrote to stderr."""
        try:
            code = process.wait(BLOCK_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise PageError("the interpreter does not end after the last block") from None
        return code, (self.place / ".stderr").read_text(encoding="utf-8")

    # Commands

    def command(self, block):
        """Run each command of a block and compare what it prints."""
        for line, shown in _commands(block.text):
            words = shlex.split(self.here(line), comments=True)
            if words[0] not in COMMANDS:
                raise PageError(f"{words[0]!r} is none of the commands that pages run: {COMMANDS}")
            if words[0] == "python":
                words[0] = sys.executable
            expected = self.here(shown)
            if "background" in block.words:
                self._in_background(words, line, expected)
            else:
                self._to_its_end(words, line, expected)

    def _to_its_end(self, words, line, expected):
        process = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=BLOCK_TIMEOUT_S,
            check=False,
            cwd=self.place,
            env=self.environment,
        )
        if process.returncode != 0:
            raise PageError(f"{line!r} ended with {process.returncode}:\n{process.stdout}")
        if expected and not is_as_shown(expected, process.stdout):
            raise PageError(f"{line!r} printed\n{process.stdout}and not\n{expected}")

    def _in_background(self, words, line, expected):
        log = self.place / f".output-{len(self.background)}"
        process = self._start(words, log.name, stdin=subprocess.DEVNULL)
        self.background.append(process)
        deadline = time.monotonic() + OUTPUT_TIMEOUT_S
        while not is_as_shown(expected, printed := log.read_text(encoding="utf-8")):
            if time.monotonic() > deadline or process.poll() is not None:
                raise PageError(f"{line!r} printed\n{printed}and not\n{expected}")
            time.sleep(0.02)

    def _start(self, words, log, **pipes):
        """Start a process whose stderr, and stdout unless it is a pipe, are the file `log`."""
        with open(self.place / log, "w", encoding="utf-8") as file:
            pipes = {"stdout": file, "stderr": file, **pipes}
            return subprocess.Popen(words, cwd=self.place, env=self.environment, **pipes)


def _commands(text):
    """Each command of a console block with the lines that it prints."""
    lines = text.rstrip("\n").split("\n")
    while lines:
        first = lines.pop(0)
        if not first.startswith("$ "):
            raise PageError(f"a command begins with '$ ', and this line does not: {first!r}")
        command = first[2:]
        while command.endswith("\\") and lines:
            command = command[:-1] + lines.pop(0).removeprefix("> ")
        printed = []
        while lines and not lines[0].startswith("$ "):
            printed.append(lines.pop(0))
        yield command, "".join(line + "\n" for line in printed)


def is_as_shown(shown, printed):
    """Whether a program printed what a page shows, where `...` stands for anything."""
    parts = [re.escape(part.strip("\n")) for part in shown.split("...")]
    return re.fullmatch(r"\s*" + ".*".join(parts) + r"\s*", printed, re.DOTALL) is not None
