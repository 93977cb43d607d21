"""Runs one snippet of a founding document in an interpreter of its own; see `main`.

Each cell runs as at a prompt, in one namespace. A value that the document shows is compared by
its shape, since ids and dates differ from run to run. What is absent: anything that ends the
interpreter or a client; the snippet does that itself or leaves it to the interpreter's end.
"""

import ast
import datetime
import json
import sys

ID_MAX = 2**53


def main():
    """Read `{"prelude": code, "cells": [{"number", "code", "out"}], "script": code}` as JSON.

    Prints one JSON line per cell, with what the prompt displayed, and one when all is done.
    """
    job = json.loads(sys.stdin.readline())
    namespace = {"__name__": "__main__"}
    exec(compile(job["prelude"], "prelude", "exec"), namespace)
    if job["script"] is not None:
        exec(compile(job["script"], "script", "exec"), namespace)
    for cell in job["cells"]:
        report(cell=cell["number"], displayed=run_cell(cell, namespace))
    report(done=True)


def run_cell(cell, namespace):
    """Run a cell as at a prompt, check what the document shows, return what was displayed."""
    displayed = []
    sys.displayhook = displayed.append
    report(running=cell["number"])
    exec(compile(cell["code"] + "\n", f"In [{cell['number']}]", "single"), namespace)
    values = [value for value in displayed if value is not None]
    if cell["out"] is not None:
        value = values[0] if values else imported_and_called(cell["code"], namespace)
        check_shape(value, ast.parse(cell["out"], mode="eval").body, cell["out"])
        values = values or [value]
    return [repr(value) for value in values]


def imported_and_called(code, namespace):
    """The document of 2016 shows, beside the import of a function, what calling it returns."""
    (statement,) = ast.parse(code).body
    assert isinstance(statement, ast.ImportFrom), f"nothing was displayed: {code}"
    (imported,) = statement.names
    return namespace[imported.asname or imported.name]()


def check_shape(value, shown, text):
    """Whether `value` is of the kind that the document shows."""
    match shown:
        case ast.Constant(value=int()):
            assert type(value) is int and 1 <= value <= ID_MAX, (value, text)
        case ast.Constant(value=str() as written) if is_date(written):
            today = datetime.date.today()
            recent = {today.isoformat(), (today - datetime.timedelta(days=1)).isoformat()}
            assert type(value) is str and value in recent, (value, text)
        case ast.Constant(value=written):
            assert value == written, (value, text)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            assert isinstance(value, type) and value.__name__ == name, (value, text)
        case ast.Tuple(elts=elements):
            assert isinstance(value, tuple) and len(value) == len(elements), (value, text)
            for item, element in zip(value, elements, strict=True):
                check_shape(item, element, text)
        case ast.Dict(keys=keys, values=values):
            assert isinstance(value, dict) and len(value) == len(keys), (value, text)
            for (key, item), shown_key, shown_item in zip(value.items(), keys, values, strict=True):
                check_shape(key, shown_key, text)
                check_shape(item, shown_item, text)
        case _:
            raise AssertionError(f"no way to compare with {text}")


def is_date(text):
    """Whether `text` is an ISO date."""
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def report(**fields):
    """Print one JSON line at once, past any output of the snippet."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
