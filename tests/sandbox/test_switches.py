"""Switches and scenarios: named, checked, complete."""

from dataclasses import fields

import pytest

from proxy.sandbox import SCENARIOS, Sandbox, Switches
from proxy.sandbox.switches import COUNTED, SwitchError, describe_switches


def test_every_switch_says_what_it_does() -> None:
    about = describe_switches()

    assert set(about) == {switch.name for switch in fields(Switches)}
    assert all(about.values())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lifetim": 5}, "there is no switch 'lifetim'"),
        ({"lifetime": "5"}, "lifetime must be a number"),
        ({"lifetime": -1}, "lifetime must not be negative"),
        ({"lifetime": True}, "lifetime must be a number"),
        ({"lifetime": None}, "lifetime must be a number"),
        ({"rotate_refresh": 1}, "rotate_refresh must be true or false"),
        ({"sms_limit": 1.5}, "sms_limit must be a whole number"),
        ({"reject_with": "402"}, "reject_with must be one of: 401, 403"),
        ({"reject_with": None}, "reject_with must be one of: 401, 403"),
        ({"api_fault": ["slow"]}, "api_fault must be one of: html500"),
        ({"client_error": 5}, "client_error must be text"),
    ],
)
def test_a_wrong_switch_is_one_sentence(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SwitchError, match="^" + sentence):
        Switches().set(changes)


def test_one_wrong_switch_changes_none() -> None:
    switches = Switches()

    with pytest.raises(SwitchError):
        switches.set({"lifetime": 5, "wrong": 1})

    assert switches == Switches()


def test_every_default_is_a_value_that_can_be_set() -> None:
    switches = Switches()

    switches.set(Switches().as_dict())

    assert switches == Switches()


@pytest.mark.parametrize("switch", COUNTED)
def test_a_counted_fault_ends_by_itself(switch: str) -> None:
    switches = Switches()
    switches.set({switch: "reset", COUNTED[switch]: 2})

    assert [switches.take(switch) for _ in range(3)] == ["reset", "reset", None]
    assert switches == Switches()


@pytest.mark.parametrize("switch", COUNTED)
def test_a_fault_without_a_count_stays(switch: str) -> None:
    switches = Switches()
    switches.set({switch: "reset"})

    assert [switches.take(switch) for _ in range(3)] == ["reset"] * 3


def test_a_count_of_nothing_is_no_fault() -> None:
    switches = Switches()
    switches.set({"api_fault": "reset", "api_fault_count": 0})

    assert switches.take("api_fault") is None


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_loads_and_is_described(name: str) -> None:
    sandbox = Sandbox(scenario=name)

    set_to = {n: getattr(sandbox.switches, n) for n in SCENARIOS[name].switches}
    assert set_to == SCENARIOS[name].switches
    assert SCENARIOS[name].description
    assert "\n" not in SCENARIOS[name].description
    assert (sandbox.switches == Switches()) == (name == "default")


def test_an_unknown_scenario_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="no scenario 'storm'; there are: default, "):
        Sandbox(scenario="storm")
