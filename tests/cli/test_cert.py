"""The cert command: what it makes, what it says, how it ends."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import exitcodes, main
from proxy.config import load_config


def cert(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cert", *arguments])


def test_what_it_says_to_put_in_the_config_is_a_config(tmp_path: Path) -> None:
    result = cert("--folder", str(tmp_path / "tls"))

    assert result.exit_code == exitcodes.DONE, result.output
    told = result.stdout.partition("already:\n")[2].partition("\n\n")[0]
    file = tmp_path / "config.yaml"
    file.write_text(told.replace("\n  ", "\n")[2:], "utf-8")
    config = load_config(file, environ={}, require_client_id=False)
    assert [str(each) for each in config.listen] == [
        "127.0.0.1:8080",
        "https://127.0.0.1:8443",
    ]
    assert config.tls.certificate_file == tmp_path / "tls" / "server.pem"
    assert config.tls.key_file == tmp_path / "tls" / "server.key"


def test_it_says_how_to_trust_the_authority(tmp_path: Path) -> None:
    result = cert("--folder", str(tmp_path), "Proxy.example")

    assert "localhost, 127.0.0.1, ::1, proxy.example, by a new" in result.stdout
    for program in ("curl --cacert", "update-ca-certificates", "security", "certutil"):
        assert program in result.stdout
    assert f"--cacert {tmp_path}/authority.pem " in result.stdout
    assert "PRIVATE" not in result.output


def test_again_it_renews(tmp_path: Path) -> None:
    cert("--folder", str(tmp_path))
    result = cert("--folder", str(tmp_path))

    assert "by the authority there was" in result.stdout
    assert f"whoever trusts {tmp_path}/authority.pem needs nothing" in result.stdout
    # There is nothing to be trusted anew.
    assert "certutil" not in result.stdout


def test_with_another_authority_it_says_how_to_trust_that(tmp_path: Path) -> None:
    cert("--folder", str(tmp_path))
    result = cert("--folder", str(tmp_path), "--new-authority")

    assert "by a new authority" in result.stdout
    assert "certutil" in result.stdout


def test_a_further_name_goes_into_the_config_too(tmp_path: Path) -> None:
    result = cert("--folder", str(tmp_path / "tls"), "proxy.example", "192.0.2.7")

    told = result.stdout.partition("already:\n")[2].partition("\n\n")[0]
    file = tmp_path / "config.yaml"
    file.write_text(told.replace("\n  ", "\n")[2:], "utf-8")
    config = load_config(file, environ={}, require_client_id=False)
    assert list(config.access.allowed_hosts) == ["proxy.example", "192.0.2.7"]
    assert "with\n--new-authority" in result.stdout
    # A renewal is for the same names, and says so again.
    again = cert("--folder", str(tmp_path / "tls"))
    assert 'allowed_hosts: ["proxy.example", "192.0.2.7"]' in again.stdout
    assert "--new-authority" not in again.stdout


def test_without_a_further_name_nothing_is_said_of_one(tmp_path: Path) -> None:
    result = cert("--folder", str(tmp_path))

    assert "allowed_hosts" not in result.stdout
    assert "--new-authority" not in result.stdout


def test_it_goes_to_the_state_folder_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("the variable is for Linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert cert().exit_code == exitcodes.DONE
    assert (tmp_path / "telemed-proxy" / "tls" / "authority.key").exists()


def test_another_name_later_is_a_mistake_of_configuration(tmp_path: Path) -> None:
    cert("--folder", str(tmp_path))
    result = cert("--folder", str(tmp_path), "proxy.example")

    assert result.exit_code == exitcodes.CONFIG
    assert "--new-authority" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["http://x", "a b", "", "*.example", "x:80"])
def test_a_name_is_a_name(tmp_path: Path, name: str) -> None:
    result = cert("--folder", str(tmp_path), name)

    assert result.exit_code == exitcodes.USAGE
    assert "must be a host name or address" in result.stderr


def test_names_are_ascii_in_a_certificate(tmp_path: Path) -> None:
    result = cert("--folder", str(tmp_path), "прокси.рф")

    assert "::1, xn--h1adldfi.xn--p1ai, by" in result.stdout


def test_without_the_library_it_says_how_to_add_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    result = cert("--folder", str(tmp_path))

    assert result.exit_code == exitcodes.CONFIG
    assert "pip install cryptography" in result.stderr
    assert result.stderr.count("\n") == 1
