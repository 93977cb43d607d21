"""Options by keyword: type checkers know the same ones as the package."""

import os
import subprocess
import sys

import pytest

from wampy import meta, named_options, options
from wampy.roles.callee import Procedure


@pytest.mark.parametrize(
    ("named", "known"),
    [
        (named_options.ProcedureOptions, Procedure.__init__.__kwdefaults__),
        (named_options.RequestOptions, options._OF_ANY),
        (named_options.HistoryFilters, meta._FILTERS),
    ],
)
def test_the_options_are_those_that_are_taken(named, known):
    assert set(named.__annotations__) == set(known)


PROGRAM = """
import wampy
import wampy.aio
from wampy.rpc import rpc

client = wampy.Client()
client.register(print, "com.p", match="prefix", concurrency=3, traceback=True)
client.register(print, name="com.p", invocation_policy="random", details=True)
client.with_options(timeout=500, exclude_me=False, encrypt=wampy.DataKey(bytes(32)))
client.history("com.t", limit=3, reverse=True, topic="com.t.a")
client.call("com.p", 3, anything="goes")
client.publish("com.t", 3, anything="goes", options={"acknowledge": True})

client.register(print, "com.p", concurency=3)  # wrong
client.register(print, "com.p", concurrency="three")  # wrong
client.register(print, "com.p", invocation_polcy="random")  # wrong
client.subscribe("com.t", print, macth="prefix")  # wrong
client.with_options(discloseme=True)  # wrong
client.with_options(timeout="soon")  # wrong
client.history("com.t", limt=3)  # wrong

class Shop(wampy.Client):
    @rpc(name="com.p", match="prefix")
    def right(self) -> int:
        return 1

    @rpc(name="com.p", macth="prefix")  # wrong
    def wrong(self) -> int:
        return 1

    @wampy.callee(nam="com.p")  # wrong
    def other(self) -> int:
        return 1

async def main() -> None:
    async with wampy.aio.connect() as session:
        await session.register(print, "com.p", match="prefix", force_reregister=True)
        session.with_options(disclose_me=True)
        await session.history("com.t", limit=3)
        await session.subscribe("com.t", print, get_retained=True)
        await session.register(print, "com.p", mach="prefix")  # wrong
        await session.subscribe("com.t", print, retained=True)  # wrong
        session.with_options(rky="a")  # wrong
        await session.history("com.t", revers=True)  # wrong
"""


@pytest.mark.skipif("WAMPY_ONLY_THE_WHEEL" in os.environ, reason="needs type checkers")
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_find_slips_of_the_pen(tmp_path, checker):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    how = {
        "mypy": ["--strict", "--no-incremental", "--python-version", "3.10"],
        "pyright": ["--pythonpath", sys.executable],
    }
    done = subprocess.run(
        [sys.executable, "-m", checker, *how[checker], str(program)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    told = [line for line in done.stdout.splitlines() if "program.py:" in line and "error" in line]
    numbers = {int(line.split("program.py:")[1].split(":")[0]) for line in told}
    wrong = {n for n, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")}
    assert numbers == wrong, done.stdout + done.stderr
