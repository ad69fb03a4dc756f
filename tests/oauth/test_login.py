import asyncio
import logging

import pytest

from proxy.errors import (
    CLIENT_REFUSED,
    CooldownError,
    LoginError,
    StoreError,
    TokenAnswerError,
    TokenRefusedError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from proxy.oauth.login import Login
from proxy.oauth.phone import Phone
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores.file import FileStore
from tests.clocks import MovedClock
from tests.oauth.conftest import StartRefresher
from tests.oauth.fakes import PHONE, FakeAuthorizationServer

OTHER = Phone("7", "9267654321")


def keeper(login: Login) -> Refresher:
    return login._refresher


def wrong_codes(login: Login) -> int:
    return keeper(login).record.login.attempts


async def test_two_steps_log_in(login: Login, server: FakeAuthorizationServer) -> None:
    await login.request_code(PHONE)
    assert server.sms == [PHONE]
    status = keeper(login).status()
    assert (status.state, status.phone) == ("code_sent", "+7******4567")
    assert status.code_sent

    await login.submit_code("7654")

    assert server.passwords == [("79161234567", "7654")]
    status = keeper(login).status()
    assert (status.state, status.phone) == ("active", "+7******4567")
    assert keeper(login).current() == "access-0"
    assert not status.code_sent


async def test_a_code_alone_logs_in_without_an_sms(
    login: Login, server: FakeAuthorizationServer
) -> None:
    await login.submit_code("7654", PHONE)

    assert server.sms == []
    assert keeper(login).status().state == "active"


async def test_the_second_step_may_happen_in_another_process(
    login: Login,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    other = Login(server, await start(), clock)
    await login.request_code(PHONE)

    await other.submit_code("7654")

    assert server.passwords == [("79161234567", "7654")]
    await keeper(login).tick()
    assert keeper(login).status().state == "active"


async def test_a_code_for_nobody_asks_whose_it_is(login: Login) -> None:
    with pytest.raises(LoginError, match="whose code"):
        await login.submit_code("7654")


@pytest.mark.parametrize(
    "typed", [" 7654\n", "76-54", "7 6 5 4", "\u200b7654", "76\u20134"]
)
async def test_a_code_is_read_as_people_paste_it(
    login: Login, server: FakeAuthorizationServer, typed: str
) -> None:
    server.code = "764" if "\u2013" in typed else "7654"

    await login.submit_code(typed, PHONE)

    assert keeper(login).status().state == "active"


@pytest.mark.parametrize("typed", ["", "  - ", "1" * 33, "\ud800"])
async def test_what_is_no_code_is_never_sent(
    login: Login, server: FakeAuthorizationServer, typed: str
) -> None:
    with pytest.raises(LoginError):
        await login.submit_code(typed, PHONE)

    assert server.passwords == []


# -- the SMS is never sent twice by itself ---------------------------------------


async def test_a_second_sms_waits_for_the_cooldown(
    login: Login, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    await login.request_code(PHONE)
    clock.advance(10)

    with pytest.raises(CooldownError) as caught:
        await login.request_code(PHONE)

    assert caught.value.retry_after == 50
    assert keeper(login).status().retry_after == 50
    assert server.sms == [PHONE]
    clock.advance(50)
    await login.request_code(PHONE)
    assert server.sms == [PHONE, PHONE]


async def test_a_mistyped_number_does_not_lock_out_the_right_one(
    login: Login, server: FakeAuthorizationServer
) -> None:
    await login.request_code(OTHER)

    await login.request_code(PHONE)

    assert server.sms == [OTHER, PHONE]
    assert keeper(login).status().retry_after == 120  # the count grew all the same
    await login.submit_code("7654")
    assert server.passwords == [("79161234567", "7654")]


async def test_after_three_sms_the_cooldown_is_for_every_number(
    login: Login,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    numbers = [Phone("7", f"916123456{last}") for last in range(4)]
    for phone in numbers[:3]:
        await login.request_code(phone)

    for each in (login, Login(server, await start(), clock)):
        with pytest.raises(CooldownError) as caught:
            await each.request_code(numbers[3])
        assert caught.value.retry_after == 240
    assert server.sms == numbers[:3]


async def test_a_refused_number_takes_nothing_from_the_one_asked_for_meanwhile(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.gate, server.sms_failure = asyncio.Event(), LoginError("no such number")
    first = asyncio.ensure_future(login.request_code(OTHER))
    await server.started.wait()
    gate, server.gate, server.sms_failure = server.gate, None, None
    await login.request_code(PHONE)
    server.sms_failure = LoginError("no such number")
    gate.set()
    with pytest.raises(LoginError):
        await first

    state = keeper(login).record.login
    assert (state.phone, state.sends) == (PHONE, 1)
    assert keeper(login).status().state == "code_sent"


async def test_clicks_at_once_send_one_sms(
    login: Login, server: FakeAuthorizationServer
) -> None:
    results = await asyncio.gather(
        *(login.request_code(PHONE) for _ in range(20)), return_exceptions=True
    )

    assert server.sms == [PHONE]
    assert [type(r) for r in results].count(CooldownError) == 19


async def test_processes_at_once_send_one_sms(
    login: Login,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    logins = [login, *[Login(server, await start(), clock) for _ in range(3)]]

    await asyncio.gather(
        *(each.request_code(PHONE) for each in logins), return_exceptions=True
    )

    assert server.sms == [PHONE]


async def test_the_cooldown_grows_to_an_hour_and_starts_again_after_a_login(
    login: Login, clock: MovedClock
) -> None:
    cooldowns = []
    for _ in range(8):
        await login.request_code(PHONE)
        cooldowns.append(keeper(login).status().retry_after)
        clock.advance(cooldowns[-1])
    assert cooldowns == [60, 120, 240, 480, 960, 1920, 3600, 3600]

    await login.submit_code("7654")
    assert keeper(login).status().retry_after == 0
    await login.request_code(PHONE)
    assert keeper(login).status().retry_after == 60


async def test_a_quiet_day_makes_the_cooldown_small_again(
    login: Login, clock: MovedClock
) -> None:
    for _ in range(3):
        await login.request_code(PHONE)
        clock.advance(keeper(login).status().retry_after)
    clock.advance(86_401)

    await login.request_code(PHONE)

    assert keeper(login).status().retry_after == 60


async def test_the_cooldown_survives_a_crash_while_the_sms_is_sent(
    login: Login,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    server.gate = asyncio.Event()
    sending = asyncio.ensure_future(login.request_code(PHONE))
    await server.started.wait()

    after_restart = Login(server, await start(), clock)
    with pytest.raises(CooldownError):
        await after_restart.request_code(PHONE)

    assert server.sms == [PHONE]
    server.gate.set()
    await sending


async def test_the_cooldown_survives_a_logout(
    login: Login, server: FakeAuthorizationServer
) -> None:
    await login.submit_code("7654", PHONE)
    await login.request_code(PHONE)

    await keeper(login).logout()

    with pytest.raises(CooldownError):
        await login.request_code(PHONE)


async def test_a_clock_set_back_does_not_lock_out_for_days(
    login: Login, clock: MovedClock
) -> None:
    await login.request_code(PHONE)
    clock.advance(-2 * 86_400)

    await login.request_code(PHONE)


async def test_without_a_store_no_sms_is_sent(
    login: Login, server: FakeAuthorizationServer, store: FileStore
) -> None:
    store._path.mkdir(parents=True)

    with pytest.raises(StoreError):
        await login.request_code(PHONE)

    assert server.sms == []


async def test_what_was_not_sent_is_not_waited_for(
    login: Login, server: FakeAuthorizationServer, store: FileStore
) -> None:
    blocked = store._path.with_name("tokens.json.new")
    blocked.mkdir(parents=True)
    with pytest.raises(StoreError):
        await login.request_code(PHONE)

    status = keeper(login).status()
    assert not status.code_sent
    assert status.retry_after == 0
    blocked.rmdir()
    await login.request_code(PHONE)
    assert len(server.sms) == 1


async def test_a_caller_that_goes_away_leaves_the_sms_counted(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.gate = asyncio.Event()
    caller = asyncio.ensure_future(login.request_code(PHONE))
    await server.started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    server.gate.set()

    with pytest.raises(CooldownError):
        await login.request_code(PHONE)
    assert keeper(login).status().state == "code_sent"


async def test_a_caller_that_goes_away_does_not_pay_for_a_refused_number(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.gate = asyncio.Event()
    server.sms_failure = LoginError("the upstream refuses this number")
    caller = asyncio.ensure_future(login.request_code(PHONE))
    await server.started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    server.gate.set()
    while keeper(login).status().retry_after:
        await asyncio.sleep(0.005)

    assert keeper(login).status().state == "logged_out"


@pytest.mark.parametrize(
    "failure",
    [LoginError("the upstream refuses this number"), UpstreamUnreachableError("no")],
    ids=["number refused", "never connected"],
)
async def test_an_sms_that_surely_did_not_go_out_costs_no_cooldown(
    login: Login, server: FakeAuthorizationServer, failure: LoginError
) -> None:
    server.sms_failure = failure
    with pytest.raises(type(failure)):
        await login.request_code(PHONE)
    assert keeper(login).status().state == "logged_out"

    server.sms_failure = None
    await login.request_code(OTHER)

    assert keeper(login).status().phone == OTHER.masked


async def test_an_sms_of_unknown_fate_counts(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.sms_failure = UpstreamTimeoutError("no answer in time")
    with pytest.raises(UpstreamTimeoutError):
        await login.request_code(PHONE)

    with pytest.raises(CooldownError):
        await login.request_code(PHONE)
    await login.submit_code("7654")  # it did arrive
    assert keeper(login).status().state == "active"


@pytest.mark.parametrize(
    ("asked", "told"), [(None, 60), (5, 60), (300, 300), (10**9, 86_400)]
)
async def test_the_upstream_s_own_limit_prolongs_the_cooldown(
    login: Login, server: FakeAuthorizationServer, asked: int | None, told: int
) -> None:
    server.sms_failure = CooldownError("too many", retry_after=asked)

    with pytest.raises(CooldownError) as caught:
        await login.request_code(PHONE)

    assert caught.value.retry_after == told == keeper(login).status().retry_after
    assert keeper(login).status().state == "logged_out"


async def test_the_upstream_s_limit_for_one_number_spares_the_one_asked_for_meanwhile(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.gate = asyncio.Event()
    first = asyncio.ensure_future(login.request_code(OTHER))
    await server.started.wait()
    gate, server.gate = server.gate, None
    await login.request_code(PHONE)
    server.sms_failure = CooldownError("too many", retry_after=300)
    gate.set()
    with pytest.raises(CooldownError):
        await first

    assert keeper(login).status().state == "code_sent"
    assert keeper(login).status().retry_after == 120


# -- wrong codes -----------------------------------------------------------------


async def test_a_wrong_code_can_be_tried_again(
    login: Login, server: FakeAuthorizationServer
) -> None:
    await login.request_code(PHONE)

    with pytest.raises(LoginError, match=r"try again \(4 left\)$") as caught:
        await login.submit_code("0000")
    assert (caught.value.status, caught.value.value) == (400, "validation_code")
    assert "0000" not in caught.value.description
    assert keeper(login).status().state == "code_sent"

    await login.submit_code("7654")
    assert wrong_codes(login) == 0


async def test_wrong_codes_are_counted_across_restarts_until_a_new_one_is_needed(
    login: Login,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    await login.request_code(PHONE)
    for _ in range(4):
        with pytest.raises(LoginError, match="try again"):
            await login.submit_code("0000")
    again = Login(server, await start(), clock)
    assert wrong_codes(again) == 4
    clock.advance(10)
    with pytest.raises(
        LoginError, match="accepted; ask for a new one, possible in 50 s$"
    ) as last:
        await again.submit_code("0000")
    assert last.value.value == "attempts"

    for each in (login, again):
        with pytest.raises(CooldownError, match="new one, possible in 50 s$") as caught:
            await each.submit_code("7654")
        assert caught.value.retry_after == 50
    assert len(server.passwords) == 5

    clock.advance(60)
    await login.request_code(PHONE)
    await login.submit_code("7654")


async def test_codes_submitted_at_once_are_tried_one_by_one(
    login: Login, server: FakeAuthorizationServer
) -> None:
    await login.request_code(PHONE)

    results = await asyncio.gather(
        *(login.submit_code("0000") for _ in range(20)), return_exceptions=True
    )

    assert len(server.passwords) == 5
    assert all(isinstance(result, LoginError) for result in results)


async def test_what_the_server_says_of_a_wrong_code_is_for_the_debug_log_only(
    login: Login, server: FakeAuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await login.request_code(PHONE)
    server.failure = TokenRefusedError(
        "invalid_grant", "refused: invalid_grant (password=s3cret is incorrect)"
    )

    with pytest.raises(LoginError) as caught:
        await login.submit_code("0000")

    assert "refused" not in caught.value.description
    said = {record.levelno: record.getMessage() for record in caplog.records}
    assert said[logging.INFO] == "wrong validation code for +7******4567 (4 left)"
    assert "refused: invalid_grant (password=***" in caplog.text
    assert not [s for s in ("s3cret", "0000", PHONE.number) if s in caplog.text]


async def test_another_refusal_than_of_the_code_keeps_the_servers_words(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.failure = TokenRefusedError("user_blocked", "refused: user_blocked (why)")

    with pytest.raises(LoginError, match=r"4 left\): refused: user_blocked \(why\)"):
        await login.submit_code("0000", PHONE)


@pytest.mark.parametrize("step", ["sms", "code"])
async def test_a_login_that_fails_on_the_network_is_in_the_log(
    login: Login,
    server: FakeAuthorizationServer,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    failure = UpstreamTimeoutError(f"auth.test did not answer {PHONE.number} in time")
    server.sms_failure = server.failure = failure

    sms, code = login.request_code, login.submit_code
    with pytest.raises(UpstreamTimeoutError):
        await (sms(PHONE) if step == "sms" else code("7654", PHONE))

    (line,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "(+7******4567): auth.test did not answer *** in time" in line.getMessage()
    assert "7654" not in line.getMessage()


async def test_closing_waits_for_a_login_whose_caller_has_left(
    login: Login, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.gate = asyncio.Event()
    caller = asyncio.ensure_future(login.submit_code("7654", PHONE))
    await server.started.wait()
    caller.cancel()
    closing = asyncio.ensure_future(keeper(login).close())
    await asyncio.sleep(0.01)
    assert not closing.done()

    server.gate.set()
    await closing

    assert (await store.load("default")).tokens is not None


async def test_closing_gives_up_a_login_after_its_grace(
    login: Login, server: FakeAuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.gate = asyncio.Event()
    caller = asyncio.ensure_future(login.submit_code("7654", PHONE))
    await server.started.wait()

    await keeper(login).close(grace=0.01)

    assert "given up: login" in caplog.text
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_wrong_client_id_is_not_blamed_on_the_code(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.failure = TokenRefusedError(
        "invalid_client", "refused: invalid_client", value=CLIENT_REFUSED
    )

    with pytest.raises(TokenRefusedError):
        await login.submit_code("7654", PHONE)

    assert wrong_codes(login) == 0


async def test_a_failure_of_unknown_effect_counts_no_attempt(
    login: Login, server: FakeAuthorizationServer
) -> None:
    server.failure = TokenAnswerError("the authorization server answered 500")
    with pytest.raises(TokenAnswerError):
        await login.submit_code("7654", PHONE)
    assert wrong_codes(login) == 0

    server.failure = None
    await login.submit_code("7654", PHONE)


async def test_a_caller_that_goes_away_does_not_lose_the_login(
    login: Login, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.gate = asyncio.Event()
    caller = asyncio.ensure_future(login.submit_code("7654", PHONE))
    await server.started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    server.gate.set()
    while keeper(login).current() is None:
        await asyncio.sleep(0.005)

    assert (await store.load("default")).tokens is not None


async def test_a_login_that_cannot_be_saved_works_and_says_so(
    login: Login, server: FakeAuthorizationServer, store: FileStore
) -> None:
    await login.request_code(PHONE)
    store._path.with_name("tokens.json.new").mkdir()

    with pytest.raises(StoreError):
        await login.submit_code("7654")

    assert keeper(login).current() == "access-0"
    assert "cannot be written" in str(keeper(login).status().last_error)


async def test_an_active_login_stays_active_while_a_new_code_is_awaited(
    login: Login,
) -> None:
    await login.submit_code("7654", PHONE)

    await login.request_code(OTHER)

    status = keeper(login).status()
    assert (status.state, status.code_sent) == ("active", True)
    assert status.phone == PHONE.masked


async def test_a_code_that_nobody_typed_is_not_awaited_for_ever(
    login: Login, clock: MovedClock
) -> None:
    await login.request_code(PHONE)
    clock.advance(901)

    assert keeper(login).status().state == "logged_out"
    await login.submit_code("7654")  # but it may still be typed
