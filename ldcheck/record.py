"""Frozen dataclasses that cost next to nothing to declare.

The standard library compiles several functions for every dataclass when its module is imported: half a millisecond a
class, which was a third of a hook's start-up. Here `__init__` is compiled when the first object of a class is made, the
other methods are shared by all classes, and a class that a run does not use costs a few microseconds. For a reader, for
a type checker and for the functions of the standard library (`dataclasses.fields`, `replace`, `asdict`) these are
dataclasses, with the same names and parameters.

Left out is what ldcheck does not use: order, InitVar, `__post_init__`, class variables and fields
that are not in `__init__`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, fields, replace
    from typing import Any

__all__ = ["dataclass", "field", "fields", "replace"]

_FIELDS = "__record_fields__"


class _Field:
    """A field: its name, its type as written, its default or what makes one, and whether it is given by name only."""

    __slots__ = ("default", "factory", "keyword", "name", "type")

    def __init__(
        self, name: str, default: Any, factory: Callable[[], Any] | None, keyword: bool, written: Any = None
    ) -> None:
        self.name = name
        self.type = written
        self.default = default
        self.factory = factory
        self.keyword = keyword


_MISSING: Any = object()


def _field(*, default: Any = _MISSING, default_factory: Callable[[], Any] | None = None) -> Any:
    return _Field("", default, default_factory, False)


def _fields(kind: Any) -> tuple[_Field, ...]:
    found: tuple[_Field, ...] = getattr(kind, _FIELDS)
    return found


def _replace(record: Any, /, **changes: Any) -> Any:
    kind = type(record)
    for one in _fields(kind):
        if one.name not in changes:
            changes[one.name] = getattr(record, one.name)
    return kind(**changes)


def _dataclass(
    kind: Any = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = True,
    eq: bool = True,
    repr: bool = True,  # noqa: A002 - the standard library's name
    kw_only: bool = False,
) -> Any:
    assert slots, "every class here has slots"

    def declare(kind: Any) -> Any:
        return _declare(kind, frozen, eq, repr, kw_only)

    return declare if kind is None else declare(kind)


def _declare(kind: Any, frozen: bool, eq: bool, shown: bool, kw_only: bool) -> Any:
    inherited: dict[str, _Field] = {}
    for base in reversed(kind.__mro__[1:]):
        for one in getattr(base, _FIELDS, ()):
            inherited[one.name] = one
    body = dict(kind.__dict__)
    own: dict[str, _Field] = {}
    # From Python 3.14 on, annotations are an attribute of every class and no longer an entry of its namespace.
    annotations = body.get("__annotations__") or (kind.__annotations__ if sys.version_info >= (3, 14) else {})
    for name, written in annotations.items():
        given = body.pop(name, _MISSING)
        if isinstance(given, _Field):
            own[name] = _Field(name, given.default, given.factory, kw_only, written)
        else:
            own[name] = _Field(name, given, None, kw_only, written)
    all_fields = tuple({**inherited, **own}.values())
    body[_FIELDS] = all_fields
    body["__dataclass_fields__"] = _StandardFields(dict(annotations))
    body["__match_args__"] = tuple(one.name for one in all_fields if not one.keyword)
    if "__init__" not in body:
        body["__init__"] = _Init(all_fields, frozen)
    if frozen:
        body["__setattr__"] = _refuse_set
        body["__delattr__"] = _refuse_delete
    if eq:
        body.setdefault("__eq__", _equal)
        body.setdefault("__hash__", _hash if frozen else None)
    if shown:
        body.setdefault("__repr__", _repr)
    # The class is made anew, as slots cannot be added to one that exists.
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    body["__slots__"] = tuple(own)
    body.setdefault("__getstate__", _state)
    body.setdefault("__setstate__", _restore)
    return type(kind)(kind.__name__, kind.__bases__, body)


class _StandardFields:
    """Stands for `__dataclass_fields__` until somebody asks for it, such as `dataclasses.fields` or `is_dataclass`."""

    __slots__ = ("_made", "types")

    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types
        self._made: Any = None

    def __get__(self, instance: Any, kind: Any) -> Any:
        if self._made is None:
            import dataclasses

            made = []
            for one in _fields(kind):
                given: dict[str, Any] = {"kw_only": one.keyword}
                if one.factory is not None:
                    given["default_factory"] = one.factory
                elif one.default is not _MISSING:
                    given["default"] = one.default
                made.append((one.name, _type_of(one, kind), dataclasses.field(**given)))
            model: Any = dataclasses.make_dataclass(kind.__name__, made)
            self._made = model.__dataclass_fields__
        return self._made


def _type_of(one: _Field, kind: Any) -> Any:
    """The annotation of a field: that of the nearest class which declares it."""
    for base in kind.__mro__:
        declared = base.__dict__.get("__dataclass_fields__")
        if isinstance(declared, _StandardFields) and one.name in declared.types:
            return declared.types[one.name]
    return object


# So many objects of a class cost more to make without a compiled `__init__` than compiling it does.
_FEW = 10


class _Init:
    """Stands for `__init__` while there are few objects, and compiles it when more are made."""

    __slots__ = ("_asked", "_fields", "_frozen", "_owner")

    def __init__(self, all_fields: tuple[_Field, ...], frozen: bool) -> None:
        self._fields = all_fields
        self._frozen = frozen
        self._owner: Any = None
        self._asked = 0

    def __set_name__(self, owner: Any, name: str) -> None:
        self._owner = owner

    def __get__(self, instance: Any, kind: Any = None) -> Any:
        self._asked += 1
        if instance is not None and self._asked <= _FEW:
            return _General(self, instance)
        return self.compile().__get__(instance, kind)

    def compile(self) -> Any:
        """The compiled function, which takes its place in the class."""
        compiled = _compile_init(self._fields, self._frozen)
        compiled.__qualname__ = f"{self._owner.__qualname__}.__init__"
        type.__setattr__(self._owner, "__init__", compiled)
        return compiled

    def fill(self, record: Any, given: tuple[Any, ...], named: dict[str, Any]) -> bool:
        """Set the fields; not for a call that does not fit, of which the compiled function says what is wrong."""
        values = dict(zip([one.name for one in self._fields if not one.keyword], given))  # noqa: B905 - see below
        if len(values) < len(given) or not values.keys().isdisjoint(named):
            return False
        values |= named
        for one in self._fields:
            if one.name in values:
                value = values[one.name]
            elif one.factory is not None:
                value = one.factory()
            elif one.default is not _MISSING:
                value = one.default
            else:
                return False
            object.__setattr__(record, one.name, value)
        return values.keys() <= {one.name for one in self._fields}


class _General:
    """`__init__` of one object, not compiled."""

    __slots__ = ("_init", "_record")

    def __init__(self, init: _Init, record: Any) -> None:
        self._init = init
        self._record = record

    def __call__(self, *given: Any, **named: Any) -> None:
        if not self._init.fill(self._record, given, named):
            self._init.compile()(self._record, *given, **named)


def _compile_init(all_fields: tuple[_Field, ...], frozen: bool) -> Any:
    names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": _MISSING}
    positional: list[str] = []
    keywords: list[str] = []
    lines: list[str] = []
    for one in all_fields:
        value = one.name
        parameter = one.name
        if one.factory is not None:
            names[f"_make_{one.name}"] = one.factory
            parameter = f"{one.name}=_MISSING"
            value = f"_make_{one.name}() if {one.name} is _MISSING else {one.name}"
        elif one.default is not _MISSING:
            names[f"_default_{one.name}"] = one.default
            parameter = f"{one.name}=_default_{one.name}"
        (keywords if one.keyword else positional).append(parameter)
        lines.append(f" _set(self, {one.name!r}, {value})" if frozen else f" self.{one.name} = {value}")
    parameters = ", ".join(["self", *positional, *(["*", *keywords] if keywords else [])])
    made: dict[str, Any] = {}
    # The text is made of names that are identifiers of the source; defaults come in by reference.
    exec(f"def __init__({parameters}):\n" + "\n".join(lines or [" pass"]), names, made)  # noqa: S102
    return made["__init__"]


# The methods that all classes share ---------------------------------------------------------------------------------


def _refuse_set(self: Any, name: str, value: Any) -> None:  # noqa: ARG001 - the signature of __setattr__
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: Any, name: str) -> None:  # noqa: ARG001 - the signature of __delattr__
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in _fields(type(self))]


def _restore(self: Any, state: list[Any]) -> None:
    for one, value in zip(_fields(type(self)), state, strict=True):
        object.__setattr__(self, one.name, value)


def _equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, one.name) == getattr(other, one.name) for one in _fields(type(self)))


def _hash(self: Any) -> int:
    return hash(tuple([getattr(self, one.name) for one in _fields(type(self))]))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in _fields(type(self)))
    return f"{type(self).__qualname__}({shown})"


if not TYPE_CHECKING:
    dataclass, field, fields, replace = _dataclass, _field, _fields, _replace
