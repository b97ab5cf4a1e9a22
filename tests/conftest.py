"""What holds for every test."""

from __future__ import annotations

import os
import typing as t

import pytest

from tests.hosts import tracing

# Coverage is measured in the workers of pytest and on hosts: in what else they start, such as playbooks, it takes twice the time.
if tracing.MEASURED and "PYTEST_XDIST_WORKER" in os.environ:
    del os.environ["COVERAGE_PROCESS_CONFIG"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> t.Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one in CI, where everything that tests need has been prepared."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"In CI nothing is skipped: {report.longrepr}"
    return report
