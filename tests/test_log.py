"""Each log line has its form and its request id, and no line holds a secret."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadStatusLine

from proxy.config import LogConfig
from proxy.forward.exchange import Exchange
from proxy.log import (
    AccessLog,
    JsonFormatter,
    TextFormatter,
    request_id,
    setup_logging,
)
from proxy.oauth.messages import parse_token_response, refresh_body
from tests.clocks import MovedClock

SECRET = "hunter2"
TAMED = ("aiohttp.access", "asyncio", "oauthlib")

logger = logging.getLogger("proxy.oauth.refresher")

StartLog = Callable[..., io.StringIO]


@pytest.fixture
def start_log() -> Iterator[StartLog]:
    """Return a function that sets logging up; everything is put back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in TAMED}

    def to_a_string(**settings: Any) -> io.StringIO:
        stream = io.StringIO()
        setup_logging(LogConfig.parse(settings), stream)
        return stream

    yield to_a_string
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
        logging.getLogger(name).disabled = False


@pytest.fixture
def inside_a_request() -> Iterator[None]:
    token = request_id.set("r-17")
    yield
    request_id.reset(token)


# -- Forms ---------------------------------------------------------------------------


def test_a_text_line_is_for_people(start_log: StartLog, inside_a_request: None) -> None:
    stream = start_log()

    logger.info("refreshed %s", "default")

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO  oauth\.refresher: "
        r"refreshed default \[r-17\]\n",
        stream.getvalue(),
    )


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (logging.DEBUG, "DEBUG"),
        (logging.INFO, "INFO "),
        (logging.WARNING, "WARN "),
        (logging.ERROR, "ERROR"),
        (logging.CRITICAL, "FATAL"),
    ],
)
def test_levels_take_the_same_room(start_log: StartLog, level: int, shown: str) -> None:
    stream = start_log(level="debug")

    logger.log(level, "x")

    assert f" {shown} oauth.refresher: x [-]" in stream.getvalue()


def test_a_json_line_is_for_machines(
    start_log: StartLog, inside_a_request: None
) -> None:
    stream = start_log(format="json")

    logger.warning("Привет, %s", "мир", extra={"fields": {"status": 200, "ms": 1.5}})

    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "Привет, мир" in line
    members = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", members.pop("time"))
    assert members == {
        "level": "warning",
        "logger": "oauth.refresher",
        "message": "Привет, мир",
        "request_id": "r-17",
        "status": 200,
        "ms": 1.5,
    }


def test_the_time_of_a_json_line_is_utc() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "x", (), None)
    record.created = 1795435200.1239

    assert '"2026-11-23T12:00:00.123Z"' in JsonFormatter().format(record)


def test_members_cannot_take_the_place_of_our_own(start_log: StartLog) -> None:
    stream = start_log(format="json")

    logger.info("x", extra={"fields": {"level": "forged", "message": "forged"}})

    assert "forged" not in stream.getvalue()


def test_members_that_json_does_not_know_become_text(start_log: StartLog) -> None:
    stream = start_log(format="json")

    logger.info("x", extra={"fields": {"address": Exception(f"Bearer {SECRET}")}})

    assert json.loads(stream.getvalue())["address"] == "Bearer ***"


def test_outside_a_request_the_id_is_a_dash(start_log: StartLog) -> None:
    text = start_log()
    logger.info("x")
    line = start_log(format="json")
    logger.info("x")

    assert text.getvalue().endswith("x [-]\n")
    assert json.loads(line.getvalue())["request_id"] == "-"


def test_a_record_may_bring_its_own_request_id(start_log: StartLog) -> None:
    stream = start_log()

    logger.info("x", extra={"request_id": "r-18"})

    assert stream.getvalue().endswith("x [r-18]\n")


async def test_each_request_sees_its_own_id(start_log: StartLog) -> None:
    stream = start_log()

    async def handle(name: str) -> None:
        request_id.set(name)
        await asyncio.sleep(0)
        logger.info("from %s", name)

    await asyncio.gather(handle("a"), handle("b"))

    assert re.findall(r"from (\w) \[(\w)\]", stream.getvalue()) == [
        ("a", "a"),
        ("b", "b"),
    ]


def throw(error: Exception) -> None:
    raise error


def fail() -> None:
    try:
        throw(ValueError(f"sent Bearer {SECRET}"))
    except ValueError as exc:
        raise RuntimeError("Новая\nошибка") from exc


def test_a_traceback_stands_below_its_line(start_log: StartLog) -> None:
    stream = start_log()

    try:
        fail()
    except RuntimeError:
        logger.exception("it failed")

    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("ERROR oauth.refresher: it failed [-]")
    assert all(line.startswith("    ") for line in rest)
    assert "ValueError: sent Bearer ***" in stream.getvalue()
    assert "RuntimeError: Новая" in stream.getvalue()
    assert "in fail" in stream.getvalue()


def test_a_traceback_is_one_member_in_json(start_log: StartLog) -> None:
    stream = start_log(format="json")

    try:
        fail()
    except RuntimeError:
        logger.exception("it failed", stack_info=True)

    failure = json.loads(stream.getvalue())["exception"]
    assert failure.index("ValueError: sent Bearer ***") < failure.index("RuntimeError")
    assert "Stack (most recent call last)" in failure


def test_a_suppressed_cause_stays_suppressed(start_log: StartLog) -> None:
    """Errors of the config drop their cause because it holds the file's content."""
    stream = start_log()

    try:
        try:
            throw(ValueError(SECRET))
        except ValueError:
            raise RuntimeError("clean") from None
    except RuntimeError:
        logger.exception("it failed")

    assert "RuntimeError: clean" in stream.getvalue()
    assert f"ValueError: {SECRET}" not in stream.getvalue()


def test_causes_that_lead_in_a_circle_end(start_log: StartLog) -> None:
    stream = start_log()
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one

    logger.error("it failed", exc_info=one)

    assert stream.getvalue().count("ValueError: ") == 2


# -- Nobody forges a line ------------------------------------------------------------


@pytest.mark.parametrize(
    "evil",
    ["\n", "\r", "\x1b[31m", "\x85", "\u2028", "\u202e", "\x00", "\x7f", "\udc80"],
    ids=ascii,
)
def test_control_characters_are_written_out(start_log: StartLog, evil: str) -> None:
    text = start_log()
    logger.info("GET /%s", evil, extra={"request_id": evil})
    lines = start_log(format="json")
    logger.info("GET /%s", evil)

    assert evil not in text.getvalue()[:-1]
    assert ascii(evil)[1:-1] in text.getvalue()
    text.getvalue().encode("utf-8")
    lines.getvalue().encode("utf-8")
    assert lines.getvalue().count("\n") == 1
    assert json.loads(lines.getvalue())["message"] == f"GET /{evil}"


# -- Setting up ----------------------------------------------------------------------


def test_the_last_setup_counts_and_lines_come_once(start_log: StartLog) -> None:
    first = start_log(level="debug")
    second = start_log(level="warning", format="json")

    logger.info("quiet")
    logger.warning("loud")

    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_other_handlers_stay(start_log: StartLog) -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)

    start_log()

    assert other in logging.getLogger().handlers


def test_the_stream_is_stderr(
    start_log: StartLog, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log()
    setup_logging(LogConfig())

    logger.info("x")

    assert capsys.readouterr().err.endswith("oauth.refresher: x [-]\n")


@pytest.mark.parametrize("name", ["aiohttp.access", "oauthlib.oauth2", "asyncio"])
def test_libraries_are_quiet_at_debug_level(start_log: StartLog, name: str) -> None:
    stream = start_log(level="debug")

    logging.getLogger(name).debug("chatter")

    assert stream.getvalue() == ""


def test_libraries_are_never_louder_than_the_rest(start_log: StartLog) -> None:
    start_log(level="debug")
    stream = start_log(level="error")

    logging.getLogger("oauthlib.oauth2").warning("chatter")
    logging.getLogger("oauthlib.oauth2").error("trouble")

    assert "chatter" not in stream.getvalue()
    assert "trouble" in stream.getvalue()


def test_a_token_answer_is_not_logged_by_the_library_that_reads_it(
    start_log: StartLog,
) -> None:
    stream = start_log(level="debug")
    logging.getLogger("proxy").debug("loud")

    parse_token_response(200, b'{"access_token": "A-token"}', 0.0)
    body = refresh_body(client_id="c", refresh_token="R-token")

    assert "R-token" in body
    assert "loud" in stream.getvalue()
    assert "oauthlib" not in stream.getvalue()


def test_a_broken_log_call_does_not_show_its_arguments(
    start_log: StartLog,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start_log()
    # Pytest's own handlers raise instead.
    monkeypatch.setattr(
        logging.getLogger(), "handlers", logging.getLogger().handlers[-1:]
    )

    logger.info("number %d", SECRET)

    err = capsys.readouterr().err
    assert SECRET not in err
    assert "test_log.py" in err


def test_a_reader_that_went_away_is_no_trouble(
    start_log: StartLog, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    start_log()
    setup_logging(LogConfig(), Gone())

    logger.info("x")

    assert capsys.readouterr().err == ""


# -- Access lines --------------------------------------------------------------------


def exchange(**what: Any) -> Exchange:
    made = Exchange("r", 0x17, "GET", "/x")
    seconds = 0.01234
    usual = {"status": 200, "seconds": seconds, "started": MovedClock()() - seconds}
    for name, value in (usual | what).items():
        setattr(made, name, value)
    return made


def access_lines(*exchanges: Exchange, **settings: Any) -> list[str]:
    stream = io.StringIO()
    AccessLog(LogConfig.parse(settings), stream).write(exchanges)
    return stream.getvalue().split("\n")


def test_an_access_line_looks_like_every_other_line() -> None:
    [line, end] = access_lines(exchange(target="/api/v1/a?b=7%20"))

    record = logging.LogRecord(
        "telemed.access", logging.INFO, "", 0,
        "GET /api/v1/a?b=7%20 200 12.3ms upstream", (), None,
    )  # fmt: skip
    record.created, record.request_id = MovedClock()(), "r-17"
    assert line == TextFormatter().format(record)
    assert end == ""


def test_an_access_line_in_json_has_what_machines_want() -> None:
    [line, _] = access_lines(
        exchange(caller="отчёт", received=5, sent=7, answered_by="proxy"), format="json"
    )

    assert "отчёт" in line
    assert json.loads(line) == {
        "method": "GET",
        "target": "/x",
        "status": 200,
        "milliseconds": 12.3,
        "received": 5,
        "sent": 7,
        "caller": "отчёт",
        "answered_by": "proxy",
        "error": None,
        "time": "2026-09-21T14:13:20.000Z",
        "level": "info",
        "logger": "telemed.access",
        "message": "GET /x 200 12.3ms proxy",
        "request_id": "r-17",
    }


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ({}, "upstream"),
        ({"answered_by": "proxy"}, "proxy"),
        ({"replayed": True}, "replayed"),
        ({"replayed": True, "error": "client_left"}, "client_left"),
    ],
)
def test_an_access_line_ends_with_how_it_went(what: dict[str, Any], how: str) -> None:
    assert access_lines(exchange(**what))[0].endswith(f"12.3ms {how} [r-17]")


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"level": "debug"}, 1),
        ({"level": "info"}, 1),
        ({"level": "warning"}, 0),
        ({"access": False}, 0),
    ],
)
def test_access_lines_are_written_where_wanted(
    settings: dict[str, Any], lines: int
) -> None:
    assert len(access_lines(exchange(), **settings)) - 1 == lines


def test_an_access_line_is_out_at_once_and_in_one_piece() -> None:
    class Pieces(io.StringIO):
        def write(self, text: str) -> int:
            pieces.append(text)
            return len(text)

        def flush(self) -> None:
            pieces.append("flushed")

    pieces: list[str] = []
    AccessLog(LogConfig(), Pieces()).write([exchange()])

    assert [piece[-1] for piece in pieces] == ["\n", "d"]


@pytest.mark.parametrize("failure", [BrokenPipeError, OSError(28, "full"), ValueError])
def test_a_log_that_cannot_be_written_fails_no_request(failure: Any) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise failure

    AccessLog(LogConfig(), Gone()).write([exchange()])


def test_access_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    AccessLog(LogConfig()).write([exchange()])

    assert capsys.readouterr().err.endswith("GET /x 200 12.3ms upstream [r-17]\n")


@pytest.mark.parametrize("member", ["method", "target"])
@pytest.mark.parametrize(
    "evil", ["\n", "\x1b[31m", "\x85", "\u202e", "\udc80"], ids=ascii
)
def test_nobody_forges_an_access_line(member: str, evil: str) -> None:
    [text, _] = access_lines(exchange(**{member: f"/{evil}"}))
    [line, _] = access_lines(exchange(**{member: f"/{evil}"}), format="json")

    assert evil not in text
    assert ascii(evil)[1:-1] in text
    line.encode("utf-8")
    assert json.loads(line)[member] == f"/{evil}"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "target",
    [
        f"/api/v1/access/validation-code?code={SECRET}&number={SECRET}",
        f"/api/v1/access/validation%2Dcode?%6eumber={SECRET}",
        f"/x?access_token={SECRET}&b=1",
        f"/x?pass%77ord={SECRET}",
        f"http://anna:{SECRET}@localhost/x",
        f"/x/eyJhbGci.{SECRET}.c2ln",
        f"/x/{SECRET * 20}",
    ],
)
def test_a_secret_planted_in_a_target_is_in_no_access_line(
    form: str, target: str
) -> None:
    [line, _] = access_lines(exchange(target=target), format=form)

    assert SECRET not in line
    assert "***" in line


# -- Secrets -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_planted_secrets_are_in_no_line(start_log: StartLog, form: str) -> None:
    stream = start_log(level="debug", format=form)

    logger.debug("sending Authorization: Bearer %s", SECRET)
    logger.debug("token body: grant_type=password&username=7916&password=%s", SECRET)
    logger.debug("answer: %r", {"access_token": SECRET, "refresh_token": SECRET})
    logger.debug("answer: %s", json.dumps({"validation_code": SECRET}))
    logger.debug("fields: %r", [(b"X-Proxy-Key", SECRET.encode())])
    logger.info(
        "GET /api/v1/access/validation-code?code=7&number=%s 200",
        SECRET,
        extra={"fields": {"x-proxy-key": SECRET, "target": f"/x?password={SECRET}"}},
    )
    logger.info("x", extra={"request_id": f"Bearer {SECRET}"})
    logging.getLogger("some.module").debug("Bearer %s", SECRET)
    try:
        throw(ValueError(f"password={SECRET}"))
    except ValueError:
        logger.debug("Bearer %s", SECRET, exc_info=True)

    assert stream.getvalue().count("***") >= 10
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_an_error_that_quotes_a_head_is_named_only(
    formatter: logging.Formatter,
) -> None:
    error = BadStatusLine(SECRET)
    record = logging.LogRecord(
        "aiohttp.server", logging.ERROR, "", 0, "x", (), (BadStatusLine, error, None)
    )

    line = formatter.format(record)

    assert SECRET not in line
    assert "BadStatusLine" in line


async def test_a_malformed_request_is_logged_without_its_head(
    start_log: StartLog,
) -> None:
    """The server library answers and logs the first bytes of a head that it refuses."""
    stream = start_log(level="debug")

    async def handle(request: web.BaseRequest) -> web.Response:
        return web.Response()

    server = web.Server(handle, max_field_size=100)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        for head in (
            f"Authorization: {SECRET * 100}",
            f"X-Proxy-Key {SECRET}",
            f"{SECRET} /: x",
        ):
            reader, writer = await asyncio.open_connection(*runner.addresses[0])
            writer.write(f"GET / HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n".encode())
            assert b"400" in await reader.readline()
            writer.close()
            await writer.wait_closed()
    finally:
        await runner.cleanup()

    assert "aiohttp.server: Error handling request" in stream.getvalue()
    assert SECRET not in stream.getvalue()
