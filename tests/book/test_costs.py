"""What a chapter costs in words: the same from a cold and a warm cache; a record that small changes leave alone."""

import json

import pytest

from book.tools import costs

COST = {"seconds": 12.34, "embedding": 33.2, "memory": 1.14, "threads": 1}


@pytest.mark.parametrize(
    ("change", "exact", "about"),
    [
        ({}, "CPU 12 s on 1 core, the first time 33 s more, 1.1 GB of memory",
         "about 10 s on a CPU, the first time about 35 s more, 1.1 GB of memory"),
        ({"embedding": 0.3, "threads": 2}, "CPU 12 s on 2 cores, 1.1 GB of memory",
         "about 10 s on a CPU, 1.1 GB of memory"),
        ({"seconds": 101.0, "embedding": 59.0}, "CPU 1 min 41 s on 1 core, the first time 59 s more, 1.1 GB of memory",
         "about 1½ min on a CPU, the first time about 1 min more, 1.1 GB of memory"),
        ({"seconds": 0.4}, "CPU 0.4 s on 1 core, the first time 33 s more, 1.1 GB of memory",
         "about 5 s on a CPU, the first time about 35 s more, 1.1 GB of memory"),
    ],
)
def test_words(change, exact, about):
    assert costs.sentence(COST | change) == exact and costs.rough(COST | change) == about


def test_the_record_follows_large_changes_alone(tmp_path):
    for folder in ("chapters", "_build", "records"):
        (tmp_path / folder).mkdir()
    (tmp_path / "chapters" / "03_this.md").write_text("")

    def measured(**change):
        entries = {"chapters/03_this": COST | change, "book/index": COST}
        (tmp_path / "_build" / "costs.json").write_text(json.dumps({"chapters": entries}))
        return costs.update(tmp_path)

    assert measured() == ["chapters/03_this"]
    assert measured(seconds=15.0, embedding=45.0, memory=1.4, threads=2) == []
    assert costs.recorded(tmp_path) == {"chapters/03_this": {"seconds": 12.34, "embedding": 33.2, "memory": 1.14}}
    assert measured(embedding=60.0) == ["chapters/03_this"]
    (tmp_path / "_build" / "costs.json").unlink()
    assert costs.update(tmp_path) == [] and costs.recorded(tmp_path)["chapters/03_this"]["embedding"] == 60.0
    (tmp_path / "chapters" / "03_this.md").unlink()
    assert costs.update(tmp_path) == [] and costs.recorded(tmp_path) == {}
