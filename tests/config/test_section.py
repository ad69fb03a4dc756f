"""How a class becomes settings: reading, defaults, places of errors."""

import itertools
from typing import Annotated, Any

import pytest

from proxy.config.section import MalformedError, Section, parse_each, setting
from proxy.config.values import parse_count, parse_text


def parse_digit(value: object) -> int:
    text = parse_text(str(value))
    if len(text) != 1 or not text.isdecimal():
        raise ValueError("must be a digit")
    return int(text)


COUNTER = itertools.count()


class Inner(Section):
    digit: Annotated[int, parse_digit] = 1
    secret: Annotated[str, parse_text] = setting(default="", repr=False)


class Outer(Section):
    digits: Annotated[tuple[int, ...], parse_each(parse_digit)] = (1, 2)
    inner: Inner = Inner()
    made: Annotated[int, parse_count(0, 999)] = setting(
        default_factory=lambda: next(COUNTER)
    )
    _own = "no setting"

    def check(self) -> None:
        if self.inner.digit in self.digits[1:]:
            raise ValueError("do not go together")


def test_settings_are_read_in_whatever_form_they_come() -> None:
    outer = Outer.parse({"digits": "7", "inner": {"digit": "8"}})

    assert (outer.digits, outer.inner) == ((7,), Inner(digit=8))
    assert Outer(inner=outer.inner).inner.digit == 8
    assert list(Outer.settings) == ["digits", "inner", "made"]


def test_a_default_is_read_too_and_made_each_time_if_need_be() -> None:
    assert Outer().made + 1 == Outer().made


@pytest.mark.parametrize(
    ("given", "says", "place"),
    [
        ({"digits": ["1", "x"]}, "must be a digit", ("digits", 1)),
        ({"digits": None}, "must be a list such as [one, two]", ("digits",)),
        ({"digits": {}}, "must be a list such as [one, two]", ("digits",)),
        ({"inner": {"digit": "x"}}, "must be a digit", ("inner", "digit")),
        ({"inner": {"x": 1}}, "is not a setting", ("inner", "x")),
        ({"inner": "x"}, "must be a section", ("inner",)),
        ({"made": "x", "digits": "y"}, "must be a digit", ("digits", 0)),
        ({"_own": "x"}, "is not a setting", ("_own",)),
    ],
)
def test_an_error_tells_its_place(
    given: dict[str, Any], says: str, place: tuple[Any, ...]
) -> None:
    with pytest.raises(MalformedError) as caught:
        Outer.parse(given)

    assert (str(caught.value), caught.value.place) == (says, place)


def test_what_replaces_a_setting_is_read_and_checked_like_any_other() -> None:
    outer = Outer.parse({"digits": [4, 5]})

    assert outer.replace(inner={"digit": "6"}) == Outer(
        digits=(4, 5), inner=Inner(digit=6), made=outer.made
    )
    with pytest.raises(MalformedError, match="must be a digit"):
        outer.replace(digits="x")
    with pytest.raises(ValueError, match="do not go together"):
        outer.replace(inner={"digit": 5})
    assert outer.inner.digit == 1


def test_nothing_secret_is_shown() -> None:
    assert repr(Inner(secret="hunter2")) == "Inner(digit=1)"


def test_sections_of_different_kinds_differ() -> None:
    assert Inner() == Inner()
    assert Inner() != Inner(secret="x")
    assert Inner() != 1
