"""The three sources of settings: the file, the environment, flags.

Each becomes a layer: settings by key, and how this source calls a setting, for the
start of an error's sentence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy.config.document import Document, DocumentError, Place, parse_document, shown
from proxy.config.settings import Key, is_section, is_setting, names_in, nearest
from proxy.errors import ConfigError

PREFIX = "TELEMED_PROXY__"
_LARGEST_FILE = 256 * 1024

# Flags that are not spelled as their setting.
_FLAGS = {"admin.listen": "--admin"}


@dataclass(frozen=True, slots=True)
class FlagLayer:
    """Settings from the command line."""

    values: dict[Key, Any] = field(default_factory=dict)

    def name(self, place: Place) -> str:
        """Return how the setting at `place` is called here."""
        setting = dotted(place)
        flag = "--" + setting.replace(".", "-").replace("_", "-")
        return _FLAGS.get(setting, flag)

    def suggest(self, key: Key, _: Key) -> str:
        """Return how `key` is called, to somebody who wrote something else."""
        return self.name(key)


@dataclass(frozen=True, slots=True)
class EnvironmentLayer:
    """Settings from variables, two underscores a level."""

    values: dict[Key, Any] = field(default_factory=dict)

    def name(self, place: Place) -> str:
        """Return the name of the variable."""
        return variable_name(place)

    def suggest(self, key: Key, _: Key) -> str:
        """Return the name of the variable that was meant."""
        return self.name(key)


@dataclass(frozen=True, slots=True)
class FileLayer:
    """Settings from the config file, with their lines."""

    file: Path
    document: Document
    values: dict[Key, Any] = field(default_factory=dict)

    def name(self, place: Place) -> str:
        """Return file, line and dotted name."""
        known = place
        while known and known not in self.document.lines:
            known = known[:-1]
        line = self.document.lines.get(known, 1)
        return f"{self.file}, line {line}: {dotted(place)}"

    def suggest(self, key: Key, written: Key) -> str:
        """Return the name alone where the section is right."""
        return key[-1] if key[:-1] == written[:-1] else dotted(key)


Layer = FlagLayer | EnvironmentLayer | FileLayer


def dotted(place: Place) -> str:
    """Return a place as `section.name`; items of a list go by the list's name."""
    return ".".join(shown(part) for part in place if isinstance(part, str))


def variable_name(place: Place) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + dotted(place).replace(".", "__").upper()


def flag_layer(overrides: Mapping[str, object]) -> FlagLayer:
    """Return the settings of `overrides`; flags that were not given are left out."""
    layer = FlagLayer()
    for setting, value in overrides.items():
        key = tuple(setting.split("."))
        if not is_setting(key):
            raise _unknown(layer, key)
        if value is not None and value != ():
            layer.values[key] = value
    return layer


def environment_layer(environ: Mapping[str, str]) -> EnvironmentLayer:
    """Return the settings of all variables that begin with `TELEMED_PROXY__`."""
    layer = EnvironmentLayer()
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX):
            continue
        key = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        if is_section(key):
            example = variable_name((*key, names_in(key)[0]))
            raise ConfigError(
                f"{variable} is a section, not a setting; "
                f"set one of its settings, such as {example}"
            )
        if not is_setting(key):
            raise _unknown(layer, key, variable)
        # Compose files pass on unset variables as empty ones.
        if text.strip():
            layer.values[key] = _from_variable(text.strip())
    return layer


def _from_variable(text: str) -> Any:
    """Return a list for `[a, b]`, None for null, otherwise the text.

    What begins with a quote is read as YAML too: files of variables (`docker run
    --env-file`) keep the quotes. Other texts stay as they are, digits included.
    """
    if text in {"~", "null"}:
        return None
    if text[0] not in "[\"'":
        return text
    try:
        return parse_document(text).root
    except DocumentError:
        return text  # such as [::1]:8080


def file_layer(file: Path) -> FileLayer:
    """Return the settings of `file`."""
    try:
        document = parse_document(_read(file))
    except DocumentError as exc:
        raise ConfigError(f"{file}, line {exc.line}: {exc}") from None
    layer = FileLayer(file, document)
    if document.root is None:
        return layer
    if not isinstance(document.root, dict):
        raise ConfigError(
            f"{file}, line {document.lines[()]}: a config file holds settings, such "
            "as listen: [127.0.0.1:8080]; see config.example.yaml"
        )
    folder = file.absolute().parent
    for key, value in _leaves(layer, document.root):
        layer.values[key] = _anchored(key, value, folder)
    return layer


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"{file} does not exist; copy config.example.yaml there and fill in "
            "upstream.client_id"
        ) from None
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read: {exc.strerror}") from exc
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f"{file} is larger than 256 KiB, too large for a config file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        # Not chained: the error holds the whole content.
        raise ConfigError(
            f"{file}, line {line}: this is not UTF-8; save the file as UTF-8"
        ) from None


def _leaves(
    layer: FileLayer, section: Mapping[str, Any], above: Key = ()
) -> Iterator[tuple[Key, Any]]:
    """Yield each setting with its value; refuse names and shapes we do not know."""
    for name, value in section.items():
        key = (*above, name)
        if is_setting(key):
            yield key, value
        elif not is_section(key):
            raise _unknown(layer, key)
        elif isinstance(value, dict):
            yield from _leaves(layer, value, key)
        elif value is not None:
            raise ConfigError(
                f"{layer.name(key)} is a section; below it, on indented lines, "
                f"it may hold {', '.join(names_in(key))}"
            )


def _anchored(key: Key, value: Any, folder: Path) -> Any:
    """Return `value` with relative paths counted from the config file's folder."""
    if isinstance(value, list):
        return [_anchored(key, item, folder) for item in value]
    if not isinstance(value, str) or not value:
        return value
    if key[-1].endswith("_file"):
        return _below(folder, value)
    scheme, _, path = value.partition(":")
    if path and (key[-1], scheme) in {("listen", "unix"), ("url", "file")}:
        return f"{scheme}:{_below(folder, path)}"
    return value


def _below(folder: Path, path: str) -> str:
    # ~ and file://... are left to those who check the value.
    return path if path.startswith(("~", "//")) else str(folder / path)


def _unknown(layer: Layer, key: Key, name: str | None = None) -> ConfigError:
    """Return the error for a setting that does not exist, with the likely one."""
    if (meant := nearest(key)) is not None:
        hint = f"did you mean {layer.suggest(meant, key)}?"
    else:
        section = key[:-1] if is_section(key[:-1]) else ()
        hint = f"allowed here are {', '.join(names_in(section))}"
    return ConfigError(
        f"{shown(name) if name else layer.name(key)} is not a setting; {hint}"
    )
