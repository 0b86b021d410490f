"""One instance of a function as Cloud Run runs it, started as Google's buildpack starts it.

The buildpack's web process is the command ``functions-framework``, without arguments: the function
stands in FUNCTION_TARGET and the port in PORT; Firebase adds the parameters of ``functions/.env``.
To stop an instance, Cloud Run sends SIGTERM and, ten seconds later, SIGKILL.
https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/python/functions_framework/main.go
https://cloud.google.com/run/docs/container-contract
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from support import manifest
from support.paths import FUNCTIONS
from support.servers import free_port, wait_for

PAINTER = FUNCTIONS / "tests" / "support" / "painter_main.py"  # main.py, with one model more
GRACE_SECONDS = 10
SAMPLE_SECONDS = 0.25
# Of this process's environment, what any process on this machine needs.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
Answers = list[httpx.Response | httpx.TransportError]


class Instance:
    """A running instance; as a context it ends with SIGKILL.

    `source` is the file with the function, main.py if not given; `environment` is set beside the
    parameters, or instead of them.
    """

    def __init__(
        self,
        function: str,
        project: str,
        environment: Mapping[str, str] | None = None,
        source: Path | None = None,
    ) -> None:
        self.declared = manifest.declared(function)
        self.peak_memory_mb = 0.0
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the instance
        self._process = psutil.Popen(
            [str(Path(sys.executable).with_name("functions-framework"))],
            cwd=FUNCTIONS,
            env={name: os.environ[name] for name in KEPT if name in os.environ}
            | manifest.emulator_hosts()
            | manifest.parameters()
            | {
                "FUNCTION_TARGET": function,
                "FUNCTION_SIGNATURE_TYPE": "http",
                "FUNCTION_SOURCE": str(source or FUNCTIONS / "main.py"),
                "PYTHONPATH": str(FUNCTIONS),  # for a source that lies elsewhere
                "K_SERVICE": function.lower(),
                "CLOUD_RUN_TIMEOUT_SECONDS": str(self.declared.timeout_seconds),
                "GCLOUD_PROJECT": project,
                "HOST": "127.0.0.1",
                "PORT": str(port),
            }
            | dict(environment or {}),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._stopped = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        try:
            wait_for(self.url + "__/health")
        except BaseException:
            sys.stderr.write(self.log())
            self.kill()
            raise
        self._sampler.start()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def post(self, *bodies: Mapping[str, Any]) -> Answers:
        """Send all bodies at once; the answers in their order, or what came instead."""
        seconds = self.declared.timeout_seconds  # after which Cloud Run answers in our place
        limits = httpx.Limits(max_connections=None)
        with (
            httpx.Client(timeout=seconds, limits=limits, trust_env=False) as client,
            ThreadPoolExecutor(len(bodies)) as pool,
        ):

            def send(body: Mapping[str, Any]) -> httpx.Response | httpx.TransportError:
                try:
                    return client.post(self.url, json=body)
                except httpx.TransportError as error:
                    return error

            return list(pool.map(send, bodies))

    def posted(self, *bodies: Mapping[str, Any]) -> Future[Answers]:
        """The same while the caller does something else: the answers to come."""
        pool = ThreadPoolExecutor(1)
        answers = pool.submit(self.post, *bodies)
        pool.shutdown(wait=False)
        return answers

    def terminate(self) -> bool:
        """Stop the instance as Cloud Run does; whether it ended before it was killed."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_SECONDS)
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            return False
        finally:
            self.kill()
        return True

    def kill(self) -> None:
        """End every process of the instance at once."""
        self._stopped.set()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._sampler.is_alive():
            self._sampler.join()

    def log(self) -> str:
        """All that the instance has written."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _sample(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            with suppress(psutil.Error):  # it is ending
                group = [self._process, *self._process.children(recursive=True)]
                self.peak_memory_mb = max(self.peak_memory_mb, memory_mb(group))


def memory_mb(processes: Sequence[psutil.Process]) -> float:
    """What the processes use together; what they share counts once where the system can tell."""
    used = 0
    for process in processes:
        memory = process.memory_full_info() if sys.platform == "linux" else process.memory_info()
        used += getattr(memory, "pss", memory.rss)
    return used / 1024 / 1024
