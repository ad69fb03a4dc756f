"""A report says what is needed to find a bug, and nothing of its owner's secrets."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from proxy.config import Address, Config, StoreConfig, UpstreamConfig, load_config
from proxy.journal.har import archive
from proxy.journal.masking import masked
from proxy.journal.report import bundle, config_text
from tests.journal.entries import entry

ID = "98483c47f17f4888b0bf695d1165062e"
HOME = Path("/home/anna")


def files_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name).decode() for name in packed.namelist()}


def report(**status: Any) -> bytes:
    har = archive([masked(entry()), masked(entry())], creator_version="1")
    return bundle(har, {"telemed-proxy": "1", "python": "3.11"}, "log:\n", status)


def test_a_report_has_these_files() -> None:
    files = files_of(report(state="active", expires_in=5))

    folder = "telemed-proxy-report/"
    assert sorted(files) == [
        f"{folder}README.txt",
        f"{folder}config.yaml",
        f"{folder}exchanges.har",
        f"{folder}status.json",
        f"{folder}versions.txt",
    ]
    assert len(json.loads(files[f"{folder}exchanges.har"])["log"]["entries"]) == 2
    assert json.loads(files[f"{folder}status.json"]) == {
        "state": "active",
        "expires_in": 5,
    }
    assert files[f"{folder}versions.txt"] == "telemed-proxy: 1\npython: 3.11\n"
    assert files[f"{folder}config.yaml"] == "log:\n"


def test_its_readme_says_what_is_in_it_and_what_is_masked() -> None:
    readme = files_of(report())["telemed-proxy-report/README.txt"]

    assert "2 requests" in readme
    assert "masked with ***" in " ".join(readme.split())
    for name in ("exchanges.har", "config.yaml", "versions.txt", "status.json"):
        assert name in readme
    assert max(map(len, readme.splitlines())) <= 88


def test_the_same_report_is_the_same_bytes() -> None:
    assert report(state="active") == report(state="active")


def test_a_report_is_for_its_owner_alone_when_unpacked() -> None:
    with zipfile.ZipFile(io.BytesIO(report())) as packed:
        assert {info.external_attr >> 16 for info in packed.infolist()} == {0o600}


def test_a_token_in_the_status_would_be_masked() -> None:
    files = files_of(report(access_token="hunter2", last_error="Bearer hunter2"))

    assert "hunter2" not in str(files)


def test_the_config_is_the_one_in_effect(tmp_path: Path) -> None:
    written = tmp_path / "config.yaml"
    written.write_text(
        "listen: [127.0.0.1:0, 'unix:/run/proxy.sock']\n"
        "upstream: {client_id: x, connect_timeout: 500ms, keepalive: 90s, api_url: 'https://h:444'}\n"
        "access: {deny: [POST /api/*], allowed_origins: ['http://localhost:3000']}\n"
        "store: {url: 'file:/var/lib/tokens.json'}\n"
    )
    config = load_config(written, environ={})

    again = tmp_path / "again.yaml"
    again.write_text(config_text(config, home=HOME))

    masked_id = config.upstream.replace(client_id="***")
    assert load_config(again, environ={}) == config.replace(upstream=masked_id)


def test_every_setting_is_in_it() -> None:
    text = config_text(Config(), home=HOME)

    for section, field in Config.settings.items():
        assert f"{section}:" in text
        for name in field.section.settings if field.section else ():
            assert f"  {name}: " in text


@pytest.mark.parametrize(
    ("client_id", "shown"), [(ID, "***062e"), ("short", "***"), ("", "")]
)
def test_the_client_id_shows_its_last_four_digits(client_id: str, shown: str) -> None:
    config = Config(upstream=UpstreamConfig(client_id=client_id))

    text = config_text(config, home=HOME)

    assert f'client_id: "{shown}"' in text
    assert ID not in text


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2@localhost:6379/1",
        "rediss://anna:hunter2@h",
        "redis://anna:hunter2/x@y?hunter2@h",
    ],
)
def test_a_store_shows_no_password(url: str) -> None:
    text = config_text(Config(store=StoreConfig(url=url)), home=HOME)

    assert "hunter2" not in text
    assert f"{url.partition('//')[0]}//***@{url.rpartition('@')[2]}" in text


def test_paths_do_not_name_the_user() -> None:
    store = StoreConfig(
        url="file:/home/anna/state/tokens.json",
        encryption_key_file=Path("/home/anna/key"),
    )
    config = Config(
        store=store, listen=(Address.parse("unix:/home/annabel/proxy.sock"),)
    )

    text = config_text(config, home=HOME)

    assert '"file:~/state/tokens.json"' in text
    assert '"~/key"' in text
    assert "/home/anna/" not in text
    assert '["unix:/home/annabel/proxy.sock"]' in text  # another's home, as it is
    assert '"file:/home/anna/' in config_text(config, home=Path("/"))


def test_the_home_folder_is_this_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")

    text = config_text(Config(store=StoreConfig(url="file:/home/anna/t")))

    assert '"file:~/t"' in text
