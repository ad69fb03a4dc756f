"""One request, one login, one refresh: through real sockets and the shipped sandbox."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from proxy.app import open_app
from proxy.errors import ConfigError
from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import parse_phone
from proxy.sandbox import Sandbox
from tests.clocks import MovedClock
from tests.functional.house import PHONE, House, configured, house, sha256

PROFILE = "/api/v1/profile/get"


class TestOneRequest:
    async def test_who_has_just_connected_is_heard_when_it_ends(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            port = URL(it.url).port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await it.get()  # by now, the other connection is known, too

            async def call() -> bytes:
                while not it.app.health.stopping:
                    await asyncio.sleep(0.002)
                await asyncio.sleep(0.01)
                writer.write(
                    f"GET {PROFILE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                )
                answer = await reader.read()
                writer.close()
                return answer

            it.on_leave.append(asyncio.ensure_future(call()))
        answer = await it.on_leave[0]
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in answer

    async def test_before_the_login_the_answer_says_what_to_do(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path) as it, it.session.get(it.url + PROFILE) as answer:
            body = await answer.json()
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert "error=destination_unavailable" in answer.headers["Proxy-Status"]
        assert (body["type"], body["value"]) == ("oauth", "login_required")
        assert "telemed-proxy login" in body["description"]

    async def test_every_kind_of_call_goes_through(self, tmp_path: Path) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            form = aiohttp.FormData()
            content = os.urandom(1_000_000)
            form.add_field("file", content, filename="снимок.png")
            upload = it.session.post(it.url + "/api/v1/media/add", data=form)
            async with upload as answer:
                assert answer.status == 200
                media = (await answer.json())["item"]["id"]
            async with it.session.get(f"{it.url}/api/v1/media/get/{media}") as answer:
                assert await answer.read() == content
            async with it.session.get(
                URL(
                    it.url + "/api/v2/message/get-all?createdFromUtc="
                    "2026-01-01T00:00:00+0300&requestId=1",
                    encoded=True,
                )
            ) as answer:
                assert "Proxy-Status" not in answer.headers
            raw = it.sandbox.requests[-1]
            assert raw.target.endswith(
                "createdFromUtc=2026-01-01T00:00:00+0300&requestId=1"
            )
            assert len(raw.values("Authorization")) == 1

    async def test_a_real_refusal_is_passed_on(self, tmp_path: Path) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            assert await it.get("/api/v1/doctor/get/999999999") == 404
            assert it.granted("refresh_token") == 0


class TestOneLogin:
    async def test_a_call_waits_while_somebody_types_the_code(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path, settings={"login": {"hold": "30s"}}) as it:
            assert await it.get() == 503
            await it.ask_admin("/api/login/code", {"phone": PHONE})
            calls = [asyncio.ensure_future(it.get()) for _ in range(3)]
            await asyncio.sleep(0.05)
            assert not any(call.done() for call in calls)
            code = it.sandbox.sms[-1].code
            await it.ask_admin("/api/login/token", {"validation_code": code})
            assert await asyncio.gather(*calls) == [200, 200, 200]

    async def test_it_survives_a_restart(self, tmp_path: Path) -> None:
        async with Sandbox(announce=lambda _: None, clock=MovedClock()) as sandbox:
            async with house(tmp_path, sandbox=sandbox) as it:
                await it.log_in()
                assert (await it.status())["state"] == "active"
            async with house(tmp_path, sandbox=sandbox) as it:
                assert (await it.status())["phone"] == "+7******4567"
                assert await it.get() == 200
            assert len(sandbox.sms) == 1

    async def test_a_wrong_code_can_be_tried_again(self, tmp_path: Path) -> None:
        async with house(tmp_path) as it:
            await it.ask_admin("/api/login/code", {"phone": "8 916 123-45-67"})
            right = it.sandbox.sms[-1].code
            wrong = f"{(int(right) + 1) % 10_000:04d}"
            status, body = await it.ask_admin(
                "/api/login/token", {"validation_code": wrong}
            )
            assert (status, body["type"]) == (400, "bad_argument")
            status, body = await it.ask_admin(
                "/api/login/token", {"validation_code": right}
            )
            assert (status, body["state"]) == (200, "active")

    async def test_no_second_sms_goes_out_within_the_cooldown(
        self, tmp_path: Path
    ) -> None:
        async with Sandbox(announce=lambda _: None, clock=MovedClock()) as sandbox:
            answers = []
            for _ in range(2):
                async with house(tmp_path, sandbox=sandbox) as it:
                    answers.append(
                        await it.ask_admin(
                            "/api/login/code", {"code": "7", "number": "9161234567"}
                        )
                    )
            assert answers[0][0] == 202
            assert answers[1][0] == 429
            assert answers[1][1]["type"] == "limit_exceeded"
            assert len(sandbox.sms) == 1

    async def test_the_documented_sample_number_is_accepted(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path) as it:
            status, _ = await it.ask_admin(
                "/api/login/code", {"code": "1", "number": "1111111111"}
            )
            assert status == 202
            assert it.sandbox.sms[-1].phone == "11111111111"

    async def test_logging_out_forgets_the_tokens(self, tmp_path: Path) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            token = await it.app.refresher.access_token()
            await it.ask_admin("/api/logout")
            assert (await it.status())["state"] == "logged_out"
            assert await it.get() == 503
            stored = (tmp_path / "state" / "tokens.json").read_text()
        assert token not in stored


class TestOneRefresh:
    async def test_a_due_refresh_delays_nobody(self, tmp_path: Path) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            it.sandbox.switches.delay = 0.1
            it.clock.now += 8 * 86_400
            assert await it.get() == 200
            assert it.granted("refresh_token") == 0
            await it.app.refresher.settled()
            assert it.granted("refresh_token") == 1
            assert await it.get() == 200

    async def test_a_dead_token_is_replaced_before_the_call(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            it.clock.now += 15 * 86_400
            assert await it.get() == 200
            assert it.granted("refresh_token") == 1

    @pytest.mark.parametrize("reject_with", ["401", "403"])
    async def test_200_calls_at_the_moment_of_a_rejection(
        self, tmp_path: Path, reject_with: str
    ) -> None:
        async with house(tmp_path) as it:
            it.sandbox.switches.set({"reject_with": reject_with})
            await it.log_in()
            it.sandbox.revoke_access()
            # The rejections are held back until all of them are on their way.
            it.sandbox.switches.api_delay = 0.3
            statuses = await asyncio.gather(*(_post(it) for _ in range(200)))
            assert statuses == [200] * 200
            answered = [one.status for one in it.sandbox.requests]
            assert answered.count(int(reject_with)) == 200
            assert it.granted("refresh_token") == 1
            assert it.sandbox.spent_presented == 0

    async def test_a_late_rejection_of_an_old_token_refreshes_nothing(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            old = await it.app.refresher.access_token()
            new = await it.app.refresher.access_token(rejected=old)
            assert await it.app.refresher.access_token(rejected=old) == new != old
            assert it.granted("refresh_token") == 1

    async def test_a_dead_login_says_so(self, tmp_path: Path) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            it.sandbox.revoke_refresh()
            it.sandbox.revoke_access()
            assert await it.get() == 503
            assert (await it.status())["state"] == "login_required"
            presented = len(it.sandbox.token_requests)
            assert await it.get() == 503
            assert len(it.sandbox.token_requests) == presented

    async def test_without_the_authorization_server_calls_go_on(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path) as it:
            await it.log_in()
            await it.sandbox.auth_listener.stop()
            it.clock.now += 8 * 86_400
            assert await it.get() == 200
            await it.app.refresher.settled()
            assert await it.get() == 200
            it.clock.now += 8 * 86_400
            async with it.session.get(it.url + PROFILE) as answer:
                assert answer.status == 502
                assert (await answer.json())["type"] == "upstream"
            await it.sandbox.auth_listener.start()
            it.clock.now += 600
            assert await it.get() == 200


async def _post(it: House) -> int:
    content = {"requestId": 1, "text": "Здравствуйте"}
    async with it.session.post(
        it.url + "/api/v1/profile/update", json=content
    ) as answer:
        await answer.read()
        return answer.status


def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


class TestListeners:
    async def test_a_unix_socket_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "proxy.sock"
        settings = {"listen": [f"unix:{path}"]}
        async with house(tmp_path, settings=settings) as it:
            assert path.stat().st_mode & 0o777 == 0o600
            await it.log_in()
            connector = aiohttp.UnixConnector(str(path))
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.get("http://localhost" + PROFILE) as answer,
            ):
                assert answer.status == 200
        assert not path.exists()

    async def test_a_socket_left_behind_is_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "proxy.sock"
        before = await asyncio.start_unix_server(hang_up, path)
        before.close()
        assert path.exists()
        settings = {"listen": [f"unix:{path}"]}
        async with house(tmp_path, settings=settings):
            pass

    @pytest.mark.parametrize("kind", ["tcp", "unix", "file"])
    async def test_an_address_in_use_is_one_sentence(
        self, tmp_path: Path, kind: str
    ) -> None:
        path = tmp_path / "x.sock"
        busy: Any = None
        if kind == "tcp":
            busy = await asyncio.start_server(hang_up, "127.0.0.1", 0)
            address = f"127.0.0.1:{busy.sockets[0].getsockname()[1]}"
        else:
            address = f"unix:{path}"
            if kind == "unix":
                busy = await asyncio.start_unix_server(hang_up, path)
            else:
                path.write_text("precious")
        try:
            async with Sandbox(announce=lambda _: None) as sandbox:
                config = configured(tmp_path, sandbox, {"listen": [address]})
                with pytest.raises(ConfigError, match=re.escape(f"listen: {address}")):
                    async with open_app(config):
                        pass
        finally:
            if busy is not None:
                busy.close()
        if kind == "file":
            assert path.read_text() == "precious"

    async def test_the_forwarding_leg_never_leads_to_ourselves(
        self, tmp_path: Path
    ) -> None:
        async with Sandbox(announce=lambda _: None) as sandbox:
            probe = await asyncio.start_server(hang_up, "127.0.0.1", 0)
            port = probe.sockets[0].getsockname()[1]
            probe.close()
            await probe.wait_closed()
            settings = {
                "listen": [f"127.0.0.1:{port}"],
                "upstream": {"api_url": f"http://localhost:{port}"},
            }
            async with house(tmp_path, sandbox=sandbox, settings=settings) as it:
                now = it.clock()
                pair = TokenPair("a", "r", issued_at=now, expires_at=now + 3600)
                await it.app.refresher.adopt(pair, parse_phone("+7 916 123-45-67"))
                assert await it.get() == 508


async def test_probes_and_metrics_tell_the_state(tmp_path: Path) -> None:
    async with house(tmp_path) as it:

        async def probe(name: str) -> int:
            async with it.session.get(f"{it.admin}/{name}") as answer:
                return answer.status

        assert await probe("startup") == 200
        assert await probe("liveness") == 200
        assert await probe("readiness") == 503
        await it.log_in()
        assert await probe("readiness") == 200
        assert await it.get() == 200
        async with it.session.get(it.admin + "/metrics") as answer:
            text = await answer.text()
        assert (
            'telemed_proxy_requests_total{status_class="2xx",origin="relayed"} 1'
            in text
        )
        await it.ask_admin("/api/refresh")
        async with it.session.get(it.admin + "/metrics") as answer:
            text = await answer.text()
        assert 'telemed_proxy_token_refreshes_total{outcome="refreshed"} 1' in text


async def test_a_large_download_is_identical(tmp_path: Path) -> None:
    from proxy.sandbox.data.files import sample_chunks

    async with house(tmp_path) as it:
        await it.log_in()
        url = it.url + "/api/v1/media/get/sample-8m"
        async with it.session.get(url) as answer:
            got = await answer.read()
    assert sha256(got) == sha256(b"".join(sample_chunks(8, it.sandbox.seed)))


async def test_no_secret_is_logged_or_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with house(tmp_path) as it:
        await it.log_in()
        tokens = [await it.app.refresher.access_token()]
        it.sandbox.revoke_access()
        await it.get()
        tokens.append(await it.app.refresher.access_token())
        status, _ = await it.ask_admin("/api/login/token", {"validation_code": "x y"})
        assert status == 400
        written = caplog.text + str(await it.status())
        for page in ("/", "/metrics"):
            async with it.session.get(it.admin + page) as answer:
                written += await answer.text()
        assert [token for token in tokens if token in written] == []
        code = it.sandbox.sms[-1].code
        assert re.findall(rf"(?<!\d){code}(?!\d)", written) == []


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"POST /api/login/code HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 5\r\nConnection: close\r\n\r\nnogzi",
    ],
    ids=["no HTTP", "two hosts", "broken gzip"],
)
async def test_the_admin_listener_refuses_nonsense_in_one_shape(
    tmp_path: Path, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as it:
        where = URL(it.admin)
        reader, writer = await asyncio.open_connection(where.host, where.port)
        writer.write(request_)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert b" 400 " in head
    assert b"Proxy-Status: telemed-proxy; error=http_request_error" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert json.loads(body)["type"] == "bad_argument"
    assert "Traceback" not in caplog.text


class TestDrain:
    """A program that is told to stop lets calls under way finish."""

    async def test_an_upload_under_way_is_completed(self, tmp_path: Path) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            yield b'{"firstName": '
            begun.set()
            await go_on.wait()
            yield '"Анна"}'.encode()

        async with house(tmp_path) as it:
            await it.log_in()
            post = it.session.post(
                it.url + "/api/v1/profile/update",
                data=content(),
                headers={"Content-Type": "application/json"},
            )
            async with aiohttp.ClientSession() as idle:
                async with idle.get(it.url + PROFILE) as answer:
                    assert answer.status == 200
                calling = asyncio.ensure_future(_read(post))
                await begun.wait()
                await asyncio.sleep(0.02)
                # Leaving the block drains: `calling` ends while it does.
                probing = asyncio.ensure_future(_probe_while_draining(it, go_on))
                it.on_leave += [calling, probing]
        assert await calling == (200, "close")
        assert await probing == [503, 200]

    async def test_what_does_not_end_in_time_is_cut(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("proxy.app.DRAIN", 0.05)
        async with house(tmp_path) as it:
            await it.log_in()
            it.sandbox.switches.set({"api_fault": "timeout"})
            calling = asyncio.ensure_future(it.get())
            while not it.sandbox.requests:
                await asyncio.sleep(0.01)
            it.on_leave.append(calling)
        with pytest.raises(aiohttp.ClientError):
            await calling


async def _probe_while_draining(it: House, go_on: asyncio.Event) -> list[int]:
    while not it.app.health.stopping:
        await asyncio.sleep(0.01)
    statuses = []
    for name in ("readiness", "liveness"):
        async with it.session.get(f"{it.admin}/{name}") as answer:
            statuses.append(answer.status)
    go_on.set()
    return statuses


async def _read(post: Any) -> tuple[int, str | None]:
    async with post as answer:
        await answer.read()
        return answer.status, answer.headers.get("Connection")
