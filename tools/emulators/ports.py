"""Which ports are free, and which programs use the others."""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess

from emulators.problem import Problem

# Outside the range that systems hand out to outgoing connections.
PRIVATE_PORTS = range(20000, 30000)
# Commands that tell which program listens on a port, and what they print.
LSOF = ("lsof -nP -iTCP:{} -sTCP:LISTEN -Fpc", r"p(?P<id>\d+)\nc(?P<name>.+)")
SS = ("ss -Hltnp sport=:{}", r'"(?P<name>[^"]+)",pid=(?P<id>\d+)')


def require_free(service: str, port: int) -> None:
    if is_taken(port):
        raise Problem(
            f"Port {port}, which the {service} emulator needs, is taken{holder(port)}: stop that "
            f"program, or change emulators.{service}.port in firebase.json, and try again."
        )


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, chosen at random so that two callers get different ones."""
    candidates = iter(random.sample(PRIVATE_PORTS, len(PRIVATE_PORTS)))
    free = (port for port in candidates if not is_taken(port))
    return [next(free) for _ in range(count)]


def is_taken(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """ " by NAME (process ID)"; empty if this system has neither command."""
    for pattern, answer in (LSOF, SS):
        command = pattern.format(port).split()
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if found := re.search(answer, done.stdout):
                return f" by {found['name']} (process {found['id']})"
    return ""
