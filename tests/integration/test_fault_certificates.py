"""The server's certificate expires under the relay, and is replaced."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fault_proxy import FaultProxy
from fault_trial import Trial
from private_servers import PrivateMysql
from relay import Relay, wait_until

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

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._begin(name("authority"), self.key, now() + DAY).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = self._sign(certificate)

    def _begin(self, subject, key, end):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - DAY)
            .not_valid_after(end)
        )

    def _sign(self, certificate):
        signed = certificate.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def give(self, server, lifetime=DAY):
        """Gives the server a certificate, which is used for each new connection; returns when it
        ends. (MySQL takes none that has expired already.)"""
        key = ec.generate_private_key(ec.SECP256R1())
        end = now() + lifetime
        certificate = self._begin(name("server"), key, end)
        address = x509.IPAddress(ipaddress.ip_address(server.host))
        certificate = certificate.add_extension(
            x509.SubjectAlternativeName([address]), critical=False
        )
        for file, content in {
            "ca.pem": self.pem,
            "server-cert.pem": self._sign(certificate),
            "server-key.pem": pem_of(key),
        }.items():
            (server.datadir / file).write_bytes(content)
        server.mysql("ALTER INSTANCE RELOAD TLS")
        return end


def test_certificate_expired_and_replaced(outboxd, kafka, tmp_path):
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    with PrivateMysql() as server, FaultProxy(server.host, server.port) as proxy:
        authority.give(server)
        with Relay(
            outboxd, server, kafka, tmp_path, mysql__port=proxy.port,
            mysql__tls="verify-identity", mysql__tls_ca=tmp_path / "ca.pem",
        ) as relay, Trial(relay, "MySQL: certificate expired") as trial:  # fmt: skip

            def inject():
                seen = relay.log().count("certificate verify failed")
                end = authority.give(server, datetime.timedelta(seconds=3))
                wait_until(lambda: now() > end, "the end of the certificate")
                proxy.reset()
                wait_until(
                    lambda: relay.log().count("certificate verify failed") > seen,
                    f"the refusal\n{trial.tail()}",
                )
                authority.give(server)

            trial.repeat(inject)
