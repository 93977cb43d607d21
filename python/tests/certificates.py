"""Certificates for tests of TLS, made by openssl, each good for a day."""

import shutil
import subprocess

import pytest

_NEW = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"


def make_certificate(folder, names="DNS:localhost", is_authority=False):
    """The files of a certificate of localhost, that has signed itself, and of its key.

    ``openssl`` makes authorities unless it is told otherwise, and those may not be shown by
    servers.
    """
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl for a certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    extensions = [f"subjectAltName={names}"]
    if not is_authority:
        extensions.append("basicConstraints=critical,CA:FALSE")
    command = [*_NEW.split(), "-subj", "/CN=localhost", "-out", cert, "-keyout", key]
    for extension in extensions:
        command += ["-addext", extension]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return cert, key
