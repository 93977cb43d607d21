"""Commands that are Python's: ``wampy run``.

What is absent: the other commands of ``wampy``, which are Rust's.
"""
