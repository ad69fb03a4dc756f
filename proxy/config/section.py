"""The base of all settings: classes whose fields say how they are read.

    class LogConfig(Section):
        level: Annotated[str, parse_choice("info", "error")] = "info"

What follows the type turns what was given into the value, or raises `ValueError` with
what is allowed. A section within a section needs nothing of that kind.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, Self, TypeVar, dataclass_transform

from proxy.config.document import Place

T = TypeVar("T")


class MalformedError(ValueError):
    """What is wrong with the value at `place`; the text follows its name."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a section: its default, and how it is read."""

    make_default: Callable[[], object]
    repr: bool = True
    parse: Callable[[object], object] = lambda value: value
    section: "type[Section] | None" = None
    """The class of what holds settings, rather than being one."""


def setting(
    *,
    default: Any = None,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,
) -> Any:
    """Describe a setting that is secret, or whose default is made each time."""
    return Setting(default_factory or (lambda: default), repr)


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(setting,)
)
class Section:
    """Base of all settings. What exists has been read, defaults included."""

    settings: ClassVar[Mapping[str, Setting]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        cls.settings = MappingProxyType(
            {
                name: _setting(annotation, vars(cls)[name])
                for name, annotation in cls.__annotations__.items()
                if not name.startswith("_")
            }
        )

    def __init__(self, **given: object) -> None:
        defaults = {
            name: field.make_default()
            for name, field in self.settings.items()
            if name not in given
        }
        self._take(defaults | given)

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> Self:
        """Return the section of what was `given`, sections in it as mappings.

        Raises:
            MalformedError: a value cannot be read, or there is no such setting.
            ValueError: settings do not go together.
        """
        return cls(**given)

    def replace(self, **changes: object) -> Self:
        """Return the same section but for `changes`; raises as `parse` does."""
        changed = copy(self)
        changed._take(changes)  # noqa: SLF001  of the same class
        return changed

    def check(self) -> None:
        """Raise ValueError if settings, each of which was read, do not go together."""

    def _take(self, given: Mapping[str, object]) -> None:
        for name, field in self.settings.items():
            if name in given:
                vars(self)[name] = _read(field.parse, given[name], name)
        for name in given:
            if name not in self.settings:
                raise MalformedError("is not a setting", (name,))
        self.check()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(other, name) == getattr(self, name) for name in self.settings
        )

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name, field in self.settings.items()
            if field.repr
        )
        return f"{type(self).__name__}({shown})"


def parse_each(parse: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Return a parser of lists whose items `parse` reads; one item needs no list."""

    def parse_all(value: object) -> tuple[T, ...]:
        if value is None or isinstance(value, Mapping):
            raise ValueError("must be a list such as [one, two]")
        items = value if isinstance(value, list | tuple) else (value,)
        return tuple(_read(parse, item, index) for index, item in enumerate(items))

    return parse_all


def _read(parse: Callable[[object], T], value: object, name: str | int) -> T:
    """Return what `parse` makes of `value`; what it raises then names the place."""
    try:
        return parse(value)
    except MalformedError as exc:
        raise MalformedError(str(exc), (name, *exc.place)) from exc
    except ValueError as exc:
        raise MalformedError(str(exc), (name,)) from exc


def _setting(annotation: Any, default: object) -> Setting:
    field = default if isinstance(default, Setting) else Setting(lambda: default)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return replace(field, parse=_parse_section(annotation), section=annotation)
    (parse,) = annotation.__metadata__
    return replace(field, parse=parse)


def _parse_section(section: type[Section]) -> Callable[[object], Section]:
    def parse(value: object) -> Section:
        if isinstance(value, section):
            return value
        if isinstance(value, Mapping):
            return section.parse(value)
        raise ValueError("must be a section")

    return parse
