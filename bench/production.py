"""One instance as Cloud Run runs it: as many calls at once as are declared, images, a hard end."""

from __future__ import annotations

import time
from typing import Any

import httpx
from support import projects
from support.instance import PAINTER, Instance

import servers

FUNCTION = "createGenerationRequest"
# As deployed, but for the ID tokens, which only real users have.
ENVIRONMENT = {"AUTH_MODE": "optional", "MOCK_FAILURE_RATE": "0"}
MODEL_SECONDS = 5.0
MODELS: dict[str, dict[str, Any]] = {
    "Five Seconds": {"generator": "mock", "latencySeconds": MODEL_SECONDS},
    "Long Model": {"generator": "mock", "latencySeconds": 44},
    "Painter": {"generator": "painter", "fit": "native"},
}
ROUNDS = 3  # of which the median is told


def production() -> dict[str, Any]:
    """All three, each on an instance and a project of its own."""
    print(f"\nOne instance of {FUNCTION}, as declared", flush=True)
    return {"generations": _generations(), "images": _images(), "killed": _killed()}


def _generations() -> dict[str, Any]:
    client = projects.fresh(servers.PROJECT, MODELS)
    with Instance(FUNCTION, servers.PROJECT, ENVIRONMENT) as instance:
        instance.post(*projects.orders(client, 1, "Model A"))
        bodies = projects.orders(client, instance.declared.concurrency, "Five Seconds")
        rows = [_measured(instance, bodies) for _ in range(ROUNDS)]
    row = sorted(rows, key=lambda each: float(each["seconds"]))[ROUNDS // 2]
    row["ratio"] = row["seconds"] / MODEL_SECONDS
    print(
        f"  a {MODEL_SECONDS:.0f} s model      {_told(row)}, {row['ratio']:.2f} of the model's time"
    )
    return row


def _images() -> dict[str, Any]:
    client = projects.fresh(servers.PROJECT, MODELS)
    stores = ENVIRONMENT | {"IMAGE_BUCKET": "bench"}
    with Instance(FUNCTION, servers.PROJECT, stores, source=PAINTER) as instance:
        count = instance.declared.concurrency
        row = _measured(instance, projects.orders(client, count, "Painter"))
    print(f"  images of 3 MB   {_told(row)}")
    return row


def _killed() -> dict[str, Any]:
    """The instance is stopped while all models run, and does not end in time."""
    client = projects.fresh(servers.PROJECT, MODELS)
    with Instance(FUNCTION, servers.PROJECT, ENVIRONMENT) as instance:
        count = instance.declared.concurrency
        bodies = projects.orders(client, count, "Long Model")
        answers = instance.posted(*bodies)
        projects.wait_until_pending(client, count, timeout_seconds=40)
        instance.terminate()
        lost = sum(isinstance(each, httpx.TransportError) for each in answers.result())
    projects.expire_pending(client)
    with Instance("recoverLostGenerations", servers.PROJECT) as recovery:
        recovery.post({})
    row = {
        "lost": lost,
        "refunded": len(projects.requests_with(client, "failed")),
        "findings": len(projects.findings(client)),
    }
    print(
        "  killed midway    {lost} calls lost, {refunded} refunded, {findings} findings".format(
            **row
        )
    )
    return row


def _measured(instance: Instance, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """How long it takes to answer all `bodies`, which are sent at once, and the memory for it."""
    started = time.perf_counter()
    answers = instance.post(*bodies)
    seconds = time.perf_counter() - started
    answered = [each for each in answers if isinstance(each, httpx.Response)]
    return {
        "calls": len(answers),
        "completed": sum(each.status_code == 200 for each in answered),
        "seconds": seconds,
        "peakMemoryMb": instance.peak_memory_mb,
        "declaredMemoryMb": instance.declared.memory_mb,
    }


def _told(row: dict[str, Any]) -> str:
    memory = f"{row['peakMemoryMb']:.0f} of {row['declaredMemoryMb']} MB"
    completed = f"{row['completed']} of {row['calls']} calls completed"
    return f"{completed} in {row['seconds']:.1f} s, {memory}"
