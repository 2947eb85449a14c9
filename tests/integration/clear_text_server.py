"""A server that speaks MySQL's protocol up to the log-in, and asks for the password as it is, as
servers in clouds do that know tokens (the authentication method mysql_clear_password)."""

import socket
import ssl
import struct
import threading

from mysql_packets import packet, receive

PROTOCOL_41, SSL, SECURE, PLUGIN_AUTH = 0x200, 0x800, 0x8000, 0x80000
CAPABILITIES = 1 | PROTOCOL_41 | SSL | SECURE | PLUGIN_AUTH


class ClearTextServer:
    """`shown`: what clients have sent as their password."""

    def __init__(self, certificate_file, key_file):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate_file, key_file)
        self.shown = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                try:
                    self._log_in(client)
                except (OSError, EOFError):
                    pass  # The client does not want to go on.

    def _log_in(self, client):
        greeting = (b"\x0a9.7.4\0" + struct.pack("<I", 1) + b"a" * 8 + b"\0"
                    + struct.pack("<HBHH", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16)
                    + b"\x15" + b"\0" * 10 + b"b" * 12 + b"\0caching_sha2_password\0")
        client.sendall(packet(0, greeting))
        receive(client)  # The request for TLS.
        with self.context.wrap_socket(client, server_side=True) as safe:
            number, _ = receive(safe)
            safe.sendall(packet(number + 1, b"\xfemysql_clear_password\0"))
            number, password = receive(safe)
            self.shown.append(password.rstrip(b"\0").decode())
            refusal = b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"
            safe.sendall(packet(number + 1, refusal))
