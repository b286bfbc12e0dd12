"""Packed rows give the hidden states of one-by-one forward passes, on several architectures."""

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.llm.packed_attention import BLOCK, blocks
from helpers.llm.packing import ROW_TOKENS, check_packing, hidden_states, pack, rows
from helpers.training.packed_pairs import evaluate_gaps, pack_pairs

SMALL = dict(vocab_size=61, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4)
MODELS = {
    "Llama": dict(num_key_value_heads=2, tie_word_embeddings=True),
    "Mistral": dict(num_key_value_heads=2, sliding_window=64),
    "Qwen2": dict(num_key_value_heads=2),
    "Granite": dict(num_key_value_heads=2, attention_multiplier=0.7),  # a scale of its own for the scores
    "GPTNeoX": dict(),
    "GPT2": dict(bos_token_id=0, eos_token_id=0),
    "Phi": dict(),  # a bias in the head
    "JetMoe": dict(num_key_value_heads=2, kv_channels=8),  # views what the attention gives in another shape
}
sequences = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=7), min_size=1, max_size=8)


def tiny(name, attention="sdpa", **changes):
    options = {**SMALL, **MODELS[name], **changes}
    config = getattr(transformers, name + "Config")(**options, attn_implementation=attention)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(transformers, name + ("LMHeadModel" if name == "GPT2" else "ForCausalLM"))(config)
        for p in model.parameters():
            p.data += 0.1 * torch.randn_like(p)  # biases and norms too
    return model.eval()


def some_prompts(seed=0, count=9):
    rng = np.random.default_rng(seed)
    start = rng.integers(61, size=5).tolist()
    return [start + rng.integers(61, size=rng.integers(1, 9)).tolist() for _ in range(count)]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", MODELS)
def test_hidden_states_equal_one_by_one(name, attention):
    model, prompts = tiny(name, attention), some_prompts()
    packing = pack(prompts)
    assert len(packing) < sum(map(len, prompts)) - 8 * 4
    with torch.no_grad():
        packed = hidden_states(model, packing)
        for prompt, path in zip(prompts, packing.paths, strict=True):
            alone = model.base_model(input_ids=torch.tensor([prompt]), use_cache=False).last_hidden_state[0]
            # float32: sums over attended tokens run in another order; states are of order 1 after the last norm.
            assert (packed[path] - alone).abs().max() < 2e-5
    check_packing(model, packing)


@settings(deadline=None, max_examples=60)
@given(sequences)
def test_a_row_is_the_tree_of_its_sequences(given):
    packing = pack(given)
    beginnings = {tuple(s[: n + 1]) for s in given for n in range(len(s))}
    assert len(packing) == len(beginnings)
    mask = packing.mask()
    for sequence, path in zip(given, packing.paths, strict=True):
        assert packing.tokens[path].tolist() == sequence
        assert packing.positions[path].tolist() == list(range(len(sequence)))
        for n, place in enumerate(path):  # a token sees its own sequence up to itself and nothing else
            assert np.flatnonzero(mask[place]).tolist() == sorted(path[: n + 1])


@settings(deadline=None, max_examples=60)
@given(sequences, st.data())
def test_taking_some_sequences_equals_packing_them(given, data):
    chosen = data.draw(st.lists(st.integers(0, len(given) - 1), min_size=1, max_size=6))
    whole = pack(given)
    part, places = whole.take(chosen)
    fresh = pack([given[i] for i in chosen])
    assert len(part) == len(fresh) and np.array_equal(whole.tokens[places], part.tokens)
    for i, path, other in zip(chosen, part.paths, fresh.paths, strict=True):
        assert part.tokens[path].tolist() == given[i] and np.array_equal(places[path], whole.paths[i])
        assert part.mask()[path][:, path].tolist() == fresh.mask()[other][:, other].tolist()


@settings(deadline=None, max_examples=60)
@given(sequences, st.integers(1, 30))
def test_rows_hold_every_group_once_within_the_limit(given, limit):
    packing = pack(given)
    parts = rows(packing, [(i,) for i in range(len(given))], limit)
    assert [i for part in parts for i in part] == list(range(len(given)))
    for part in parts:
        assert len(part) == 1 or len(packing.take(part)[0]) <= limit


def test_long_sets_are_cut_into_rows_with_the_same_gaps(monkeypatch):
    model, prompts = tiny("Llama"), some_prompts(count=40)
    pairs = pack_pairs(prompts, [[7]] * 40, [[9]] * 40)
    whole = evaluate_gaps(model, pairs)
    monkeypatch.setitem(ROW_TOKENS, "cpu", 30)
    assert len(list(pairs.rows(torch.device("cpu")))) > 5
    # Another row length, another order of float32 sums; gaps are of order 1.
    assert np.abs(evaluate_gaps(model, pairs) - whole).max() < 1e-5


def test_models_that_cannot_take_a_row_are_refused():
    with pytest.raises(ValueError, match="at least one token each, got an empty one"):
        pack([[1, 2], []])
    with pytest.raises(ValueError, match="window of 4 tokens, the longest has 6"):
        hidden_states(tiny("Mistral", sliding_window=4), pack([[1, 2, 3, 4, 5, 6]]))
    model = tiny("Llama")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match="must be 'sdpa' or 'eager', got 'flash_attention_2'"):
        hidden_states(model, pack([[1]]))


def test_a_model_that_ignores_the_positions_is_found_out(monkeypatch):
    model = tiny("Llama")
    forward = model.base_model.forward
    monkeypatch.setattr(model.base_model, "forward", lambda **given: forward(**{**given, "position_ids": None}))
    with pytest.raises(ValueError, match="model must take packed rows, but LlamaForCausalLM gives logits .* off by"):
        check_packing(model, pack(some_prompts()))


def built(config):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config)
        for p in model.parameters():
            p.data += 0.1 * torch.randn_like(p)
    return model.eval()


def short_sighted(window):
    """GPT-Neo, whose local attention looks back over `window` places of the row, in its second block."""
    return built(transformers.GPTNeoConfig(
        vocab_size=61, hidden_size=32, num_layers=2, num_heads=4, window_size=window, max_position_embeddings=64,
        attention_types=[[["global", "local"], 1]], bos_token_id=0, eos_token_id=0,
    ))


def test_attention_that_counts_places_of_the_row_is_found_out_in_a_full_row():
    prompts = some_prompts(count=9)
    longest, T = max(map(len, prompts)), len(pack(prompts))
    assert longest + 4 < T / 2
    check_packing(short_sighted(T), pack(prompts))
    with pytest.raises(ValueError, match="model must take packed rows, but GPTNeoForCausalLM gives logits"):
        check_packing(short_sighted(longest + 4), pack(prompts))  # two prompts alone would fit
    with pytest.raises(ValueError, match="GPTNeoForCausalLM gives logits"):
        check_packing(short_sighted(longest + 4), pack([prompts[0], *prompts[1:], prompts[0]]))


STATEFUL = {
    "Lfm2": dict(full_attn_idxs=[1], num_key_value_heads=2, block_ff_dim=48),
    "Mamba": dict(state_size=8),
    "FalconH1": dict(num_key_value_heads=2, mamba_n_heads=4, mamba_d_head=16, mamba_d_ssm=64, mamba_n_groups=1,
                     mamba_d_state=8, mamba_chunk_size=32),
    "Mpt": dict(d_model=32, n_heads=4, n_layers=2),  # its positions are distances in the row
    "Bloom": dict(n_layer=2, n_head=4),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_a_model_that_reads_the_row_as_one_text_is_refused_in_one_sentence(name):
    """States that go from each place to the next, and positions that are counted in the row."""
    small = dict(vocab_size=61, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    model = built(getattr(transformers, name + "Config")(**{**small, **STATEFUL[name]}))
    with pytest.raises(ValueError, match="^model must take packed rows, but .*ForCausalLM (gives|fails)") as caught:
        check_packing(model, pack(some_prompts()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-4), (torch.bfloat16, 5e-2)])
def test_the_check_allows_rounding_and_no_more(monkeypatch, dtype, allowed):
    # Rounding is 2e-6 in float32 and 2e-2 in bfloat16; a state scaled by 1 + s has logits that are off by s.
    model, packing, states = tiny("Llama").to(dtype), pack(some_prompts()), hidden_states
    for s, right in ((allowed / 5, True), (3 * allowed, False)):
        monkeypatch.setattr("helpers.llm.packing.hidden_states", lambda *given, s=s: states(*given) * (1 + s))
        if right:
            check_packing(model, packing)
        else:
            with pytest.raises(ValueError, match="off by"):
                check_packing(model, packing)


def test_the_row_of_the_check_is_as_full_as_rows_get(monkeypatch):
    monkeypatch.setitem(ROW_TOKENS, "cpu", 30)
    seen, states = [], hidden_states
    noted = lambda model, row: (seen.append(row), states(model, row))[1]  # noqa: E731
    monkeypatch.setattr("helpers.llm.packing.hidden_states", noted)
    prompts = [[1, 2, *range(3 + 5 * i, 8 + 5 * i)] for i in range(9)]
    check_packing(tiny("Llama"), pack(prompts))
    check_packing(tiny("Llama"), pack([list(range(40))]))  # longer than a row: alone
    assert [len(row) for row in seen] == [2 + 5 * 5, 40]


@pytest.mark.parametrize("name", MODELS)
def test_gaps_equal_full_log_softmax(name):
    """Answers of one and of several tokens, one the beginning of the other, a common beginning: all by brute force."""
    model, prompts = tiny(name), some_prompts(count=6)
    chosen = [[7], [7, 8, 9], [7, 8], [5], [5, 6], [3, 3, 3, 3]]
    rejected = [[9], [9], [7, 9, 1], [5, 6, 7], [5], [3, 3, 2]]
    gaps = evaluate_gaps(model, pack_pairs(prompts, chosen, rejected))

    def log_probability(prompt, answer):
        logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].double()
        table = torch.log_softmax(logits, 1)
        return sum(table[len(prompt) + t - 1, token] for t, token in enumerate(answer)).item()

    with torch.no_grad():
        pairs = zip(prompts, chosen, rejected, strict=True)
        wanted = [log_probability(p, a) - log_probability(p, b) for p, a, b in pairs]
    # float32 sums against float64 ones, at log-probabilities of order 10.
    assert np.abs(gaps - wanted).max() < 2e-5


def test_one_token_answers_cost_their_prompts_alone():
    prompts = some_prompts()
    pairs = pack_pairs(prompts, [[7]] * 9, [[9]] * 9)
    assert len(pairs.packing) == len(pack(prompts)) and not pairs.normalised
    assert pack_pairs(prompts, [[7, 1]] * 9, [[9]] * 9).normalised
    for bad in ([], [7]):
        with pytest.raises(ValueError, match="two different answers of at least one token"):
            pack_pairs([[1]], [[7]], [bad])


def test_a_row_may_be_as_long_as_the_limit_and_a_sequence_as_the_window():
    assert [part.tolist() for part in rows(pack([[1, 2], [3, 4], [5]]), [(0,), (1,), (2,)], 4)] == [[0, 1], [2]]
    model, prompt = tiny("Mistral", sliding_window=6), [1, 2, 3, 4, 5, 6]
    check_packing(model, pack([prompt, prompt[:2] + [7]]))


@pytest.mark.parametrize("name", ["Llama", "GPT2"])  # rotated, and a table of positions
def test_a_row_may_have_more_tokens_than_the_model_has_positions(name):
    limit = {"n_positions" if name == "GPT2" else "max_position_embeddings": 14}
    model, packing = tiny(name, **limit), pack(some_prompts())
    assert packing.positions.max() < 14 < len(packing)
    check_packing(model, packing)  # which compares with the sequences one by one


@settings(deadline=None, max_examples=60)
@given(sequences, st.integers(1, 9))
def test_blocks_hold_the_whole_mask(given, size):
    mask = pack(given).mask()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.llm.packed_attention.BLOCK", size)
        keys, allowed = blocks(mask)
    found = np.zeros((len(allowed) * size, len(mask)), bool)
    for i, (columns, block) in enumerate(zip(keys.reshape(len(allowed), -1), allowed, strict=True)):
        rows_of_block, places = np.nonzero(block)
        found[i * size + rows_of_block, columns[places]] = True
    assert np.array_equal(found[: len(mask)], mask)


def test_attention_in_blocks_has_the_gradient_of_the_whole_mask():
    prompts, gradients = some_prompts(count=30), []
    for attention in ("sdpa", "eager"):  # in blocks, and with the mask as one
        model = tiny("Llama", attention)
        hidden_states(model, pack(prompts)).square().sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
        assert model.config._attn_implementation == attention
    assert len(pack(prompts)) > 2 * BLOCK
    assert (gradients[0] - gradients[1]).norm() < 1e-5 * gradients[1].norm()  # float32, another order of sums
