"""A Kafka broker behind a proxy that misbehaves on demand."""

from fault_proxy import FaultProxy
from private_servers import PrivateKafka, free_port
from relay import PASSWORD
from relay_listener import listen_for_relays

SETTINGS = {
    # Instead of a minute: so much sooner a lost response is asked for again.
    "kafka__socket__timeout__ms": "4000",
    "kafka__compression__codec": "none",  # So that the proxy finds its pattern.
}


class Broker:
    """A broker that the tests reach directly, and a relay through the proxy alone."""

    def __init__(self, sasl=False):
        self.sasl = sasl
        port = free_port()
        self.proxy = FaultProxy("127.0.0.1", port, kafka=True)
        self.kafka = PrivateKafka()
        listen_for_relays(self.kafka, "SASL_PLAINTEXT" if sasl else "PLAINTEXT",
                          {"sasl.enabled.mechanisms": "PLAIN"} if sasl else {}, port,
                          self.proxy.port)
        if sasl:
            self.kafka.properties["authorizer.class.name"] = (
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
            )
            self.kafka.properties["super.users"] = "User:ANONYMOUS"
            self.set_password(PASSWORD)

    def relay_settings(self, folder):
        """Of a relay that reaches it through the proxy; `folder` gets its password, with SASL."""
        settings = {
            **SETTINGS,
            "kafka__bootstrap__servers": f"127.0.0.1:{self.proxy.port}",
        }
        if self.sasl:
            password_file = folder / "kafka-password"
            password_file.write_text(PASSWORD)
            settings |= {
                "kafka__security__protocol": "SASL_PLAINTEXT",
                "kafka__sasl__mechanism": "PLAIN",
                "kafka__sasl__username": "relay",
                "kafka.sasl.password-file": password_file,
            }
        return settings

    def set_password(self, password):
        self.kafka.properties["listener.name.relay.plain.sasl.jaas.config"] = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required"
            f' user_relay="{password}";'
        )

    def __enter__(self):
        self.kafka.start()
        return self

    def __exit__(self, *_):
        self.kafka.close()
        self.proxy.close()


def set_topic_config(kafka, topic, key, value):
    change = f"{key}={value}"
    kafka.tool(
        "kafka.admin.ConfigCommand", "--bootstrap-server", kafka.bootstrap, "--entity-type",
        "topics", "--entity-name", topic, "--alter", "--add-config", change,
    )
