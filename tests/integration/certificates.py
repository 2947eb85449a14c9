"""An authority that signs certificates for servers of the tests."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.now(datetime.UTC)


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(self, subject="authority"):
        self.name = name(subject)
        self.key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._begin(self.name, self.key, now() + DAY).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = self._sign(certificate)

    def _begin(self, subject, key, end):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - DAY)
            .not_valid_after(end)
        )

    def _sign(self, certificate):
        signed = certificate.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def certify(self, host, end):
        """A certificate for the address, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._begin(name("server"), key, end)
        address = x509.IPAddress(ipaddress.ip_address(host))
        certificate = certificate.add_extension(
            x509.SubjectAlternativeName([address]), critical=False
        )
        return self._sign(certificate), pem_of(key)

    def give(self, server, lifetime=DAY):
        """Gives the server a certificate, which is used for each new connection; returns when it
        ends. (MySQL takes none that has expired already.)"""
        end = now() + lifetime
        certificate, key = self.certify(server.host, end)
        for file, content in {
            "ca.pem": self.pem,
            "server-cert.pem": certificate,
            "server-key.pem": key,
        }.items():
            (server.datadir / file).write_bytes(content)
        server.mysql("ALTER INSTANCE RELOAD TLS")
        return end
