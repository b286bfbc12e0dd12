"""The tables that chapters read are what the long records hold, and nothing else."""

import pytest

from book.tools import summaries
from helpers.records import record_names, recorded


def test_every_table_is_made_of_the_records_and_current():
    assert record_names() == tuple(sorted(summaries.SUMMARIES))
    for name in summaries.SUMMARIES:
        assert (summaries.TABLES / f"{name}.json").read_text(encoding="utf-8") == summaries.text(name), name
        assert recorded(name)["made"]


def test_an_unknown_table_is_refused_by_its_name():
    with pytest.raises(ValueError, match="known name, got .nothing.; allowed are .assumptions."):
        recorded("nothing")


def test_only_what_changed_is_written(tmp_path):
    summaries.write(tmp_path)
    path = tmp_path / "assumptions.json"
    path.write_text("{}", encoding="utf-8")
    summaries.write(tmp_path)
    assert path.read_text(encoding="utf-8") == summaries.text("assumptions")
    before = path.stat().st_mtime_ns
    summaries.write(tmp_path)
    assert path.stat().st_mtime_ns == before
