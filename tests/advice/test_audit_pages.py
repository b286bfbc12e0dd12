"""The audit from file to page: all formats, hostile texts, bad input, the command line, the real model."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

from book.tools.site import launch
from helpers.advice import PairReport, ValueReport, audit_file, audit_preferences
from helpers.advice.__main__ import main
from helpers.advice.page import clean, page
from helpers.advice.value_report import check_layout
from helpers.llm import load_llm
from helpers.preferences import Preferences, example_pairs, example_swaps, load_values
from helpers.records import recorded
from pages import overflow, violations

pytestmark = pytest.mark.slow  # `make check` has no time for it

HOSTILE = [
    "<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", "\"'><svg onload=alert(1)>", "&lt;b&gt;",
    "\u202eevil", "a" * 900, "line\nbreak\x00\x07", "javascript:alert(1)", "<!-- -->]]>", "ünï🙂 \u2028",
]


@pytest.fixture(scope="module")
def tiny():
    return load_llm("tiny")


def soup_of(path):
    text = path.read_text("utf-8")
    found = BeautifulSoup(text, "html.parser")
    policy = found.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy and "script" not in policy
    assert not found.find_all(["script", "link", "iframe", "img", "object", "form", "base"])
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import""", text)  # nothing is asked of any network
    assert not [name for tag in found.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert {tag.name for tag in found.find_all(True)} <= set(
        "html head meta title style body main p h1 h2 h3 div b span section svg line circle rect polyline polygon "
        "text ul li "
        "ol article small code figure figcaption table tr td th q".split())
    return found


def test_pages_of_pairs_hold_all_texts_escaped(tmp_path, tiny):
    texts = (HOSTILE * 2)[:14]
    pairs = Preferences([f"{said} ?" for said in texts], [f"{said} yes" for said in texts],
                        [f"no {said}" for said in texts], [0] * 7 + [1] * 7, [1] * 14, ("<script>a</script>", "b\"'&<"))
    report = audit_preferences(pairs, tiny, tmp_path / "page.html", title="<script>t</script>")
    assert isinstance(report, PairReport) and report.judged.matrix is not None
    found = soup_of(tmp_path / "page.html")
    assert "<script>t</script>" in found.h1.text and "\u202e" not in found.text and "\x00" not in found.text
    shown = {int(card.h3.text.split(".")[0]) - 1 for card in found.find_all("article")}
    assert shown <= set(report.judged.hard + report.judged.weak) and shown >= set(report.judged.hard[:12])


def test_pages_of_values_hold_all_texts_escaped(tmp_path, tiny):
    bank = load_values(3, answers="shared").per_cluster(9)
    names = ("<script>a</script>", "b\"'&<", "\u202ec")
    odd = Preferences([f"{HOSTILE[j % 10]} {said}" for j, said in enumerate(bank.prompts)], bank.chosen, bank.rejected,
                      bank.value, bank.side, names)
    report = audit_preferences(odd, tiny, tmp_path / "page.html")
    assert isinstance(report, ValueReport)
    found = soup_of(tmp_path / "page.html")
    assert len(found.find_all("figure")) == 3 and "first step" in found.text and "\u202e" not in found.text
    assert "of the last layer" in found.text  # what training the numbers are of


def test_every_format_gives_the_same_page(tmp_path, tiny):
    rows = [dict(prompt=f"What is {j}?", chosen=f"It is number {j}.", rejected="It is nothing.") for j in range(8)]
    messages = [{"prompt": [{"role": "user", "content": row["prompt"]}]} | {
        name: [{"role": "assistant", "content": row[name]}] for name in ("chosen", "rejected")} for row in rows]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "trl.jsonl").write_text("\n".join(map(json.dumps, messages)))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    names = ["a.jsonl", "trl.jsonl", "a.json", "a.csv"]
    try:
        pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
        names.append("a.parquet")
    except ImportError:
        pass
    reports = [audit_file(tmp_path / name, "tiny") for name in names]
    for report in reports[1:]:
        np.testing.assert_array_equal(report.judged.force, reports[0].judged.force)


def test_the_command_line_writes_the_page_and_says_one_sentence_else(tmp_path, capsys):
    rows = [dict(prompt=f"Number {j}?", chosen=f"Yes {j} it is.", rejected="No.") for j in range(5)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    out = tmp_path / "deep" / "page.html"
    assert main([str(tmp_path / "a.jsonl"), "--model", "tiny", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "of 5 pairs should move the right way at the first step" in said.out and soup_of(out).h1.text == "a.jsonl"
    (tmp_path / "b.jsonl").write_text('{"prompt": "a", "chosen": "b"}\n')
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows[:2])))
    for arguments, words in ((["b.jsonl"], "rejected missing"), (["c.jsonl"], "at least 3 pairs"),
                             (["none.jsonl"], "none.jsonl"), (["a.jsonl", "--target", "2"], "target must"),
                             (["a.jsonl", "--kind", "values"], "pair")):
        assert main([str(tmp_path / arguments[0]), "--model", "tiny", "--out", str(out), *arguments[1:]]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("audit: ") and words in error, error


@pytest.mark.slow
def test_the_command_runs_as_a_module(tmp_path):
    rows = [dict(prompt=f"Number {j}?", chosen=f"Yes {j} it is.", rejected="No.") for j in range(5)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    command = [sys.executable, "-m", "helpers.advice", tmp_path / "a.jsonl", "--model", "tiny"]
    done = subprocess.run([*command, "--out", tmp_path / "p.html"], capture_output=True, text=True)
    assert done.returncode == 0 and (tmp_path / "p.html").exists(), done.stderr


def test_one_token_answers_without_values_and_values_without_balance(tmp_path, tiny):
    bank = load_values(2, answers="shared").per_cluster(12)
    assert isinstance(audit_preferences(bank.take(range(0, 12)), tiny), PairReport)  # one side alone
    lop = bank.take([j for j in range(len(bank)) if j not in (0, 1)])
    report = audit_preferences(lop, tiny, tmp_path / "p.html")
    assert report.unbalanced == [0] and "not equally many" in soup_of(tmp_path / "p.html").text


def test_the_check_predicts_what_it_finds_where_the_truth_is_known():
    from types import SimpleNamespace

    from helpers.layouts import disjoint
    from helpers.mixture import ValueMixture

    mixture = ValueMixture(disjoint(2), 30, 0.6, 1.0)
    sample = mixture.sample(80, np.random.default_rng(0))
    found = check_layout(sample.x, SimpleNamespace(value=sample.value, side=sample.side), disjoint(2), steps=50)
    assert found.Q == 60
    # 320 statements: standard error .015 for a share of .08, and what the pilot leaves open
    assert found.first[-1] == pytest.approx(found.predicted[-1], abs=0.05)
    assert (found.late_low <= found.late).all() and (found.late <= found.late_high).all()


def test_texts_are_cleaned_and_cut():
    assert clean("<a & b>") == "&lt;a &amp; b&gt;" and clean("x " * 50, 10) == "x x x x x …"
    text = page(title="<t>", about="&", verdict=[], numbers=[], sections=[("<h>", "<p>x</p>"), ("left out", "")])
    assert "&lt;t&gt;" in text and "&lt;h&gt;" in text and "left out" not in text


def test_the_example_pairs_are_what_they_are_said_to_be():
    pairs, swapped = example_pairs(), example_swaps()
    assert len(pairs) == 40 and np.flatnonzero(swapped).tolist() == sorted(
        np.random.default_rng(20).choice(40, 4, replace=False).tolist())  # drawn by lot, not chosen
    words = [len(a.split()) - len(b.split()) for a, b in zip(pairs.chosen, pairs.rejected, strict=True)]
    assert sum((d > 0) != s for d, s in zip(words, swapped, strict=True)) == 15
    assert max(len(a.split()) for a in (*pairs.chosen, *pairs.rejected)) <= 30


@pytest.mark.model
@pytest.mark.slow
def test_the_example_pairs_on_the_real_model(tmp_path):
    report = audit_preferences(example_pairs(), load_llm(), tmp_path / "p.html")
    pushes = np.array(recorded("audit_pairs")["pushes"])
    np.fill_diagonal(pushes, 0)
    np.testing.assert_allclose(report.judged.matrix, pushes, rtol=2e-3, atol=1e-4 * np.abs(pushes).max())
    soup_of(tmp_path / "p.html")


@pytest.mark.pages
@pytest.mark.parametrize("width, scheme", [(960, "light"), (390, "dark")])
def test_pages_are_clean_for_axe_and_ask_for_nothing(tmp_path, tiny, width, scheme):
    audit_preferences(example_pairs(), tiny, tmp_path / "pairs.html")
    audit_preferences(load_values(5, answers="shared").per_cluster(9), tiny, tmp_path / "values.html")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name in ("pairs.html", "values.html"):
            # axe is a script: the page's own policy would keep it out.
            page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme,
                                       bypass_csp=True).new_page()
            asked = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto((tmp_path / name).as_uri())
            assert violations(page) == [] and overflow(page) == 0
            assert [url for url in asked if not url.startswith("file:")] == []
        browser.close()
