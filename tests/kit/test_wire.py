"""What crosses the wire crosses unchanged; nothing else crosses, and no bytes break the reader."""

from __future__ import annotations

import collections
import enum
import io
import itertools
import json
import math
import os
import random
import sys
import threading
import time
import tracemalloc
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader import wire
from grader.wire import Ref, WireError, decode, encode, receive, send

REPEATABLE = settings(derandomize=True, deadline=None)
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()

# The messages


def dtypes():
    return st.builds(
        lambda name, order: np.dtype(name).newbyteorder(order),
        st.sampled_from(DTYPES),
        st.sampled_from("<>"),
    )


def arrays():
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    return dtypes().flatmap(lambda dtype: hnp.arrays(dtype, shapes))


def strings():
    return st.text(st.characters(codec=None, categories=None), max_size=8)


def atoms():
    bounds = st.none() | st.integers()
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        strings(),
        st.builds(slice, bounds, bounds, bounds),
        st.just(...),
        st.builds(Ref, st.integers(0, 2**63 - 1), st.text(max_size=wire.NAME_LIMIT)),
        arrays(),
        arrays().filter(np.size).map(lambda array: array.flat[0]),
    )


def messages():
    return st.recursive(
        atoms(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(strings(), inner, max_size=4),
        ),
        max_leaves=12,
    )


def same(got, sent):
    """Equal to the last bit, but for byte order: types, dtypes, shapes, order of keys, -0.0."""
    if type(got) is not type(sent):
        return False
    if isinstance(sent, (np.ndarray, np.generic)):
        little = sent.astype(sent.dtype.newbyteorder("<"))
        return (got.dtype, got.shape, got.tobytes()) == (little.dtype, sent.shape, little.tobytes())
    if isinstance(sent, dict):
        return list(got) == list(sent) and all(same(got[key], sent[key]) for key in sent)
    if isinstance(sent, (list, tuple)):
        return len(got) == len(sent) and all(map(same, got, sent))
    if isinstance(sent, float):
        signs = math.copysign(1, got) == math.copysign(1, sent)
        return math.isnan(got) if math.isnan(sent) else got == sent and signs
    return got == sent


def crossed(message):
    return decode(encode(message))


# What crosses


@REPEATABLE
@given(messages())
def test_every_message_arrives_as_it_was_sent(message):
    assert same(crossed(message), message)


@REPEATABLE
@given(arrays())
def test_every_array_arrives_as_a_plain_array_with_memory_of_its_own(array):
    got = crossed(array)
    assert type(got) is np.ndarray and got.base is None
    assert got.flags.c_contiguous and got.flags.writeable and got.flags.owndata
    assert got.flags.aligned


@REPEATABLE
@given(messages(), messages())
def test_frames_on_one_stream_are_read_one_by_one(first, second):
    stream = io.BytesIO()
    send(stream, first)
    send(stream, second)
    stream.seek(0)
    assert same([receive(stream), receive(stream)], [first, second])
    with pytest.raises(EOFError):
        receive(stream)


@pytest.mark.parametrize("bits", [62, 63, 64, 65, 20_000, 1_000_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_ints_of_any_size_cross(bits, sign):
    for value in (sign * 2**bits - 1, sign * 2**bits, sign * 2**bits + 1):
        assert crossed(value) == value


@pytest.mark.parametrize(
    "text",
    [chr(0xD800), chr(0xDC00) + chr(0xD800), chr(0xD83D) + chr(0xDE00), "\U0001f600", "\0", "é"],
)
def test_lone_surrogates_cross_and_a_pair_of_them_stays_two_characters(text):
    assert crossed({text: text}) == {text: text}


@pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0, 5e-324, sys.float_info.max])
def test_special_floats_cross(value):
    assert same(crossed(value), value)


def test_python_numbers_numpy_scalars_and_0_d_arrays_stay_apart():
    sent = [1, 1.0, True, np.int64(1), np.float64(1), np.bool_(True), np.array(1), np.array(1.0)]
    assert [type(value) for value in crossed(sent)] == [type(value) for value in sent]


def test_a_dict_that_looks_like_a_tag_stays_a_dict():
    for sent in (
        {"array": ["float64", [2]]},
        {"tuple": [1]},
        {"dict": {"a": 1}},
        {"ellipsis": None},
    ):
        assert crossed(sent) == sent


def test_strided_transposed_reversed_and_broadcast_arrays_cross_by_content():
    array = np.arange(24.0).reshape(2, 3, 4)
    for view in (array[:, ::2], array.T, array[::-1], np.asfortranarray(array)):
        assert np.array_equal(crossed(view), view)
    wide = np.broadcast_to(np.float32(3), (2, 5))
    assert np.array_equal(crossed(wide), wide) and crossed(wide).strides == (20, 4)


def test_a_nan_keeps_its_payload_bits_in_arrays_and_scalars():
    nan = np.array(0x7FF0_0000_0000_BEEF, np.uint64).view(np.float64)
    assert crossed(nan).tobytes() == crossed(nan[()]).tobytes() == nan.tobytes()


@pytest.mark.parametrize("code", "bhilqBHILQ")
def test_every_c_integer_crosses_as_the_integer_of_its_size(code):
    scalar = np.dtype(code).type(3)
    assert crossed(scalar) == 3 and crossed(scalar).dtype == scalar.dtype


def test_an_array_that_appears_twice_arrives_as_two_arrays():
    array = np.zeros(3)
    first, second = crossed([array, array])
    assert not np.shares_memory(first, second)


def test_messages_up_to_the_limits_cross():
    assert len(crossed([0] * (wire.NODE_LIMIT - 1))) == wire.NODE_LIMIT - 1
    assert crossed(nested(wire.DEPTH_LIMIT)) == nested(wire.DEPTH_LIMIT)
    assert len(crossed("x" * (wire.HEADER_LIMIT - 2))) == wire.HEADER_LIMIT - 2
    full = np.zeros(wire.FRAME_LIMIT - 1024, np.uint8)
    assert len(crossed(full)) == len(full)


def test_containers_beside_each_other_may_be_many():
    many = [[0], {"a": (0,)}, np.zeros(1)] * 1000
    assert same(crossed(many), many)


def test_dicts_up_to_the_depth_limit_cross_with_an_array_inside():
    deepest = np.zeros(2)
    for _ in range(wire.DEPTH_LIMIT):
        deepest = {"key": deepest}
    assert same(crossed(deepest), deepest)


@pytest.mark.parametrize("text", ["[" * 100, '"[' * 100, "\\[" * 100, '\\"{' * 100, '[\\\\"' * 100])
def test_brackets_in_strings_are_text(text):
    assert crossed([text, {text: [text]}]) == [text, {text: [text]}]


def nested(depth, value=0):
    """`value` within `depth` lists."""
    for _ in range(depth):
        value = [value]
    return value


# What does not cross


class Sneaky(float):
    def __repr__(self):
        raise SystemExit


class Mask(np.ndarray):
    pass


class Posing(type):
    """The class of a class that says it is a numpy scalar."""

    def __hash__(cls):
        return hash(np.float64)

    def __eq__(cls, other):
        return True


class Pose(metaclass=Posing):
    pass


class Stack(list):
    pass


Color = enum.IntEnum("Color", "RED")
Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (object(), "a object cannot"),
        (b"x", "a bytes cannot"),
        (bytearray(b"x"), "a bytearray cannot"),
        ({1}, "a set cannot"),
        (frozenset(), "a frozenset cannot"),
        (1j, "a complex cannot"),
        (len, "a builtin_function_or_method cannot"),
        (int, "a type cannot"),
        (range(3), "a range cannot"),
        (Color.RED, "a Color cannot"),
        (Point(1, 2), "a Point cannot"),
        (Stack(), "a Stack cannot"),
        (Sneaky(1), "a Sneaky cannot"),
        (Pose(), "a Pose cannot"),
        (collections.OrderedDict(), "a OrderedDict cannot"),
        (collections.defaultdict(int), "a defaultdict cannot"),
        ({1: 2}, "a dict with a key of type int"),
        ({None: 2}, "a dict with a key of type NoneType"),
        ({np.str_("a"): 2}, "a dict with a key of type str_"),
        (slice(0.5), "a slice with a float"),
        (slice(True), "a slice with a bool"),
        (slice(None, np.int64(1)), "a slice with a int64"),
        (np.str_("a"), "a str_ cannot"),
        (np.datetime64("2020-01-01"), "a datetime64 cannot"),
        (np.complex128(1), "a complex128 cannot"),
        (np.longdouble(1), "a longdouble cannot"),
        (np.ma.masked_array([1.0], [True]), "a MaskedArray cannot"),
        (np.zeros((1, 1)).view(np.matrix), "a matrix cannot"),
        (np.zeros(1).view(Mask), "a Mask cannot"),
        (np.array([None]), "dtype object"),
        (np.array(["a"]), "dtype <U1"),
        (np.array([b"a"]), "dtype |S1"),
        (np.array([1j]), "dtype complex128"),
        (np.array(["2020"], "M8[Y]"), "dtype datetime64[Y]"),
        (np.zeros(1, [("a", "f8")]), "dtype [('a', '<f8')]"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_plain_data_is_refused_by_name(value, says):
    with pytest.raises(WireError) as refusal:
        encode(value)
    assert says in str(refusal.value)


def test_a_refusal_says_where_in_the_message():
    with pytest.raises(WireError) as refusal:
        encode([0, 1, {"x": (None, {1})}])
    assert str(refusal.value) == "a set cannot cross the wire at [2]['x'][1]"


def test_a_refusal_stays_short_whatever_the_names_are():
    with pytest.raises(WireError) as refusal:
        encode({"k" * 5000: type("C" * 5000, (), {})()})
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ([0] * wire.NODE_LIMIT, "more than 50000 values"),
        (nested(wire.DEPTH_LIMIT + 1), "more than 24 containers"),
        ("x" * wire.HEADER_LIMIT, "too large"),
        ("x" * (wire.HEADER_LIMIT + 1), "text of more than"),
        (["x" * (wire.HEADER_LIMIT // 2)] * 3, "text of more than"),
        ({"x" * (wire.HEADER_LIMIT + 1): 1}, "text of more than"),
        (["\0" * (wire.HEADER_LIMIT // 2)], "too large"),
        (1 << 5 * wire.HEADER_LIMIT, "an int of 5242881 bits"),
        (np.zeros(wire.FRAME_LIMIT, np.uint8), "too large"),
        ([np.zeros(wire.FRAME_LIMIT // 2, np.uint8)] * 3, "arrays of more than"),
        (np.broadcast_to(0.0, (10**6, 10**6)), "arrays of more than"),
    ],
    ids=itertools.count(),
)
def test_a_message_over_the_limits_is_refused(message, says):
    with pytest.raises(WireError, match=says):
        encode(message)


def test_a_list_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(WireError, match="more than 24 containers"):
        encode(loop)


@pytest.mark.parametrize(
    "fields", [(-1, "T"), (2**63, "T"), (True, "T"), (1.0, "T"), (1, "T" * 101), (1, 2)]
)
def test_a_handle_has_a_small_id_and_a_short_name(fields):
    with pytest.raises(WireError):
        Ref(*fields)


def test_nothing_is_written_when_a_message_is_refused():
    stream = io.BytesIO()
    with pytest.raises(WireError):
        send(stream, [1, {2}])
    assert stream.getvalue() == b""


# Bytes that are no message


def frame(header, payload=b""):
    """A frame around any header: bytes as they are, anything else as JSON."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.PREFIX.pack(wire.MAGIC, len(header), len(payload)) + header + payload


def refused(hostile):
    """Whether the frame is refused, by a check of ours or for being no JSON, never by accident."""
    try:
        decode(hostile)
    except WireError as refusal:
        return isinstance(refusal.__cause__, NO_JSON)
    return False


NO_JSON = (json.JSONDecodeError, UnicodeDecodeError, type(None))
FLOAT = np.array(1.5).tobytes()


def test_the_frame_of_these_tests_is_a_frame():
    assert decode(frame({"tuple": [{"scalar": "float64"}, 2]}, FLOAT)) == (1.5, 2)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[",
        b"[1]]",
        b"\xff",
        b"\xef\xbb\xbf1",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"01",
        b"9" * 21,
        b"9" * 100_000,
        b"-" + b"9" * 5_000,
        b'"\n"',
        b"'a'",
        b"[" * 100_000,
        b'{"tuple":[' * 10_000,
        b'{"a":' * 10_000,
        b'{"tuple":[1],"tuple":[2]}',
        b'{"dict":{"a":1,"a":2}}',
        b'{"dict":{"a":1,"\\u0061":2}}',
        {},
        {"tuple": [], "dict": {}},
        {"set": [1]},
        {"Tuple": [1]},
        {"": 1},
        {"tuple": {}},
        {"tuple": 1},
        {"dict": [["a", 1]]},
        {"dict": None},
        {"dict": {"a": {"b": 1}}},
        {"list": [1]},
        {"ellipsis": 1},
        {"ellipsis": False},
        {"float": 1.0},
        {"float": "1.0"},
        {"float": "Infinity"},
        {"float": ["nan"]},
        {"int": 1},
        {"int": ""},
        {"int": "x"},
        {"int": "1f"},
        {"int": "0X1F"},
        {"int": "0x1F"},
        {"int": "0x01"},
        {"int": "+0x1"},
        {"int": " 0x1"},
        {"int": "0x1_0"},
        {"int": "0x\u0661"},
        {"slice": [1, 2]},
        {"slice": [1, 2, 3, 4]},
        {"slice": [1, 2, True]},
        {"slice": [1, 2, 3.0]},
        {"slice": [1, 2, {"tuple": []}]},
        {"slice": {"start": 1}},
        b"[" * 50 + b'"]]]]]]]]]]"' + b"[" * 50 + b"]" * 100,
        {"ref": [1]},
        {"ref": [1, "T", 2]},
        {"ref": [True, "T"]},
        {"ref": [-1, "T"]},
        {"ref": [2**63, "T"]},
        {"ref": [1.0, "T"]},
        {"ref": ["1", "T"]},
        {"ref": [1, 2]},
        {"ref": [1, "T" * 101]},
        {"ref": {"id": 1, "type": "T"}},
        [0] * wire.NODE_LIMIT,
        [{"tuple": []}] * wire.NODE_LIMIT,
        nested(wire.DEPTH_LIMIT + 1),
        nested(500),
    ],
    ids=itertools.count(),
)
def test_a_header_that_is_no_message_is_refused(header):
    assert refused(frame(header))


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (None, b"\0"),
        ({"array": ["float64", [1]]}, b""),
        ({"array": ["float64", [1]]}, FLOAT[:-1]),
        ({"array": ["float64", [1]]}, FLOAT + b"\0"),
        ({"array": ["float64", []]}, b""),
        ([{"scalar": "float64"}] * 2, FLOAT),
        ({"array": ["float64", [-1]]}, FLOAT),
        ({"array": ["float64", [-1, -1]]}, FLOAT),
        ({"array": ["float64", [True]]}, FLOAT),
        ({"array": ["float64", [1.0]]}, FLOAT),
        ({"array": ["float64", ["1"]]}, FLOAT),
        ({"array": ["float64", [None]]}, FLOAT),
        ({"array": ["float64", 1]}, FLOAT),
        ({"array": ["float64", None]}, FLOAT),
        ({"array": ["float64", {"tuple": [1]}]}, FLOAT),
        ({"array": ["float64"]}, FLOAT),
        ({"array": ["float64", [1], "C"]}, FLOAT),
        ({"array": {"dtype": "float64"}}, FLOAT),
        ({"array": "float64"}, FLOAT),
        ({"array": ["float64", [2**32, 2**32]]}, FLOAT),
        ({"array": ["float64", [2**61, 8]]}, FLOAT),
        ({"array": ["float64", [2**63]]}, FLOAT),
        ({"array": ["float64", [0, 2**62, 2**62]]}, b""),
        ({"array": ["float64", [0, 2**60]]}, b""),
        ({"array": ["float64", [1] * 65]}, FLOAT),
        ({"array": ["float64", [2**62] * 10_000]}, FLOAT),
        ({"array": ["<f8", [1]]}, FLOAT),
        ({"array": ["Float64", [1]]}, FLOAT),
        ({"array": ["object", [1]]}, FLOAT),
        ({"array": ["complex64", [1]]}, FLOAT),
        ({"array": ["S8", [1]]}, FLOAT),
        ({"array": ["datetime64[s]", [1]]}, FLOAT),
        ({"array": ["V8", [1]]}, FLOAT),
        ({"array": [["float64"], [1]]}, FLOAT),
        ({"array": [{"a": 1}, [1]]}, FLOAT),
        ({"array": [None, [1]]}, FLOAT),
        ({"array": ["bool", [3]]}, b"\0\1\2"),
        ({"scalar": "bool"}, b"\xff"),
        ({"scalar": "object"}, FLOAT),
        ({"scalar": ["float64"]}, FLOAT),
        ({"scalar": None}, FLOAT),
    ],
    ids=itertools.count(),
)
def test_an_array_that_does_not_fit_its_payload_exactly_is_refused(header, payload):
    assert refused(frame(header, payload))


def test_a_frame_cut_anywhere_is_refused():
    whole = encode({"op": "call", "args": (np.arange(3), 2**80, "é")})
    for size in range(len(whole)):
        with pytest.raises(WireError):
            decode(whole[:size])
        if size:
            with pytest.raises(WireError):
                receive(io.BytesIO(whole[:size]))


def test_bytes_after_a_frame_are_refused():
    with pytest.raises(WireError):
        decode(encode(1) + b"\0")


@pytest.mark.parametrize("magic", [b"GBW2", b"gbw1", b"\0\0\0\0", b"\x80\4\x95."])
def test_a_frame_of_another_kind_is_refused(magic):
    with pytest.raises(WireError, match="does not start as a frame"):
        decode(magic + encode(1)[4:])


def test_a_refusal_of_the_reader_never_repeats_control_characters():
    with pytest.raises(WireError) as refusal:
        decode(frame({"\x1b[2J\ud800" * 1000: 1}))
    assert str(refusal.value).isprintable() and len(str(refusal.value)) < 250


@pytest.mark.parametrize("error", [MemoryError, RecursionError, KeyError, SystemError])
def test_an_error_that_nobody_foresaw_is_a_wire_error(monkeypatch, error):
    monkeypatch.setattr(wire._Reader, "unpack", Mock(side_effect=error))
    with pytest.raises(WireError, match=error.__name__):
        decode(encode(1))


# Lengths that lie


class Endless(io.RawIOBase):
    """A stream that goes on for ever, and counts what was taken."""

    def __init__(self, start):
        self.start, self.taken, self.largest = io.BytesIO(start), 0, 0

    def read(self, size=-1):
        assert size > 0
        found = self.start.read(size) or bytes(size)
        self.taken += len(found)
        self.largest = max(self.largest, size)
        return found


@pytest.mark.parametrize(
    "sizes", [(2**32 - 1, 0), (0, 2**32 - 1), (wire.HEADER_LIMIT + 1, 0), (1, wire.FRAME_LIMIT)]
)
def test_a_length_over_the_limits_is_refused_before_more_is_read(sizes):
    stream = Endless(wire.PREFIX.pack(wire.MAGIC, *sizes))
    with pytest.raises(WireError, match="over the limits"):
        receive(stream)
    assert stream.taken == wire.PREFIX.size


def test_a_length_that_lies_allocates_no_more_than_arrives():
    lying = wire.PREFIX.pack(wire.MAGIC, 4, wire.FRAME_LIMIT - 100) + b"null" + bytes(1000)
    assert peak_of(lambda: receive(io.BytesIO(lying))) < 4 * wire.CHUNK


def test_a_long_frame_is_read_in_bounded_pieces():
    stream = Endless(wire.PREFIX.pack(wire.MAGIC, 4, 40 * 2**20) + b"null")
    with pytest.raises(WireError, match="belong to no array"):
        receive(stream)
    assert stream.largest <= wire.CHUNK


@pytest.mark.parametrize(
    "header",
    [
        {"array": ["float64", [2**40]]},
        {"array": ["float64", [2**30, 0, 2**30]]},
        {"array": ["float64", [2**62] * 50_000]},
    ],
    ids=itertools.count(),
)
def test_a_shape_that_lies_allocates_nothing(header):
    lying = frame(header)
    assert peak_of(lambda: decode(lying)) < 8 * 2**20


@pytest.mark.parametrize(
    "unit",
    [b"[],", b"{},", b"1,", b"1e9,", b'"",', b"[", b'{"a":', b'"\\ud800",', b"9"],
    ids=ascii,
)
def test_a_header_of_the_largest_size_stays_within_64_mib(unit):
    header = b"[" + unit * (wire.HEADER_LIMIT // len(unit) - 1)
    assert peak_of(lambda: decode(frame(header + b"0]"))) < 64 * 2**20


@pytest.mark.parametrize("unit", [b'"', b'\\"', b'"\\', b'"\\\n', b"\\"], ids=ascii)
def test_strings_left_open_behind_many_brackets_take_no_time(unit):
    hostile = frame(b"[" * 60 + unit * (2**17 // len(unit)))
    start = time.perf_counter()
    assert refused(hostile)
    assert time.perf_counter() - start < 2  # milliseconds; half a minute if it were quadratic


def peak_of(call):
    """The most memory that `call`, which must be refused, held at once."""
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Streams


@pytest.mark.parametrize("buffering", [-1, 0])
def test_large_and_small_messages_cross_real_pipes(buffering):
    messages = [np.arange(300_000.0), "emma", [np.arange(6).reshape(2, 3), None]]
    reading, writing = os.pipe()

    def write():
        with open(writing, "wb", buffering) as stream:
            for message in messages:
                send(stream, message)

    with open(reading, "rb", buffering) as stream:
        writer = threading.Thread(target=write)
        writer.start()
        received = [receive(stream) for _ in messages]
        writer.join()
        assert same(received, messages)
        with pytest.raises(EOFError):
            receive(stream)


class Trickle(io.RawIOBase):
    """A stream that gives and takes at most three bytes at once."""

    def __init__(self, content=b""):
        self.content, self.flushes = io.BytesIO(content), 0

    def read(self, size=-1):
        return self.content.read(min(size, 3))

    def write(self, data):
        return self.content.write(bytes(data[:3]))

    def flush(self):
        self.flushes += 1


def test_a_stream_that_gives_and_takes_little_at_once_is_enough():
    stream = Trickle()
    send(stream, [1.5, "x" * 50])
    assert stream.flushes == 1
    assert receive(Trickle(stream.content.getvalue())) == [1.5, "x" * 50]


# Fuzz: whatever the bytes, a message or a WireError

SEEDS = [
    None,
    -(2**70),
    {"op": "call", "name": "layernorm", "args": (np.arange(28.0).reshape(4, 7), 1e-5), "id": 7},
    {"value": Ref(3, "Tensor"), "printed": "a\nb\ud800\U0001f600", "seconds": math.nan},
    [np.float32(1), np.bool_(True), np.array([True, False]), np.zeros((2, 0), np.uint8)],
    {"index": (slice(None, 3), ..., slice(-1, None, 2)), "deep": nested(20, {"a": -0.0})},
    [np.arange(5, dtype=">i2"), {"é": [True, None, 1, 2.5, "x"]}, np.array(3, np.float16)],
]
VALUES = [
    None, True, False, 0, 1, -1, 7, 64, 2**31, 2**63, -(2**63), 10**19, 10**30, 0.5, 1e308, "", "a",
    "nan", "-inf", "0x10", "-0x1", "float64", "bool", "object", "\ud800", [], {}, [1], [0], [-1],
    [2**62] * 3, [1] * 70, {"tuple": []}, {"array": ["bool", [1]]}, {"scalar": "int8"},
    {"dict": {}}, {"slice": [None] * 3}, {"ref": [1, "T"]}, {"ellipsis": None}, {"a": 1, "b": 2},
    nested(30), [0] * 300,
]  # fmt: skip
TAGS = ["tuple", "dict", "slice", "ellipsis", "int", "float", "array", "scalar", "ref", "list"]
TOKENS = b'[ ] { } " , : \\ \\u NaN 1e999 -'.split() + [b"9" * 400]


def test_five_thousand_hostile_frames_give_a_message_or_a_wire_error():
    fuzz(seed=1, count=5_000)


@pytest.mark.slow  # 200,000 frames take 5 to 10 seconds
def test_two_hundred_thousand_hostile_frames_give_a_message_or_a_wire_error():
    fuzz(seed=2, count=200_000)


def fuzz(seed, count):
    """Read `count` hostile frames; what is read as a message must be one: it crosses again."""
    rng = random.Random(seed)
    whole = [encode(message) for message in SEEDS]
    outcomes = collections.Counter()
    for _ in range(count):
        attack = rng.choice(ATTACKS)
        hostile = attack(rng, whole)
        outcomes[attack, outcome(hostile)] += 1
    for attack in ATTACKS:
        assert outcomes[attack, "refused"] > count / len(ATTACKS) / 20
    assert outcomes[restructured, "read"] > 0 and outcomes[flipped, "read"] > 0


def outcome(hostile):
    """What both ways of reading make of the frame: "read" or "refused"."""
    try:
        received = receive(io.BytesIO(hostile))
    except (EOFError, WireError) as refusal:
        assert isinstance(refusal, WireError) or hostile == b""
        received = refusal
    try:
        message = decode(hostile)
    except WireError:
        assert refused(hostile)
        return "refused"
    assert same(message, received) and same(crossed(message), message)
    return "read"


def flipped(rng, whole):
    """A few bytes changed."""
    hostile = bytearray(rng.choice(whole))
    for _ in range(rng.randint(1, 4)):
        hostile[rng.randrange(len(hostile))] = rng.randrange(256)
    return bytes(hostile)


def truncated(rng, whole):
    """Cut short, or drawn out."""
    hostile = rng.choice(whole)
    return hostile[: rng.randrange(len(hostile))] + rng.randbytes(rng.choice([0, 0, 1, 50]))


def spliced(rng, whole):
    """The start of one frame, the end of another."""
    first, second = rng.choice(whole), rng.choice(whole)
    return first[: rng.randrange(len(first))] + second[rng.randrange(len(second)) :]


def scrambled(rng, whole):
    """Bytes of JSON put in or taken out of the header, with lengths that agree."""
    header, payload = parts(rng.choice(whole))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(header))
        header = header[:at] + rng.choice(TOKENS) + header[at + rng.randrange(4) :]
    return frame(header, payload)


def restructured(rng, whole):
    """Valid JSON of almost the right form, with a payload of almost the right length."""
    header, payload = parts(rng.choice(whole))
    tree = json.loads(str(header, "utf-8", "surrogatepass"))
    for _ in range(rng.randint(1, 3)):
        tree = mutated(rng, tree)
    payload += rng.randbytes(rng.choice([0, 0, 1, 8]))
    return frame(tree, payload[: len(payload) - rng.choice([0, 0, 0, 1, 8])])


def headed(rng, whole):
    """Characters of JSON, or any bytes, behind a prefix that fits."""
    alphabet = rng.choice([b'[]{}",:-019.eE\\u trufalsn', bytes(range(256))])
    header = bytes(rng.choices(alphabet, k=rng.randrange(30)))
    return frame(header, rng.randbytes(rng.choice([0, 0, 8, 30])))


def mislabelled(rng, whole):
    """A good frame with lengths that lie."""
    hostile = rng.choice(whole)
    lengths = [rng.choice([0, 1, len(hostile), rng.getrandbits(32), 2**32 - 1]) for _ in range(2)]
    return wire.PREFIX.pack(wire.MAGIC, *lengths) + hostile[wire.PREFIX.size :]


def noise(rng, whole):
    """Random bytes."""
    return rng.randbytes(rng.randrange(80))


ATTACKS = [flipped, truncated, spliced, scrambled, restructured, headed, mislabelled, noise]


def parts(hostile):
    size = wire.PREFIX.unpack(hostile[: wire.PREFIX.size])[1]
    body = hostile[wire.PREFIX.size :]
    return body[:size], body[size:]


def mutated(rng, node):
    """The JSON tree with one change at a random place."""
    if node and isinstance(node, (list, dict)) and rng.random() < 0.7:
        node = node.copy()
        key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node[key] = mutated(rng, node[key])
        return node
    if isinstance(node, dict) and rng.random() < 0.7:
        return {rng.choice(TAGS): body for body in node.values()} | rng.choice([{}, {}, {"x": 1}])
    if isinstance(node, list) and rng.random() < 0.7:
        return rng.choice([node[:-1], node + node[:1], node[::-1], node + [rng.choice(VALUES)]])
    return rng.choice([rng.choice(VALUES), {rng.choice(TAGS): node}, [node]])
