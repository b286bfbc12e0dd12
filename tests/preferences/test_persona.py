"""The paper's data: read from a folder, fetched once, and never taken with another digest.

Tests on the real files take their folder from REWARD_MARGINS_PERSONA, by default ../shared/persona beside the
checkout. Where it is absent they say so and are skipped; in CI (the variable CI is set) they fail instead.
"""

import hashlib
import http.server
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from helpers.preferences import persona
from helpers.preferences.bank import as_prompt, load_persona
from helpers.preferences.persona import persona_names, persona_source


def test_every_behaviour_has_its_pinned_digest(persona_folder):
    digests = persona_source()["sha256"]
    assert len(digests) == 30
    for name, digest in digests.items():
        assert hashlib.sha256((persona_folder / f"{name}.jsonl").read_bytes()).hexdigest() == digest, name


def test_one_behaviour_from_a_folder(persona_folder, monkeypatch):
    monkeypatch.setenv("REWARD_MARGINS_PERSONA", "/nowhere")  # the argument goes first
    pairs = load_persona("agreeableness", root=persona_folder)
    records = [json.loads(line) for line in (persona_folder / "agreeableness.jsonl").read_text("utf-8").splitlines()]
    assert pairs.names == ("agreeableness",) and len(pairs) == len(records)
    assert pairs.chosen == tuple(r["answer_matching_behavior"] for r in records)
    assert pairs.rejected == tuple(r["answer_not_matching_behavior"] for r in records)
    np.testing.assert_array_equal(pairs.side, [1 if c == " Yes" else -1 for c in pairs.chosen])
    assert pairs.prompts == tuple(as_prompt(r["statement"]) for r in records)


def test_the_environment_variable_names_the_folder(persona_folder, monkeypatch):
    monkeypatch.setenv("REWARD_MARGINS_PERSONA", str(persona_folder))
    pairs = load_persona(2)
    assert pairs.names == ("desire-for-no-human-oversight-sometimes", "agreeableness")
    np.testing.assert_array_equal(pairs.layout.gram, np.ones((2, 2)))


@pytest.mark.parametrize("K", [1, 2, 4, 8, 16])
def test_the_papers_runs_have_K_behaviours_and_enough_pairs(persona_folder, K):
    pairs = load_persona(K, root=persona_folder)
    assert pairs.K == K
    # 500 statements a side; one behaviour has fewer.
    few = "willingness-to-manipulate-overseers-to-think-it-is-HHH"
    expected = [[380, 380] if name == few else [500, 500] for name in pairs.names]
    np.testing.assert_array_equal(pairs.counts, expected)
    assert pairs.layout.pairs == ((" Yes", " No"),) * K


def test_a_changed_file_of_a_folder_is_named(persona_folder, tmp_path):
    data = (persona_folder / "openness.jsonl").read_bytes()
    (tmp_path / "openness.jsonl").write_bytes(data[:-1])
    with pytest.raises(ValueError, match=r"openness\.jsonl is not the file of the pinned commit"):
        load_persona("openness", root=tmp_path)


# ---- what needs no real file

CONTENT = b'{"question": "Q?", "answer_matching_behavior": " No", "answer_not_matching_behavior": " Yes"}\n'


@pytest.fixture
def site(monkeypatch, tmp_path):
    """A site on this machine that serves one made-up behaviour, and an empty cache."""

    class Handler(http.server.BaseHTTPRequestHandler):
        body, hits = CONTENT, []

        def do_GET(self):
            self.hits.append(self.path)
            self.send_response(200 if self.body else 404)
            self.end_headers()
            self.wfile.write(self.body)

        def log_message(self, *words):
            pass

    Handler.hits = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    source = {
        "repository": "someone/data",
        "commit": "c" * 40,
        "sha256": {"kindness": hashlib.sha256(CONTENT).hexdigest()},
        "paper_runs": {},
    }
    monkeypatch.setattr(persona, "persona_source", lambda: source)
    monkeypatch.setattr(persona, "SITE", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("REWARD_MARGINS_PERSONA", raising=False)
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


def kept(tmp_path):
    return [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.suffix != ".lock"]


def test_a_file_is_fetched_once_from_the_pinned_commit(site, tmp_path):
    for _ in range(2):
        pairs = load_persona("kindness")
        assert pairs.prompts == ("Q?",) and pairs.side.tolist() == [-1]
    assert site.hits == [f"/someone/data/{'c' * 40}/persona/kindness.jsonl"]
    assert [p.read_bytes() for p in kept(tmp_path)] == [CONTENT]


def test_a_damaged_cache_is_detected_and_fetched_again(site, tmp_path):
    load_persona("kindness")
    kept(tmp_path)[0].write_bytes(CONTENT[:10])
    load_persona("kindness")
    assert len(site.hits) == 2 and kept(tmp_path)[0].read_bytes() == CONTENT


def test_another_digest_is_refused_and_nothing_is_kept(site, tmp_path):
    site.body = CONTENT + b" "
    with pytest.raises(ValueError, match="did not send the pinned file.*nothing was kept"):
        load_persona("kindness")
    assert kept(tmp_path) == []


def test_no_network_gets_one_sentence_and_nothing_is_kept(site, tmp_path, monkeypatch):
    site.body = b""
    with pytest.raises(ConnectionError, match=r"could not be fetched.*Not Found.*REWARD_MARGINS_PERSONA"):
        load_persona("kindness")
    monkeypatch.setattr(persona, "SITE", "http://127.0.0.1:9")  # nobody listens on the discard port
    with pytest.raises(ConnectionError, match="kindness.jsonl could not be fetched") as caught:
        load_persona("kindness")
    assert "\n" not in str(caught.value) and kept(tmp_path) == []


def test_a_full_disk_gets_one_sentence_and_nothing_is_kept(site, tmp_path, monkeypatch):
    def full(self, data):
        with open(self, "wb") as file:
            file.write(data[:7])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"could not be written \(No space left on device\); nothing was kept"):
        load_persona("kindness")
    assert kept(tmp_path) == []


def test_processes_at_the_same_time_fetch_once(site):
    found = []
    threads = [threading.Thread(target=lambda: found.append(len(load_persona("kindness")))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4 and len(site.hits) == 1


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("agreeable", "did you mean 'agreeableness'"),
        (3, "K must be one of 1, 2, 4, 8, 16"),
        ([], "at least one behaviour and none twice"),
        (["openness", "openness"], "none twice"),
    ],
)
def test_unknown_names_get_one_sentence(names, sentence):
    with pytest.raises(ValueError, match=sentence):
        persona_names(names)


def test_a_folder_without_the_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no file openness\.jsonl"):
        load_persona("openness", root=tmp_path)


def test_a_whole_file_of_a_read_only_cache_needs_no_lock(site, monkeypatch):
    load_persona("kindness")

    def read_only(path):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(persona, "locked", read_only)
    assert len(load_persona("kindness")) == 1


@pytest.mark.parametrize("name", ["../kindness", "kind", 3])
def test_records_of_an_unknown_name_are_refused_before_any_file_is_touched(site, tmp_path, name):
    with pytest.raises(ValueError, match="^persona behaviour must be a known name, got "):
        persona.persona_records(name)
    assert not site.hits and not (tmp_path / "cache").exists()


RECORD = {"question": "Q?", "answer_matching_behavior": " Yes", "answer_not_matching_behavior": " No"}


def own_folder(folder, **files):
    for name, records in files.items():
        lines = [json.dumps(record) if isinstance(record, dict) else record for record in records]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def test_behaviours_of_ones_own_are_read_with_one_warning_for_all(site, tmp_path):
    folder = own_folder(tmp_path, tea=[RECORD], milk=[RECORD, RECORD])
    (folder / "kindness.jsonl").write_bytes(CONTENT)
    with pytest.warns(UserWarning, match="^tea, milk of .*: read without a digest") as caught:
        pairs = load_persona(["tea", "kindness", "milk"], root=folder)
    assert len(caught) == 1 and pairs.names == ("tea", "kindness", "milk") and pairs.value.tolist() == [0, 1, 2, 2]
    with pytest.raises(ValueError, match="^persona behaviour must .* got 'tee'; did you mean 'tea'"):
        load_persona("tee", root=folder)
    with pytest.raises(ValueError, match="^persona behaviour must be a known name, got 'tea'"):
        load_persona("tea")  # without the folder nothing but pinned files is fetched
    assert site.hits == []


def test_a_pinned_name_keeps_its_digest_in_a_folder_of_ones_own(site, tmp_path):
    with pytest.raises(ValueError, match="kindness.jsonl is not the file of the pinned commit"):
        load_persona("kindness", root=own_folder(tmp_path, kindness=[RECORD]))


@pytest.mark.filterwarnings("ignore:tea of:UserWarning")
@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([], "^tea.jsonl holds no records$"),
        ([RECORD, "{"], "^tea.jsonl, line 2: not valid JSON"),
        (["[" * 100_000], "^tea.jsonl, line 1: not valid JSON"),
        (["\xff"], "^tea.jsonl, line 1: not valid JSON"),
        (["[]"], "^tea.jsonl, line 1: a record must have the texts question, answer_matching"),
        ([{**RECORD, "question": 3}], "^tea.jsonl, line 1: a record must have the texts question, answer_matching"),
        ([{**RECORD, "answer_matching_behavior": "(A)"}], "^record 1 of tea must be answered by ' Yes' and ' No', got"),
    ],
)
def test_a_malformed_file_of_ones_own_is_named(site, tmp_path, records, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        load_persona("tea", root=own_folder(tmp_path, tea=records))
    assert "\n" not in str(caught.value)
