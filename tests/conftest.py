"""What every test lives under: under CI=true no test is skipped unseen."""

import os
from collections.abc import Generator

import pytest

Report = pytest.TestReport | pytest.CollectReport

IN_CI = os.environ.get("CI") == "true"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, Report]:
    """Judge a test that skips itself, or is marked so."""
    report = yield
    # A test may log a lone surrogate, which no report can carry between processes.
    report.sections = [(name, _encodable(text)) for name, text in report.sections]
    return _without_skip(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, Report]:
    """Judge a module that skips itself while it is read."""
    return _without_skip((yield))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _without_skip(report: Report) -> Report:
    """Return `report`, a skip turned into a failure where every program can be had."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        # A skip is told as (file, line, reason).
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        report.outcome = "failed"
        report.longrepr = f"Under CI=true no test may be skipped. {reason}"
    return report
