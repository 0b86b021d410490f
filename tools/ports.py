"""Which ports are free, and who holds the others."""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess

from toolchain import Problem

# Outside the range that systems hand out to outgoing connections.
PRIVATE_PORTS = range(20000, 30000)
# Programs that tell who listens on a port: what to ask, and how they answer.
LSOF = ("lsof -nP -iTCP:{} -sTCP:LISTEN -Fpc", r"p(?P<id>\d+)\nc(?P<name>.+)")
SS = ("ss -Hltnp sport=:{}", r'"(?P<name>[^"]+)",pid=(?P<id>\d+)')


def require_free(service: str, port: int) -> None:
    if is_taken(port):
        raise Problem(
            f"Port {port}, which the {service} emulator needs, is taken{holder(port)}: stop that, "
            f"or change emulators.{service}.port in firebase.json, and try again."
        )


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, chosen at random so that two callers choose different ones."""
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
    """ " by NAME (process ID)", or nothing where this system has no program that tells."""
    for question, answer in (LSOF, SS):
        command = question.format(port).split()
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if found := re.search(answer, done.stdout):
                return f" by {found['name']} (process {found['id']})"
    return ""
