"""The pages agree with the API, with the index, and with what the tests run."""

import json
import re

import pytest

from proxy.journal.endpoints import ENDPOINTS, endpoint_of
from tests.recipes.pages import ALL, ASKED, FOLDER, PAGES, SINCE, WRITTEN, text_of
from tests.recipes.runners import RUNNERS

INDEX = text_of("README")
ROWS = dict(re.findall(r"^\| \[.*\]\((.+)\.md\) \|.*\| (.*) \|$", INDEX, re.MULTILINE))

RUN = {ALL[name].page for name in RUNNERS}
PATH = re.compile(r"/api/v\d/[\w/-]*")


def endpoints_in(text: str) -> list[str | None]:
    """Return what each path in `text` means; one that ends with / goes on there."""
    paths = (path + "1" if path.endswith("/") else path for path in PATH.findall(text))
    return [endpoint_of(path) for path in paths]


def test_every_program_is_run_or_its_page_says_that_it_is_not() -> None:
    unrun = {program.page for name, program in ALL.items() if name not in RUNNERS}

    assert unrun == set(PAGES) - RUN
    assert RUNNERS.keys() <= ALL.keys()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_whether_it_is_run(page: str) -> None:
    beginning = " ".join(text_of(page).split())[:120]

    assert ("The tests do not run" in beginning) == (page not in RUN)
    assert (ROWS[page] == "yes") == (page in RUN)


def test_the_index_has_every_page() -> None:
    assert sorted(ROWS) == PAGES


@pytest.mark.parametrize("name", ALL)
def test_a_program_uses_all_the_calls_and_only_documented_ones(name: str) -> None:
    used = endpoints_in(ALL[name].text)

    assert None not in used
    assert set(used) == {endpoint_of(path) for _, path in ASKED}


@pytest.mark.parametrize("name", ALL)
def test_a_program_writes_the_plus_as_a_plus(name: str) -> None:
    assert SINCE in ALL[name].text
    assert "%2B" not in ALL[name].text


@pytest.mark.parametrize("name", ALL)
def test_a_program_can_show_a_local_key(name: str) -> None:
    assert "X-Proxy-Key" in ALL[name].text


@pytest.mark.parametrize("name", ALL)
def test_a_program_has_nothing_invisible_and_no_long_lines(name: str) -> None:
    lines = ALL[name].text.splitlines()

    assert [line for line in lines if len(line.expandtabs(4)) > 120] == []
    assert [line for line in lines if not line.replace("\t", " ").isprintable()] == []


@pytest.mark.parametrize("page", [*PAGES, "README"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(page))

    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_the_index_names_paid_calls_as_they_are_called() -> None:
    paid = re.findall(r"`((?:voiprequest/)?start[\w-]*)`", INDEX)

    assert len(paid) == 3
    for name in paid:
        assert any(endpoint.endswith(f"/{name}") for endpoint in ENDPOINTS), name


def test_the_collection_asks_what_the_programs_ask() -> None:
    collection = json.loads(ALL["postman-1"].text)
    requests = [item["request"] for item in collection["item"]]

    asked = [(request["method"], request["url"]) for request in requests]
    assert asked == [
        (method, "{{base}}" + path.replace("{id}", "{{id}}")) for method, path in ASKED
    ]
    assert json.loads(requests[2]["body"]["raw"]) == WRITTEN
