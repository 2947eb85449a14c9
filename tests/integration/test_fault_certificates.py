"""The server's certificate expires under the relay, and is replaced."""

import datetime

from certificates import Authority, now
from fault_proxy import FaultProxy
from fault_trial import Trial
from private_servers import PrivateMysql
from relay import Relay, wait_until


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
