"""Old versions are thinned out by a stated rule, and no line is lost with them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import snapshots, writing

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
NAME = "ex05_norm.py"


def kept(store, ages, text=lambda i: f"line\n{i % 3}\n"):
    """A store whose versions were seen so long ago. -> their texts"""
    texts = []
    for i, age in enumerate(ages):
        data = text(i).encode()
        stamp = (NOW - age + timedelta(microseconds=i)).strftime(snapshots.STAMP)
        writing.write(store / NAME / f"{stamp}-{snapshots._digest(data)}", data)
        texts.append(text(i))
    return texts


def ages_left(store):
    return [NOW - version.seen for version in snapshots.versions(NAME, store)]


def test_the_last_two_hundred_and_the_last_fortnight_stay(tmp_path):
    kept(tmp_path, [timedelta(minutes=i) for i in range(300)])
    snapshots.thin(NAME, NOW, tmp_path)
    assert len(ages_left(tmp_path)) == 300
    snapshots.thin(NAME, NOW + timedelta(days=100), tmp_path)
    left = ages_left(tmp_path)
    assert left[:200] == sorted(left)[:200]
    assert 200 <= len(left) < 210


def test_what_is_older_stays_once_an_hour_and_then_once_a_day(tmp_path):
    recent = [timedelta(minutes=i) for i in range(snapshots.RECENT)]
    hourly = [timedelta(days=20, minutes=10 * i) for i in range(60)]  # ten hours
    daily = [timedelta(days=100, minutes=40 * i) for i in range(72)]  # two days
    kept(tmp_path, recent + hourly + daily)
    snapshots.thin(NAME, NOW, tmp_path)
    left = ages_left(tmp_path)
    assert sum(age < timedelta(days=14) for age in left) == snapshots.RECENT
    assert sum(timedelta(days=14) < age < timedelta(days=60) for age in left) in (10, 11)
    assert sum(age > timedelta(days=60) for age in left) in (2, 3)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 90 * 24 * 60), min_size=1, max_size=30),
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), min_size=1, max_size=30),
)
def test_no_line_is_lost_whatever_goes(tmp_path_factory, minutes, texts):
    store = tmp_path_factory.mktemp("store")
    before = kept(
        store, [timedelta(minutes=m) for m in minutes], lambda i: "\n".join(texts[i % len(texts)])
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "RECENT", 2)
        snapshots.thin(NAME, NOW, store)
    left = b"\n".join(v.data() for v in snapshots.versions(NAME, store)).decode().splitlines()
    assert {line for text in before for line in text.splitlines()} <= set(left)


def test_the_only_version_with_a_line_stays_however_old(tmp_path):
    ages = [timedelta(days=20, minutes=i) for i in range(snapshots.RECENT + 10)]
    kept(tmp_path, ages, lambda i: "only here\n" if i == len(ages) - 1 else "everywhere\n")
    snapshots.thin(NAME, NOW, tmp_path)
    texts = [version.data() for version in snapshots.versions(NAME, tmp_path)]
    assert b"only here\n" in texts
    assert len(texts) < len(ages)


def test_a_store_is_thinned_out_as_it_grows_and_not_at_every_save(tmp_path):
    ages = [timedelta(days=365, seconds=i) for i in range(snapshots.RECENT + snapshots.SLACK + 1)]
    kept(tmp_path / "store", ages)
    file = tmp_path / NAME
    file.write_text("line\nnew\n", "utf-8")
    snapshots.keep(file, tmp_path / "store")
    assert len(ages_left(tmp_path / "store")) <= snapshots.RECENT + 1


def test_a_long_list_shows_the_newest_and_then_one_a_day(tmp_path):
    kept(tmp_path / "store", [timedelta(hours=i) for i in range(24 * 5)])
    file = tmp_path / NAME
    file.write_text("line\n0\n", "utf-8")
    rows = snapshots.listed(file, tmp_path / "store")
    assert len(rows) in range(snapshots.LISTED + 4, snapshots.LISTED + 8)
    numbers = [int(row.split()[0]) for row in rows[1:]]
    assert numbers[: snapshots.LISTED] == list(range(1, snapshots.LISTED + 1))
    versions = snapshots.versions(NAME, tmp_path / "store")
    assert snapshots.chosen(file, numbers[-1], tmp_path / "store") == versions[numbers[-1] - 1]
