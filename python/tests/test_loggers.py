"""The table of loggers in ``docs/python/logging.md`` beside what the package logs.

What is absent: when something is logged; the tests of each concern see to that.
"""

import ast
import pathlib

import wampy

PACKAGE = pathlib.Path(wampy.__file__).parent
TABLE = pathlib.Path(__file__).parents[2] / "docs" / "python" / "logging.md"
LEVELS = {name: name.upper() for name in ("debug", "info", "warning", "error", "critical")}
LEVELS["exception"] = "ERROR"


def logged_in(path):
    """The loggers of a module, and the levels at which each is used."""
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    tree, names, used = ast.parse(path.read_text()), set(), set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "getLogger":
            (given,) = node.args
            names.add(given.value if isinstance(given, ast.Constant) else module)
        elif isinstance(node.func.value, ast.Name) and node.func.value.id == "logger":
            used.add(LEVELS[node.func.attr])
    assert len(names) <= 1, f"{path} has several loggers"
    assert names or not used, f"{path} uses the logger of another module"
    return {(name, level) for name in names for level in used}


def logged():
    """All loggers of the package with their levels."""
    return set().union(*map(logged_in, PACKAGE.rglob("*.py")))


def documented():
    """The same by the table, in which a row without a name goes on with the one above."""
    name, rows = None, set()
    for line in TABLE.read_text().splitlines():
        if not line.startswith("|"):
            continue
        first, level, what = (cell.strip() for cell in line.strip("|").split("|"))
        if first.startswith("`"):
            name = first.strip("`")
        if name is not None:
            assert what
            rows.add((name, level))
    return rows


def test_every_logger_is_in_the_table_with_its_levels():
    assert ("wampy.aio", "ERROR") in logged()
    assert documented() == logged()
