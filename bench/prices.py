"""The price list of docs/costs.md: US dollars for one unit in us-central1, beyond the free tier.

As of the date below. Those of Cloud Run's processors and of Cloud Storage were read in copies of
the pages named; the others come from guides that repeat them, or are as they have been for years.
Compare them with the pages before you plan with them. In nam5, Firestore's reads, writes and
deletes cost twice as much.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "2026-11-27"
GIB, MILLION = 2**30, 1_000_000


@dataclass(frozen=True)
class Price:
    """Dollars for one unit, as the vendor words it, and where that is said."""

    dollars: float
    wording: str
    source: str


FIRESTORE = "https://cloud.google.com/firestore/pricing"
RUN = "https://cloud.google.com/run/pricing"
TASKS = "https://cloud.google.com/tasks/pricing"
STORAGE = "https://cloud.google.com/storage/pricing"

PRICES = {
    "reads": Price(0.03 / 100_000, "Firestore: $0.03 per 100,000 documents read", FIRESTORE),
    "writes": Price(0.09 / 100_000, "Firestore: $0.09 per 100,000 documents written", FIRESTORE),
    "deletes": Price(0.01 / 100_000, "Firestore: $0.01 per 100,000 documents deleted", FIRESTORE),
    "stored_bytes": Price(0.15 / GIB, "Firestore: $0.15 per GiB and month", FIRESTORE),
    "cpu_seconds": Price(0.000024, "Cloud Run: $0.000024 per vCPU-second", RUN),
    "memory_gib_seconds": Price(0.0000025, "Cloud Run: $0.0000025 per GiB-second", RUN),
    "invocations": Price(0.40 / MILLION, "Cloud Run: $0.40 per million requests", RUN),
    "sent_bytes": Price(0.12 / GIB, "Cloud Run: $0.12 per GiB sent to the internet", RUN),
    "task_operations": Price(0.40 / MILLION, "Cloud Tasks: $0.40 per million operations", TASKS),
    "image_bytes": Price(0.020 / GIB, "Cloud Storage: $0.020 per GiB and month", STORAGE),
    "image_sent_bytes": Price(0.12 / GIB, "Cloud Storage: $0.12 per GiB sent", STORAGE),
    "class_a": Price(0.005 / 1000, "Cloud Storage: $0.005 per 1,000 class A operations", STORAGE),
    "class_b": Price(0.0004 / 1000, "Cloud Storage: $0.0004 per 1,000 class B operations", STORAGE),
}
