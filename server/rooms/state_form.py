"""A room's state as bytes and back (状态存储形式), for snapshots only: nothing else may read it.

Invariant: what comes back equals what went in. A manifest, a header or a signed message goes by its
own raw bytes and is parsed again; everything else goes by its fields, in the order of its class.
Nothing is named, so the form is only good for the program that wrote it: ``PROGRAM`` says which.

Form: msgpack [long byte strings, tree]; in the tree a long byte string is its number in the list,
so that a header that stands in four places is stored, and parsed, once.
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from crypto.hashes import sha256
from crypto.header import Header, parse_header
from crypto.manifest import Manifest, parse_manifest
from crypto.messages import Release, Submit, parse_release, parse_submit
from crypto.suites import Suite

LONG: Final = 64  # bytes; longer ones are stored once
_BY_RAW: Final[Mapping[Any, Callable[[bytes, Suite], Any]]] = {
    Header: parse_header,
    Submit: parse_submit,
    Release: parse_release,
}
_PLAIN: Final = (bool, int, str)


@cache
def program() -> bytes:
    """32 bytes that differ whenever the rules that fold events do, or this file.

    Taken from the sources themselves: a version number is forgotten at the first change that
    matters, and whoever upgrades replays once.
    """
    here = Path(__file__)
    sources = [here, *sorted((here.parents[1] / "domain").rglob("*.py"))]
    return sha256(*(sha256(path.read_bytes()) for path in sources))


def encode_state(state: Any) -> bytes:
    """The bytes of any frozen value that is made of our own classes."""
    packer = _Packer()
    tree = packer.pack(state)
    return msgspec.msgpack.encode([list(packer.numbers), tree])


def decode_state(cls: type[Any], raw: bytes, *, allow_test: bool) -> Any:
    """The value of ``cls`` that ``encode_state`` made ``raw`` of.

    Raises whatever its parts raise: bytes of anybody else are a reason to replay, never to guess.
    """
    strings, tree = msgspec.msgpack.decode(raw, type=tuple[list[bytes], Any])
    return _builder(cls)(tree, _Parts(strings, allow_test))


class _Packer:
    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}  # long byte strings in the order of their first use

    def pack(self, value: Any) -> Any:
        if value is None or type(value) in _PLAIN:
            return value
        if isinstance(value, bytes):
            if len(value) <= LONG:
                return value
            return self.numbers.setdefault(value, len(self.numbers))
        if isinstance(value, Manifest) or type(value) in _BY_RAW:
            return self.pack(value.raw)
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, Mapping):
            return [[self.pack(key), self.pack(each)] for key, each in value.items()]
        if isinstance(value, tuple | frozenset | list):
            return [self.pack(each) for each in value]
        return [self.pack(getattr(value, name)) for name in _fields(type(value))]


class _Parts:
    """The long byte strings of one snapshot, and what was parsed of them already."""

    def __init__(self, strings: list[bytes], allow_test: bool) -> None:
        self._strings = strings
        self._allow_test = allow_test
        self._parsed: dict[tuple[Any, bytes], Any] = {}
        self._suite: Suite | None = None

    def bytes_of(self, tree: Any) -> bytes:
        return tree if isinstance(tree, bytes) else self._strings[tree]

    def manifest(self, tree: Any) -> Manifest:
        """Stands before whatever is laid out by its suite: it is the first field of its state."""
        manifest = parse_manifest(self.bytes_of(tree), allow_test=self._allow_test)
        self._suite = manifest.suite_impl
        return manifest

    def by_raw(self, cls: type[Any], tree: Any) -> Any:
        raw = self.bytes_of(tree)
        if (cls, raw) not in self._parsed:
            assert self._suite is not None, "no manifest before it"
            self._parsed[cls, raw] = _BY_RAW[cls](raw, self._suite)
        return self._parsed[cls, raw]


Build = Callable[[Any, _Parts], Any]


@cache
def _fields(cls: type[Any]) -> tuple[str, ...]:
    if issubclass(cls, msgspec.Struct):
        return cls.__struct_fields__
    assert dataclasses.is_dataclass(cls), f"{cls} has no fields that can be stored"
    return tuple(field.name for field in dataclasses.fields(cls))


@cache
def _builder(hint: Any) -> Build:
    """How a value of this annotation is made of its tree."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (other,) = (_builder(each) for each in inner if each is not type(None))
        return lambda tree, parts: None if tree is None else other(tree, parts)
    if origin is not None:
        return _collection(origin, inner)
    if hint in _PLAIN:
        return lambda tree, parts: tree
    if hint is bytes:
        return lambda tree, parts: parts.bytes_of(tree)
    if hint is Manifest:
        return lambda tree, parts: parts.manifest(tree)
    if hint in _BY_RAW:
        return lambda tree, parts: parts.by_raw(hint, tree)
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return lambda tree, parts: hint(tree)
    return _of_fields(hint)


def _collection(origin: Any, inner: tuple[Any, ...]) -> Build:
    if issubclass(origin, Mapping):
        key, value = map(_builder, inner)
        return lambda tree, parts: {key(k, parts): value(v, parts) for k, v in tree}
    if origin is tuple and inner[-1] is not Ellipsis:
        places = tuple(map(_builder, inner))
        return lambda tree, parts: tuple(
            place(each, parts) for place, each in zip(places, tree, strict=True)
        )
    assert origin in (tuple, list, frozenset), f"{origin} cannot be stored"
    each_of = _builder(inner[0])
    return lambda tree, parts: origin(each_of(each, parts) for each in tree)


def _of_fields(cls: type[Any]) -> Build:
    hints = typing.get_type_hints(cls)
    named = [(name, _builder(hints[name])) for name in _fields(cls)]

    def build(tree: Any, parts: _Parts) -> Any:
        pairs = zip(named, tree, strict=True)
        return cls(**{name: make(each, parts) for (name, make), each in pairs})

    return build
