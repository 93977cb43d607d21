"""The test suite of wampy 1.1.0, unmodified, with our package in the place of wampy.

It runs with our router and with Crossbar.io, and with our router in a process that gevent has
patched, as wampy 1 did it. `wampy1_suite/deselected.tsv` names the tests that cannot pass, and why.
PyPI has only a part of the suite: its wheel lacks `roles` and `transports`. What those look at is
tested in `python/tests`.
"""

import os
import pathlib
import re
import subprocess

import pytest

INTEROP = pathlib.Path(__file__).resolve().parent
ROOT = INTEROP.parent
VENV = ROOT / ".venv-wampy1-suite"
SUITE_TIMEOUT_S = 95
#: How many tests the part on PyPI has that can pass.
PASSED_MIN = 22


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"WAMPY1_SUITE_PATCHED": "yes"},
        {"WAMPY1_SUITE_ROUTER": "crossbar"},
    ],
    ids=["wampy", "wampy-patched-by-gevent", "crossbar"],
)
def test_the_suite_passes(our_package, arguments):
    environment = {
        **os.environ,
        **arguments,
        "PYTHONPATH": f"{our_package}{os.pathsep}{INTEROP / 'wampy1_suite'}",
        "WAMPY_ASYNC_NAME": "gevent",
        "CROSSBAR": str(ROOT / ".venv-crossbar" / "bin" / "crossbar"),
    }
    command = [str(VENV / "bin" / "python"), "-m", "pytest", "-q", "-rfE", "-W", "ignore"]
    command += ["-p", "plugin", "-p", "no:cacheprovider", "--timeout=60", "--rootdir=.", "test"]
    # Not the configuration of our own tests; and a file whose only test the suite itself skips.
    command += ["--config-file=/dev/null", "--ignore=test/integration/test_app_runner.py"]
    done = subprocess.run(
        command,
        cwd=VENV / "suite",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SUITE_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= PASSED_MIN, done.stdout
