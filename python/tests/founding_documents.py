"""Extracts every code snippet from the founding documents, so that tests run it as it stands.

A snippet is an indented block: a script, or an IPython transcript with `In [n]:` and `Out[n]:`.
What is absent: any hand-copied code. Whatever the documents leave to the reader is listed here:
one substituted host, and the `pass` that a `with` body of comments alone lacks.
"""

import dataclasses
import re
from pathlib import Path

FOUNDING = Path(__file__).resolve().parents[2] / "docs" / "founding"
CLIENT_DOCUMENT = FOUNDING / "a_wampy_client.rst"
README_2016 = FOUNDING / "readme_2016.md"

#: The router of the text stands here for one that nobody can reach.
SUBSTITUTIONS = {"example.com": "localhost"}

_INDENT = re.compile(r"\t| {4}")
_IN = re.compile(r"In ?\[(\d+)\]: ?(.*)")
_OUT = re.compile(r"Out ?\[(\d+)\]: ?(.*)")
_CONTINUATION = re.compile(r"\s*\.\.\.: ?(.*)")


@dataclasses.dataclass
class Cell:
    """What one prompt was given, and what the document shows as its outcome."""

    number: int
    code: str
    out: str | None = None


@dataclasses.dataclass
class Snippet:
    """One block of code; `cells` is empty for a script."""

    line: int
    text: str
    cells: list[Cell]

    @property
    def script(self):
        """The block as a script that can run."""
        return runnable(self.text)


def snippets(document):
    """The snippets of a document, in its order."""
    found = []
    for line, block in _blocks(document.read_text(encoding="utf-8")):
        cells = _cells(block) if _IN.match(block) else []
        found.append(Snippet(line, block, cells))
    return found


def transcript(document):
    """All cells of a document that is one session at one prompt."""
    return [cell for snippet in snippets(document) for cell in snippet.cells]


def runnable(code):
    """Apply the substitutions and give each empty body its `pass`."""
    for written, meant in SUBSTITUTIONS.items():
        code = code.replace(written, meant)
    lines = code.split("\n")
    result = []
    for index, line in enumerate(lines):
        result.append(line)
        if line.rstrip().endswith(":") and not _has_body(line, lines[index + 1 :]):
            result.append(_margin(line) + "    pass")
    return "\n".join(result) + "\n"


def _has_body(header, following):
    """Whether a line deeper than `header` follows that is code and not a comment."""
    code = (line for line in following if line.strip() and not line.lstrip().startswith("#"))
    first = next(code, "")
    return len(_margin(first)) > len(_margin(header))


def _margin(line):
    return line[: len(line) - len(line.lstrip())]


def _blocks(text):
    """Each run of indented lines with the number of its first, without the indentation."""
    block, start = [], 0
    for number, line in enumerate([*text.split("\n"), "end"], 1):
        indent = _INDENT.match(line)
        if indent:
            start = start if block else number
            block.append(line[indent.end() :])
        elif block and not line.strip():
            block.append("")
        elif block:
            yield start, "\n".join(block).rstrip("\n")
            block = []


def _cells(block):
    cells, width = [], 0
    for line in block.split("\n"):
        if match := _IN.match(line):
            cells.append(Cell(int(match[1]), match[2]))
            width = match.start(2)
        elif match := _OUT.match(line):
            assert int(match[1]) == cells[-1].number, f"an outcome of another prompt: {line}"
            cells[-1].out = match[2]
        elif match := _CONTINUATION.match(line):
            cells[-1].code += "\n" + match[1]
        elif line.strip():
            # A continuation without dots stands where the code of its prompt stands, or deeper.
            assert not line[:width].strip(), f"neither a prompt nor a continuation: {line}"
            cells[-1].code += "\n" + line[width:]
    return cells
