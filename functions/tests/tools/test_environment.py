"""emulators/environment: behind a proxy, the emulators are still reached directly."""

from __future__ import annotations

import os
import subprocess
from concurrent import futures

import grpc
import pytest
from emulators import environment
from emulators.suite import Suite
from ops import terminal


def test_loopback_is_added_to_what_is_exempt_from_the_proxy() -> None:
    exempt = environment.no_proxy_for_loopback(
        {"no_proxy": "a.example, localhost", "NO_PROXY": "b"}
    )
    assert exempt == {
        "no_proxy": "a.example,localhost,b,127.0.0.1,::1",
        "NO_PROXY": "a.example,localhost,b,127.0.0.1,::1",
    }
    assert environment.no_proxy_for_loopback({}) == {
        "no_proxy": "127.0.0.1,localhost,::1",
        "NO_PROXY": "127.0.0.1,localhost,::1",
    }


def test_the_variable_that_grpc_prefers_is_extended_where_it_is_set() -> None:
    exempt = environment.no_proxy_for_loopback({"no_grpc_proxy": "c"})
    assert exempt["no_grpc_proxy"] == "c,127.0.0.1,localhost,::1"


def test_emulators_functions_and_tests_get_the_exemption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "intranet")
    services = ("firestore", "auth", "tasks", "functions", "hosting", "storage")
    suite = Suite(dict.fromkeys(services, 1), None)  # type: ignore[arg-type]
    for variables in (environment.for_firebase_tools(), suite.environment()):
        assert variables["no_proxy"].split(",")[0] == "intranet"
        assert "127.0.0.1" in variables["no_proxy"].split(",")


@pytest.mark.parametrize("name", environment.PROXIES)
def test_firebase_tools_calls_its_emulators_without_the_proxy_of_the_functions(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (*environment.PROXIES, "ALL_PROXY"):
        monkeypatch.delenv(each, raising=False)
    assert "ALL_PROXY" not in environment.for_emulators()
    monkeypatch.setenv(name, "http://proxy.example:3128")
    variables = environment.for_emulators()
    assert not set(environment.PROXIES) & set(variables)
    assert variables["ALL_PROXY"] == "http://proxy.example:3128"
    assert environment.for_firebase_tools()[name] == "http://proxy.example:3128"


def test_the_emulators_open_a_connection_for_each_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--no-deprecation")
    script = """
        const http = require("node:http");
        const server = http.createServer((request, response) => {
          console.log(request.headers.connection, process.noDeprecation);
          response.end();
          server.close();
        });
        server.listen(0, () => http.get({ port: server.address().port }));
    """
    told = subprocess.run(
        ["node", "-e", script],
        env=environment.for_emulators(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["close", "true"]


def test_grpc_reaches_loopback_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert not is_reachable(port)
        for name, value in environment.no_proxy_for_loopback({}).items():
            monkeypatch.setenv(name, value)
        assert is_reachable(port)
    finally:
        server.stop(grace=None).wait()


def is_reachable(port: int) -> bool:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
    return True


def test_operators_commands_reach_the_emulators_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-imagegen")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setattr(terminal, "read_parameters", lambda project: None)
    terminal.connect_to("")
    assert "127.0.0.1" in os.environ["no_proxy"].split(",")
