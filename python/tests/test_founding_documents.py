"""The two founding documents, run as they stand against our own router on localhost:8080.

They name that port, so these tests own it while they run, one test run at a time.
"""

import ast
import fcntl
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import founding_documents
import pytest
from founding_documents import CLIENT_DOCUMENT, README_2016
from founding_runner import check_shape

import wampy

LOCK_TIMEOUT_S = 50
SNIPPET_TIMEOUT_S = 20
PORT = 8080

RUNNER = Path(__file__).with_name("founding_runner.py")
#: What the documents as they were written hash to.
SHA256 = {
    CLIENT_DOCUMENT: "5ba2984bcc8f6e2f44efd914cf4c2db80f89c247abf60cabbb02b1a576197acd",
    README_2016: "ea39ceaf9b00bea189a071cccacc35f63f328c68b885cd10291a56ce002e9509",
}
#: What the text of 2016 leaves to the reader to import.
PRELUDE_2016 = "import datetime\nfrom wampy.rpc import rpc\n"
#: The placeholders of the text of 2017.
PRELUDE_2017 = "args = (1, 'two')\nkwargs = {'three': [3]}\n"

SCRIPTS = [snippet for snippet in founding_documents.snippets(CLIENT_DOCUMENT) if not snippet.cells]
TRANSCRIPTS = [snippet for snippet in founding_documents.snippets(CLIENT_DOCUMENT) if snippet.cells]


# The extractor


@pytest.mark.parametrize("document", SHA256, ids=lambda path: path.name)
def test_the_document_is_as_it_was_written(document):
    assert hashlib.sha256(document.read_bytes()).hexdigest() == SHA256[document]


def test_every_snippet_is_found():
    assert [len(snippet.cells) for snippet in founding_documents.snippets(CLIENT_DOCUMENT)] == [
        0,
        0,
        0,
        5,
        3,
    ]
    cells = founding_documents.transcript(README_2016)
    assert [cell.number for cell in cells] == list(range(1, 15))
    assert [cell.number for cell in cells if cell.out is not None] == [8, 9, 12]


def test_no_code_of_a_document_is_lost():
    for document in SHA256:
        text = document.read_text(encoding="utf-8")
        written = {line.strip() for line in text.split("\n") if line[:1] in ("\t", " ")}
        extracted = "\n".join(snippet.text for snippet in founding_documents.snippets(document))
        assert written - {""} == {line.strip() for line in extracted.split("\n")} - {""}


def test_every_snippet_is_valid_python():
    for snippet in SCRIPTS:
        ast.parse(snippet.script)
    for cell in [*TRANSCRIPTS[0].cells, *TRANSCRIPTS[1].cells]:
        ast.parse(cell.code)
    for cell in founding_documents.transcript(README_2016):
        ast.parse(cell.code)


def test_a_body_of_comments_alone_gets_its_pass():
    code = "with a:\n    # nothing\n\n# the end"
    assert founding_documents.runnable(code) == "with a:\n    pass\n    # nothing\n\n# the end\n"
    whole = "with a:\n    # something\n    b()\n"
    assert founding_documents.runnable(whole) == whole + "\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "3941615218422338"),
        (True, "3941615218422338"),
        (2**53 + 1, "3941615218422338"),
        ("2016-05-14", "u'2016-05-14'"),
        ({1: (int, "other")}, "{347361574427174: (a.b.int, 'get_todays_date')}"),
        ({1: ("int", "name")}, "{347361574427174: (a.b.int, 'name')}"),
        ({}, "{347361574427174: (a.b.int, 'name')}"),
    ],
)
def test_an_outcome_of_another_kind_is_noticed(value, shown):
    with pytest.raises(AssertionError):
        check_shape(value, ast.parse(shown, mode="eval").body, shown)


# The snippets


@pytest.fixture(scope="module")
def router():
    """Our router on the port that the documents name."""
    lock_path = Path(tempfile.gettempdir()) / f"wampy-tests-port-{PORT}.lock"
    with lock_path.open("w") as lock:
        _take(lock)
        try:
            running = wampy.Router(port=PORT).start()
        except wampy.WampyError as error:
            pytest.fail(f"port {PORT} of localhost, which the documents name, is busy: {error}")
        with running:
            yield running


def _take(lock):
    """Wait until no other test run owns the port."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                pytest.fail(f"another test run has owned port {PORT} for {LOCK_TIMEOUT_S} s")
            time.sleep(0.1)
        else:
            return


class Observer(wampy.Client):
    """Sees who joins and who leaves, which no snippet can pretend."""

    def __init__(self, seen, **arguments):
        super().__init__(**arguments)
        self.joined, self.left = seen(), seen()

    @wampy.subscribe(topic="wamp.session.on_join")
    def on_join(self, details, **_):
        self.joined.add(details["session"])

    @wampy.subscribe(topic="wamp.session.on_leave")
    def on_leave(self, session, *_, **__):
        self.left.add(session)


@pytest.fixture
def observer(router, seen):
    """A client that sees the sessions of a snippet come and go."""
    with Observer(type(seen), router=router) as client:
        yield client


class Foobar(wampy.Client):
    """The second peer that the text assumes."""

    def __init__(self, seen, **arguments):
        super().__init__(**arguments)
        self.calls = seen

    @wampy.callee
    def foobar(self, *args, **kwargs):
        self.calls.add((args, kwargs))
        return {"foobar": [*args, kwargs]}


@pytest.fixture
def foobar(router, seen):
    """The callee of the procedure "foobar"."""
    with Foobar(seen, router=router) as client:
        yield client


def run(prelude="", cells=(), script=None):
    """Run a snippet in an interpreter of its own; returns the lines that it reported."""
    cells = [{"number": cell.number, "code": cell.code, "out": cell.out} for cell in cells]
    job = json.dumps({"prelude": prelude, "cells": cells, "script": script})
    done = subprocess.run(
        [sys.executable, str(RUNNER)],
        input=job + "\n",
        capture_output=True,
        text=True,
        timeout=SNIPPET_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("snippet", SCRIPTS, ids=lambda snippet: f"line_{snippet.line}")
def test_a_session_begins_and_ends(observer, snippet):
    assert run(script=snippet.script) == [{"done": True}]
    assert observer.joined.take(1) == observer.left.take(1)


def test_a_call_message_built_by_hand(foobar):
    assert run(cells=TRANSCRIPTS[0].cells)[-1] == {"done": True}
    assert foobar.calls.take(1) == [((), {})]


def test_the_rpc_api(foobar):
    lines = run(PRELUDE_2017, TRANSCRIPTS[1].cells)
    assert foobar.calls.take(1) == [((1, "two"), {"three": [3]})]
    value = {"foobar": [1, "two", {"three": [3]}]}
    assert lines[-2:] == [{"cell": 5, "displayed": [repr(value)]}, {"done": True}]


def test_the_transcript_of_2016(observer):
    """The whole console session; at its `exit()` the service is still running."""
    lines = run(PRELUDE_2016, founding_documents.transcript(README_2016))
    assert [line["cell"] for line in lines if "cell" in line] == list(range(1, 14))
    # `exit()` ended the interpreter: nothing was reported after it began.
    assert lines[-1] == {"running": 14}
    assert len(set(observer.joined.take(2))) == 2
    assert sorted(observer.left.take(2)) == sorted(observer.joined.take(2))
