"""Parameters of a deployment: declared here, set in ``functions/.env*``, read when used.

Reading ``NAME.value`` looks into the environment at that moment, so nothing is fixed at import and
a test may set a variable for one test.
"""

from firebase_functions.params import IntParam, SelectInput, SelectOption, StringParam

AUTH_MODE = StringParam(
    "AUTH_MODE",
    default="required",
    description="required: every call carries a Firebase ID token. optional: a call without one is "
    "trusted (the emulators only).",
    input=SelectInput([SelectOption("required"), SelectOption("optional")]),
)
GENERATION_DEADLINE_SECONDS = IntParam(
    "GENERATION_DEADLINE_SECONDS",
    default=45,
    description="Seconds a generator may take in a synchronous request before it is refunded.",
)
MOCK_FAILURE_RATE = StringParam(
    "MOCK_FAILURE_RATE",
    default="",
    description="0 to 1: overrides the failure rate of every mock model. Empty: the model's own.",
)
IMAGE_BUCKET = StringParam(
    "IMAGE_BUCKET",
    default="",
    description="Cloud Storage bucket for models that give bytes. Empty: the project's default.",
)
CATALOGUE_TTL_SECONDS = IntParam(
    "CATALOGUE_TTL_SECONDS",
    default=60,
    description="Seconds an instance uses the catalogue before it reads it again.",
)
REPORT_TIME_ZONE = StringParam(
    "REPORT_TIME_ZONE",
    default="UTC",
    description="IANA time zone whose midnights divide days and weeks.",
)
REPORT_THRESHOLDS = StringParam(
    "REPORT_THRESHOLDS",
    default="{}",
    description="JSON object that replaces named defaults of the anomaly rules (docs/reports.md).",
)
