"""Files that are no Python, or no text, or not what the exercise asks for."""

from pathlib import Path

NAME = "ex05_norm.py"


def base(folder: Path) -> str:
    return (folder / NAME).read_text("utf-8")


def write(folder: Path, content: bytes) -> None:
    (folder / NAME).write_bytes(content)


def syntax_error(folder):
    """Wants the parser of the grader to stop at it.

    Fails because the checker never parses what it marks.
    earns: 0
    """
    write(folder, b"def layernorm(x, gain, bias:\n    return x\n")


def tabs_and_spaces(folder):
    """Wants TabError, which is no SyntaxError by name.

    Fails because it is one more error of an import.
    earns: 0
    """
    write(folder, b"def layernorm(x, gain, bias):\n        y = x\n\treturn y\n")


def nul_byte(folder):
    """Wants a reader in C to see another file than Python does.

    Fails because a file with a NUL byte is refused in words.
    earns: 0
    """
    write(folder, base(folder).encode() + b"\0\n")


def byte_order_mark(folder):
    """Wants nothing: some editors begin a file with a mark. It must count as it would without.

    Fails because the mark is read over.
    """
    write(folder, b"\xef\xbb\xbf" + base(folder).encode())


def windows_line_ends(folder):
    """Wants nothing: it comes from Windows, and must count the same.

    Fails because line ends are read alike.
    """
    write(folder, base(folder).replace("\n", "\r\n").encode())


def latin_1(folder):
    """Wants bytes that are no UTF-8 to stop the reader.

    Fails because that is said in words.
    earns: 0 8
    """
    write(folder, "# café\n".encode("latin-1") + base(folder).encode())


def utf_16(folder):
    """Wants a whole file in another encoding to stop the reader.

    Fails because that is said in words.
    earns: 0
    """
    write(folder, base(folder).encode("utf-16"))


def empty(folder):
    """Wants to be no result at all.

    Fails because an empty file has a result like any other: the names are not there.
    earns: 0
    """
    write(folder, b"")


def only_comments(folder):
    """Wants to be no result at all.

    Fails for the same reason as an empty file.
    earns: 0
    """
    write(folder, b"# I was ill.\n" * 20)


def ten_megabytes(folder):
    """Wants the grader to read and send ten megabytes.

    Fails because a source file may have 256 KiB.
    earns: 0 8
    """
    write(folder, base(folder).encode() + b"# spam\n" * 1_500_000)


def deep_brackets(folder):
    """Wants to overflow the parser's stack.

    Fails because the parser that it overflows is the worker's.
    earns: 0
    """
    write(folder, b"x = " + b"(" * 100_000 + b")" * 100_000 + b"\n")


def deep_expression(folder):
    """Wants to overflow the compiler's stack, which counts otherwise than the parser's.

    Fails because the compiler that it overflows is the worker's.
    earns: 0
    """
    write(folder, b"x = " + b"-" * 120_000 + b"1\n")


def slow_to_compile(folder):
    """Wants the compiler to fold constants for minutes.

    Fails because compiling is a part of importing, and has its limit.
    earns: 0
    """
    write(folder, b"x = " + b"((1 << 100000) * 3) ** 9, " * 9000 + b"\n")


def circular_import(folder):
    """Wants the import to go in circles.

    Fails because a file that imports itself finds itself half done, an error like any other.
    earns: 0
    """
    write(folder, b"from .ex05_norm import layernorm, rmsnorm\n")


def missing_module(folder):
    """Wants a module that the worker has not.

    Fails because that is an error of the import, in words.
    earns: 0
    """
    write(folder, b"import torch_that_is_not_there\n" + base(folder).encode())


def wrong_names(folder):
    """Wants nothing: its functions have other names than was asked.

    Fails because a missing name is said in words.
    earns: 0
    """
    write(folder, base(folder).replace("norm(", "Norm(").encode())


def class_in_its_place(folder):
    """Wants a class where a function was asked for.

    Fails because its instance is no Tensor.
    """
    write(
        folder, base(folder).encode() + b"\n\nclass layernorm:\n    def __init__(self, *_): ...\n"
    )


def lone_surrogate_escape(folder):
    """Wants half a character in a name that it makes at run time.

    Fails because names that cannot be written are an error of the import.
    earns: 0
    """
    write(folder, base(folder).encode() + b'\n\ntype("\\ud800", (), {})\n')


def declared_encoding(folder):
    """Wants the parser to use a codec of its own: "unicode_escape" hides any code in a comment.

    Fails because the text is read as UTF-8 before it is compiled; the comment stays one.
    """
    hidden = b"# -*- coding: unicode_escape -*-\n# \\nimport os; os._exit(0)\n"
    write(folder, hidden + base(folder).encode())


def brackets_that_never_close(folder):
    """Wants the reader of the next line to wait for it.

    Fails because it is a syntax error.
    earns: 0
    """
    write(folder, base(folder).encode() + b"\nx = (((((\n")


def other_line_ends(folder):
    """Wants nothing: its lines end in form feeds and Unicode's own marks, inside comments.

    Fails because there is nothing to fail: it must count as it would without.
    """
    write(folder, (base(folder) + "\n# a\x0cb\x85c\u2028d\x1ee\n\x0c\n").encode())
