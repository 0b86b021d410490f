"""tools/parts: the parts of `make test`, and how long each takes."""

from __future__ import annotations

from pathlib import Path

import parts
import pytest


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that lists how the make of this test was called; its target `bad` fails."""
    make, called = tmp_path / "make", tmp_path / "calls"
    make.write_text(
        f'#!/bin/sh\necho "$@" >> {called}\necho "made $1"\n'
        f"[ $1 != waits ] || until grep -q waited-for {called}; do sleep 0.01; done\n"
        "[ $1 != bad ] || exit 3\n"
    )
    make.chmod(0o755)
    monkeypatch.setenv("MAKE", str(make))
    return called


def test_every_part_is_run_and_its_time_printed(
    calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert parts.main(["lint", "soak CALLS=3"]) == 0
    assert calls.read_text() == "lint\nsoak CALLS=3\n"
    rows = [line.split() for line in capfd.readouterr().out.splitlines()[-3:]]
    assert [row[0] for row in rows] == ["lint", "soak", "together"]
    assert {row[-1] for row in rows} == {"s"}


def test_a_part_that_fails_is_the_last_and_fails_the_whole(
    calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert parts.main(["bad", "lint"]) == 3
    assert calls.read_text() == "bad\n"
    assert "make bad has failed" in capfd.readouterr().out


def test_lanes_run_at_the_same_time_after_what_comes_before_them(
    calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert parts.main(["lint", "--", "waits", "units", "--", "waited-for"]) == 0
    first, *others = calls.read_text().split()
    assert (first, set(others)) == ("lint", {"waits", "units", "waited-for"})
    output = capfd.readouterr().out
    shown = [line for line in output.splitlines() if line.startswith("made")]
    assert shown == ["made lint", "made waited-for", "made waits", "made units"]


def test_lanes_need_nothing_before_them(calls: Path) -> None:
    assert parts.main(["--", "waits", "--", "waited-for"]) == 0
    assert set(calls.read_text().split()) == {"waits", "waited-for"}


@pytest.mark.parametrize("lanes", [["bad", "never", "--", "ok"], ["ok", "--", "bad", "never"]])
def test_a_lane_that_fails_fails_the_whole_and_the_others_end(
    calls: Path, lanes: list[str]
) -> None:
    assert parts.main(["lint", "--", *lanes]) == 3
    assert set(calls.read_text().split()) == {"lint", "ok", "bad"}


def test_no_lane_begins_after_a_failure(calls: Path) -> None:
    assert parts.main(["bad", "--", "units", "--", "others"]) == 3
    assert calls.read_text() == "bad\n"
