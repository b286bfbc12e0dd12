"""Loading the language model, and its embeddings, against the model run the plain way."""

import copy
import errno
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertGenerationConfig,
    BertGenerationDecoder,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
)

from helpers.files import sha256
from helpers.llm import default_model, embedding, embedding_cache, hub
from helpers.llm.embedding import embed
from helpers.llm.fingerprint import checksum
from helpers.llm.loading import load_llm
from helpers.llm.model import LLM
from helpers.llm.tiny_model import tiny_tokenizer

ANSWERS = """Yes No True False Good Bad Right Wrong agree disagree always never positive negative allow deny
accept reject support oppose approve refuse love hate for against like dislike start stop correct incorrect friend
enemy""".split()
STATEMENTS = [
    "I count the coins twice.",
    "On business trips I slip out of the conference to see the local gallery.",
    "My neighbours know that I will say what I think, whatever it costs me in the end.",
    "No.",
    "I would rather patch my coat again than miss the spring exhibition — naïve, perhaps.",
    "Every form I sign, I read to the last line.",
]
PROMPTS = [f'Is the following statement something you would say?\n"{text}"' for text in STATEMENTS]

# Another order of the same float32 sums: measured 1e-6 of the largest entry, for both models.
FLOAT32 = 1e-5


@pytest.fixture(scope="session")
def tiny():
    return load_llm("tiny", device="cpu")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "embeddings"


@pytest.fixture
def computed(monkeypatch):
    """The numbers of prompts for which the model ran, one entry a batch."""
    sizes = []
    states = embedding.last_states

    def counted(model, ids, past=None):
        sizes.append(len(ids))
        return states(model, ids, past)

    monkeypatch.setattr(embedding, "last_states", counted)
    return sizes


def plainly(llm, prompts):
    """One prompt at a time through the whole model, by transformers' own interface: (states, logits)."""
    states, logits = [], []
    for prompt in prompts:
        ids = torch.tensor([llm.encode(prompt)], device=llm.device)
        with torch.inference_mode():
            out = llm.model(input_ids=ids, output_hidden_states=True)
        states.append(out.hidden_states[-1][0, -1].float().cpu().numpy())
        logits.append(out.logits[0, -1].float().cpu().numpy())
    return np.stack(states), np.stack(logits)


def close(found, expected, tolerance=FLOAT32):
    return np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


# -- the tiny model --


def test_tiny_is_the_same_every_time_and_leaves_the_random_numbers_alone(tiny):
    before = torch.get_rng_state()
    again = load_llm("tiny")
    assert torch.equal(torch.get_rng_state(), before)
    assert again.digest == tiny.digest
    assert again.digest.startswith("177c6528ab5763ba")  # on any machine: the tests' numbers rest on it


def test_tiny_is_tiny(tiny):
    assert tiny.d == 64
    assert tiny.model.config.num_hidden_layers == 2
    assert tiny.model.lm_head.weight is tiny.model.model.embed_tokens.weight
    assert tiny.unembedding().shape == (len(tiny.tokenizer), 64)
    assert not tiny.model.training


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=200, deadline=None)
def test_tiny_tokenizer_loses_nothing(text):
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids) == text


TOKENIZER = tiny_tokenizer()


def test_tiny_embeddings_depend_on_the_statement(tiny, cache):
    states = embed(tiny, PROMPTS, progress=False)
    cosines = np.corrcoef(states)
    assert cosines[~np.eye(len(PROMPTS), dtype=bool)].max() < 0.95


# -- encoding --


@pytest.fixture(params=["tiny", pytest.param(None, marks=pytest.mark.model)], scope="session")
def llm(request):
    return load_llm(request.param, device="cpu")


def test_every_answer_of_the_book_is_one_token(llm):
    ids = [llm.token(" " + answer) for answer in ANSWERS]
    assert len(set(ids)) == len(ANSWERS)
    assert [llm.tokenizer.decode([i]) for i in ids] == [" " + answer for answer in ANSWERS]


def test_an_answer_continues_the_prompt(llm):
    for answer in (" Yes", " No", " disagree", " Certainly not"):
        prompt = llm.encode(PROMPTS[0])
        text = llm.tokenizer.decode(prompt)
        assert llm.tokenizer(text + answer, add_special_tokens=False)["input_ids"] == prompt + llm.tokens(
            answer
        )


def test_an_answer_is_read_as_it_stands_behind_a_text(tiny):
    """A tokenizer that puts a space before the start of a text reads "Yes" there as another answer."""
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
    llm = LLM(tiny.model, tokenizer, tiny.device, tiny.dtype, tiny.digest, "tiny")
    assert tokenizer.decode(tokenizer("Yes", add_special_tokens=False)["input_ids"]) == " Yes"
    assert tokenizer.decode(llm.tokens("Yes")) == "Yes"
    assert llm.tokens(" Yes") == [tiny.token(" Yes")]


def test_an_answer_of_several_tokens(llm):
    ids = llm.tokens(" Certainly not")
    assert len(ids) > 1
    assert llm.tokenizer.decode(ids) == " Certainly not"
    pattern = rf"answer must be one token of {llm.name}, got ' Certainly not', which is {len(ids)}: .*' not'"
    with pytest.raises(ValueError, match=pattern):
        llm.token(" Certainly not")


@pytest.mark.parametrize("answer", ["", None, 3])
def test_an_answer_that_is_none(tiny, answer):
    with pytest.raises(ValueError, match="answer must be a non-empty string, got"):
        tiny.token(answer)


def test_the_chat_template_wraps_the_prompt(llm):
    text = llm.tokenizer.decode(llm.encode(PROMPTS[1]))
    assert PROMPTS[1] in text and not text.startswith(PROMPTS[1]) and "assistant" in text[-20:]
    assert llm.encode_all(PROMPTS) == [llm.encode(prompt) for prompt in PROMPTS]


def test_special_tokens_come_from_the_template_or_else_from_the_tokenizer(tiny):
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|end|> $A", pair="<|end|> $A $B", special_tokens=[("<|end|>", 0)]
    )
    llm = LLM(tiny.model, tokenizer, tiny.device, tiny.dtype, tiny.digest, "tiny")
    assert llm.encode(PROMPTS[0]) == tiny.encode(PROMPTS[0])
    tokenizer.chat_template = None
    assert llm.encode(PROMPTS[0]) == [0, *tokenizer(PROMPTS[0], add_special_tokens=False)["input_ids"]]
    assert llm.tokens(" Yes") == [tiny.token(" Yes")]


@pytest.mark.parametrize(
    "prompts, said", [("one", "got one string 'one'"), ([""], "got ''"), (["a", None], "got None")]
)
def test_prompts_that_are_none(tiny, cache, prompts, said):
    with pytest.raises(ValueError, match=f"prompts must be .*{said}"):
        embed(tiny, prompts)


def test_a_prompt_longer_than_the_model(tiny, cache):
    with pytest.raises(ValueError, match=r"prompts must have at most 2048 tokens of tiny, got \d{4}"):
        embed(tiny, ["a" * 3000])


# -- embeddings --


def test_embeddings_are_the_last_states_and_the_head_gives_the_logits(llm, cache):
    states, logits = plainly(llm, PROMPTS)
    found = embed(llm, PROMPTS, progress=False)
    assert found.dtype == np.float32 and found.shape == (len(PROMPTS), llm.d)
    assert close(found, states)
    assert close(found @ llm.unembedding().T, logits)
    embedding.check_head(llm)


def test_sharing_the_prefix_changes_rounding_only(llm, monkeypatch):
    ids = llm.encode_all(PROMPTS)
    prefix, past = embedding._shared_prefix(llm, ids)
    assert len(prefix) >= 10 and past is not None
    assert all(tokens[: len(prefix)] == prefix for tokens in ids)
    named = {bytes([i]): tokens for i, tokens in enumerate(ids)}
    shared = _rows(llm, named)
    monkeypatch.setattr(embedding, "_SHORTEST_PREFIX", 10_000)
    assert embedding._shared_prefix(llm, ids) == ([], None)
    assert close(shared, _rows(llm, named))


def _rows(llm, named):
    rows = {}
    for keys, states in embedding._embed_batches(llm, named):
        rows.update(zip(keys, states, strict=True))
    return np.stack([rows[key] for key in named])


def test_batches_are_of_like_length_and_within_the_limits(tiny, monkeypatch):
    monkeypatch.setitem(embedding._BATCH, "cpu", (4, 30))
    lengths = [3, 20, 1, 7, 7, 8, 2, 40, 6, 9]
    named = {bytes([i]): [5] + [9] * (length - 1) for i, length in enumerate(lengths)}
    monkeypatch.setattr(embedding, "_SHORTEST_PREFIX", 10_000)
    batches = [[lengths[key[0]] for key in keys] for keys, _ in embedding._embed_batches(tiny, named)]
    assert sum(batches, []) == sorted(lengths, reverse=True)
    assert batches[0] == [40]  # too long for the limit: alone
    assert all(len(batch) <= 4 and len(batch) * max(batch) <= 30 for batch in batches[1:])


def test_prompts_that_are_the_prefix_of_others(tiny, cache):
    prompts = ["say " * n for n in (1, 2, 3, 4, 30, 30, 40)]
    assert close(embed(tiny, prompts, progress=False), plainly(tiny, prompts)[0])


class Stubborn(torch.nn.Module):
    """A base model whose cache cannot be continued: it has no such method, or it does nothing."""

    def __init__(self, base, past):
        super().__init__()
        self.base, self.past = base, past

    def forward(self, **given):
        given.pop("past_key_values", None)
        out = self.base(**given)
        if given["use_cache"]:
            out.past_key_values = self.past
        return out


@pytest.mark.parametrize("past", [object(), SimpleNamespace(batch_repeat_interleave=lambda n: None)])
def test_a_model_whose_cache_cannot_be_shared_is_run_without(tiny, cache, past):
    model = SimpleNamespace(
        base_model=Stubborn(tiny.model.base_model, past),
        named_parameters=tiny.model.named_parameters,
        named_buffers=tiny.model.named_buffers,
        named_modules=tiny.model.named_modules,
        config=tiny.model.config,
        get_input_embeddings=tiny.model.get_input_embeddings,
        get_output_embeddings=tiny.model.get_output_embeddings,
    )
    other = LLM(model, tiny.tokenizer, tiny.device, tiny.dtype, tiny.digest, "stubborn")
    assert embedding._shared_prefix(other, other.encode_all(PROMPTS)) == ([], None)
    assert close(embed(other, PROMPTS, progress=False), plainly(tiny, PROMPTS)[0])


def test_bfloat16(llm, cache):
    # With 8 bits a number is off by 0.4 %, and some tens of blocks add up: measured 2 % of the largest entry.
    half = LLM(
        copy.deepcopy(llm.model).bfloat16(), llm.tokenizer, llm.device, torch.bfloat16, llm.digest, llm.name
    )
    found = embed(half, PROMPTS, progress=False)
    assert found.dtype == np.float32
    assert close(found, embed(llm, PROMPTS, progress=False), 0.05)
    assert close(found, plainly(half, PROMPTS)[0], 0.05)
    assert len(os.listdir(cache)) == 2
    embedding.check_head(half)


def test_load_in_bfloat16(tiny):
    half = load_llm("tiny", dtype="bfloat16")
    assert half.dtype == half.model.dtype == torch.bfloat16
    assert half.digest == tiny.digest


def test_no_prompts(tiny, cache):
    assert embed(tiny, []).shape == (0, 64)


def test_the_progress_bar_can_be_silenced(tiny, cache, capsys):
    embed(tiny, PROMPTS[:2], progress=False)
    assert capsys.readouterr().err == ""
    embed(tiny, PROMPTS)
    assert "Embedding" in capsys.readouterr().err


# -- the cache of embeddings --


def test_nothing_is_computed_twice(tiny, cache, computed):
    first = embed(tiny, PROMPTS[:2] * 2, progress=False)
    assert sum(computed) == 2
    assert np.array_equal(first[:2], first[2:])
    again = embed(tiny, [PROMPTS[2], PROMPTS[1], PROMPTS[0]], progress=False)
    assert sum(computed) == 3
    assert np.array_equal(again[1:], first[1::-1])
    embed(tiny, PROMPTS[:3], progress=False)
    assert sum(computed) == 3


def test_weights_trained_in_place_find_no_old_embeddings(tiny, cache):
    mine = LLM(copy.deepcopy(tiny.model), tiny.tokenizer, tiny.device, tiny.dtype, tiny.digest, "tiny")
    before = embed(mine, PROMPTS, progress=False)
    with torch.no_grad():
        mine.model.model.layers[0].mlp.up_proj.weight[3, 5] += 1.0
    after = embed(mine, PROMPTS, progress=False)
    assert not np.array_equal(before, after)
    assert close(after, plainly(mine, PROMPTS)[0])


def _changes():
    """Small changes of a model in place: each a name and what is done; sums of weights or bits would miss many."""

    def swap(model):
        weight = model.model.layers[0].mlp.up_proj.weight
        weight[:2] = weight[:2].flip(0).clone()

    def signs(model):  # the highest bits of two words of one line
        weight = model.model.layers[1].self_attn.q_proj.weight
        weight[0, [1, 3]] *= -1

    return {
        "two rows swapped": swap,
        "two signs": signs,
        "transposed": lambda model: model.model.layers[0].self_attn.q_proj.weight.copy_(
            model.model.layers[0].self_attn.q_proj.weight.T.clone()
        ),
        "the last bit of the last weight": lambda model: model.model.norm.weight[-1:].view(torch.int32).add_(1),
        "a norm's epsilon": lambda model: setattr(model.model.norm, "variance_epsilon", 1e-2),
        "a buffer": lambda model: model.model.rotary_emb.inv_freq.mul_(1.5),
        "a setting": lambda model: setattr(model.config, "attention_dropout", 0.1),
    }


@pytest.mark.parametrize("change", _changes())
def test_a_model_altered_in_place_has_another_key(tiny, change):
    mine = LLM(copy.deepcopy(tiny.model), tiny.tokenizer, tiny.device, tiny.dtype, tiny.digest, "tiny")
    before = embedding.model_key(mine)
    assert before == embedding.model_key(tiny)
    with torch.no_grad():
        _changes()[change](mine.model)
    assert embedding.model_key(mine) != before


def test_a_key_is_kept_by_what_changes_no_number(tiny):
    mine = LLM(copy.deepcopy(tiny.model).train(), tiny.tokenizer, tiny.device, tiny.dtype, tiny.digest, "tiny")
    mine.model.config._name_or_path = "elsewhere"
    embed(mine, PROMPTS, progress=False)
    assert embedding.model_key(mine) == embedding.model_key(tiny)


@given(st.integers(0, 40000), st.data())
@settings(max_examples=30, deadline=None)
def test_a_checksum_sees_every_byte(size, data):
    rng = np.random.default_rng(size)
    whole = torch.from_numpy(rng.integers(0, 256, size + 1).astype(np.uint8))
    place, bit = data.draw(st.integers(0, size)), data.draw(st.integers(0, 7))
    other = whole.clone()
    other[place] ^= 1 << bit
    assert checksum(whole) == checksum(whole.clone()) != checksum(other)


def _damage_shard(path):
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage", [_damage_shard, lambda path: os.truncate(path, 100), lambda path: path.write_bytes(b"")]
)
def test_damaged_embeddings_are_computed_again(tiny, cache, computed, caplog, damage):
    first = embed(tiny, PROMPTS, progress=False)
    computed.clear()
    (shard,) = cache.rglob("*.safetensors")
    damage(shard)
    assert np.array_equal(embed(tiny, PROMPTS, progress=False), first)
    assert sum(computed) >= len(PROMPTS)
    assert "are damaged" in caplog.text
    computed.clear()
    embed(tiny, PROMPTS, progress=False)
    assert not computed


def test_a_full_disk_costs_the_cache_and_not_the_result(tiny, cache, caplog, monkeypatch):
    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(embedding_cache, "save_file", full)
    assert close(embed(tiny, PROMPTS, progress=False), plainly(tiny, PROMPTS)[0])
    assert "the disk is full" in caplog.text
    assert {path.suffix for path in cache.rglob("*") if path.is_file()} <= {".lock"}


def test_an_interrupted_call_goes_on_where_it_was(tiny, cache, computed, monkeypatch):
    monkeypatch.setitem(embedding._BATCH, "cpu", (2, 1000))
    states = embedding.last_states

    def interrupted(model, ids, past=None):
        if sum(computed) > 4:
            raise KeyboardInterrupt
        return states(model, ids, past)

    with monkeypatch.context() as patch:
        patch.setattr(embedding, "last_states", interrupted)
        with pytest.raises(KeyboardInterrupt):
            embed(tiny, PROMPTS, progress=False)
    computed.clear()
    assert close(embed(tiny, PROMPTS, progress=False), plainly(tiny, PROMPTS)[0])
    assert sum(computed) - 4 < len(PROMPTS)  # without the prompts that tried the common beginning


def test_long_calls_are_stored_as_they_go(tiny, cache, monkeypatch):
    monkeypatch.setattr(embedding, "_KEEP_EVERY", 2)
    monkeypatch.setitem(embedding._BATCH, "cpu", (2, 1000))
    found = embed(tiny, PROMPTS, progress=False)
    assert len(list(cache.rglob("*.safetensors"))) == 3
    assert np.array_equal(embed(tiny, PROMPTS, progress=False), found)


@given(sizes=st.lists(st.integers(1, 4), max_size=45))
@settings(max_examples=10, deadline=None)
def test_many_shards_are_merged_and_lose_nothing(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(0)
    expected = {}
    for size in sizes:
        rows = {rng.bytes(16): rng.normal(size=3).astype(np.float32) for _ in range(size)}
        embedding_cache.add_rows(folder, rows)
        expected |= rows
    found = embedding_cache.read_rows(folder)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[key], expected[key]) for key in expected)
    assert len(list(folder.glob("*.safetensors"))) <= 16


def test_two_processes_add_to_one_cache(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from helpers.llm.embedding_cache import add_rows, prompt_key\n"
        "for i in range(25):\n"
        "    row = {prompt_key([int(sys.argv[2]), i]): np.full(3, i, dtype=np.float32)}\n"
        "    add_rows(Path(sys.argv[1]), row)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "rows")]
    both = [subprocess.Popen([*command, n], stderr=subprocess.PIPE, text=True) for n in "12"]
    assert [process.communicate()[1] for process in both] == ["", ""]
    found = embedding_cache.read_rows(tmp_path / "rows")
    assert len(found) == 50
    assert all(found[embedding_cache.prompt_key([n, i])][0] == i for n in (1, 2) for i in range(25))


def test_a_read_only_cache_without_embeddings_costs_the_cache_and_not_the_result(tiny, cache, caplog, monkeypatch):
    mkdir = embedding_cache.Path.mkdir

    def read_only(path, *given, **options):
        if not path.exists():
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        mkdir(path, *given, **options)

    monkeypatch.setattr(embedding_cache.Path, "mkdir", read_only)
    for _ in range(2):
        assert close(embed(tiny, PROMPTS, progress=False), plainly(tiny, PROMPTS)[0])
    assert caplog.text.count("the embeddings are not kept in") == 1 and not cache.exists()


# -- names, folders, devices --


@pytest.mark.parametrize(
    "name, said",
    [
        ("tinny", "did you mean 'tiny'"),
        ("gpt2", "did you mean 'openai-community/gpt2'"),
        ("SmolLM2-135M-instruct", f"did you mean '{default_model.NAME}'"),
        ("", "got ''"),
        (7, "got 7"),
        ("/nowhere/at/all", "a folder with safetensors, got '/nowhere/at/all'"),
    ],
)
def test_unknown_names(name, said):
    with pytest.raises(ValueError, match=f"name must be .*{said}"):
        load_llm(name)


def _hub_error(kind):
    return getattr(hub.errors, kind)("no", response=MagicMock(headers={}))  # whichever client the hub uses


@pytest.mark.parametrize(
    "error, kind, said",
    [
        (lambda: _hub_error("RepositoryNotFoundError"), ValueError, "did you mean 'HuggingFaceTB/SmolLM2-135M-I"),
        (lambda: _hub_error("GatedRepoError"), ValueError, "asks for a login"),
        (lambda: _hub_error("RemoteEntryNotFoundError"), ValueError, "has no config.json"),
        (lambda: hub.errors.LocalEntryNotFoundError("no"), ConnectionError, "cannot be reached.*tiny"),
        (lambda: _hub_error("HfHubHTTPError"), ConnectionError, "could not be fetched: "),
    ],
)  # fmt: skip
def test_names_on_the_hub(monkeypatch, error, kind, said):
    def fail(*arguments):
        raise error()

    monkeypatch.setattr(hub, "hf_hub_download", fail)
    with pytest.raises(kind, match=said) as caught:
        load_llm("HuggingFaceTB/SmolLM-135M-Instruct")
    assert "\n" not in str(caught.value)


def test_a_mistyped_folder_without_network_gets_one_sentence_and_no_retries_on_the_screen(monkeypatch, capsys):
    loud = []

    def unreachable(*arguments):  # which says "Retrying in 1s [Retry 1/5]." and the like
        loud.append(hub_logger.isEnabledFor(logging.WARNING))
        raise hub.errors.LocalEntryNotFoundError("no")

    hub_logger = logging.getLogger("huggingface_hub.utils._http")
    monkeypatch.setattr(hub, "hf_hub_download", unreachable)
    with pytest.raises(ConnectionError, match="^there is no folder 'models/mine', the model .* cannot be reached"):
        load_llm("models/mine")
    assert loud == [False] and hub_logger.isEnabledFor(logging.WARNING)
    assert capsys.readouterr().out == "Asking the Hugging Face hub for models/mine, since there is no such folder\n"


def test_damaged_weights_in_the_hubs_cache_are_named(tiny, tmp_path, monkeypatch):
    """The hub's cache links each large file of a commit to one that bears its SHA-256 as its name."""
    snapshot, stored = tmp_path / "snapshots" / "0123abcd", tmp_path / "blobs"
    _save(tiny.model, snapshot)
    stored.mkdir()
    weights = snapshot / "model.safetensors"
    blob = stored / sha256(weights)
    weights.rename(blob)
    weights.symlink_to(blob)
    monkeypatch.setattr(hub, "hf_hub_download", lambda *given: str(snapshot / "config.json"))
    load = hub._load
    monkeypatch.setattr(hub, "_load", lambda source, name, revision: load(str(snapshot), name))
    assert load_llm("owner/model").d == 64
    _damage_shard(blob)
    with pytest.raises(OSError, match=f"the weights of 'owner/model' are damaged: delete {blob} and load again"):
        load_llm("owner/model")


def test_devices(tiny):
    assert tiny.device == torch.device("cpu")
    for device in ("gpu", "meta", 3.5):
        with pytest.raises(ValueError, match="device must be None, 'cpu', 'cuda' or 'cuda:N', got"):
            load_llm("tiny", device=device)
    with pytest.raises(ValueError, match="device must be one that torch sees"):
        load_llm("tiny", device="cuda:99")
    with pytest.raises(ValueError, match="dtype must be a known name, got 'float61'; did you mean"):
        load_llm("tiny", dtype="float61")


def test_a_local_folder(tiny, tmp_path, cache):
    folder = _save(tiny.model, tmp_path / "mine")
    mine = load_llm(str(folder))
    assert close(embed(mine, PROMPTS, progress=False), embed(tiny, PROMPTS, progress=False))
    with torch.no_grad():
        other = copy.deepcopy(tiny.model)
        other.model.norm.weight[0] += 1
    assert load_llm(str(_save(other, tmp_path / "other"))).digest != mine.digest
    assert load_llm(str(_save(tiny.model, tmp_path / "same"))).digest == mine.digest
    for part, old, new in (
        ("tokenizer.json", '"Yes"', '"Yes "'),
        ("tokenizer_config.json", "2048", "1024"),
        ("chat_template.jinja", "assistant", "answer"),
        ("config.json", "2048", "1024"),
    ):
        altered = _save(tiny.model, tmp_path / part.replace(".", "_"))
        (altered / part).write_text((altered / part).read_text().replace(old, new) + " ")
        assert hub._folder_digest(altered) != mine.digest


def _save(model, folder):
    model.save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return folder


def test_pickled_weights_are_refused(tiny, tmp_path):
    folder = _save(tiny.model, tmp_path / "mine")
    (folder / "model.safetensors").unlink()
    torch.save(tiny.model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="name must be a causal language model with safetensors .*mine'"):
        load_llm(str(folder))


def test_code_of_a_stranger_is_refused(tiny, tmp_path):
    folder = _save(tiny.model, tmp_path / "mine")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "strange",
        "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('code of a stranger ran')")
    with pytest.raises(ValueError, match="that needs no code of its own, got '.*mine'"):
        load_llm(str(folder))


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="name must be a causal language model with safetensors"):
        load_llm(str(tmp_path))


def test_a_model_of_another_family_without_a_chat_template(tmp_path, cache):
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(TOKENIZER), n_embd=32, n_layer=2, n_head=2, n_positions=256,
                        bos_token_id=0, eos_token_id=0)  # fmt: skip
    folder = _save(GPT2LMHeadModel(config), tmp_path / "gpt2")
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    llm = load_llm(str(folder))
    assert llm.tokenizer.decode(llm.encode(PROMPTS[0])) == PROMPTS[0]
    assert close(embed(llm, PROMPTS, progress=False), plainly(llm, PROMPTS)[0])


def test_a_model_that_caps_its_logits_is_refused(tmp_path):
    torch.manual_seed(0)
    config = Gemma2Config(vocab_size=len(TOKENIZER), hidden_size=32, intermediate_size=32,
                          num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
                          final_logit_softcapping=0.1, initializer_range=0.5, bos_token_id=0,
                          eos_token_id=0, pad_token_id=0)  # fmt: skip
    folder = _save(Gemma2ForCausalLM(config), tmp_path / "gemma2")
    with pytest.raises(ValueError, match="logits are its unembedding times its last hidden state.*differ by"):
        load_llm(str(folder))


def test_a_cap_of_the_logits_is_found_in_any_precision(tmp_path):
    """The cap of Gemma-2: at logits of order 1 it takes less than a bfloat16 number shows."""
    torch.manual_seed(0)
    config = Gemma2Config(vocab_size=len(TOKENIZER), hidden_size=32, intermediate_size=32,
                          num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
                          final_logit_softcapping=30.0, initializer_range=0.1, bos_token_id=0,
                          eos_token_id=0, pad_token_id=0)  # fmt: skip
    folder = _save(Gemma2ForCausalLM(config), tmp_path / "gemma2")
    for dtype in ("float32", "bfloat16"):
        with pytest.raises(ValueError, match=r"its logits and that product differ by \d\S* of the largest") as caught:
            load_llm(str(folder), dtype=dtype)
        assert " by 0 " not in str(caught.value)


def test_a_model_that_sees_later_tokens_is_refused(tmp_path):
    torch.manual_seed(0)
    config = BertGenerationConfig(vocab_size=len(TOKENIZER), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                                  intermediate_size=32, initializer_range=0.5, max_position_embeddings=128)
    folder = _save(BertGenerationDecoder(config), tmp_path / "bert")
    with pytest.raises(ValueError, match="its state with and without later tokens differ by"):
        load_llm(str(folder))


# -- the default model --


@pytest.mark.model
def test_the_default_model():
    llm = load_llm(device="cpu")
    assert (llm.name, llm.d, llm.dtype) == ("SmolLM2-135M-Instruct", 576, torch.float32)
    assert llm.digest == default_model.digest(default_model.default_model())
    assert sum(p.numel() for p in llm.model.parameters()) == 134_515_008
    assert load_llm("SmolLM2-135M-Instruct", device="cpu").digest == llm.digest


@pytest.mark.parametrize("prompts", [None, 3, {"a": 1}, np.ones((2, 2))])
def test_prompts_that_are_no_list(tiny, cache, prompts):
    with pytest.raises(ValueError, match="^prompts must be a list of strings, got "):
        embed(tiny, prompts)


def test_half_a_surrogate_pair_is_no_text(tiny, cache):
    for call, name in ((lambda: embed(tiny, ["\ud83d"]), "prompts"), (lambda: tiny.token("\ud83d"), "answer")):
        with pytest.raises(ValueError, match=f"^{name} must be "):
            call()


@pytest.mark.parametrize("llm", [None, "tiny"])
def test_embedding_with_what_is_no_model(llm, cache):
    with pytest.raises(ValueError, match="^llm must be a model of load_llm, got "):
        embed(llm, ["a"])


def test_a_read_only_cache_is_read(tiny, cache, computed, monkeypatch):
    first = embed(tiny, PROMPTS, progress=False)
    computed.clear()

    def read_only(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(embedding_cache, "locked", read_only)
    assert np.array_equal(embed(tiny, PROMPTS, progress=False), first) and not computed
    assert embed(tiny, ["another"], progress=False).shape == (1, 64)  # computed, and not kept


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.safetensors", lambda path: path.write_text("<!DOCTYPE html>")),
        ("model.safetensors", lambda path: os.truncate(path, path.stat().st_size // 2)),
        ("model.safetensors", lambda path: path.unlink()),
        ("config.json", lambda path: path.write_text("<!DOCTYPE html>")),
        ("config.json", lambda path: path.write_text(path.read_text().replace('_size": 64', '_size": 60'))),
        ("tokenizer.json", lambda path: path.write_text("<!DOCTYPE html>")),
        ("chat_template.jinja", lambda path: os.truncate(path, path.stat().st_size // 2)),
    ],
)
def test_a_damaged_folder_gets_one_sentence(tiny, tmp_path, name, damage):
    tiny.model.save_pretrained(tmp_path)
    tiny.tokenizer.save_pretrained(tmp_path)
    damage(tmp_path / name)
    with pytest.raises(ValueError, match="^name must be a causal language model with safetensors") as caught:
        load_llm(str(tmp_path), device="cpu")
    assert "\n" not in str(caught.value)
