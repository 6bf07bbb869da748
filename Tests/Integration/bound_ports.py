"""Ports for the servers that a test starts."""

import socket

_kept = []


def free_port():
    """A port that nobody listens on, nor will unless a test has it do so.

    It stays bound until this program ends, so that the system gives it to nobody else. A server that allows its address to be
    used again, as Python's, Node's, nginx and libmicrohttpd do, can take it, and leave it, and take it again.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    _kept.append(kept)
    return kept.getsockname()[1]
