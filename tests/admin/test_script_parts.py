"""The parts of the requests' scripts, in a real browser."""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.journal.filters import Filter
from tests.admin.browser import Tab, open_tab
from tests.admin.conftest import PHONE, Admin
from tests.programs import need

LOOK_NOW = "dispatchEvent(new Event('visibilitychange')), true"


class Parts:
    """A page, and the modules that it is made of."""

    def __init__(self, tab: Tab, admin: Admin) -> None:
        self.tab = tab
        self.url = str(admin.client.make_url("/"))

    async def run(self, module: str, script: str, **values: object) -> Any:
        """Return what `script` does with `values`; `it` is the module."""
        named = "".join(
            f"const {name} = {json.dumps(value)};" for name, value in values.items()
        )
        return await self.tab.run(
            f"import('/static/{module}.js').then(async (it) => {{{named}{script}}})"
        )


@pytest.fixture
async def parts(
    tmp_path_factory: pytest.TempPathFactory, admin: Admin
) -> AsyncIterator[Parts]:
    need("chromium")
    async with open_tab(tmp_path_factory.mktemp("browser")) as tab:
        found = Parts(tab, admin)
        await tab.speak("ru")
        await tab.open(found.url)
        yield found


def exchange(number: int, **members: object) -> dict[str, object]:
    return {
        "id": f"run-{number}",
        "number": number,
        "started": "2026-11-25T03:00:00.123Z",
        "method": "GET",
        "target": f"/api/v1/doctor/get/{number}",
        "status": 200,
        "answered_by": "upstream",
        "error": None,
        "seconds": 0.01,
        "sent": 5120,
        "caller": None,
        "agent": None,
        "running": False,
        **members,
    }


async def test_what_is_marked_as_failed_is_what_the_filter_finds(parts: Parts) -> None:
    wanted = Filter.parse("is:error")
    members = itertools.product(
        [None, "connection_refused"], [0, 101, 200, 399, 400, 502], [False, True]
    )
    summaries = [
        exchange(1, error=error, status=status, running=running)
        for error, status, running in members
    ]

    marked = await parts.run("row", "return all.map(it.isFailure)", all=summaries)

    assert marked == [wanted.matches(one, lambda: "") for one in summaries]
    assert set(marked) == {False, True}


TREE = "const tree = it.jsonTree(text); if (tree) document.body.append(tree);"


async def test_json_is_shown_as_it_was_written(parts: Parts) -> None:
    text = '{"id": 12345678901234567890, "price": 1.50, "text": "<b>\\n", "no": []}'

    shown = await parts.run("json", f"{TREE} return tree.innerText", text=text)

    assert '"id": 12345678901234567890' in shown
    assert '"price": 1.50' in shown
    assert '"text": "<b>\\n"' in shown
    assert '"no": []' in shown


async def test_what_is_folded_is_built_when_it_is_opened(parts: Parts) -> None:
    text = json.dumps({"items": list(range(250))})
    script = f"""{TREE}
        const inner = tree.querySelector("details details");
        const counts = [inner.querySelectorAll(".leaf").length];
        const grown = new Promise((done) => inner.ontoggle = done);
        inner.open = true;
        await grown;
        for (;;) {{
          counts.push(inner.querySelectorAll(".leaf").length);
          const more = inner.querySelector("button");
          if (!more) return counts;
          more.click();
        }}"""

    assert await parts.run("json", script, text=text) == [0, 100, 200, 250]


@pytest.mark.parametrize("text", ["", "{", '{"a": 1} x', "[" * 100_000])
async def test_what_is_no_json_makes_no_tree(parts: Parts, text: str) -> None:
    assert await parts.run("json", "return it.jsonTree(text)", text=text) is None


LIST = """
    const body = document.createElement("tbody");
    const list = new it.List(body, () => 0);
    const numbers = () => [...body.rows].map((row) => Number(row.dataset.number));
"""


async def test_the_list_is_bounded_and_newest_first(parts: Parts) -> None:
    summaries = [exchange(number) for number in range(1, 701)]
    script = f"""{LIST}
        for (const one of summaries.reverse()) list.put(one);
        list.show();
        list.put({{ ...summaries[5], status: 404 }});
        list.show();
        return [numbers(), body.rows[5].innerText.includes("404")]"""

    numbers, is_updated = await parts.run("list", script, summaries=summaries[200:])

    assert numbers == list(range(700, 200, -1))
    assert is_updated


async def test_a_burst_leaves_the_newest(parts: Parts) -> None:
    summaries = [exchange(number) for number in range(1, 2001)]
    script = f"""{LIST}
        for (const one of summaries) list.put(one);
        while (list.waiting.size) await new Promise(requestAnimationFrame);
        return numbers()"""

    assert await parts.run("list", script, summaries=summaries) == list(
        range(2000, 1500, -1)
    )


async def test_a_pause_holds_back(parts: Parts) -> None:
    script = f"""{LIST}
        list.pause(true);
        const told = new Promise((done) => list.changed = done);
        list.put(one);
        await told;
        list.fill([two]);
        const held = [list.held, numbers()];
        list.pause(false);
        return [...held, list.held, numbers()]"""
    values = {"one": exchange(7), "two": exchange(8)}

    assert await parts.run("list", script, **values) == [2, [], 0, [8, 7]]


async def test_a_list_that_was_asked_for_before_takes_nothing_newer_away(
    parts: Parts,
) -> None:
    script = f"""{LIST}
        list.put(old);
        list.show();
        const before = performance.now();
        while (performance.now() === before);
        const asked = performance.now();
        list.put(young);
        list.show();
        list.replace([other], asked);
        return numbers()"""
    values = {"old": exchange(1), "other": exchange(2), "young": exchange(3)}

    assert await parts.run("list", script, **values) == [3, 2]


async def test_what_is_looked_at_outlives_a_reload(parts: Parts) -> None:
    tab = parts.tab
    await parts.run("place", "it.go({ exchange: 'run-1', filter: 'a b is:error' })")
    await tab.run("window.first = true")
    await tab.run("location.reload(), true")
    await tab.until("!window.first && document.readyState === 'complete'")

    found = await parts.run("place", "return it.place()")
    assert found == {"exchange": "run-1", "filter": "a b is:error"}
    await tab.until("document.querySelector('#filter').value === 'a b is:error'")
    told = "document.querySelector('#detail-error').innerText"
    await tab.until(f"{told} === 'Этот запрос уже не хранится.'")


async def test_an_open_dialog_is_not_lost_to_a_login(
    parts: Parts, admin: Admin
) -> None:
    tab = parts.tab
    await tab.run("window.first = true")
    await tab.run("document.querySelector('#export').click(), true")
    await admin.post("/api/login/code", {"phone": PHONE})
    asked = "performance.getEntriesByType('resource')"
    seen = f"{asked}.some((one) => one.name.endsWith('/api/status'))"
    await tab.until(f"{LOOK_NOW}, {seen}")
    assert await tab.run("window.first && document.querySelector('dialog[open]').id")

    await tab.run("document.querySelector('dialog[open]').close(), true")

    await tab.until(f"{LOOK_NOW}, !window.first && document.readyState === 'complete'")
    assert await tab.run("document.body.dataset.state") == "code_sent"


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 запрос"), (2, "2 запроса"), (5, "5 запросов")]
)
async def test_counts_are_told_as_the_language_does(
    parts: Parts, count: int, told: str
) -> None:
    script = "return it.counted('count', count)"
    assert await parts.run("format", script, count=count) == told
