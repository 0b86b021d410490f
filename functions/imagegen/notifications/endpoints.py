"""What clients may do about push messages: register a device, and take it back."""

from typing import Annotated

from pydantic import Field, StringConstraints

from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import UserId, WireModel
from imagegen.errors import NotOwner, UserNotFound
from imagegen.notifications import devices

EXAMPLE_TOKEN = "dGVzdC1kZXZpY2U:APA91bExampleRegistrationToken"  # noqa: S105 - no real one

RegistrationToken = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+\z"),
    Field(
        description="The registration token that Firebase Cloud Messaging gave the app, or its "
        "Firebase installation id."
    ),
]


class RegisterDevice(WireModel):
    """Whose push messages go to which device."""

    user_id: UserId
    token: RegistrationToken


class UnregisterDevice(WireModel):
    """Which device gets no more push messages."""

    user_id: UserId
    token: RegistrationToken


class Device(WireModel):
    """A device that push messages are sent to, or not any more."""

    user_id: str = Field(description="The user, by the uid of Firebase Authentication.")
    registered: bool = Field(description="Whether the user's push messages go to the device.")


@endpoint(
    methods=("POST",),
    example={"userId": "testUser1", "token": EXAMPLE_TOKEN},
    success=Success(
        "The device is registered.",
        {"registered": {"userId": "testUser1", "registered": True}},
    ),
    errors=(NotOwner, UserNotFound),
)
def register_device(body: RegisterDevice, caller: Caller) -> Device:
    """Send push messages to a device.

    From then on, the device is told when a background request of the user ends: completed, or
    failed and refunded. Call it after sign-in and whenever the app gets a new token; a second call
    changes nothing. A token belongs to the user who registered it last. A user has up to 20
    devices: one more replaces the one that was registered longest ago.
    """
    caller.require_access_to(body.user_id)
    devices.register(body.user_id, body.token)
    return Device(user_id=body.user_id, registered=True)


@endpoint(
    methods=("POST",),
    example={"userId": "testUser1", "token": EXAMPLE_TOKEN},
    success=Success(
        "The device is not registered, or not any more.",
        {"unregistered": {"userId": "testUser1", "registered": False}},
    ),
    errors=(NotOwner,),
)
def unregister_device(body: UnregisterDevice, caller: Caller) -> Device:
    """Send no more push messages to a device.

    Call it before the user signs out. A second call changes nothing.
    """
    caller.require_access_to(body.user_id)
    devices.unregister(body.user_id, body.token)
    return Device(user_id=body.user_id, registered=False)
