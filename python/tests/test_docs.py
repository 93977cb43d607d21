"""The pages of `docs/python`: every block runs and prints what its page says; and who runs them."""

import importlib.util
import os
import re
from pathlib import Path

import pages
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "python"
PAGES = sorted(DOCS.glob("*.md"))


# The pages


def test_there_are_pages():
    assert DOCS / "README.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page, router):
    missing = [name for name in pages.needs(page) if not is_installed(name)]
    if missing and os.environ.get("WAMPY_ONLY_THE_WHEEL"):
        pytest.skip(f"{page.name} needs {', '.join(missing)}")
    assert not missing, f"requirements-dev.txt lacks what {page.name} needs: {missing}"
    pages.run(page, router.url)


def is_installed(name):
    return importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_links_of_a_page_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    files = [link for link in links if link and "://" not in link]
    assert [link for link in files if not (DOCS / link).exists()] == []


def test_the_index_names_every_page():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.stem != "README" and page.name not in index] == []


# Who runs them


@pytest.fixture
def run(tmp_path, router):
    """Run a page with the given text."""

    def run_page(text):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        pages.run(page, router.url)

    return run_page


def test_a_page_has_one_namespace_files_and_commands(run):
    run(
        """
# A page

```python title="service.py"
import wampy


class Service(wampy.Client):
    @wampy.callee(name="com.page.double")
    def double(self, n):
        return 2 * n
```

```python
from service import Service

service = Service()
service.start()
print(service.url.rpartition(":")[0])
```

```text
ws://localhost
```

Later, in the same namespace:

```python
client = wampy_client = __import__("wampy").Client()
```

```pycon
>>> client.call("com.page.double", 21)
42
>>> service
<Service 'Service', realm realm1, session ...>
```

```console
$ wampy call --url ws://localhost:8080 com.page.double 4
8
```

```console background
$ python -c "print('first line'); import time; time.sleep(60)"
first ...
```
"""
    )


def test_what_handlers_print_may_come_later(run):
    run(
        """
```python
import threading

threading.Timer(0.1, lambda: print("late")).start()
```

```text
late
```
"""
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\nassert 1 == 2\n```\n", "(?s)line 2, in <module>.*AssertionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "(?s)page.md:1: printed\n1\nand not\n2"),
        ("```pycon\n>>> 1 + 1\n3\n```\n", "(?s)Expected:\n.*3\nGot:\n.*2"),
        ("text\n\n```console\n$ wampy no-such-verb\n```\n", "(?s)page.md:3: .*ended with 2"),
        ("```console\n$ wampy --version\nwampy 1.1.0\n```\n", "(?s)printed\nwampy 2.*and not"),
        ("```console\n$ rm -r /\n```\n", "'rm' is none of the commands"),
        ("```console\nwampy --version\n```\n", "a command begins with"),
        ("```console background\n$ wampy --version\nup\n```\n", "(?s)printed.*and not\nup"),
        ("```python not-run\n```\n", "a block that is not run must say why"),
        ('```python not-run=""\n```\n', "must say why"),
        ('```python title="../x.py"\n```\n', "not the name of a file"),
        ("```python\nimport sys\nsys.exit(3)\n```\n", "SystemExit: 3"),
        ("```python\nimport os\nos._exit(3)\n```\n", "the interpreter ended with 3"),
        (
            "```python\nimport atexit\natexit.register(lambda: 1 / 0)\n```\n",
            "(?s)the interpreter ended with .*ZeroDivisionError",
        ),
        ("```python\nprint(1)\n", "page.md:1: this block does not end"),
    ],
)
def test_a_page_that_lies_fails(run, text, complaint):
    with pytest.raises(pages.PageError, match=complaint):
        run(text)


def test_a_block_that_is_not_run_says_why(run):
    run('```python not-run="it needs a router in another town"\nraise SystemExit\n```\n')


def test_a_page_names_what_it_needs(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- needs: gevent, no_such_package -->\n", encoding="utf-8")
    assert pages.needs(page) == ["gevent", "no_such_package"]
