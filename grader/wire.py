"""Data-only messages between the checker and the worker, which runs code that nobody trusts.

A message is None, bools, ints, floats, strings, lists, tuples, dicts with str keys, slices,
Ellipsis, numpy arrays and numpy scalars. Any other object stays with the worker; a `Ref`, a
numbered handle, crosses in its place. Reading a message never runs, imports or calls anything.

One message is one frame:

    "GBW1" | header length, u32 | payload length, u32 | header | payload      (little-endian)

The header is a JSON value in UTF-8 that lets lone surrogates pass. null, true, false, ints of up
to 64 bits, finite floats, strings and lists stand for themselves. Everything else is an object
with one key, its tag:

    {"tuple": [1, 2]}          {"dict": {"key": 1}}       {"slice": [null, 5, 1]}
    {"ellipsis": null}         {"int": "0x1f..."}         {"float": "nan"}, "inf", "-inf"
    {"array": ["float64", [4, 7]]}    {"scalar": "float64"}    {"ref": [17, "Tensor"]}

The payload is the bytes of the arrays and numpy scalars, in C order and little-endian, one after
the other as they appear in the header, with nothing between or after.

Both sides keep the same limits. The reader checks every length before it allocates; whatever the
bytes are, it returns such a message or raises `WireError`.
"""

from __future__ import annotations

import json
import math
import re
import struct
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

import numpy as np

FRAME_LIMIT = 64 * 2**20  # bytes of a frame, its prefix included
HEADER_LIMIT = 2**20  # bytes of JSON
NODE_LIMIT = 50_000  # values in a message, containers included
DEPTH_LIMIT = 24  # containers around a value
NAME_LIMIT = 100  # characters of a handle's class name

MAGIC = b"GBW1"
PREFIX = struct.Struct("<4sII")  # magic, header length, payload length
CHUNK = 2**20  # bytes asked of a stream at once, so that a lying length allocates little
HEX = re.compile("-?0x[1-9a-f][0-9a-f]*")  # int() would take spaces, underscores, other digits
STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?')  # of JSON; one left open takes the rest
JSON_DEPTH = 2 * DEPTH_LIMIT + 3  # a container takes two brackets at most, an array in it three
FEW_BRACKETS = 500  # one in the other, they are no danger to a parser that recurses
MAX_DIMS = 64  # numpy's own limit

_KINDS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"
_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in _KINDS.split()}
_NAMES = {dtype.newbyteorder(order): name for name, dtype in _DTYPES.items() for order in "<>"}
_SCALARS = frozenset(np.dtype(code).type for code in "?bhilqBHILQefd")
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class WireError(Exception):
    """A value that cannot cross, or bytes that are no message."""


@dataclass(frozen=True)
class Ref:
    """A handle: an object that stays with the worker. `type` is the name of its class.

    Raises WireError unless `id` is an int of 0 to 2**63 - 1 and `type` a str within NAME_LIMIT.
    """

    id: int
    type: str

    def __post_init__(self) -> None:
        if type(self.id) is not int or not 0 <= self.id < 2**63:
            raise WireError("a handle's id is an int of 0 to 2**63 - 1")
        if type(self.type) is not str or len(self.type) > NAME_LIMIT:
            raise WireError(f"a handle's type is a str of at most {NAME_LIMIT} characters")


def encode(message: object) -> bytes:
    """The frame of `message`. Raises WireError that names the type, and where it stands."""
    writer = _Writer()
    try:
        tree = writer.pack(message, 0)
    except _Refusal as refusal:
        raise WireError(str(refusal)) from None
    header = _JSON.encode(tree).encode("utf-8", "surrogatepass")
    size = PREFIX.size + len(header) + writer.size
    if len(header) > HEADER_LIMIT or size > FRAME_LIMIT:
        raise WireError(f"a message of {size} bytes, {len(header)} of them JSON, is too large")
    return b"".join([PREFIX.pack(MAGIC, len(header), writer.size), header, *writer.buffers])


def decode(frame: bytes) -> object:
    """The message in `frame`. Raises WireError, and nothing else, for bytes that hold none."""
    view = memoryview(frame)
    header_size, payload_size = _sizes(view[: PREFIX.size])
    return _message(view[PREFIX.size :], header_size, payload_size)


def send(stream: BinaryIO, message: object) -> None:
    """Write `message` as one frame and flush. Raises WireError before the first byte is written."""
    rest = memoryview(encode(message))
    while rest:
        rest = rest[stream.write(rest) :]  # an unbuffered stream may take only a part
    stream.flush()


def receive(stream: BinaryIO) -> object:
    """Read one frame, and no byte more, from a blocking stream.

    Raises EOFError when the stream ends before a frame, WireError when it ends within one or the
    frame is bad. After a WireError the stream has lost its place: read no more from it.
    """
    prefix = _read(stream, PREFIX.size)
    if not prefix:
        raise EOFError("the stream ended")
    header_size, payload_size = _sizes(prefix)
    body = _read(stream, header_size + payload_size)
    return _message(memoryview(body), header_size, payload_size)


def _read(stream: BinaryIO, size: int) -> bytes | bytearray:
    """`size` bytes, or as many as there were before the stream ended."""
    found = stream.read(min(size, CHUNK)) if size else b""
    if len(found) == size or not found:
        return found
    found = bytearray(found)
    while len(found) < size:
        chunk = stream.read(min(size - len(found), CHUNK))
        if not chunk:
            break
        found += chunk
    return found


def _sizes(prefix: bytes | bytearray | memoryview) -> tuple[int, int]:
    """The lengths of header and payload, within the limits."""
    if len(prefix) != PREFIX.size:
        raise WireError("the frame ends within its prefix")
    magic, header_size, payload_size = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError("the frame does not start as a frame does")
    if header_size > HEADER_LIMIT or PREFIX.size + header_size + payload_size > FRAME_LIMIT:
        raise WireError(f"a frame of {header_size} + {payload_size} bytes is over the limits")
    return header_size, payload_size


def _message(body: memoryview, header_size: int, payload_size: int) -> object:
    """The message whose header and payload are `body`."""
    if len(body) != header_size + payload_size:
        raise WireError(f"{len(body)} bytes where {header_size} + {payload_size} were announced")
    reader = _Reader(body[header_size:])
    try:
        header = str(body[:header_size], "utf-8", "surrogatepass")
        _check_nesting(header)
        message = reader.unpack(_parsed(header), 0)
    except WireError:
        raise
    except Exception as error:  # bytes from an untrusted process: no error of theirs may be ours
        raise WireError(f"the header cannot be read ({type(error).__name__})") from error
    if reader.at != payload_size:
        raise WireError(f"{payload_size - reader.at} bytes of payload belong to no array")
    return message


def _check_nesting(header: str) -> None:
    """Before Python's parser recurses: where the recursion limit was raised, it would crash."""
    if header.count("[") + header.count("{") <= FEW_BRACKETS:
        return
    depth = 0
    for mark in STRING.sub("", header):
        depth += (mark in "[{") - (mark in "]}")
        if depth > JSON_DEPTH:
            raise WireError(f"JSON within more than {JSON_DEPTH} brackets")


def _parsed(header: str) -> Any:
    try:
        tree, end = _PARSER.raw_decode(header)
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python converts no more than 4300 digits
        raise WireError("an int literal of more than 64 bits") from None
    if end != len(header):
        raise WireError("a header that goes on after its end")
    return tree


class _Writer:
    """Turns a message into its JSON tree, and collects the bytes of its arrays."""

    def __init__(self) -> None:
        self.nodes = 1  # the message itself; a container counts what is in it
        self.characters = 0
        self.size = 0
        self.buffers: list[bytes] = []

    def pack(self, value: Any, depth: int) -> Any:
        """The JSON form of `value`, which stands within `depth` containers."""
        kind = type(value)  # exact types only: a subclass may hold or do more than its data
        if kind is str:
            self.characters += len(value)
            return value if self.characters <= HEADER_LIMIT else self.too_much()
        if kind is int:
            return value if -(2**63) <= value < 2**63 else self.large(value)
        if value is None or kind is bool:
            return value
        if kind is dict:
            return {"dict": self.entries(value, depth)}
        if kind is list:
            return self.items(value, depth)
        if kind is Ref:
            return {"ref": [value.id, self.text(value.type)]}
        if kind is np.ndarray:
            return {"array": [self.block(value), list(value.shape)]}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is tuple:
            return {"tuple": self.items(value, depth)}
        if type(kind) is type and kind in _SCALARS:  # a metaclass could lie about `in`
            return {"scalar": self.block(np.asarray(value))}
        if kind is slice:
            return {"slice": self.bounds(value, depth)}
        if value is Ellipsis:
            return {"ellipsis": None}
        raise _Refusal(f"a {kind.__name__[:NAME_LIMIT]}")

    def items(self, values: list | tuple, depth: int) -> list:
        self.count(len(values), depth)
        tree: list = []
        try:
            for value in values:
                tree.append(self.pack(value, depth + 1))
        except _Refusal as refusal:
            refusal.path.insert(0, len(tree))
            raise
        return tree

    def entries(self, table: dict, depth: int) -> dict:
        self.count(len(table), depth)
        tree: dict = {}
        key = None
        try:
            for key, value in table.items():
                if type(key) is not str:
                    break
                self.characters += len(key)
                tree[key] = self.pack(value, depth + 1)
            else:
                return tree if self.characters <= HEADER_LIMIT else self.too_much()
        except _Refusal as refusal:
            refusal.path.insert(0, key)
            raise
        raise _Refusal(f"a dict with a key of type {type(key).__name__[:NAME_LIMIT]}")

    def count(self, values: int, depth: int) -> None:
        """Count the values of a container that stands within `depth` others."""
        self.nodes += values
        if self.nodes > NODE_LIMIT:
            raise _Refusal(f"a message of more than {NODE_LIMIT} values")
        if depth >= DEPTH_LIMIT and values:
            raise _Refusal(f"a value within more than {DEPTH_LIMIT} containers")

    def bounds(self, value: slice, depth: int) -> list:
        bounds = [value.start, value.stop, value.step]
        for bound in bounds:
            if bound is not None and type(bound) is not int:
                raise _Refusal(f"a slice with a {type(bound).__name__[:NAME_LIMIT]}")
        return self.items(bounds, depth)

    def large(self, value: int) -> Any:
        """Large ints in hex: Python refuses to convert more than 4300 decimal digits."""
        if value.bit_length() > 4 * HEADER_LIMIT:
            raise _Refusal(f"an int of {value.bit_length()} bits")
        return {"int": self.text(hex(value))}

    def text(self, text: str) -> str:
        """`text`, counted before all of them together become one large header."""
        self.characters += len(text)
        return text if self.characters <= HEADER_LIMIT else self.too_much()

    def too_much(self) -> NoReturn:
        raise _Refusal(f"text of more than {HEADER_LIMIT} characters")

    def block(self, array: np.ndarray) -> str:
        """Append the array's bytes to the payload; return the name of its dtype."""
        name = _NAMES.get(array.dtype)
        if name is None:
            raise _Refusal(f"an array of dtype {str(array.dtype)[:NAME_LIMIT]}")
        self.size += array.nbytes  # before the copy: a broadcast view can claim terabytes
        if self.size > FRAME_LIMIT:
            raise _Refusal(f"arrays of more than {FRAME_LIMIT} bytes")
        if array.dtype != _DTYPES[name]:
            array = array.astype(_DTYPES[name])
        self.buffers.append(array.tobytes())
        return name


class _Refusal(Exception):
    """What cannot cross. On its way up it learns where it stands: the keys and indices to it."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.path: list[str | int] = []

    def __str__(self) -> str:
        where = "".join(f"[{key!r:.40}]" for key in self.path)
        return f"{self.what} cannot cross the wire" + (f" at {where}" if where else "")


class _Reader:
    """Turns a JSON tree back into its message, and takes the arrays from the payload."""

    def __init__(self, payload: memoryview) -> None:
        self.payload = payload
        self.at = 0
        self.nodes = 1  # the message itself; a container counts what is in it

    def unpack(self, node: Any, depth: int) -> Any:
        """The value of `node`, which stands within `depth` containers."""
        kind = type(node)
        if kind is tuple:
            return self.tagged(node, depth)
        if kind is list:
            return self.items(node, depth)
        if kind is int and not -(2**63) <= node < 2**63:
            raise WireError("an int literal of more than 64 bits")
        if kind is float and not math.isfinite(node):
            raise WireError("a float that is not finite, and not tagged")
        return node

    def items(self, nodes: list, depth: int) -> list:
        self.count(len(nodes), depth)
        depth += 1
        return [
            node if type(node) is str or node is None else self.unpack(node, depth)
            for node in nodes
        ]

    def entries(self, pairs: tuple, depth: int) -> dict:
        self.count(len(pairs), depth)
        depth += 1
        table = {
            key: node if type(node) is str or node is None else self.unpack(node, depth)
            for key, node in pairs
        }
        if len(table) != len(pairs):
            raise WireError("an object with the same key twice")
        return table

    def count(self, nodes: int, depth: int) -> None:
        """Count the values of a container that stands within `depth` others."""
        self.nodes += nodes
        if self.nodes > NODE_LIMIT:
            raise WireError(f"more than {NODE_LIMIT} values")
        if depth >= DEPTH_LIMIT and nodes:
            raise WireError(f"a value within more than {DEPTH_LIMIT} containers")

    def tagged(self, pairs: tuple, depth: int) -> Any:
        """The value that stands behind a tag."""
        if len(pairs) != 1:
            raise WireError(f"an object of {len(pairs)} keys where one tag is expected")
        [(tag, body)] = pairs
        if tag == "dict" and type(body) is tuple:
            return self.entries(body, depth)
        if tag == "ref":
            return Ref(*_fields(tag, body, 2))
        if tag == "array":
            return self.block(*_fields(tag, body, 2))
        if tag == "tuple" and type(body) is list:
            return tuple(self.items(body, depth))
        if tag == "scalar":
            return self.block(body, [])[()]
        if tag == "slice":
            return slice(*map(_bound, self.items(_fields(tag, body, 3), depth)))
        if tag == "ellipsis" and body is None:
            return ...
        if tag == "float" and type(body) is str and body in _FLOATS:
            return _FLOATS[body]
        if tag == "int" and type(body) is str:
            return _large_int(body)
        raise WireError(f"an unknown tag, or one with the wrong content: {tag!r:.40}")

    def block(self, name: Any, shape: Any) -> np.ndarray:
        """The payload's next array: C-contiguous, writable, its memory its own."""
        dtype = _DTYPES.get(name) if type(name) is str else None
        if dtype is None:
            raise WireError("an unknown dtype")
        size = _size(shape, dtype.itemsize)
        if size > len(self.payload) - self.at:
            raise WireError(f"an array of {size} bytes, with fewer left in the payload")
        array = np.ndarray(shape, dtype, self.payload, self.at).copy()
        self.at += size
        if name == "bool" and array.view(np.uint8).max(initial=0) > 1:
            raise WireError("a bool that is neither 0 nor 1")
        return array


def _bound(bound: Any) -> int | None:
    if bound is not None and type(bound) is not int:
        raise WireError("a slice of something else than ints")
    return bound


def _fields(tag: str, body: Any, count: int) -> list:
    if type(body) is not list or len(body) != count:
        raise WireError(f"{tag!r} takes a list of {count}")
    return body


def _size(shape: Any, itemsize: int) -> int:
    """The bytes of an array. Python's ints do not overflow, numpy's do: checked before numpy."""
    if type(shape) is not list or len(shape) > MAX_DIMS:
        raise WireError(f"a shape that is no list of at most {MAX_DIMS} ints")
    size = extent = itemsize  # numpy wants the extent small even where an axis is empty
    for dim in shape:
        if type(dim) is not int or dim < 0:
            raise WireError("a dimension that is no int of 0 or more")
        size, extent = size * dim, extent * (dim or 1)
    if extent > sys.maxsize:
        raise WireError("a shape beyond any memory")
    return size


def _large_int(text: str) -> int:
    if not HEX.fullmatch(text):
        raise WireError("an int that is not in plain hex")
    return int(text, 16)


# Strings cross unescaped: two lone surrogates in a row, escaped, would come back as one character.
_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
# An object is read as the tuple of its pairs, so that a key that stands there twice is seen.
_PARSER = json.JSONDecoder(object_pairs_hook=tuple)
