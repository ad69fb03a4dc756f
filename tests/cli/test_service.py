"""The service commands: what they write and say; tests/service has a real systemd."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import exitcodes, main
from proxy.service.units import SERVICE_UNIT, SOCKET_UNIT

CONFIG = "upstream: {client_id: abc}\nlisten: [127.0.0.1:8080, 'localhost:8082']\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["service", *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose systemctl is missing, and a person with a config."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    for name in ("TELEMED_PROXY_CONFIG", "TELEMED_PROXY_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("proxy.cli.service.PLATFORM", "linux")
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    return tmp_path / "config" / "systemd" / "user"


def test_it_writes_the_units_and_says_what_comes_next(
    folder: Path, tmp_path: Path
) -> None:
    result = run("install")

    assert result.exit_code == exitcodes.DONE, result.output
    assert {each.name for each in folder.iterdir()} == {SERVICE_UNIT, SOCKET_UNIT}
    unit = (folder / SERVICE_UNIT).read_text()
    assert f" serve -c {tmp_path}/config.yaml\n" in unit
    assert str(Path(sys.executable).parent) in unit
    assert f"Wrote {folder / SERVICE_UNIT}." in result.stdout
    assert "localhost:8082: systemd opens neither names" in result.stdout
    assert "  systemctl --user daemon-reload\n" in result.stdout
    assert f"enable --now {SERVICE_UNIT} {SOCKET_UNIT}\n" in result.stdout
    assert "loginctl enable-linger" in result.stdout


def test_without_sockets_there_is_one_unit(folder: Path) -> None:
    result = run("install", "--no-socket")

    assert [each.name for each in folder.iterdir()] == [SERVICE_UNIT]
    assert "systemd opens neither" not in result.stdout


def test_printed_is_not_written(folder: Path) -> None:
    result = run("install", "--print")

    assert result.exit_code == exitcodes.DONE
    assert f"# {folder / SOCKET_UNIT}\n" in result.stdout
    assert "[Socket]" in result.stdout
    assert not folder.exists()


def test_a_config_at_fault_is_told_before_anything_is_written(folder: Path) -> None:
    Path("config.yaml").write_text("listen: [127.0.0.1:8080]\n")
    result = run("install")

    assert result.exit_code == exitcodes.CONFIG
    assert "client_id" in result.stderr
    assert not folder.exists()


def test_variables_of_the_shell_are_none_of_the_service(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEMED_PROXY__LISTEN", "127.0.0.1:9999")
    monkeypatch.setenv("TELEMED_PROXY_STORE_KEY", "planted-secret")
    result = run("install")

    assert "TELEMED_PROXY_STORE_KEY, TELEMED_PROXY__LISTEN" in result.stderr
    assert "planted-secret" not in result.output
    written = "".join(each.read_text() for each in folder.iterdir())
    assert "9999" not in written
    assert "planted-secret" not in written


def test_a_unit_of_somebody_else_stays(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / SERVICE_UNIT).write_text("[Unit]\n")

    result = run("install")
    assert result.exit_code == exitcodes.FAILED
    assert "--force" in result.stderr
    assert result.stderr.count("\n") == 1

    gone = run("uninstall")
    assert f"{folder / SERVICE_UNIT} was not written by this program" in gone.stdout
    assert (folder / SERVICE_UNIT).read_text() == "[Unit]\n"

    assert run("install", "--force").exit_code == exitcodes.DONE


def test_now_says_when_there_is_no_systemd(folder: Path) -> None:
    result = run("install", "--now")

    assert result.exit_code == exitcodes.FAILED
    assert "no systemd answers here" in result.stderr
    assert result.stderr.count("\n") == 1
    assert (folder / SERVICE_UNIT).exists()


def test_status_without_systemd_is_that_of_the_files(
    folder: Path, tmp_path: Path
) -> None:
    before = run("status")
    assert before.exit_code == exitcodes.FAILED
    assert f"{SERVICE_UNIT}: not installed\n" in before.stdout

    run("install")
    wants = folder / "default.target.wants"
    wants.mkdir()
    (wants / SERVICE_UNIT).symlink_to(folder / SERVICE_UNIT)
    after = run("status")
    assert after.exit_code == exitcodes.FAILED
    assert f"{SERVICE_UNIT}: installed in {folder}\n  enabled; no sys" in after.stdout
    assert f"{SOCKET_UNIT}: installed in {folder}\n  disabled; no" in after.stdout
    assert "takes requests at: 127.0.0.1:8080, localhost:8082\n" in after.stdout
    assert "admin page: http://127.0.0.1:8081\n" in after.stdout

    Path("config.yaml").unlink()
    assert f"config: {tmp_path}/config.yaml does not exist" in run("status").stdout


def test_uninstall_without_systemd_removes_the_links_too(folder: Path) -> None:
    run("install")
    wants = folder / "default.target.wants"
    wants.mkdir()
    (wants / SERVICE_UNIT).symlink_to(folder / SERVICE_UNIT)

    gone = run("uninstall")

    assert gone.exit_code == exitcodes.DONE
    assert [each for each in folder.rglob("*") if not each.is_dir()] == []
    assert gone.stdout.count("Removed ") == 3
    assert "Nothing of this program is installed" in run("uninstall").stdout


def test_a_system_service_that_could_not_run_is_not_installed(tmp_path: Path) -> None:
    # Programs and configs of tests lie where such a service sees nothing.
    result = run("install", "--system", "--print")

    assert result.exit_code == exitcodes.CONFIG
    assert "without --system" in result.stderr


@pytest.mark.parametrize(
    ("platform", "word"), [("darwin", "launchctl"), ("win32", "schtasks")]
)
def test_elsewhere_it_is_told_what_to_type(
    folder: Path, monkeypatch: pytest.MonkeyPatch, platform: str, word: str
) -> None:
    monkeypatch.setattr("proxy.cli.service.PLATFORM", platform)

    for command in ("install", "uninstall", "status"):
        result = run(command)
        assert result.exit_code == exitcodes.DONE, result.output
        assert word in result.stdout
    assert not folder.exists()
    refused = run("install", "--now")
    assert refused.exit_code == exitcodes.USAGE
    assert "for systemd" in refused.stderr


def test_alone_it_shows_its_help() -> None:
    result = run()

    assert result.exit_code == exitcodes.USAGE
    assert "uninstall" in result.stderr
