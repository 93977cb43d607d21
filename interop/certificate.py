"""Make an authority of our own and a certificate of it for this machine.

`certificate.py DIRECTORY` leaves `ca.pem` for clients to trust, and `cert.pem` with `key.pem` for
the router. It runs in .venv-interop, which has the library for it. All are good for a day, so that
nobody can grow fond of them.
"""

import datetime
import ipaddress
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def main(directory):
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = name("wampy interop authority")
    ca = certificate(ca_name, ca_name, ca_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    here = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    leaf = certificate(name("localhost"), ca_name, key).add_extension(here, critical=False)
    write(directory / "ca.pem", ca.sign(ca_key, hashes.SHA256()))
    write(directory / "cert.pem", leaf.sign(ca_key, hashes.SHA256()))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (directory / "key.pem").write_bytes(secret)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def write(path, signed):
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
