from pathlib import Path

import pytest

from proxy.errors import ConfigError
from proxy.oauth.stores import open_store


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:/var/lib/t/tokens.json", "/var/lib/t/tokens.json"),
        ("FILE:/var/lib/t.json", "/var/lib/t.json"),
        ("file:///var/lib/t.json", "/var/lib/t.json"),
        ("file://localhost/var/lib/t.json", "/var/lib/t.json"),
        ("file:/with space/%41.json", "/with space/%41.json"),
    ],
)
def test_a_file_url_names_its_path(url: str, path: str) -> None:
    assert open_store(url).url == f"file:{path}"


def test_a_relative_path_and_a_home_are_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert open_store("file:~/t.json").url == f"file:{tmp_path}/t.json"
    assert open_store("file:a/t.json").url == f"file:{tmp_path}/a/t.json"


def test_by_default_tokens_are_in_the_platform_s_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert open_store().url == f"file:{tmp_path}/telemed-proxy/tokens.json"
    assert not (tmp_path / "telemed-proxy").exists()


@pytest.mark.parametrize(
    "url", ["file:", "tokens.json", "memory:", "file://server/t.json", "file://x"]
)
def test_what_names_no_store_is_one_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match="file:PATH"):
        open_store(url)
