"""A listener of a broker for relays alone, which asks them who they are; tests have another."""

from private_servers import free_port


def listen_for_relays(kafka, protocol, settings, port=None, advertised=None):
    """Before the broker is started. `settings`: of this listener. `advertised`: the port to which
    relays are sent, if it is another. Returns its own."""
    port = port or free_port()
    properties = kafka.properties
    properties["listeners"] = f"RELAY://127.0.0.1:{port}," + properties["listeners"]
    properties["advertised.listeners"] = (
        f"RELAY://127.0.0.1:{advertised or port},PLAINTEXT://{kafka.bootstrap}")
    properties["inter.broker.listener.name"] = "PLAINTEXT"
    properties["listener.security.protocol.map"] = (
        f"RELAY:{protocol},PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT")
    for key, value in settings.items():
        properties[f"listener.name.relay.{key}"] = value
    return port
