from pathlib import Path

import pytest

from proxy.config import StoreConfig
from proxy.errors import ConfigError
from proxy.oauth.stores import open_store


@pytest.mark.parametrize("name", ["tokens.json", "with space", "%41.json", "file:x"])
def test_the_url_that_a_store_tells_opens_it(tmp_path: Path, name: str) -> None:
    url = f"file:{tmp_path / name}"

    assert open_store(url).url == url


def test_the_url_of_the_config_opens_the_file_it_names(tmp_path: Path) -> None:
    for written in (f"file:{tmp_path}/t.json", f"file://localhost{tmp_path}/t.json"):
        config = StoreConfig.parse({"url": written})

        assert open_store(config.url).url == f"file:{tmp_path}/t.json"
        assert not (tmp_path / "t.json").exists()


@pytest.mark.parametrize("url", ["", "tokens.json", "https://hunter2@h", "FILE:x"])
def test_another_kind_of_store_is_refused_with_the_choices(url: str) -> None:
    with pytest.raises(ConfigError, match="must be file:PATH, keyring:, redis:") as e:
        open_store(url)

    assert "hunter2" not in e.value.description
