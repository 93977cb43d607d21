"""The interpreter of one page of documentation; see `main`, and `pages.py` for what a page is.

What is absent: any import that the page itself could want to come before, such as `threading`.
"""

import io
import json
import sys
import time
import traceback


def main():
    """Run one block for each JSON line of stdin; answer each with a line: `{"failure": text}`.

    Arguments: the name of the page for tracebacks, and the URL of its router.
    """
    page, url = sys.argv[1:]
    sys.path.insert(0, "")
    answers, sys.stdout = sys.stdout, io.StringIO()
    # Before any other part of wampy takes the default from there.
    import wampy.constants

    wampy.constants.DEFAULT_ROUTER_URL = url
    namespace = {"__name__": "__main__"}
    for line in sys.stdin:
        failure = run(page, json.loads(line), namespace)
        answers.write(json.dumps({"failure": failure}) + "\n")
        answers.flush()


def run(page, job, namespace):
    """Run one block; returns what is wrong with it, or None."""
    import faulthandler

    faulthandler.dump_traceback_later(job["timeout"], exit=True)
    sys.stdout.seek(0)
    sys.stdout.truncate()
    try:
        if job["is_session"]:
            failure = run_session(page, job, namespace)
        else:
            # Line numbers of tracebacks are those of the page.
            code = "\n" * job["line"] + job["code"]
            exec(compile(code, page, "exec"), namespace)
            failure = None
    except BaseException:
        failure = traceback.format_exc()
    failure = failure or wrong_output(job)
    faulthandler.cancel_dump_traceback_later()
    return failure


def run_session(page, job, namespace):
    """Run a session at a prompt as doctest does; returns its report of what is not as shown."""
    import doctest

    session = doctest.DocTestParser().get_doctest(job["code"], {}, page, page, job["line"])
    session.globs = namespace
    report = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
        session, out=report.append, clear_globs=False
    )
    return "".join(report) or None


def wrong_output(job):
    """Wait until the block has printed what the page shows; returns what it printed if not."""
    if job["printed"] is None:
        return None
    from pages import is_as_shown

    deadline = time.monotonic() + job["patience"]
    while not is_as_shown(job["printed"], sys.stdout.getvalue()):
        if time.monotonic() > deadline:
            return f"printed\n{sys.stdout.getvalue()}and not\n{job['printed']}"
        time.sleep(0.01)
    return None


if __name__ == "__main__":
    main()
