"""One anomaly: a p-value that is missing is never taken for a small one."""

from __future__ import annotations

import pytest

from imagegen.report.anomalies.anomaly import Anomaly, p_value


def test_an_anomaly_without_a_test_has_no_p_value() -> None:
    anomaly = Anomaly(
        week="2026-W10", metric="requests", scope="week", date=None, direction="up",
        actual=3, expected=1, p_value=None, method="guard",
    )  # fmt: skip
    with pytest.raises(ValueError, match="guard makes no test"):
        p_value(anomaly)
