"""The file, the environment and flags become one Config, or one sentence."""

import os
from pathlib import Path

import pytest
from platformdirs import user_config_path

from proxy.config import Config, find_config, load_config
from proxy.config.document import DocumentError, parse_document
from proxy.errors import ConfigError

ID = "TELEMED_PROXY__UPSTREAM__CLIENT_ID"
VALID = "upstream:\n  client_id: 98483c47f17f4888b0bf695d1165062e\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, a fresh one; no config file is found elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "platform"))
    return tmp_path


def load(text: str | bytes, **environ: str) -> Config:
    content = text.encode() if isinstance(text, str) else text
    Path("config.yaml").write_bytes(content)
    return load_config(environ=environ)


def refusal(text: str | bytes, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    assert caught.value.__cause__ is None or not isinstance(text, str)
    assert "\n" not in caught.value.description
    return caught.value.description


# -- Which file --------------------------------------------------------------------


def write(path: str | Path) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(VALID)
    return path


def test_the_config_file_is_the_first_of_four_places(folder: Path) -> None:
    environ = {"TELEMED_PROXY_CONFIG": "variable.yaml"}

    assert find_config(environ={}) is None
    usual = write(folder / "platform" / "telemed-proxy" / "config.yaml")
    if usual.parent == user_config_path("telemed-proxy", appauthor=False):
        assert find_config(environ={}) == usual  # not on every platform
    here = write("config.yaml")
    assert find_config(environ={}) == here
    variable = write("variable.yaml")
    assert find_config(environ=environ) == variable
    named = write("named.yaml")
    assert find_config(named, environ) == named


def test_a_file_that_was_asked_for_must_be_there() -> None:
    write("config.yaml")

    with pytest.raises(ConfigError, match=r"^nowhere\.yaml does not exist; copy"):
        load_config(Path("nowhere.yaml"), environ={})
    with pytest.raises(ConfigError, match="^TELEMED_PROXY_CONFIG names nowhere"):
        load_config(environ={"TELEMED_PROXY_CONFIG": "nowhere"})


def test_a_file_that_cannot_be_read_is_one_sentence(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: \w+"):
        load_config(folder, environ={})


# -- What a file may be ------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nothing\n",
        "---\n",
        "null",
        "upstream:\n",
        "upstream: null\nlog: ~\n",
        "{}",
    ]
    + ["upstream: {}", "listen:\naccess:\n  allow:\nstore: {url: }\n"],
)
def test_what_is_empty_is_the_default(text: str) -> None:
    assert load(text, **{ID: "1"}) == Config.parse({"upstream": {"client_id": "1"}})


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + VALID,
        VALID.replace("\n", "\r\n"),
        "%YAML 1.1\n---\n" + VALID + "...\n",
        'upstream: {"client_id": "98483c47f17f4888b0bf695d1165062e"}',
        "upstream: !!map {client_id: !!str 98483c47f17f4888b0bf695d1165062e}",
    ],
    ids=["BOM", "CRLF", "markers", "JSON", "tags"],
)
def test_spellings_of_yaml(text: str) -> None:
    assert load(text).upstream.client_id == "98483c47f17f4888b0bf695d1165062e"


@pytest.mark.parametrize(
    "text",
    [
        "0012",
        "12345678901234567890123456789012",
        "1e5",
        "0x1F",
        "12:30:45",
        "2026-01-02",
    ],
)
def test_a_client_id_that_looks_like_a_number_stays_as_written(text: str) -> None:
    assert load(f"upstream: {{client_id: {text}}}").upstream.client_id == text
    assert load("", **{ID: text}).upstream.client_id == text


def test_paths_count_from_the_folder_of_the_file(folder: Path) -> None:
    file = folder / "etc" / "proxy.yaml"
    file.parent.mkdir()
    file.write_text(
        VALID + "  ca_file: ca.pem\n"
        "store: {url: 'file:state/t.json', encryption_key_file: k}\n"
        "listen: [127.0.0.1:1, unix:run/s]\n"
        "admin: {listen: unix:admin, password_file: /abs/password}\n"
        "access: {local_key_file: ../keys}\n"
    )

    config = load_config(
        Path("etc/proxy.yaml"),
        environ={"TELEMED_PROXY__ACCESS__LOCAL_KEY_FILE": "of-variable"},
    )

    etc = file.parent
    assert config.upstream.ca_file == etc / "ca.pem"
    assert config.store.url == f"file:{etc / 'state/t.json'}"
    assert config.store.encryption_key_file == etc / "k"
    assert [address.path for address in config.listen] == [None, etc / "run/s"]
    assert config.admin.listen.path == etc / "admin"
    assert config.admin.password_file == Path("/abs/password")
    assert config.access.local_key_file == Path("of-variable")


def test_home_and_root_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "expanduser", lambda self: Path("/home/anna", self.name))

    config = load(VALID + "  ca_file: ~/ca.pem\nstore: {url: 'file:///var/t.json'}")

    assert config.upstream.ca_file == Path("/home/anna/ca.pem")
    assert config.store.url == f"file:{Path('/home/anna/t.json')}"


# -- Precedence --------------------------------------------------------------------


def test_flags_come_before_the_environment_before_the_file() -> None:
    Path("config.yaml").write_text(
        VALID
        + "listen: 127.0.0.1:1\nadmin: {listen: 127.0.0.1:2}\nlog: {level: error}\n"
    )

    config = load_config(
        overrides={"listen": ["127.0.0.1:5", "127.0.0.1:6"], "log.level": None},
        environ={
            "TELEMED_PROXY__LISTEN": "127.0.0.1:3",
            "TELEMED_PROXY__ADMIN__LISTEN": "127.0.0.1:4",
            "TELEMED_PROXY__LOG__FORMAT": "json",
        },
    )

    assert [address.port for address in config.listen] == [5, 6]
    assert config.admin.listen.port == 4
    assert (config.log.level, config.log.format) == ("error", "json")


def test_flags_that_were_not_given_change_nothing() -> None:
    Path("config.yaml").write_text(VALID + "listen: 127.0.0.1:1\n")

    config = load_config(overrides={"listen": (), "admin.listen": None}, environ={})

    assert [address.port for address in config.listen] == [1]


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:1", ["127.0.0.1:1"]),
        ("[127.0.0.1:1, 'unix:/s']", ["127.0.0.1:1", "unix:/s"]),
        ('"127.0.0.1:1"', ["127.0.0.1:1"]),
        ("[::1]:1", ["[::1]:1"]),
        ("['[::1]:1']", ["[::1]:1"]),
        ("null", ["127.0.0.1:8080"]),
        ("", ["127.0.0.1:9"]),
        (" ", ["127.0.0.1:9"]),
    ],
    ids=str,
)
def test_a_variable_holds_a_text_or_a_list(text: str, listen: list[str]) -> None:
    """Null brings back the default; an empty variable is one that is not set."""
    config = load(VALID + "listen: 127.0.0.1:9", TELEMED_PROXY__LISTEN=text)

    assert [str(address) for address in config.listen] == listen


def test_the_key_of_the_token_file_may_be_in_the_environment_only() -> None:
    config = load(VALID, TELEMED_PROXY_STORE_KEY="a-key")

    assert config.store.keys is not None
    assert [key.text for key in config.store.keys.read()] == ["a-key"]
    assert load(VALID).store.keys is None


def test_other_variables_are_no_settings() -> None:
    load(VALID, TELEMED_PROXY="x", TELEMED_PROXY_UPSTREAM="x", telemed_proxy__x="x")


# -- Sentences -----------------------------------------------------------------------

UPSTREAM = VALID + "  # third line\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            UPSTREAM + "  conect_timeout: 10s",
            "config.yaml, line 4: upstream.conect_timeout is not a setting; "
            "did you mean connect_timeout?",
        ),
        (
            "client_id: hunter2",
            "config.yaml, line 1: client_id is not a setting; "
            "did you mean upstream.client_id?",
        ),
        (
            "log: {colour: true}",
            "config.yaml, line 1: log.colour is not a setting; "
            "allowed here are level, format, access",
        ),
        (
            "upstraem:\n  client_id: x",
            "config.yaml, line 1: upstraem is not a setting; did you mean upstream?",
        ),
        (
            "log:\n  level:\n    deep: x",
            "config.yaml, line 2: log.level must be one of "
            "debug, info, warning, error, critical, not a section",
        ),
        (
            VALID + "log:\n\n  level: loud",
            "config.yaml, line 5: log.level must be one of "
            "debug, info, warning, error, critical, not 'loud'",
        ),
        (
            UPSTREAM + "  keepalive: 60",
            "config.yaml, line 4: upstream.keepalive must be a duration such as "
            "500ms, 10s, 5m, 2h or 14d (a whole number and its unit), not '60'",
        ),
        (
            UPSTREAM + "  keepalive:",
            "config.yaml, line 4: upstream.keepalive must be a duration, but is empty",
        ),
        (
            VALID + "access:\n  deny:\n  - GET /a\n  - GET a",
            "config.yaml, line 6: access.deny must be rules such as "
            "\"GET /api/v1/doctor/*\", a method or * and a path, not 'GET a'",
        ),
        (
            VALID + "access:\n  deny: {GET: /a}",
            "config.yaml, line 4: access.deny must be a list such as [one, two], "
            "not a section",
        ),
        (
            VALID + "listen: [[127.0.0.1:1]]",
            "config.yaml, line 3: listen must be text, not a list",
        ),
        (
            "upstream: [client_id]",
            "config.yaml, line 1: upstream is a section; below it, on indented lines, "
            "it may hold api_url, auth_url, client_id, ca_file, egress_proxy, "
            "connect_timeout, response_timeout, idle_timeout, keepalive, "
            "max_connections, warm_connections",
        ),
        (
            VALID + "listen: [127.0.0.1:1,\n  0.0.0.0:80]",
            "config.yaml, line 4: listen opens 0.0.0.0:80 to other machines; set "
            "access.local_key_file (or access.anyone: true, which lets in anyone), "
            "or use 127.0.0.1",
        ),
        (
            VALID + "listen: 127.0.0.1:8081",
            "config.yaml, line 3: listen must differ: listen and admin.listen are both "
            "127.0.0.1:8081, but what the API serves never shares an address with the "
            "admin page",
        ),
        (
            "# nothing yet\nupstream:\n  ca_file: x",
            "config.yaml, line 2: upstream.client_id is missing; fill in the client_id "
            "that the operator of the API gave you (usually 32 hex digits), "
            f"or set {ID}",
        ),
        (
            VALID + VALID,
            "config.yaml, line 3: upstream is set twice, first in line 1",
        ),
        (
            VALID + "  client_id: x",
            "config.yaml, line 3: client_id is set twice, first in line 2",
        ),
        (
            "- listen",
            "config.yaml, line 1: a config file holds settings, such as "
            "listen: [127.0.0.1:8080]; see config.example.yaml",
        ),
        (
            "just words",
            "config.yaml, line 1: a config file holds settings, such as "
            "listen: [127.0.0.1:8080]; see config.example.yaml",
        ),
        (
            UPSTREAM + "\tca_file: x",
            "config.yaml, line 4: tabs cannot indent here; use spaces",
        ),
        (
            "a: &a [x]\nb: *a",
            "config.yaml, line 2: aliases are not used here; "
            "quote a text that begins with *",
        ),
        (
            "access:\n  allow: [* /api/*]",
            "config.yaml, line 2: aliases are not used here; "
            "quote a text that begins with *",
        ),
        (
            "listen: !!python/name:os.system x",
            "config.yaml, line 1: tags (!name) are not used here",
        ),
        (
            "log: {level: info",
            "config.yaml, line 1: this is not valid YAML; "
            "check colons, quotes and indents",
        ),
        (
            "log:\n level: info\n  format: text",
            "config.yaml, line 3: this is not valid YAML; "
            "check colons, quotes and indents",
        ),
        (
            VALID + "---\n" + VALID,
            "config.yaml, line 3: a second document begins (---), but one is allowed",
        ),
        (
            "? [a, b]\n: c",
            "config.yaml, line 1: the name of a setting must be a plain word",
        ),
        (
            "listen: \n\x00",
            "config.yaml, line 2: control characters are not allowed",
        ),
        (
            b"# \xcf\n#\nlog: \xd0\xcf",
            "config.yaml, line 1: this is not UTF-8; save the file as UTF-8",
        ),
        (
            "# nothing",
            "config.yaml, line 1: upstream.client_id is missing; fill in the client_id "
            "that the operator of the API gave you (usually 32 hex digits), "
            f"or set {ID}",
        ),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_line(
    text: str | bytes, sentence: str
) -> None:
    assert refusal(text) == sentence


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        (
            "TELEMED_PROXY__UPSTREAM__CLIENTID",
            "hunter2",
            "TELEMED_PROXY__UPSTREAM__CLIENTID is not a setting; did you mean "
            "TELEMED_PROXY__UPSTREAM__CLIENT_ID?",
        ),
        (
            "TELEMED_PROXY__CLIENT_ID",
            "hunter2",
            "TELEMED_PROXY__CLIENT_ID is not a setting; did you mean "
            "TELEMED_PROXY__UPSTREAM__CLIENT_ID?",
        ),
        (
            "TELEMED_PROXY__LOG__",
            "x",
            "TELEMED_PROXY__LOG__ is not a setting; allowed here are "
            "level, format, access",
        ),
        (
            "TELEMED_PROXY__LOG__LEVEL__X",
            "x",
            "TELEMED_PROXY__LOG__LEVEL__X is not a setting; did you mean "
            "TELEMED_PROXY__LOG__LEVEL?",
        ),
        (
            "TELEMED_PROXY__LOG",
            "{level: info}",
            "TELEMED_PROXY__LOG is a section, not a setting; set one of its settings, "
            "such as TELEMED_PROXY__LOG__LEVEL",
        ),
        (
            "TELEMED_PROXY__LOG__ACCESS",
            "maybe",
            "TELEMED_PROXY__LOG__ACCESS must be true or false, not 'maybe'",
        ),
        (
            "TELEMED_PROXY__ADMIN__LISTEN",
            "127.0.0.1:8080",
            "TELEMED_PROXY__ADMIN__LISTEN must differ: listen and admin.listen are "
            "both 127.0.0.1:8080, but what the API serves never shares an address with "
            "the admin page",
        ),
    ],
)
def test_a_wrong_variable_is_named(variable: str, text: str, sentence: str) -> None:
    assert refusal(VALID, **{variable: text}) == sentence


def test_a_wrong_flag_is_named() -> None:
    overrides = {"admin.listen": "nonsense"}

    with pytest.raises(ConfigError, match="^--admin must be an address such as"):
        load_config(environ={ID: "1"}, overrides=overrides)
    with pytest.raises(ConfigError, match="^--log-level must be one of"):
        load_config(environ={ID: "1"}, overrides={"log.level": "loud"})
    with pytest.raises(ConfigError, match="^--verbose is not a setting"):
        load_config(environ={ID: "1"}, overrides={"verbose": True})


def test_without_any_file_the_sentence_says_how_to_begin() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(environ={})

    assert caught.value.description == (
        "no config file was found, so upstream.client_id is missing; copy "
        f"config.example.yaml to config.yaml and fill it in, or set {ID}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "upstream:\n  client_id: [hunter2]",
        "upstream:\n  client_id: a hunter2",
        'upstream:\n  client_id: "hunter2',
        "upstream:\n  client_id hunter2\n",
        "upstream:\n  client_id: hunter2\n bad: *hunter2",
        "upstream:\n  client_id: &hunter2 'x' hunter2",
        "upstream: hunter2",
        "upstream: {client_id: {hunter2: x}}",
        VALID + "  api_url: https://anna:hunter2@api.example",
        VALID + "  api_url: https://anna:hunter2 @api.example",
        VALID + "  egress_proxy: http://anna:hunter2@proxy.example:1",
        VALID + "  ca_file: [hunter2]",
        VALID + "store: {url: 'redis://:hunter2@ h'}",
        VALID + "store: {url: 'keyring:hunter2/'}",
        VALID + "store: {encryption_key: hunter2}",
        VALID + "store: {encryption_key_file: [hunter2]}",
        VALID + "store: {url: hunter2}",
        VALID + "access: {local_key: hunter2}",
        VALID + "access: {local_key_file: ~hunter2/x}",
        VALID + "access: {local_key_file: [hunter2]}",
        VALID + "admin: {password: hunter2}",
        VALID + "admin: {listen: 'anna:hunter2@127.0.0.1:1'}",
        "hunter2",
        b"upstream: {client_id: hunter2\xff}",
    ],
    ids=str,
)
def test_a_sentence_holds_no_secret(text: str | bytes) -> None:
    assert "hunter2" not in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nlisten: [*c]",
        "<<: {listen: x}",
        "? {a: b}\n: c",
        VALID + f"  max_connections: {'9' * 5000}",
        VALID + f"forward: {{replay_limit: {'9' * 5000}GiB}}",
        VALID + f"journal: {{exchanges: {'9' * 5000}}}",
        VALID + "token: {refresh_at: .inf}",
        VALID + "token: {refresh_at: .nan}",
        f"{'k' * 5000}: x",
        f"{'k' * 900}: x",
        '"\\e[31m\\n": x',
        "listen: " + "x" * 300_000,
        "upstream:\n  client_id: " + "\\\n" * 1000 + "[",
        b"\xff\xfeu\x00",
        b"\x00" * 1000,
    ],
    ids=lambda text: repr(text)[:20],
)
def test_a_hostile_file_is_one_short_sentence(text: str | bytes) -> None:
    sentence = refusal(text)

    assert len(sentence) < 400
    assert sentence.isprintable()


def test_a_file_of_another_kind_is_not_read_to_its_end() -> None:
    assert refusal("#" * 256 * 1024 + "\n").endswith("too large for a config file")


def test_an_error_of_the_parser_is_not_kept() -> None:
    """It quotes the line, which may hold a secret."""
    with pytest.raises(DocumentError) as caught:
        parse_document('client_id: "hunter2')

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "value", ["1\u202e2", "\x1b[31mred", "x" * 1000], ids=["bidi", "colour", "long"]
)
def test_odd_values_are_not_repeated(value: str) -> None:
    sentence = refusal(VALID, TELEMED_PROXY__LOG__LEVEL=value)

    assert sentence.endswith("error, critical")


def test_the_environment_is_the_programs_own_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(os.environ, ID, "of-the-environment")

    assert load_config().upstream.client_id == "of-the-environment"
