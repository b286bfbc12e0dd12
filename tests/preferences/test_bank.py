"""The value bank keeps its rules: counts, lengths, variety, no value named in its own sentences."""

import json
import re
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from helpers.preferences.bank import value_glosses

FOLDER = files("helpers").joinpath("data")
NAMES = tuple(value_glosses())
A_SIDE = 64

# What no statement of a value may hold: words that begin so, or, with a closing \b, the word alone.
STEMS = {
    "honesty": r"honest|dishonest",
    "frugality": r"frugal",
    "risk-taking": r"risk",
    "tidiness": r"tidy|tidi|untid",
    "punctuality": r"punctual|unpunctual",
    "curiosity": r"curio|incurio",
    "privacy": r"priva",
    "tradition": r"tradition",
    "competition": r"compet",
    "solitude": r"solitud|solitar",
    "nature": r"nature|natural|unnatural",
    "technology": r"tech",
    "art": r"arts?\b|artist|artwork|arty\b|artful",
    "sport": r"sports?\b|sporty|sporti",
    "spontaneity": r"spontan",
    "generosity": r"generous|generos|ungenerous",
}


def words(statement):
    return re.findall(r"[a-z0-9']+", statement.lower())


@pytest.fixture(scope="module")
def bank():
    """By value, the records of its file."""
    texts = {name: FOLDER.joinpath(f"values/{name}.jsonl").read_text("ascii") for name in NAMES}
    return {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items()}


@pytest.fixture(scope="module")
def statements(bank):
    return [(name, record["statement"]) for name in NAMES for record in bank[name]]


def test_there_is_a_file_for_every_registered_value_and_no_other():
    found = {path.name for path in FOLDER.joinpath("values").iterdir()}
    assert found == {f"{name}.jsonl" for name in NAMES} and len(NAMES) == 16
    assert set(STEMS) == set(NAMES)


def test_registered_answers_are_distinct_words_with_a_leading_space():
    registry = json.loads(FOLDER.joinpath("values.json").read_text("utf-8"))
    answers = [answer for entry in registry.values() for answer in entry["answers"]]
    assert len(set(answers)) == 32
    assert all(re.fullmatch(r" [A-Za-z]+", answer) for answer in answers)
    assert all(entry["gloss"].strip() for entry in registry.values())


def test_2048_statements_in_equal_sides_aligned_first(statements, bank):
    assert len(statements) == 2048
    for name, records in bank.items():
        sides = [record["side"] for record in records]
        assert sides == ["aligned"] * A_SIDE + ["misaligned"] * A_SIDE, name
        assert all(set(record) == {"side", "statement"} for record in records), name


def test_statements_are_plain_sentences_of_8_to_25_words(statements):
    for name, text in statements:
        assert 8 <= len(text.split()) <= 25, (name, text)
        assert text.isascii() and text.endswith(".") and text == " ".join(text.split()), (name, text)
        assert '"' not in text and not re.search(r"(?<!\w)'", text), (name, text)
        assert text[0].isupper(), (name, text)


def test_no_statement_names_its_value(statements):
    named = [(name, text) for name, text in statements if re.search(rf"\b(?:{STEMS[name]})", text.lower())]
    assert named == []


def test_no_duplicates_or_near_duplicates_in_the_whole_bank(statements):
    sets = [set(words(text)) for _, text in statements]
    vocabulary = {word: n for n, word in enumerate(sorted(set().union(*sets)))}
    rows = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    columns = [vocabulary[word] for s in sets for word in s]
    table = csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)))
    common = (table @ table.T).toarray()
    sizes = np.diag(common)
    jaccard = common / (sizes[:, None] + sizes - common)
    np.fill_diagonal(jaccard, 0)
    close = [(statements[i][1], statements[j][1]) for i, j in np.argwhere(np.triu(jaccard) >= 0.5)]
    assert close == []


def test_no_two_statements_share_six_words_in_a_row(statements):
    seen, shared = {}, []
    for n, (_, text) in enumerate(statements):
        sequence = words(text)
        for k in range(len(sequence) - 5):
            run = tuple(sequence[k : k + 6])
            if seen.setdefault(run, n) != n:
                shared.append((" ".join(run), statements[seen[run]][1], text))
    assert shared == []


@pytest.mark.parametrize("name", NAMES)
def test_openings_vary(bank, name):
    starts = Counter(tuple(words(record["statement"])[:2]) for record in bank[name])
    assert starts.most_common(1)[0][1] <= 6, starts.most_common(3)
    # One word in common at the start: at most two thirds of the file, so that "I ..." is not the rule.
    first = Counter(words(record["statement"])[0] for record in bank[name])
    assert first.most_common(1)[0][1] <= 2 / 3 * 2 * A_SIDE, first.most_common(3)


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_are_alike_in_length_and_denial(bank, name):
    def mean(count, side):
        return np.mean([count(r["statement"]) for r in bank[name] if r["side"] == side])

    def length(text):
        return len(text.split())

    def denies(text):
        return any(word in {"not", "never", "no"} or word.endswith("n't") for word in words(text))

    # A reader, or a model, should not tell the sides by length (2 words of about 15) ...
    assert abs(mean(length, "aligned") - mean(length, "misaligned")) < 2
    # ... or by counting denials, although people do use them to say what they do not care for: a rule that goes
    # by denials alone is right on less than half of one side beyond chance.
    assert abs(mean(denies, "aligned") - mean(denies, "misaligned")) < 1 / 2


@pytest.mark.parametrize("name", NAMES)
def test_no_single_word_gives_the_side_away(bank, name):
    holds = {
        side: Counter(w for r in bank[name] if r["side"] == side for w in set(words(r["statement"])))
        for side in ("aligned", "misaligned")
    }
    for word in set(holds["aligned"]) | set(holds["misaligned"]):
        # Guessing by one word's presence is right on 64 + (difference) of 128: here below 70 %.
        assert abs(holds["aligned"][word] - holds["misaligned"][word]) < 26, word


@pytest.mark.model
def test_every_answer_is_one_token_of_the_default_model():
    from helpers.llm.loading import load_llm

    llm = load_llm()
    registry = json.loads(FOLDER.joinpath("values.json").read_text("utf-8"))
    answers = [" Yes", " No"] + [answer for entry in registry.values() for answer in entry["answers"]]
    tokens = [llm.token(answer) for answer in answers]
    assert len(set(tokens)) == 34
    # The oracle: the tokenizer gives one token for the answer and its text is the answer again.
    for answer, token in zip(answers, tokens, strict=True):
        assert llm.tokenizer.encode(answer, add_special_tokens=False) == [token]
        assert llm.tokenizer.decode([token]) == answer
