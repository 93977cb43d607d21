"""The Python examples of the readme, run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
#: What each example prints.
PRINTED = [r"^\d{4}-\d\d-\d\d$", r"^\[0, 1, 2, 'done'\]\n10\nCount; each"]
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_has_examples():
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number):
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(PRINTED[number], done.stdout, re.MULTILINE), done.stdout
