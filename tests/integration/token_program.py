"""A program that a relay runs for a password or a token, and tokens that it may print."""

import base64
import json
import time


class TokenProgram:
    """What it prints is what `say` makes of it. It writes down what it was called with."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "token"

    @property
    def command(self):
        return f"{self.path} for me"

    def say(self, shell):
        self.path.write_text(f"#!/bin/sh\necho \"$@\" >> {self.folder}/calls\n{shell}\n")
        self.path.chmod(0o755)

    def calls(self):
        """None: it was never called."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else None


def web_token(subject="relay", lifetime=3600):
    """A JSON Web Token without signature."""
    now = int(time.time())
    parts = [{"alg": "none"}, {"sub": subject, "iat": now - 60, "exp": now + lifetime}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
               for part in parts]
    return ".".join(encoded) + "."
