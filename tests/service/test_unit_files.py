"""Units are written all or none, and those of others stay."""

import tempfile
from pathlib import Path

import pytest

from proxy.errors import ProxyError
from proxy.service.unit_files import (
    closed_to_others,
    foreign_units,
    is_ours,
    remove_units,
    unit_folder,
    write_units,
)
from proxy.service.units import SERVICE_UNIT, SOCKET_UNIT, units
from tests.service.services import service

TEXTS = units(service())


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.rglob("*") if not each.is_dir()}


def test_what_is_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "other.service").touch()
    write_units(tmp_path, TEXTS, force=False)
    wants = tmp_path / "sockets.target.wants"
    wants.mkdir()
    (wants / SOCKET_UNIT).symlink_to(tmp_path / SOCKET_UNIT)
    (wants / "other.socket").symlink_to("/dev/null")
    assert names(tmp_path) >= TEXTS.keys()

    removed = remove_units(tmp_path)

    assert {each.name for each in removed} == TEXTS.keys()
    assert len(removed) == 3
    assert names(tmp_path) == {"other.service", "other.socket"}


def test_a_socket_that_is_no_longer_wanted_goes(tmp_path: Path) -> None:
    write_units(tmp_path, TEXTS, force=False)
    write_units(tmp_path, units(service(sockets=False)), force=False)

    assert names(tmp_path) == {SERVICE_UNIT}


@pytest.mark.parametrize("name", TEXTS)
def test_what_somebody_else_wrote_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[Unit]\n")

    with pytest.raises(ProxyError, match="not written by this program.*--force"):
        write_units(tmp_path, TEXTS, force=False)

    assert names(tmp_path) == {name}
    assert foreign_units(tmp_path) == [tmp_path / name]
    assert remove_units(tmp_path) == []
    write_units(tmp_path, TEXTS, force=True)
    assert foreign_units(tmp_path) == []


def test_one_that_is_masked_stays(tmp_path: Path) -> None:
    (tmp_path / SERVICE_UNIT).symlink_to("/dev/null")

    with pytest.raises(ProxyError):
        write_units(tmp_path, TEXTS, force=False)
    assert not is_ours(tmp_path / SERVICE_UNIT)
    assert remove_units(tmp_path) == []


def test_one_that_cannot_be_written_leaves_none(tmp_path: Path) -> None:
    folder = tmp_path / "units"
    folder.mkdir()
    # The last of them has no room beside its place.
    (folder / f".{SOCKET_UNIT}.new").mkdir()
    ((folder / f".{SOCKET_UNIT}.new") / "x").touch()

    with pytest.raises(ProxyError, match="cannot be changed"):
        write_units(folder, TEXTS, force=False)

    assert names(folder) == {"x"}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ProxyError, match="cannot be (read|changed)"):
        write_units(tmp_path / "file" / "user", TEXTS, force=False)


@pytest.mark.parametrize(
    ("environ", "system", "folder"),
    [
        ({}, False, "~/.config/systemd/user"),
        ({"XDG_CONFIG_HOME": ""}, False, "~/.config/systemd/user"),
        ({"XDG_CONFIG_HOME": "/x"}, False, "/x/systemd/user"),
        ({"XDG_CONFIG_HOME": "/x"}, True, "/etc/systemd/system"),
    ],
)
def test_units_go_where_systemd_looks(
    environ: dict[str, str], system: bool, folder: str
) -> None:
    assert unit_folder(environ, system=system) == Path(folder).expanduser()


def test_what_others_cannot_read_is_told_with_what_opens_it() -> None:
    # Folders of tests are closed all along.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "config.yaml"
        file.touch(0o600)
        assert closed_to_others(file) == f"chmod o+x {folder}"
        folder.chmod(0o711)
        assert closed_to_others(file) == f"chmod o+rX {file}"
        assert closed_to_others(folder) == f"chmod o+rX {folder}"
        file.chmod(0o644)
        assert closed_to_others(file) is None


def test_a_link_to_a_unit_of_ours_is_somebodys(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text(TEXTS[SERVICE_UNIT])
    (tmp_path / SERVICE_UNIT).symlink_to(tmp_path / "kept")

    assert foreign_units(tmp_path) == [tmp_path / SERVICE_UNIT]
    assert remove_units(tmp_path) == []


def test_what_all_can_read_is_open() -> None:
    assert closed_to_others(Path("/etc/passwd")) is None
    assert closed_to_others(Path("/etc")) is None
