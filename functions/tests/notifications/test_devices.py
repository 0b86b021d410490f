"""Devices: who is told on which phone, and how many there are."""

from __future__ import annotations

import pytest
from simulation.memory_store import MemoryStore
from support.events import Outbox

from imagegen import db
from imagegen.api.auth import Caller
from imagegen.errors import NotOwner, UserNotFound
from imagegen.notifications import devices
from imagegen.notifications.endpoints import (
    RegisterDevice,
    UnregisterDevice,
    register_device,
    unregister_device,
)


@pytest.fixture
def memory(in_outbox: Outbox) -> MemoryStore:
    for user_id in ("ann", "ben"):
        in_outbox.memory.put(db.user(user_id), {"credits": 9})
    return in_outbox.memory


def count(memory: MemoryStore, user_id: str) -> int:
    return int(memory.documents[db.user(user_id)].get("devices", 0))


def tokens(user_id: str) -> list[str]:
    return sorted(each.token for each in devices.of(user_id))


def test_a_device_is_registered_once_however_often_it_is_said(memory: MemoryStore) -> None:
    for _ in range(3):
        devices.register("ann", "phone")
    assert (tokens("ann"), count(memory, "ann")) == (["phone"], 1)


def test_a_device_is_taken_back_once_and_can_come_again(memory: MemoryStore) -> None:
    devices.register("ann", "phone")
    for _ in range(2):
        devices.unregister("ann", "phone")
    assert (tokens("ann"), count(memory, "ann")) == ([], 0)
    path = db.device("ann", devices.device_id("phone"))
    assert memory.documents[path]["token"] == ""
    assert memory.documents[path]["expireAt"] is not None
    devices.register("ann", "phone")
    assert (tokens("ann"), count(memory, "ann")) == (["phone"], 1)
    assert memory.documents[path]["expireAt"] is None


def test_a_phone_that_was_handed_on_tells_its_new_user_only(memory: MemoryStore) -> None:
    devices.register("ann", "phone")
    devices.register("ben", "phone")
    assert (tokens("ann"), count(memory, "ann")) == ([], 0)
    assert (tokens("ben"), count(memory, "ben")) == (["phone"], 1)


def test_one_device_too_many_replaces_the_oldest(in_outbox: Outbox, memory: MemoryStore) -> None:
    for number in range(devices.MAX_DEVICES + 2):
        devices.register("ann", f"phone{number:02}")
        in_outbox.sleep(1)
    assert tokens("ann") == [f"phone{n:02}" for n in range(2, devices.MAX_DEVICES + 2)]
    assert count(memory, "ann") == devices.MAX_DEVICES


def test_a_count_that_was_deleted_by_hand_stands_in_nobodys_way(memory: MemoryStore) -> None:
    devices.register("ann", "phone")
    memory.put(db.user("ann"), {"credits": 9, "devices": "many"})
    devices.unregister("ann", "phone")
    assert count(memory, "ann") == 0


def test_who_has_no_account_has_no_devices(memory: MemoryStore) -> None:
    with pytest.raises(UserNotFound):
        devices.register("eve", "phone")
    devices.unregister("eve", "phone")


def test_devices_are_their_owners_affair(memory: MemoryStore) -> None:
    stranger = Caller(uid="eve")
    with pytest.raises(NotOwner):
        register_device(RegisterDevice(user_id="ann", token="phone"), stranger)
    with pytest.raises(NotOwner):
        unregister_device(UnregisterDevice(user_id="ann", token="phone"), stranger)
    owner = Caller(uid="ann")
    assert register_device(RegisterDevice(user_id="ann", token="phone"), owner).registered
    answer = unregister_device(UnregisterDevice(user_id="ann", token="phone"), owner)
    assert not answer.registered
