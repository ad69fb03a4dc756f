"""The suite of requests comes to the same through the proxy as without it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.third_party.environment import make_environment
from tests.third_party.exchanges import differing
from tests.third_party.explained import LEFT_OUT, MESSAGES, OUTCOMES
from tests.third_party.messages import Message
from tests.third_party.proxies import TOKEN, proxy_to
from tests.third_party.suite import Listener, Run, Server, run_suite

# The first run on a machine installs the suite.
pytestmark = pytest.mark.timeout(400)

# Far fewer would mean that the suite was not found.
TESTS, TESTS_WITH_MESSAGES = 200, 120


@dataclass(frozen=True)
class Runs:
    """The suite run twice."""

    direct: Run
    through: Run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    make_environment()
    with ThreadPoolExecutor() as pool:
        direct = pool.submit(run_direct, tmp_path_factory.mktemp("direct"))
        through = pool.submit(run_through, tmp_path_factory.mktemp("through"))
        return Runs(direct.result(), through.result())


def run_direct(folder: Path) -> Run:
    with Listener.open() as httpbin, Listener.open() as scripted:
        return run_suite(
            Server(httpbin, httpbin.url), Server(scripted, scripted.url), folder
        )


def run_through(folder: Path) -> Run:
    with (
        Listener.open() as httpbin,
        Listener.open() as scripted,
        proxy_to(httpbin.url, folder / "httpbin") as first,
        # A scripted server takes one connection, and that for its test.
        proxy_to(
            scripted.url, folder / "scripted", warm_connections=0, response_timeout="3s"
        ) as second,
    ):
        return run_suite(
            Server(httpbin, first.url), Server(scripted, second.url), folder
        )


def short(test: str) -> str:
    return test.removeprefix("tests/")


def test_both_runs_are_of_the_same_tests(runs: Runs) -> None:
    direct, through = runs.direct, runs.through

    assert direct.tests.keys() == through.tests.keys()
    assert direct.left_out == through.left_out
    assert len(direct.tests) >= TESTS
    assert (
        sum(bool(one.answers) for one in direct.tests.values()) >= TESTS_WITH_MESSAGES
    )
    assert all(
        any(test.startswith(start) for test in direct.left_out) for start in LEFT_OUT
    )


def test_without_the_proxy_every_test_passes(runs: Runs) -> None:
    others = {
        test: one.details
        for test, one in runs.direct.tests.items()
        if one.outcome not in ("passed", "xfailed")
    }

    assert not others, as_text(others)


def test_the_outcomes_that_differ_are_explained(runs: Runs) -> None:
    others = {
        short(test): one.details or one.outcome
        for test, one in runs.through.tests.items()
        if one.outcome != runs.direct.tests[test].outcome
    }

    check_explained(others, OUTCOMES)


def test_the_messages_that_differ_are_explained(runs: Runs) -> None:
    others = {
        short(test): "\n".join(differing(runs.direct, runs.through, test))
        for test in runs.direct.tests
        if short(test) not in OUTCOMES
    }

    check_explained({test: lines for test, lines in others.items() if lines}, MESSAGES)


def check_explained(others: dict[str, str], explained: dict[str, str]) -> None:
    unexplained = {test: others[test] for test in others if test not in explained}
    assert not unexplained, as_text(unexplained)
    assert explained.keys() - others.keys() == set(), "explains what is not so"


def as_text(others: dict[str, str]) -> str:
    return "\n\n".join(f"{test}\n{told}" for test, told in others.items())


def test_every_request_arrives_with_the_token_and_the_upstreams_name(
    runs: Runs,
) -> None:
    arrived = [
        Message(head) for one in runs.through.tests.values() for head, _ in one.requests
    ]

    assert {tuple(one.values("authorization")) for one in arrived} == {
        (f"Bearer {TOKEN}",)
    }
    assert {tuple(one.values("host")) for one in arrived} == {
        (runs.through.servers[0],)
    }
