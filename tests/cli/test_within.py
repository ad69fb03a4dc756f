"""Work that is given up when its time is over."""

import threading

import pytest

from proxy.cli.within import within


def test_what_is_done_in_time_comes_back() -> None:
    assert within(10, lambda: "done") == "done"


def test_what_it_raises_comes_through() -> None:
    def fail() -> None:
        raise OSError("no way")

    with pytest.raises(OSError, match="no way"):
        within(10, fail)


def test_what_takes_longer_is_left_behind() -> None:
    over = threading.Event()

    with pytest.raises(TimeoutError):
        within(0.01, lambda: over.wait(30))

    [left] = [each for each in threading.enumerate() if each.name == "check"]
    assert left.daemon  # it cannot keep the program from ending
    over.set()
    left.join(10)
