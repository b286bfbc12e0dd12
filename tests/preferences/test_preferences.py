"""The pairs: what loads, how it is split, and what bad input gets."""

import json

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trl.data_utils import extract_prompt

from helpers.preferences.bank import as_prompt, load_persona, load_values, value_glosses
from helpers.preferences.own_pairs import read_pairs
from helpers.preferences.pairs import Preferences


@pytest.fixture(scope="module")
def bank():
    return load_values()


def toy(counts, names=None):
    """Preferences with the given pairs by cluster, shape (K, 2)."""
    value, side = [], []
    for i, row in enumerate(counts):
        for s, n in zip((1, -1), row, strict=True):
            value += [i] * n
            side += [s] * n
    prompts = [f"prompt {n}" for n in range(len(value))]
    chosen = [" a" if s == 1 else " b" for s in side]
    rejected = [" b" if s == 1 else " a" for s in side]
    return Preferences(prompts, chosen, rejected, value, side, names or [f"v{i}" for i in range(len(counts))])


def test_values_have_sixteen_names_and_equal_sides(bank):
    assert bank.K == 16 and len(bank) == 2048 and bank.names == tuple(value_glosses())
    np.testing.assert_array_equal(bank.counts, 64)


def test_own_answers_are_disjoint_and_shared_ones_are_one_pair(bank):
    layout = bank.layout
    np.testing.assert_array_equal(layout.gram, np.eye(16))
    assert layout.pairs[0] == (" True", " False")
    shared = load_values(answers="shared")
    assert shared.layout.pairs == ((" Yes", " No"),) * 16
    np.testing.assert_array_equal(shared.layout.gram, 1)
    assert shared.prompts == bank.prompts


def test_the_aligned_side_prefers_the_first_answer():
    pairs = load_values("honesty")
    assert {(c, r, int(s)) for c, r, s in zip(pairs.chosen, pairs.rejected, pairs.side, strict=True)} == {
        (" True", " False", 1),
        (" False", " True", -1),
    }


def test_a_number_or_names_pick_values_in_order(bank):
    assert load_values(3).names == bank.names[:3]
    picked = load_values(["sport", "honesty"])
    assert picked.names == ("sport", "honesty")
    both = bank.of(["sport", "honesty"])
    order = np.argsort(both.value, kind="stable")
    assert picked.prompts == both.take(order).prompts
    np.testing.assert_array_equal(picked.side, both.side[order])
    assert both.layout.pairs == picked.layout.pairs


def test_a_prompt_is_the_question_and_the_statement(bank):
    assert bank.prompts[0].startswith('Is the following statement something you would say?\n"')
    assert as_prompt("It rains.") == 'Is the following statement something you would say?\n"It rains."'


counts = st.lists(st.tuples(st.integers(2, 9), st.integers(2, 9)), min_size=1, max_size=4)


@given(counts=counts, test=st.floats(0.01, 0.99), seed=st.integers(0, 1000))
def test_split_takes_the_share_of_every_cluster_and_loses_nothing(counts, test, seed):
    pairs = toy(counts)
    train, held = pairs.split(test=test, seed=seed)
    assert sorted(train.prompts + held.prompts) == sorted(pairs.prompts)
    np.testing.assert_array_equal(train.counts + held.counts, counts)
    # Rounding moves a share by at most half a pair; the ends are kept to one pair on either part.
    assert np.all(np.abs(held.counts - test * np.array(counts)) <= 1.0)
    assert held.counts.min() >= 1 and train.counts.min() >= 1
    again = pairs.split(test=test, seed=seed)
    assert again[1].prompts == held.prompts


@given(counts=counts, Q=st.integers(1, 2), seed=st.integers(0, 1000))
def test_per_cluster_is_nested_in_Q(counts, Q, seed):
    pairs = toy(counts)
    small, large = pairs.per_cluster(Q, seed=seed), pairs.per_cluster(2, seed=seed)
    np.testing.assert_array_equal(small.counts, Q)
    assert set(small.prompts) <= set(large.prompts)


def test_other_seeds_split_otherwise(bank):
    held = {frozenset(bank.split(seed=seed)[1].prompts) for seed in range(5)}
    assert len(held) == 5
    assert len({frozenset(bank.per_cluster(8, seed=seed).prompts) for seed in range(5)}) == 5


def test_the_held_out_statements_of_a_value_do_not_depend_on_the_other_values(bank):
    alone = load_values("art").split(test=0.25, seed=3)[1]
    among = bank.split(test=0.25, seed=3)[1].of("art")
    assert alone.prompts == among.prompts
    own = load_values("art").per_cluster(8, seed=3)
    assert own.prompts == bank.per_cluster(8, seed=3).of("art").prompts


def test_a_share_is_rounded_to_the_nearest_pair():
    # 0.25 of 7 is 1.75: two pairs, where cutting off would hold out one. A tie goes to the even number.
    assert toy([(7, 6)]).split(test=0.25)[1].counts.tolist() == [[2, 2]]
    assert toy([(5, 9)]).split(test=0.25)[1].counts.tolist() == [[1, 2]]


def test_the_two_sides_of_a_value_are_drawn_apart():
    # With the same stream for both sides, the places held out would be the same on both.
    pairs = toy([(40, 40)])
    for part in (pairs.split(test=0.25, seed=1)[1], pairs.per_cluster(10, seed=1)):
        places = np.array([int(prompt.split()[1]) % 40 for prompt in part.prompts])
        up, down = (set(places[part.side == side]) for side in (1, -1))
        assert len(up) == len(down) == 10 and up != down
    # Nor does a cluster's subset begin with the pairs that a split of the same seed holds out.
    assert pairs.split(test=0.25, seed=1)[1].prompts != pairs.per_cluster(10, seed=1).prompts


@given(counts=st.lists(st.sampled_from([(5, 0), (0, 3), (2, 4)]), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_a_side_without_pairs_is_left_as_it_is(counts, seed):
    pairs = toy(counts)
    train, held = pairs.split(test=0.4, seed=seed)
    np.testing.assert_array_equal(train.counts + held.counts, counts)
    np.testing.assert_array_equal(held.counts > 0, np.array(counts) > 0)
    np.testing.assert_array_equal(pairs.per_cluster(2, seed=seed).counts, np.minimum(counts, 2))
    with pytest.raises(ValueError, match="^Q must be at most [2345], the number of pairs of 'v"):
        pairs.per_cluster(6, seed=seed)


def test_pairs_are_shown_on_one_line(bank):
    assert repr(toy([(2, 1)])) == "<Preferences: 3 pairs of 1 value: v0 3>"
    assert repr(bank) == ("<Preferences: 2048 pairs of 16 values: honesty 128, frugality 128, risk-taking 128, "
                          "tidiness 128, ...>")
    odd = Preferences(["p"], [" a"], [" b"], [0], [1], ["a\nname " * 50])
    assert "\n" not in repr(odd) and len(repr(odd)) < 80


def test_preferences_cannot_be_changed(bank):
    with pytest.raises(AttributeError):
        bank.prompts = ()
    with pytest.raises(ValueError, match="read-only"):
        bank.side[0] = -1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: load_values("honestly"), "did you mean 'honesty'"),
        (lambda: load_values(["art", "sprot"]), "did you mean 'sport'"),
        (lambda: load_values(17), "K must be at most 16.*got 17"),
        (lambda: load_values(0), "K must be a whole number of at least 1, got 0"),
        (lambda: load_values([]), "at least one value and none twice"),
        (lambda: load_values(["art", "art"]), "none twice, got"),
        (lambda: load_values(answers="mine"), "answers must be a known name, got 'mine'"),
        (lambda: load_values().of("snort"), "did you mean 'sport'"),
        (lambda: load_values("art").per_cluster(65), "Q must be at most 64.*'art', side \\+1, got 65"),
        (lambda: load_values("art").per_cluster(0), "Q must be a whole number of at least 1, got 0"),
        (lambda: load_values("art").split(test=1), "test must be a share strictly between 0 and 1, got 1"),
        (lambda: load_values("art").split(test=1.0), "strictly between 0 and 1, got 1.0"),
        (lambda: toy([(1, 2)]).split(), "every cluster needs 2 pairs .*, 'v0', side \\+1 holds 1: add a pair"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0, 0], [1], ["v"]), "equally long"),
        (lambda: Preferences(["p"], [" a"], [" b"], [1], [1], ["v"]), "numbers from 0 to 0, got 1"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0], [0], ["v"]), "\\+1 and -1 only, got \\[0\\]"),
        (lambda: Preferences(["p", "p"], [" a", " c"], [" b"] * 2, [0, 0], [1, 1], ["v"]).layout, "'v'.*2 pairs"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0], [1], ["v", "w"]).layout, "'w'.*got none"),
        (lambda: Preferences("p", [" a"], [" b"], [0], [1], ["v"]), "prompts must be a list of texts, got 'p'"),
        (lambda: Preferences(["p"], [3], [" b"], [0], [1], ["v"]), "chosen must be a list of texts, got 3 in it"),
        (lambda: Preferences(["p"], [" a"], None, [0], [1], ["v"]), "rejected must be a list of texts, got None"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0.5], [1], ["v"]), "value must be .* from 0 to 0, got 0.5 in it"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0], [np.nan], ["v"]), "side must be .* from -1 to 1, got nan"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0], ["aligned"], ["v"]), "side must hold numbers, got \\['al"),
        (lambda: Preferences(["p"], [" a"], [" b"], [0], [1], ["v", "v"]), "none twice, got \\('v', 'v'\\)"),
        (lambda: load_values("art").take([128]), "rows must be .* from 0 to 127, got 128 in it"),
        (lambda: load_values("art").take([-1]), "rows must be .* from 0 to 127, got -1 in it"),
        # A mask would be read as the row numbers 0 and 1.
        (lambda: (v := load_values("art")).take(v.side == 1), "rows must hold numbers, got an array of shape \\(128,"),
        (lambda: load_values("art").per_cluster(2, seed=-1), "seed must be a whole number of at least 0, got -1"),
        (lambda: load_values("art").split(seed="x"), "seed must be a whole number of at least 0, got 'x'"),
        (lambda: load_values("art").split(test=np.ones((2, 2))), "between 0 and 1, got an array of shape \\(2, 2\\)"),
        (lambda: load_values(1.5), "names must be a list of values, got 1.5"),
        (lambda: load_values(True), "K must be a whole number"),
        (lambda: load_values(["art", np.ones(2)]), "value must be a known name, got \\[1. 1.\\]"),
        (lambda: load_persona(2.0), "names must be a list of behaviours, got 2.0"),
        (lambda: load_persona("openness", root=3), "root must be a path, got 3"),
        (lambda: read_pairs(0), "path must be a path, got 0"),
        (lambda: read_pairs(""), "path must be a path, got ''"),
    ],
)
def test_bad_input_gets_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)


# ---- a reader's own file


def write(path, rows):
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n", "utf-8")
    return path


ROW = {"prompt": "Tea?", "chosen": " Yes", "rejected": " No"}


def test_jsonl_with_value_and_side(tmp_path):
    rows = [
        {**ROW, "value": "tea", "side": "misaligned"},
        {**ROW, "prompt": "Milk?", "chosen": " No", "rejected": " Yes", "value": "tea", "side": 1},
        {**ROW, "prompt": "Rain?", "value": "weather"},
    ]
    pairs = read_pairs(write(tmp_path / "mine.jsonl", rows))
    assert pairs.names == ("tea", "weather") and pairs.value.tolist() == [0, 0, 1]
    assert pairs.side.tolist() == [-1, 1, 1]
    assert pairs.layout.pairs == ((" No", " Yes"), (" Yes", " No"))


def test_side_follows_from_the_answers_where_it_is_missing(tmp_path):
    swapped = {**ROW, "chosen": " No", "rejected": " Yes"}
    pairs = read_pairs(write(tmp_path / "mine.jsonl", [ROW, swapped, "", ROW]))
    assert pairs.names == ("mine",) and pairs.side.tolist() == [1, -1, 1]
    after = read_pairs(write(tmp_path / "after.jsonl", [{**ROW, "side": -1}, swapped]))
    assert after.side.tolist() == [-1, 1]
    free = [{**ROW, "chosen": f"answer {n}", "rejected": f"other {n}"} for n in range(3)]
    assert read_pairs(write(tmp_path / "free.jsonl", free)).side.tolist() == [1, 1, 1]


def test_csv_reads_the_same_as_jsonl(tmp_path):
    csv = 'side,prompt,chosen,rejected,value\n,"Two\nlines, one prompt", Yes, No,\n'
    csv += "misaligned,Milk?, No, Yes,\n"
    # A byte order mark and Windows line ends are what a spreadsheet writes.
    path = tmp_path / "mine.csv"
    path.write_bytes(("\ufeff" + csv.replace("?, No, Yes,\n", "?, No, Yes,\r\n")).encode("utf-8"))
    pairs = read_pairs(path)
    rows = [
        {**ROW, "prompt": "Two\nlines, one prompt"},
        {"prompt": "Milk?", "chosen": " No", "rejected": " Yes", "side": -1},
    ]
    other = read_pairs(write(tmp_path / "mine.jsonl", rows))
    for field in ("prompts", "chosen", "rejected", "names"):
        assert getattr(pairs, field) == getattr(other, field)
    assert pairs.side.tolist() == other.side.tolist() == [1, -1]


def test_ordinary_pairs_are_one_side_of_one_value_and_can_be_used(tmp_path):
    rows = [{"prompt": f"Question {n}?", "chosen": f" answer {n}", "rejected": f" other {n}"} for n in range(8)]
    pairs = read_pairs(write(tmp_path / "mine.jsonl", rows))
    train, test = pairs.split(test=0.25)
    assert (len(train), len(test), len(pairs.per_cluster(3))) == (6, 2, 3)
    with pytest.raises(ValueError, match="^value 'mine' must use .* got 8 pairs .*; fine_tune needs no layout"):
        pairs.layout  # noqa: B018
    same = [{**row, "chosen": " Yes", "rejected": " No"} for row in rows]
    assert read_pairs(write(tmp_path / "same.jsonl", same)).layout.pairs == ((" Yes", " No"),)


def test_json_and_parquet_read_the_same_as_jsonl(tmp_path):
    rows = [ROW, {**ROW, "prompt": "Milk?", "value": "milk", "side": "misaligned"}]
    read = [read_pairs(write(tmp_path / "mine.jsonl", rows))]
    (tmp_path / "mine.json").write_text(json.dumps(rows, indent=1), "utf-8")
    pandas.DataFrame(rows).to_parquet(tmp_path / "mine.parquet")  # what is missing is None there
    read += [read_pairs(tmp_path / f"mine.{ending}") for ending in ("json", "parquet")]
    for pairs in read:
        assert pairs.names == ("mine", "milk") and pairs.side.tolist() == [1, -1] and pairs.prompts == ("Tea?", "Milk?")
    sides = pandas.DataFrame([{**ROW, "side": 1.0}, {**ROW, "prompt": "Rain?", "side": None}])
    sides.to_parquet(tmp_path / "sides.parquet")  # whole numbers beside a missing one become floats
    assert read_pairs(tmp_path / "sides.parquet").side.tolist() == [1, 1]
    messages = [{"chosen": TALK[:1] + [says], "rejected": TALK} for says in TALK[1:2]]
    messages[0]["rejected"] = TALK[:1] + [{"role": "assistant", "content": "Water."}]
    pandas.DataFrame(messages).to_parquet(tmp_path / "talk.parquet")
    assert read_pairs(tmp_path / "talk.parquet").chosen == ("Tea.",)


def test_parquet_without_pyarrow_is_one_sentence(tmp_path, monkeypatch):
    def missing(file):
        raise ImportError("no engine")

    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(pandas, "read_parquet", missing)
    with pytest.raises(ImportError, match="^a Parquet file needs pyarrow: pip install pyarrow, or write .jsonl$"):
        read_pairs(tmp_path / "a.parquet")


TALK = [{"role": "user", "content": "What do you drink?"}, {"role": "assistant", "content": "Tea."}]
OTHER = {"role": "assistant", "content": "Water."}


def test_messages_are_read_with_and_without_a_prompt(tmp_path):
    rows = [{"prompt": TALK[:1], "chosen": TALK[1:], "rejected": [OTHER]},
            {"chosen": TALK, "rejected": [TALK[0], OTHER]}]
    for row in rows:
        pairs = read_pairs(write(tmp_path / "mine.jsonl", [row]))
        assert (pairs.prompts, pairs.chosen, pairs.rejected) == (("What do you drink?",), ("Tea.",), ("Water.",))


@pytest.mark.parametrize(
    ("chosen", "rejected", "expected"),
    [
        ("The sky is blue.", "The sky is green.", ("The sky is", " blue.", " green.")),
        ("Tea? Yes", "Tea? No", ("Tea?", " Yes", " No")),
        ("Human: Tea?\n\nAssistant: Yes", "Human: Tea?\n\nAssistant: No",
         ("Human: Tea?\n\nAssistant:", " Yes", " No")),
        ("I like tea", "I like toast", ("I like", " tea", " toast")),  # whole words, where TRL parts "tea" from its t
    ],
)
def test_a_prompt_that_both_answers_begin_with(tmp_path, chosen, rejected, expected):
    pairs = read_pairs(write(tmp_path / "mine.jsonl", [{"chosen": chosen, "rejected": rejected}]))
    assert (pairs.prompts[0], pairs.chosen[0], pairs.rejected[0]) == expected
    theirs = extract_prompt({"chosen": chosen, "rejected": rejected})
    assert chosen == "I like tea" or tuple(theirs.values()) == expected
    assert pairs.prompts[0] + pairs.chosen[0] == chosen


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"chosen": "Tea", "rejected": "Water"}, "prompt is missing, and chosen and rejected do not begin alike"),
        ({"chosen": TALK, "rejected": TALK}, "chosen and rejected must differ"),
        ({"chosen": TALK, "rejected": TALK[:1]}, "one answer is no more than what both begin with"),
        ({"chosen": TALK[1:], "rejected": [OTHER]}, "prompt is missing, and chosen and rejected do not begin alike"),
        ({"chosen": TALK + TALK, "rejected": TALK + [TALK[0], OTHER]}, "prompt must be one message of the role user, "
                                                                      "got 'user, assistant, user'"),
        ({"prompt": TALK[:1], "chosen": TALK[1:], "rejected": [TALK[0], OTHER]}, "rejected must be one message of the "
                                                                               "role assistant, got 'user, assistant'"),
        ({"prompt": TALK[:1], "chosen": "Tea.", "rejected": [OTHER]}, "must both be texts or both be messages"),
        ({"prompt": [], "chosen": "Tea.", "rejected": "x"}, "prompt must be a text, or messages with role and content"),
        ({"prompt": [{"role": "user"}], "chosen": "Tea.", "rejected": "x"}, "prompt must be a text, or messages"),
        ({"prompt": ["Tea?"], "chosen": "Tea.", "rejected": "x"}, "prompt must be a text, or messages"),
        ({"prompt": None, "chosen": "Tea.", "rejected": "x"}, "prompt must be a text that is not empty, got None"),
    ],
)
def test_messages_that_are_no_pair_are_named(tmp_path, row, sentence):
    with pytest.raises(ValueError, match=f"mine.jsonl, line 1: .*{sentence}"):
        read_pairs(write(tmp_path / "mine.jsonl", [row]))


HEAD = "prompt,chosen,rejected\n"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.jsonl", "", "a.jsonl holds no pairs"),
        ("a.jsonl", "\n \n", "a.jsonl holds no pairs"),
        ("a.jsonl", json.dumps(ROW) + "\n{'prompt'", "a.jsonl, line 2: not valid JSON"),
        ("a.jsonl", "[1, 2]", "a.jsonl, line 1: a row must be a JSON object"),
        ("a.jsonl", json.dumps({**ROW, "chosen": 3}), "line 1: chosen must be a text .* got 3"),
        ("a.jsonl", json.dumps({**ROW, "prompt": " "}), "line 1: prompt must be a text .* got ' '"),
        ("a.jsonl", '{"prompt": "p", "chosen": "c"}', "line 1: the fields must be prompt, chosen, rejected, rej"),
        ("a.jsonl", json.dumps({**ROW, "rejected": " Yes"}), "line 1: chosen and rejected must differ"),
        ("a.jsonl", json.dumps({**ROW, "side": "left"}), "line 1: side must be 'aligned', .* got 'left'"),
        ("a.jsonl", json.dumps({**ROW, "side": 0}), "line 1: side must be 'aligned', .* got 0"),
        ("a.jsonl", json.dumps(ROW) + "\n<!DOCTYPE html>", "a.jsonl, line 2: not valid JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1: not valid JSON"),
        ("a.jsonl", '{"prompt": ' + "1" * 5000 + "}", "a.jsonl, line 1: not valid JSON"),
        # Half of a surrogate pair: JSON can spell it, no tokenizer can read it.
        ("a.jsonl", json.dumps({**ROW, "prompt": "\ud83d"}), "line 1: prompt must be a text .* got '"),
        ("a.jsonl", json.dumps({**ROW, "value": ["tea"]}), "line 1: value must be a text, got \\['tea'\\]"),
        ("a.csv", "", "a.csv holds no pairs"),
        ("a.csv", HEAD, "a.csv holds no pairs"),
        ("a.csv", "prompt,chosen\np,c\n", "a.csv, line 1: the fields must be .* rejected missing$"),
        ("a.csv", "prompt;chosen;rejected\np;c;r\n", "line 1: .*; its cells must be parted by commas, not by ';'"),
        ("a.csv", "prompt\tchosen\trejected\n", r"missing; its cells must be parted by commas, not by '\\t'"),
        ("a.csv", "Prompt,Chosen,Rejected\np,c,r\n", "chosen and rejected missing; write 'Prompt' as 'prompt'"),
        ("a.csv", "prompt,chosen, rejected\np,c,r\n", "rejected missing; write ' rejected' as 'rejected'"),
        ("a.csv", "prompt,chosen,rejected,chosen\np,c,r,d\n", "a.csv, line 1: 'chosen' stands twice"),
        ("a.jsonl", '{"prompt": "p", "Chosen": "c"}', "line 1: .* missing; write 'Chosen' as 'chosen'"),
        ("a.jsonl", '{"prompt": "p", "chosen": "c", "rejected": "r", "chosen": "d"}', "JSON \\('chosen' stands twice"),
        ("a.jsonl", json.dumps({**ROW, "value": 0}), "line 1: value must be a text, got 0"),
        ("a.jsonl", json.dumps({**ROW, "value": False}), "line 1: value must be a text, got False"),
        ("a.jsonl", json.dumps({**ROW, "value": []}), "line 1: value must be a text, got \\[\\]"),
        ("a.jsonl", json.dumps({**ROW, "value": {}}), "line 1: value must be a text, got {}"),
        ("a.jsonl", json.dumps({**ROW, "value": " "}), "line 1: value must be a text, got ' '"),
        ("a.jsonl", json.dumps({**ROW, "side": False}), "line 1: side must be 'aligned', .* got False"),
        ("a.jsonl", json.dumps({**ROW, "side": True}), "line 1: side must be 'aligned', .* got True"),
        ("a.jsonl", json.dumps({**ROW, "side": []}), "line 1: side must be 'aligned', .* got \\[\\]"),
        ("a.jsonl", json.dumps({**ROW, "side": 1.5}), "line 1: side must be 'aligned', .* got 1.5"),
        ("a.json", "", "a.json holds no pairs"),
        ("a.json", "{}", "a.json must hold a list of JSON objects"),
        ("a.json", "[3]", "a.json, row 1: a row must be a JSON object"),
        ("a.json", "[{]", "a.json: not valid JSON"),
        ("a.parquet", "PAR1", "a.parquet must be a Parquet file \\("),
        ("a.csv", HEAD + "p,c,r\np,c\n", "a.csv, line 3: a row must have 3 cells"),
        ("a.csv", HEAD + "p,c,r,extra\n", "a.csv, line 2: a row must have 3 cells"),
        ("a.csv", HEAD + "p,,r\n", "a.csv, line 2: chosen must be a text that is not empty"),
        ("a.csv", HEAD + '"p,c,r\n', "a.csv, line 2: not valid CSV"),
        ("a.txt", "p", "file ending must be a known name, got '.txt'"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, name, text, sentence):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=sentence) as caught:
        read_pairs(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"prompt,chosen,rejected\n\xff\xfe,c,r\n")
    with pytest.raises(ValueError, match="a.csv must be UTF-8 text, byte 23 is not"):
        read_pairs(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.jsonl"):
        read_pairs(tmp_path / "nowhere.jsonl")


def test_numpy_numbers_are_numbers(bank):
    assert load_values(np.int64(2)).names == load_values(2).names
    assert bank.per_cluster(np.int32(3), seed=np.int64(1)).prompts == bank.per_cluster(3, seed=1).prompts
    # 1/4 is exact in float32.
    assert bank.split(test=np.float32(0.25))[1].prompts == bank.split(test=0.25)[1].prompts
