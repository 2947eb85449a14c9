"""Packets of MySQL's protocol.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
"""

import struct


def packet(sequence, body):
    return struct.pack("<I", len(body))[:3] + bytes([sequence & 0xFF]) + body


def receive(peer):
    """The next packet's number and body. EOFError: the connection is over."""
    head = _receive_bytes(peer, 4)
    return head[3], _receive_bytes(peer, int.from_bytes(head[:3], "little"))


def _receive_bytes(peer, count):
    content = b""
    while len(content) < count:
        chunk = peer.recv(count - len(content))
        if not chunk:
            raise EOFError
        content += chunk
    return content
