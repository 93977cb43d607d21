"""The examples in the docstrings, run as they stand."""

import doctest
import importlib
import pkgutil

import pytest

import wampy

MODULES = ["wampy", *(module.name for module in pkgutil.walk_packages(wampy.__path__, "wampy."))]
#: Modules for packages that only those install who use them.
OPTIONAL = {"wampy.backends.eventlet_": "eventlet", "wampy.backends.gevent_": "gevent"}


@pytest.mark.parametrize("name", [name for name in MODULES if "__main__" not in name])
def test_examples_run(name):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = [test for test in finder.find(wampy) if test.examples]
    assert found
