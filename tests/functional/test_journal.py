"""The journal, looked at while calls go through: list, detail, stream, replay."""

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import Any

import aiohttp
import pytest
from yarl import URL

from proxy.admin.trust import visitors_are_trusted
from proxy.config import Config
from tests.functional.house import House, house

PROFILE = "/api/v1/profile/get"
UPDATE = "/api/v1/profile/update"
VOIP = "/api/v1/voiprequest/start"
NAME = "Анна Петровна"
KEY = {"X-Proxy-Key": "A-key-of-twenty-characters"}


def key_file(folder: Path) -> str:
    keys = folder / "keys"
    keys.write_text(f"desk {KEY['X-Proxy-Key']}\n")
    keys.chmod(0o600)
    return str(keys)


class Looking:
    """A house, and somebody at its admin listener."""

    def __init__(self, it: House) -> None:
        self.house = it

    async def api(
        self, path: str, members: object = None, method: str | None = None
    ) -> tuple[int, Any]:
        method = method or ("GET" if members is None else "POST")
        content: dict[str, Any] = {} if method == "GET" else {"json": members or {}}
        url = URL(self.house.admin + path, encoded=True)
        async with self.house.session.request(method, url, **content) as answer:
            return answer.status, await answer.json(content_type=None)

    async def exchanges(self, query: str = "") -> list[dict[str, Any]]:
        status, found = await self.api(f"/api/exchanges{query}")
        assert status == 200, found
        summaries: list[dict[str, Any]] = found["exchanges"]
        return summaries

    async def last(self) -> dict[str, Any]:
        return (await self.exchanges("?limit=1"))[0]

    async def detail(self, exchange_id: str, query: str = "") -> dict[str, Any]:
        status, found = await self.api(f"/api/exchanges/{exchange_id}{query}")
        assert status == 200, found
        shown: dict[str, Any] = found
        return shown

    async def keep_content(self) -> None:
        status, state = await self.api("/api/exchanges/content", {"seconds": 600})
        assert status == 200
        assert state["kept"]

    async def send(
        self, path: str = PROFILE, method: str = "GET", **more: Any
    ) -> tuple[int, bytes]:
        url = URL(self.house.url + path, encoded=True)
        async with self.house.session.request(method, url, **more) as answer:
            return answer.status, await answer.read()

    @property
    def received(self) -> list[Any]:
        return self.house.sandbox.requests


@pytest.fixture
async def look(tmp_path: Path) -> AsyncIterator[Looking]:
    async with house(tmp_path) as it:
        await it.log_in()
        yield Looking(it)


@asynccontextmanager
async def looking(folder: Path, **settings: Any) -> AsyncIterator[Looking]:
    async with house(folder, settings=settings) as it:
        await it.log_in()
        yield Looking(it)


class TestTheList:
    async def test_it_tells_of_what_was_forwarded_and_what_was_not(
        self, look: Looking
    ) -> None:
        await look.send("/api/v1/doctor/get/101?x=1")
        await look.send("/api/v1/nowhere", "POST", headers={"User-Agent": "old/2 x"})
        await look.send(headers={"Host": "evil.example"})
        refused, missing, relayed = await look.exchanges()

        assert (relayed["method"], relayed["target"], relayed["status"]) == (
            "GET",
            "/api/v1/doctor/get/101?x=1",
            200,
        )
        assert relayed["endpoint"] == "/api/v1/doctor/get/{id}"
        assert relayed["answered_by"] == "upstream"
        assert relayed["why"] is None
        assert relayed["sent"] > 0 < relayed["seconds"]
        assert (missing["status"], missing["endpoint"], missing["agent"]) == (
            404,
            None,
            "old/2",
        )
        assert (refused["status"], refused["answered_by"]) == (403, "proxy")
        assert "access.allowed_hosts" in refused["why"]

    async def test_it_is_filtered_and_limited(self, look: Looking) -> None:
        for number in range(3):
            await look.send(f"/api/v1/doctor/get/{number}")
        await look.send()

        assert len(await look.exchanges("?filter=path:/doctor/")) == 3
        assert len(await look.exchanges("?filter=path:/doctor/%20-get/1")) == 2
        assert len(await look.exchanges("?limit=2")) == 2

    @pytest.mark.parametrize(
        ("query", "value"),
        [
            ("?limit=0", "limit"),
            ("?limit=1001", "limit"),
            ("?limit=%D9%A1", "limit"),
            ("?limit=x", "limit"),
            ("?filter=status:abc", "filter"),
        ],
    )
    async def test_what_cannot_be_meant_gets_a_sentence(
        self, look: Looking, query: str, value: str
    ) -> None:
        status, error = await look.api(f"/api/exchanges{query}")
        assert (status, error["value"]) == (400, value)

    async def test_a_request_id_of_the_caller_is_found(self, look: Looking) -> None:
        await look.send(headers={"X-Request-Id": "order-4711"})
        await look.send(headers={"X-Request-Id": "two words"})
        strange, named = await look.exchanges()

        assert named["request_id"] == "order-4711" != named["id"]
        assert strange["request_id"] == strange["id"]
        assert (await look.exchanges("?filter=order-4711")) == [named]

    async def test_the_oldest_are_forgotten_first(self, tmp_path: Path) -> None:
        async with looking(tmp_path, journal={"exchanges": 3}) as look:
            for number in range(5):
                await look.send(f"/api/v1/doctor/get/{number}")
            _, found = await look.api("/api/exchanges")
        targets = [one["target"][-1] for one in found["exchanges"]]
        assert targets == ["4", "3", "2"]
        assert found["forgotten"] == 2
        assert found["limits"] == {"exchanges": 3, "bytes": 32 * 1024**2}

    async def test_none_are_kept_where_that_is_said(self, tmp_path: Path) -> None:
        async with looking(tmp_path, journal={"exchanges": 0}) as look:
            await look.send()
            assert await look.exchanges() == []
            status, _ = await look.api("/api/exchanges/content", {"seconds": 1})
            assert status == 409

    async def test_clearing_forgets_them(self, look: Looking) -> None:
        await look.send()
        assert await look.api("/api/exchanges", method="DELETE") == (
            200,
            {"forgotten": 1},
        )
        assert await look.exchanges() == []

    async def test_only_what_may_have_cost_is_marked_as_paid(
        self, look: Looking
    ) -> None:
        await look.send(VOIP, "POST", data=b"{}")
        await look.send(VOIP, "POST", data=b"{}")
        await look.api("/api/logout", {})
        await look.send(VOIP, "POST", data=b'{"another": 1}')
        unsent, repeated, paid = await look.exchanges()
        assert (paid["status"], paid["paid"]) == (200, True)
        assert (repeated["status"], repeated["paid"]) == (409, False)
        assert (unsent["status"], unsent["paid"]) == (503, False)

    async def test_one_that_is_odd_does_not_hide_the_others(
        self, look: Looking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(target: str) -> str | None:
            if "odd" in target:
                raise ValueError
            return None

        monkeypatch.setattr("proxy.admin.shown.endpoint_of", refuse)
        await look.send("/odd")
        await look.send("/usual")
        usual, odd = await look.exchanges()
        assert (usual["target"], odd["target"]) == ("/usual", "-")
        assert odd["status"] == 404

    async def test_a_hundred_long_targets_are_listed_in_short(
        self, look: Looking
    ) -> None:
        await look.send("/api/v1/profile/get?" + "a=b&" * 10_000)
        target = (await look.last())["target"]
        assert len(target) <= 1001
        assert target.endswith("…")


class TestTheFilter:
    async def test_content_is_found_until_it_is_forgotten(self, look: Looking) -> None:
        await look.keep_content()
        content = {"firstName": NAME, "access_token": "s3cr3t-word"}
        await look.send(UPDATE, "POST", json=content)
        assert len(await look.exchanges("?filter=%D0%90%D0%BD%D0%BD%D0%B0")) == 1
        assert await look.exchanges("?filter=s3cr3t") == []
        await look.api("/api/exchanges/content", {"seconds": 0})
        await look.keep_content()
        assert await look.exchanges("?filter=%D0%90%D0%BD%D0%BD%D0%B0") == []

    async def test_fields_are_found_less_what_is_secret(self, look: Looking) -> None:
        fields = {"X-Mine": "apple", "X-Proxy-Key": "pear", "Cookie": "s=plum"}
        await look.send(headers=fields)
        found = {
            word: len(await look.exchanges(f"?filter={word}"))
            for word in ("apple", "pear", "plum", "x-mine")
        }
        assert found == {"apple": 1, "pear": 0, "plum": 1, "x-mine": 1}

    async def test_who_may_not_see_may_not_search(self, tmp_path: Path) -> None:
        access = {"local_key_file": key_file(tmp_path)}
        async with looking(tmp_path, access=access) as look:
            await look.send(headers={**KEY, "Cookie": "s=plum", "X-Mine": "apple"})
            assert await look.exchanges("?filter=plum") == []
            assert len(await look.exchanges("?filter=apple")) == 1


class TestTheDetail:
    async def test_fields_and_times_are_shown_and_content_is_not(
        self, look: Looking
    ) -> None:
        await look.send(headers={"X-Mine": "1", "Authorization": "Bearer mine"})
        shown = await look.detail((await look.last())["id"])

        assert ["X-Mine", "1"] in shown["request"]["fields"]
        assert ["Authorization", "Bearer ***"] in shown["request"]["fields"]
        assert shown["response"]["status"] == 200
        assert shown["response"]["content"] is None
        assert shown["request"]["content"]["kind"] == "none"
        stages = [each["stage"] for each in shown["timing"]]
        assert stages[-2:] == ["first_byte", "content"]
        total = sum(each["seconds"] for each in shown["timing"])
        assert total == pytest.approx(shown["seconds"], abs=0.0005)

    async def test_a_new_connection_shows_what_it_took(self, tmp_path: Path) -> None:
        async with looking(tmp_path, upstream={"warm_connections": 0}) as look:
            await look.send()
            await look.send()
            warm, cold = await look.exchanges()
            first = await look.detail(cold["id"])
        assert (cold["warm"], warm["warm"]) == (False, True)
        stages = {each["stage"] for each in first["timing"]}
        assert {"dns", "tcp", "first_byte"} <= stages

    async def test_a_replay_after_a_rejected_token_is_told(self, look: Looking) -> None:
        look.house.sandbox.revoke_access()
        await look.send()
        shown = await look.detail((await look.last())["id"])

        assert shown["replayed"]
        stages = [each["stage"] for each in shown["timing"]]
        assert stages[0] == "earlier"
        assert "token" in stages

    async def test_an_unknown_one_is_404(self, look: Looking) -> None:
        for rest in ("", "/command?as=curl", "/request/content?unmasked=true"):
            status, error = await look.api(f"/api/exchanges/abcdef-99{rest}")
            assert (status, error["type"]) == (404, "not_found")

    async def test_an_answer_of_ours_is_shown_as_it_was_sent(
        self, look: Looking
    ) -> None:
        url = f"{look.house.url}/x"
        async with look.house.session.get(url, headers={"Host": "evil"}) as answer:
            sent = [
                (name.decode(), value.decode()) for name, value in answer.raw_headers
            ]
            body = await answer.text()
        shown = (await look.detail((await look.last())["id"]))["response"]
        # The clock of this test is not that of the program's answers.
        assert dict(sent).keys() == dict(shown["fields"]).keys()
        assert dict(sent) | {"Date": 0} == dict(shown["fields"]) | {"Date": 0}
        assert shown["content"]["text"] == body
        assert shown["reason"] == "Forbidden"


class TestContent:
    async def test_it_is_kept_masked_and_shown_on_request(self, look: Looking) -> None:
        await look.keep_content()
        sent = json.dumps({"firstName": NAME}, ensure_ascii=False).encode()
        json_type = {"Content-Type": "application/json"}
        _, answered = await look.send(UPDATE, "POST", data=sent, headers=json_type)
        last = await look.last()
        masked = await look.detail(last["id"])
        plain = await look.detail(last["id"], "?unmasked=true")

        content = masked["request"]["content"]
        assert content["text"] == '{"firstName": "***"}'
        assert (content["size"], content["kept"]) == (len(sent), len(sent))
        assert content["sha256"] is None  # it would tell what is masked
        assert (masked["masked"], plain["masked"]) == (True, False)
        assert plain["request"]["content"]["text"] == sent.decode()
        assert plain["request"]["content"]["sha256"] == hashlib.sha256(sent).hexdigest()
        assert (
            plain["response"]["content"]["sha256"]
            == hashlib.sha256(answered).hexdigest()
        )
        assert NAME not in json.dumps(masked, ensure_ascii=False)

    async def test_long_content_in_pieces_is_kept_to_a_limit(
        self, look: Looking
    ) -> None:
        await look.keep_content()

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x " * 25_000
                await asyncio.sleep(0)

        await look.send(UPDATE, "POST", data=pieces())
        _, answered = await look.send("/api/v1/media/get/sample-64m")
        download, upload = await look.exchanges()
        kept = (await look.detail(upload["id"], "?unmasked=true"))["request"]["content"]
        answer = (await look.detail(download["id"], "?unmasked=true"))["response"][
            "content"
        ]

        assert (kept["size"], kept["kept"]) == (1_000_000, 256 * 1024)
        assert kept["sha256"] == hashlib.sha256(b"x " * 500_000).hexdigest()
        assert (answer["size"], answer["kept"]) == (len(answered), 256 * 1024)
        # What it is, nobody can tell, and so not whether a secret is in it.
        assert (answer["sha256"], answer["hidden"]) == (None, True)

    async def test_it_stops_and_is_forgotten_at_once(self, look: Looking) -> None:
        await look.keep_content()
        await look.send()
        status, state = await look.api("/api/exchanges/content", {"seconds": 0})
        await look.send()
        after, before = await look.exchanges()

        assert (status, state["kept"], state["seconds_left"]) == (200, False, None)
        for one in (before, after):
            assert (await look.detail(one["id"]))["response"]["content"] is None

    @pytest.mark.parametrize("seconds", [-1, True, "600", 1.5, None, 1e9, [1]])
    async def test_only_a_time_will_do(self, look: Looking, seconds: object) -> None:
        status, error = await look.api("/api/exchanges/content", {"seconds": seconds})
        assert (status, error["value"]) == (400, "seconds")

    async def test_the_config_can_have_it_kept_always(self, tmp_path: Path) -> None:
        async with looking(tmp_path, journal={"content": True}) as look:
            await look.send()
            shown = await look.detail((await look.last())["id"])
            _, found = await look.api("/api/exchanges")
        assert shown["response"]["content"]["kind"] == "json"
        assert found["content"]["kept"]
        assert found["content"]["until"] is None

    async def test_a_form_in_parts_is_shown_as_text(self, look: Looking) -> None:
        await look.keep_content()
        form = aiohttp.FormData()
        form.add_field("file", b"\x89PNG\r\n\x1a\n" + bytes(100), filename="x.png")
        await look.send("/api/v1/media/add", "POST", data=form)
        last = (await look.last())["id"]
        content = (await look.detail(last, "?unmasked=true"))["request"]["content"]
        assert content["kind"] == "form"
        assert 'filename="x.png"' in content["text"]
        assert "[108 bytes]" in content["text"]

    async def test_an_image_is_served_as_one_on_request_only(
        self, look: Looking
    ) -> None:
        await look.keep_content()
        pixel = b"\x89PNG\r\n\x1a\n" + bytes(100)
        form = aiohttp.FormData()
        form.add_field("file", pixel, filename="x.png", content_type="image/png")
        _, uploaded = await look.send("/api/v1/media/add", "POST", data=form)
        media = json.loads(uploaded)["item"]["id"]
        await look.send(f"/api/v1/media/get/{media}")
        last = (await look.last())["id"]
        path = f"{look.house.admin}/api/exchanges/{last}/response/content"
        async with look.house.session.get(path) as answer:
            assert answer.status == 403
        async with look.house.session.get(f"{path}?unmasked=true") as answer:
            assert await answer.read() == pixel
            assert answer.content_type == "image/png"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        path = path.replace("/response/", "/request/")
        await look.send(
            UPDATE, "POST", data=b"<script>", headers={"Content-Type": "text/html"}
        )
        last = (await look.last())["id"]
        path = f"{look.house.admin}/api/exchanges/{last}/request/content?unmasked=true"
        async with look.house.session.get(path) as answer:
            assert answer.content_type == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment;")


class TestAgain:
    async def test_as_it_was(self, look: Looking) -> None:
        await look.keep_content()
        sent = '{"firstName": "Анна"}'.encode()
        fields = {"Content-Type": "application/json", "X-Two": "a", "Cookie": "s=1"}
        await look.send(UPDATE + "?a=%D0%90+b", "POST", data=sent, headers=fields)
        first = look.received[-1]
        before = await look.last()
        status, shown = await look.api(f"/api/exchanges/{before['id']}/replay", {})
        second = look.received[-1]

        assert (status, shown["status"], shown["replay_of"]) == (200, 200, before["id"])
        assert first is not second
        assert (second.method, second.target) == (first.method, first.target)
        assert second.fields == first.fields
        assert second.content_sha256 == hashlib.sha256(sent).hexdigest()
        assert shown["id"] != before["id"]

    async def test_edited(self, look: Looking) -> None:
        await look.send(headers={"Cookie": "session=17", "X-One": "1"})
        before = await look.last()
        shown = await look.detail(before["id"])
        fields = [each for each in shown["request"]["fields"] if each[0] != "X-One"]
        edit = {
            "method": "POST",
            "target": UPDATE,
            "fields": [*fields, ["Content-Type", "application/json"], ["X-New", "да"]],
            "content": '{"firstName": "Пётр"}',
        }
        status, made = await look.api(f"/api/exchanges/{before['id']}/replay", edit)
        received = look.received[-1]

        assert (status, made["status"], made["method"]) == (200, 200, "POST")
        names = [name for name, _ in received.fields]
        assert "X-One" not in names
        assert ("Cookie", "session=17") in received.fields  # it was shown masked
        assert received.target == UPDATE
        content = '{"firstName": "Пётр"}'.encode()
        assert received.content_sha256 == hashlib.sha256(content).hexdigest()

    async def test_masks_are_not_sent(self, look: Looking) -> None:
        await look.keep_content()
        sent = '{"firstName": "Анна"}'.encode()
        json_type = {"Content-Type": "application/json"}
        await look.send(UPDATE, "POST", data=sent, headers=json_type)
        before = await look.last()
        path = f"/api/exchanges/{before['id']}/replay"
        shown = (await look.detail(before["id"]))["request"]["content"]["text"]
        assert "***" in shown
        status, made = await look.api(path, {"content": shown})
        assert (status, made["status"]) == (200, 200)
        assert look.received[-1].content == sent
        status, error = await look.api(path, {"content": f"{shown} "})
        assert (status, error["value"]) == (400, "masked")

    async def test_what_was_not_kept_cannot_be_sent(self, look: Looking) -> None:
        await look.send(UPDATE, "POST", data=b"{}")
        count = len(look.received)
        before = await look.last()
        status, error = await look.api(f"/api/exchanges/{before['id']}/replay", {})

        assert (status, error["value"]) == (409, "content")
        assert len(look.received) == count

    async def test_a_paid_call_has_to_be_meant(self, look: Looking) -> None:
        await look.keep_content()
        await look.send(VOIP, "POST", data=b"{}")
        before = await look.last()
        count = len(look.received)
        path = f"/api/exchanges/{before['id']}/replay"
        status, error = await look.api(path, {})
        assert (status, error["value"]) == (409, "paid")
        await look.send()
        edited = f"/api/exchanges/{(await look.last())['id']}/replay"
        status, error = await look.api(edited, {"method": "POST", "target": VOIP})
        assert (status, error["value"]) == (409, "paid")
        assert len(look.received) == count + 1

        status, made = await look.api(path, {"confirm": True})
        assert status == 200
        assert made["status"] == 200
        assert look.received[-1].target == VOIP
        names = {name.lower() for name, _ in look.received[-1].fields}
        assert "x-proxy-allow-repeat" not in names

    @pytest.mark.parametrize(
        ("edit", "value"),
        [
            ({"target": "no-slash"}, "target"),
            ({"target": "/a b"}, "target"),
            ({"target": "/a\r\nX: 1"}, "target"),
            ({"method": "GE T"}, "method"),
            ({"method": ""}, "method"),
            ({"method": 7}, "method"),
            ({"fields": [["X", "a\r\nY: b"]]}, "fields"),
            ({"fields": [["", "a"]]}, "fields"),
            ({"fields": [["X:", "a"]]}, "fields"),
            ({"fields": [["X"]]}, "fields"),
            ({"fields": "X: a"}, "fields"),
            ({"content": 7}, "content"),
            ({"target": "/\ud800"}, "target"),
            ({"method": "\ud800"}, "method"),
            ({"fields": [["\ud800", "a"]]}, "fields"),
            ({"fields": [["X", "\ud800"]]}, "fields"),
            ({"content": "\ud800"}, "content"),
            ({"content": "x" * 65_537}, "content"),
        ],
    )
    async def test_what_is_no_request_is_not_sent(
        self, look: Looking, edit: dict[str, Any], value: str
    ) -> None:
        await look.send()
        before, count = await look.last(), len(look.received)
        status, error = await look.api(f"/api/exchanges/{before['id']}/replay", edit)

        assert (status, error["value"]) in {(400, value), (413, "content")}
        assert len(look.received) == count

    async def test_there_are_not_endless_many_at_a_time(self, look: Looking) -> None:
        await look.send()
        path = f"/api/exchanges/{(await look.last())['id']}/replay"
        look.house.sandbox.switches.set({"api_delay": 1.0})
        made = await asyncio.gather(*(look.api(path, {}) for _ in range(20)))
        assert sorted(status for status, _ in made) == [200] * 16 + [503] * 4

    async def test_the_rules_hold_for_it_too(self, tmp_path: Path) -> None:
        async with looking(tmp_path, access={"deny": ["POST /api/*"]}) as look:
            await look.send()
            before = await look.last()
            count = len(look.received)
            edit = {"method": "POST", "target": UPDATE}
            path = f"/api/exchanges/{before['id']}/replay"
            status, made = await look.api(path, edit)
            assert (status, made["status"], made["answered_by"]) == (200, 403, "proxy")
            assert len(look.received) == count

    async def test_a_key_goes_along_and_is_not_shown(self, tmp_path: Path) -> None:
        access = {"local_key_file": key_file(tmp_path), "same_user": True}
        async with looking(tmp_path, access=access) as look:
            await look.send(headers=KEY)
            before = await look.last()
            shown = await look.detail(before["id"], "?unmasked=true")
            edit = {"fields": shown["request"]["fields"]}
            path = f"/api/exchanges/{before['id']}/replay"
            _, made = await look.api(path, edit)
        assert (before["caller"], made["caller"], made["status"]) == (
            "desk",
            "desk",
            200,
        )
        assert "A-key-of" not in json.dumps([shown, made])


class TestWhoMayNot:
    """The admin listener is no way around what callers have to prove."""

    async def test_a_key_cannot_be_borrowed(self, tmp_path: Path) -> None:
        access = {"local_key_file": key_file(tmp_path)}
        async with looking(tmp_path, access=access) as look:
            await look.send(headers=KEY)
            last, count = (await look.last())["id"], len(look.received)
            for path, members in (
                (f"/api/exchanges/{last}/replay", {}),
                (f"/api/exchanges/{last}?unmasked=true", None),
                (f"/api/exchanges/{last}/command?unmasked=true", None),
                (f"/api/exchanges/{last}/response/content?unmasked=true", None),
                ("/api/exchanges.har?unmasked=true", None),
                ("/api/report.zip?unmasked=true", None),
                ("/api/exchanges/content", {"seconds": 600}),
                ("/api/exchanges/content", {"seconds": 0}),
                ("/api/exchanges", "DELETE"),
            ):
                method = members if isinstance(members, str) else None
                content = None if method else members
                status, error = await look.api(path, content, method)
                assert (status, error["value"]) == (403, "password"), path
                assert "admin.password_file" in error["description"]
            assert len(look.received) == count
            assert (await look.detail(last))["masked"]

    @pytest.mark.parametrize(
        ("settings", "trusted"),
        [
            ({}, True),
            ({"access": {"local_key_file": "keys"}}, False),
            ({"access": {"local_key_file": "keys", "same_user": True}}, True),
            (
                {
                    "access": {"local_key_file": "keys"},
                    "admin": {"password_file": "password"},
                },
                True,
            ),
            (
                {
                    "access": {"local_key_file": "keys"},
                    "admin": {"listen": "unix:/tmp/a"},
                },
                True,
            ),
            ({"listen": "unix:/tmp/b"}, False),
            ({"listen": ["unix:/tmp/b", "127.0.0.1:0"]}, True),
        ],
    )
    def test_it_is_by_the_config(self, settings: dict[str, Any], trusted: bool) -> None:
        config = Config.parse({"upstream": {"client_id": "x"}, **settings})
        assert visitors_are_trusted(config) is trusted


class TestTakenAlong:
    async def test_an_archive_has_one_or_the_filtered_or_all(
        self, look: Looking
    ) -> None:
        await look.send()
        await look.send("/nowhere")
        last = (await look.last())["id"]
        for query, targets in (
            ("", [PROFILE, "/nowhere"]),
            ("?filter=status:4xx", ["/nowhere"]),
            (f"?id={last}", ["/nowhere"]),
        ):
            status, archive = await look.api(f"/api/exchanges.har{query}")
            assert status == 200
            urls = [entry["request"]["url"] for entry in archive["log"]["entries"]]
            assert [
                url[-len(end) :] for url, end in zip(urls, targets, strict=True)
            ] == (targets)

    async def test_a_report_holds_what_helps_and_no_secret(self, look: Looking) -> None:
        await look.keep_content()
        await look.send(
            headers={"Cookie": "session=SECRET17", "X-Proxy-Key": "SECRET18"}
        )
        token = look.received[-1].fields
        bearer = next(value for name, value in token if name == "Authorization")
        for query in ("", "?unmasked=true"):
            path = f"{look.house.admin}/api/report.zip{query}"
            async with look.house.session.get(path) as answer:
                assert answer.content_type == "application/zip"
                assert "attachment" in answer.headers["Content-Disposition"]
                bundle = zipfile.ZipFile(io.BytesIO(await answer.read()))
            files = {
                PurePath(name).name: bundle.read(name) for name in bundle.namelist()
            }
            assert {"exchanges.har", "config.yaml", "status.json", "versions.txt"} <= (
                files.keys()
            )
            everything = b"\n".join(files.values()).decode()
            assert bearer.split()[1] not in everything
            assert "SECRET18" not in everything
            assert ("SECRET17" in everything) == bool(query)
            assert look.house.sandbox.client_id not in everything
            assert str(Path.home()) not in everything

    @pytest.mark.parametrize("kind", ["curl", "curl-direct", "python", "httpie"])
    async def test_commands_are_plain_text(self, look: Looking, kind: str) -> None:
        await look.send()
        last = (await look.last())["id"]
        path = f"{look.house.admin}/api/exchanges/{last}/command?as={kind}"
        async with look.house.session.get(path) as answer:
            assert answer.content_type == "text/plain"
            text = await answer.text()
        assert PROFILE in text
        assert ("$TOKEN" in text) == (kind == "curl-direct")

    async def test_an_unknown_kind_is_told(self, look: Looking) -> None:
        await look.send()
        last = (await look.last())["id"]
        for query, value in (("as=ruby", "as"), ("unmasked=1", "unmasked")):
            status, error = await look.api(f"/api/exchanges/{last}/command?{query}")
            assert (status, error["value"]) == (400, value)


class Events:
    """The events of a stream, read one by one."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> tuple[str, str | None, Any]:
        """Return kind, id and data of the next event."""
        kind, name, data = "message", None, None
        async with asyncio.timeout(20):
            async for line in self._answer.content:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    kind = value
                elif field == "id":
                    name = value
                elif field == "data":
                    data = json.loads(value)
                elif not field and data is not None:
                    return kind, name, data
        raise EOFError

    async def exchange(self) -> tuple[str | None, dict[str, Any]]:
        while True:
            kind, name, data = await self.next()
            if kind == "exchange":
                return name, data


@asynccontextmanager
async def following(
    look: Looking, query: str = "", **fields: str
) -> AsyncIterator[Events]:
    path = URL(f"{look.house.admin}/api/exchanges/stream{query}", encoded=True)
    async with look.house.session.get(path, headers=fields) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        yield Events(answer)


class TestTheStream:
    async def test_it_tells_what_happens_from_now_on(self, look: Looking) -> None:
        await look.send("/api/v1/doctor/get/1")
        async with following(look) as events:
            kind, _, state = await events.next()
            assert (kind, state["kept"]) == ("content", False)
            await look.send("/api/v1/doctor/get/2")
            _, told = await events.exchange()
            assert told["target"] == "/api/v1/doctor/get/2"
            assert told == await look.last()

    async def test_it_goes_on_where_it_was(self, look: Looking) -> None:
        async with following(look) as events:
            await events.next()
            await look.send("/api/v1/doctor/get/1")
            name, _ = await events.exchange()
        assert name is not None
        await look.send("/api/v1/doctor/get/2")
        await look.last()
        async with following(look, **{"Last-Event-ID": name}) as events:
            _, told = await events.exchange()
        assert told["target"] == "/api/v1/doctor/get/2"

    @pytest.mark.parametrize("name", ["other.1", "x", "", ".", "1.9999999999999999999"])
    async def test_a_strange_id_does_no_harm(self, look: Looking, name: str) -> None:
        async with following(look, **{"Last-Event-ID": name}) as events:
            kind, _, _ = await events.next()
            assert kind == "content"

    async def test_it_is_filtered(self, look: Looking) -> None:
        async with following(look, "?filter=status:4xx") as events:
            await events.next()
            await look.send()
            await look.send("/nowhere")
            _, told = await events.exchange()
            assert told["target"] == "/nowhere"

    async def test_it_tells_of_clearing_and_of_content(self, look: Looking) -> None:
        async with following(look) as events:
            await events.next()
            await look.api("/api/exchanges", method="DELETE")
            assert (await events.next())[0] == "cleared"
            await look.keep_content()
            kind, _, state = await events.next()
            assert (kind, state["kept"]) == ("content", True)

    async def test_what_goes_on_is_shown_and_then_its_end(self, look: Looking) -> None:
        look.house.sandbox.switches.set({"api_delay": 3.0})
        async with following(look, "?filter=is:running") as events:
            await events.next()
            task = asyncio.ensure_future(look.send())
            name, running = await events.exchange()
            assert (name, running["running"], running["status"]) == (None, True, 0)
            assert (await look.exchanges("?filter=is:running"))[0]["id"] == running[
                "id"
            ]
            while running["running"]:
                name, running = await events.exchange()
            assert (running["status"], name is None) == (200, False)
            await task

    async def test_more_than_can_be_shown_is_counted(self, look: Looking) -> None:
        await look.send()
        async with following(look, **{"Last-Event-ID": "other.1"}) as events:
            await events.next()
            await asyncio.gather(*(look.send() for _ in range(150)))
            told, kinds = 0, set()
            while told < 151:
                kind, _, data = await events.next()
                kinds.add(kind)
                told += data["count"] if kind == "skipped" else kind == "exchange"
        assert told == 151
        assert "skipped" in kinds

    async def test_it_does_not_keep_the_proxy_from_ending(self, tmp_path: Path) -> None:
        async with looking(tmp_path) as look:
            events = following(look)
            stream = await events.__aenter__()
            await stream.next()
            began = asyncio.get_running_loop().time()
        # Ten seconds are what calls under way would get.
        assert asyncio.get_running_loop().time() - began < 8

    async def test_there_are_not_endless_many(self, look: Looking) -> None:
        path = f"{look.house.admin}/api/exchanges/stream"
        answers = [await look.house.session.get(path) for _ in range(32)]
        async with look.house.session.get(path) as refused:
            assert refused.status == 503
        for answer in answers:
            answer.close()
