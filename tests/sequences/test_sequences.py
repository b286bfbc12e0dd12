"""Answers of many tokens: Theorem D against automatic differentiation, its special cases, training, hidden states."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from helpers.dynamics.flow import interaction_matrix
from helpers.layouts import chain
from helpers.llm.answers import answer_states
from helpers.llm.embedding import embed
from helpers.llm.loading import load_llm
from helpers.mixture import ValueMixture
from helpers.sequences.pairs import SequencePairs
from helpers.sequences.rewards import sequence_gradient, sequence_margins, token_reward, token_reward_rates, token_terms
from helpers.sequences.training import SequenceStart, train_sequences
from theorems import search


def draw(seed, *, V=7, d=5, N=4, longest=3, moved=0.7):
    """W, W_0, pairs with answers of 1 to `longest` tokens, and one hidden state and token to watch for each of V."""
    rng = np.random.default_rng(seed)
    W_0 = rng.normal(size=(V, d))

    def answers():
        lengths = rng.integers(1, longest + 1, N)
        return [(rng.normal(size=(length, d)), rng.integers(V, size=length)) for length in lengths]

    pairs = SequencePairs.from_answers(answers(), answers())
    return W_0 + moved * rng.normal(size=(V, d)), W_0, pairs, rng.normal(size=(V, d)), rng.permutation(V)


class Autograd:
    """The definitions of the paper in PyTorch, float64: log-softmax, the loss, derivatives by machine."""

    def __init__(self, W_0, pairs, beta):
        self.W_0, self.pairs, self.beta = torch.tensor(W_0), pairs, beta

    def rewards(self, W, states, tokens):
        states, tokens = torch.tensor(states), torch.tensor(tokens)
        gain = torch.log_softmax(states @ W.T, 1) - torch.log_softmax(states @ self.W_0.T, 1)
        return self.beta * gain.gather(1, tokens[:, None])[:, 0]

    def margins(self, W):
        signed = self.rewards(W, self.pairs.states, self.pairs.tokens) * torch.tensor(self.pairs.sign)
        return torch.zeros(len(self.pairs), dtype=torch.float64).index_add(0, torch.tensor(self.pairs.pair), signed)

    def gradient(self, W):
        W = torch.tensor(W, requires_grad=True)
        (gradient,) = torch.autograd.grad(-torch.nn.functional.logsigmoid(self.margins(W)).mean(), W)
        return gradient

    def rates(self, W, states, tokens):
        along = -self.gradient(W)
        return torch.autograd.functional.jvp(
            lambda W: self.rewards(W, states, tokens), torch.tensor(W), along
        )[1].numpy()


SHAPES = dict(
    seed=st.integers(0, 10**6), V=st.integers(2, 12), d=st.integers(1, 8), N=st.integers(1, 6),
    longest=st.integers(1, 5), beta=st.sampled_from([0.05, 0.3, 1.0, 2.0]),
)


@search("D", **SHAPES)
def test_the_rate_of_a_token_is_the_derivative_along_the_flow(seed, V, d, N, longest, beta):
    W, W_0, pairs, states, tokens = draw(seed, V=V, d=d, N=N, longest=longest)
    measured = Autograd(W_0, pairs, beta).rates(W, states, tokens)
    rates = token_reward_rates(W, W_0, pairs, states, tokens, beta=beta)
    # float64: sums of at most 60 terms of size beta^2 d; 1e-12 of the largest rate is 1e4 roundings.
    np.testing.assert_allclose(rates, measured, rtol=0, atol=1e-12 * max(1.0, np.abs(measured).max()))


@pytest.mark.theorem("D")
def test_the_printed_difference_is_off_by_as_much_as_the_rates_themselves():
    off = {"repaired": [], "paper": []}
    for seed in range(20):
        W, W_0, pairs, states, tokens = draw(seed)
        measured = Autograd(W_0, pairs, 1.0).rates(W, states, tokens)
        for form, found in off.items():
            rates = token_reward_rates(W, W_0, pairs, states, tokens, beta=1.0, form=form)
            found.append(np.abs(rates - measured).max())
    assert max(off["repaired"]) < 1e-13  # rates of order 1 in float64
    assert 0.1 < min(off["paper"]) and 1 < max(off["paper"]) < 10


@settings(max_examples=40, deadline=None)
@given(**SHAPES)
def test_margins_rewards_and_gradient_are_those_of_the_definitions(seed, V, d, N, longest, beta):
    W, W_0, pairs, states, tokens = draw(seed, V=V, d=d, N=N, longest=longest)
    judge, there = Autograd(W_0, pairs, beta), torch.tensor(W)
    close = dict(rtol=1e-12, atol=1e-12)  # float64, numbers of order 1 to 10
    np.testing.assert_allclose(sequence_margins(W, W_0, pairs, beta=beta), judge.margins(there), **close)
    rewards = token_reward(W, W_0, states, tokens, beta=beta)
    np.testing.assert_allclose(rewards, judge.rewards(there, states, tokens), **close)
    np.testing.assert_allclose(sequence_gradient(W, W_0, pairs, beta=beta), judge.gradient(W), **close)


@pytest.mark.theorem("D")
@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_probabilities_go_on_to_sum_to_one(seed):
    # At any state the mean of the rates under pi(g*) is 0; the printed form breaks it by twice the chance of y'.
    W, W_0, pairs, states, _ = draw(seed)
    every, V = np.arange(len(W)), len(W)
    pi = torch.softmax(torch.tensor(W @ states[0]), 0).numpy()
    for form in ("repaired", "paper"):
        terms = token_terms(W, pairs, np.tile(states[:1], (V, 1)), every, form=form)
        expected = 0 * pi[pairs.tokens] if form == "repaired" else 2 * pi[pairs.tokens]
        np.testing.assert_allclose(pi @ terms.sharing, expected, atol=1e-14)  # float64


def one_token(sample, layout):
    """A sample of the mixture as pairs of one-token answers."""
    rows = layout.indices[sample.value]
    rows = np.where(sample.side[:, None] > 0, rows, rows[:, ::-1])
    answers = [[(x[None], np.array([token])) for x, token in zip(sample.x, column, strict=True)] for column in rows.T]
    return SequencePairs.from_answers(*answers)


@pytest.mark.theorem("D")
@pytest.mark.theorem("4.1")
def test_answers_of_one_token_obey_lemma_4_1():
    layout, rng = chain(3), np.random.default_rng(5)
    sample = ValueMixture(layout, d=6, v=0.4, l_b=0.5).sample(3, rng)
    pairs, beta = one_token(sample, layout), 0.7
    W_0 = rng.normal(size=(len(layout.tokens) + 2, 6))
    W = W_0 + rng.normal(size=W_0.shape)
    rates = pairs.sums(token_reward_rates(W, W_0, pairs, pairs.states, pairs.tokens, beta=beta))
    r = sequence_margins(W, W_0, pairs, beta=beta)
    lemma = beta**2 / len(sample) * interaction_matrix(sample, layout) @ expit(-r)
    np.testing.assert_allclose(rates @ [1, -1], lemma, rtol=1e-12)
    # Section 7's rate of one answer holds for logits; the log-likelihood has the softmax term, which cancels above.
    e = np.eye(len(W_0))[pairs.tokens.reshape(-1, 2)]  # (N, 2, V): chosen, rejected
    weight = beta**2 / len(sample) * expit(-r) * (sample.x @ sample.x.T)
    printed = np.einsum("jav,kv,jk->ja", e, e[:, 0] - e[:, 1], weight)
    pi = torch.softmax(torch.tensor(sample.x @ W.T), 1).numpy()
    exact = np.einsum("jav,kv,jk->ja", e - pi[:, None], e[:, 0] - e[:, 1], weight)
    np.testing.assert_allclose(rates, exact, rtol=1e-11, atol=1e-13)
    assert np.abs(printed - rates).max() > 0.01
    np.testing.assert_allclose(printed @ [1, -1], lemma, rtol=1e-12)


def test_one_pair_of_one_token_never_lowers_its_chosen_answer():
    rng = np.random.default_rng(2)
    for _ in range(50):
        g, W_0 = rng.normal(size=(1, 4)), rng.normal(size=(6, 4))
        W, two = W_0 + rng.normal(size=W_0.shape), rng.permutation(6)[:2]
        pairs = SequencePairs.from_answers([(g, two[:1])], [(g, two[1:])])
        chosen, rejected = token_reward_rates(W, W_0, pairs, pairs.states, pairs.tokens, beta=1.0)
        assert chosen > 0 > rejected


def test_two_tokens_can_lower_the_chosen_answer():
    # The token that both answers end with is read from like states; in the rejected answer it is less expected.
    first, W = np.array([[0.1, 0, 0, 0]]), np.random.default_rng(0).normal(size=(6, 4))
    chosen = np.concatenate([first, [[0, 1.0, 0, 0]]]), np.array([1, 3])
    rejected = np.concatenate([first, [[0, 2.0, 0, 0]]]), np.array([2, 3])
    W[:, 1] = [1, 1, 1, -1, 1, 1]
    pairs = SequencePairs.from_answers([chosen], [rejected])
    rates = pairs.sums(token_reward_rates(W, W, pairs, pairs.states, pairs.tokens, beta=1.0))
    assert rates[0, 0] < 0 and rates[0] @ [1, -1] > 0


class TestPairs:
    def make(self):
        W, W_0, pairs, *_ = draw(11, N=5, longest=4)
        return W, W_0, pairs

    def test_lengths_positions_and_sums(self):
        rng = np.random.default_rng(0)

        def answer(length):
            return rng.normal(size=(length, 3)), np.arange(length)

        pairs = SequencePairs.from_answers([answer(2), answer(1)], [answer(3), answer(2)])
        assert len(pairs) == 2 and pairs.lengths.tolist() == [[2, 3], [1, 2]]
        assert pairs.position.tolist() == pairs.tokens.tolist() == [0, 1, 0, 1, 2, 0, 0, 1]
        assert pairs.sign.tolist() == [1, 1, -1, -1, -1, 1, -1, -1]
        assert pairs.sums(np.arange(8.0)).tolist() == [[1, 9], [5, 13]]
        assert pairs.first(2).lengths.tolist() == [[2, 2], [1, 2]]
        swapped = pairs.take([1, 0])
        assert swapped.lengths.tolist() == [[1, 2], [2, 3]] and len(pairs.take([1])) == 1

    def test_taking_and_cutting_leave_the_margins_that_they_should(self):
        W, W_0, pairs = self.make()
        margins = sequence_margins(W, W_0, pairs, beta=1.0)
        np.testing.assert_allclose(sequence_margins(W, W_0, pairs.take([3, 1]), beta=1.0), margins[[3, 1]], rtol=1e-13)
        np.testing.assert_allclose(sequence_margins(W, W_0, pairs.first(9), beta=1.0), margins, rtol=1e-13)
        assert (pairs.first(1).lengths == 1).all()

    def test_a_common_beginning_contributes_nothing(self):
        W, W_0, pairs = self.make()
        opening = np.random.default_rng(1).normal(size=(2, 5)), np.array([3, 4])

        def longer(sign):
            parts = [(pairs.pair == k) & (pairs.sign == sign) for k in range(len(pairs))]
            both = [(pairs.states[at], pairs.tokens[at]) for at in parts]
            return [tuple(map(np.concatenate, zip(opening, answer, strict=True))) for answer in both]

        more = SequencePairs.from_answers(longer(1), longer(-1))
        np.testing.assert_allclose(
            sequence_margins(W, W_0, more, beta=1.0), sequence_margins(W, W_0, pairs, beta=1.0), rtol=1e-12
        )
        np.testing.assert_allclose(
            sequence_gradient(W, W_0, more, beta=1.0), sequence_gradient(W, W_0, pairs, beta=1.0), atol=1e-13
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (dict(states=np.zeros((2, 3, 1))), r"states must be finite, of shape \(T, d\)"),
            (dict(states=np.full((2, 3), np.nan)), "states must be finite"),
            (dict(tokens=np.array([0.5, 1.0])), "tokens must hold 2 whole numbers"),
            (dict(tokens=np.array([-1, 1])), "tokens must hold 2 whole numbers"),
            (dict(pair=np.array([0])), "pair must hold 2 whole numbers"),
            (dict(sign=np.array([1, 0])), "sign must hold 2 numbers 1 or -1"),
            (dict(sign=np.array([1, 1])), "pair must have both answers, got no rejected one for 0"),
            (dict(pair=np.array([0, 2])), "pair must have both answers"),
        ],
    )
    def test_arrays_that_do_not_fit_are_refused(self, change, message):
        good = dict(states=np.zeros((2, 3)), tokens=np.array([0, 1]), pair=np.array([0, 0]), sign=np.array([1, -1]))
        with pytest.raises(ValueError, match=message):
            SequencePairs(**(good | change))

    def test_answers_that_do_not_pair_up_are_refused(self):
        answer = np.zeros((1, 2)), np.array([0])
        for chosen, rejected in (([], []), ([answer], [answer, answer])):
            with pytest.raises(ValueError, match="chosen and rejected must be equally many"):
                SequencePairs.from_answers(chosen, rejected)
        with pytest.raises(ValueError, match="tokens of an answer must hold 1 whole numbers"):
            SequencePairs.from_answers([(np.zeros((1, 2)), np.array([0, 1]))], [answer])
        with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
            draw(0)[2].first(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(beta=0.0), "beta must be a finite number above 0"),
        (dict(W=np.zeros(3)), r"W must be finite, of shape \(V, d\)"),
        (dict(W_0=np.zeros((7, 4))), r"W_0 must have the shape of W, \(7, 5\), got \(7, 4\)"),
        (dict(tokens=np.full(7, 7)), r"states and tokens must fit W of shape \(7, 5\)"),
        (dict(tokens=np.arange(3)), "tokens must hold 7 whole numbers"),
        (dict(states=np.zeros((7, 4))), r"states and tokens must fit W of shape \(7, 5\)"),
        (dict(form="printed"), "form must be a known name, got 'printed'"),
    ],
)
def test_bad_arguments_are_named(change, message):
    W, W_0, pairs, states, tokens = draw(0)
    given = dict(W=W, W_0=W_0, pairs=pairs, states=states, tokens=tokens, beta=0.1) | change
    with pytest.raises(ValueError, match=message):
        token_reward_rates(**given)



class TestTraining:
    def test_the_short_way_is_gradient_descent_on_w(self):
        _, W_0, pairs, *_ = draw(4, V=30, d=6, N=5, longest=4)
        test = draw(5, V=30, d=6, N=3, longest=4)[2]
        run = train_sequences(W_0, pairs, beta=0.8, lr=0.6, steps=6, test=test, every=2)
        assert run.steps.tolist() == [0, 2, 4, 6]
        W = W_0.copy()
        for step in range(7):
            if step % 2 == 0:
                for found, given_pairs in ((run.rewards, pairs), (run.test_rewards, test)):
                    rewards = token_reward(W, W_0, given_pairs.states, given_pairs.tokens, beta=0.8)
                    # float64; a step multiplies rounding by at most a small factor
                    np.testing.assert_allclose(found[step // 2], given_pairs.sums(rewards), atol=1e-12)
            W -= 0.6 * sequence_gradient(W, W_0, pairs, beta=0.8)
        np.testing.assert_allclose(run.margins, run.rewards @ [1, -1])
        np.testing.assert_allclose(run.test_margins, run.test_rewards @ [1, -1])

    def test_tokens_below_the_floor_hardly_matter(self):
        rng = np.random.default_rng(6)
        _, W_0, pairs, *_ = draw(6, V=200, d=6, N=4, longest=3)
        W_0[20:] = 0.05 * rng.normal(size=(180, 6)) - 6 * pairs.states.mean(axis=0) / 6
        whole = train_sequences(W_0, pairs, beta=0.8, lr=0.3, steps=5).rewards
        rough = train_sequences(W_0, pairs, beta=0.8, lr=0.3, steps=5, floor=1e-2).rewards
        assert 0 < np.abs(rough - whole).max() < 0.02 * np.abs(whole).max()
        same = train_sequences(W_0, pairs, beta=0.8, lr=0.3, steps=5, floor=1e-12).rewards
        np.testing.assert_allclose(same, whole, atol=1e-11)  # what 200 tokens below 1e-12 can do
        assert not rough[0].any() and not whole[0].any()

    def test_one_start_serves_many_runs(self):
        _, W_0, pairs, *_ = draw(4, V=30, d=6, N=5, longest=4)
        start = SequenceStart(W_0, pairs)
        for beta in (0.2, 0.8, 0.2):
            once = train_sequences(W_0, pairs, beta=beta, lr=0.6, steps=3)
            assert np.array_equal(start.train(beta=beta, lr=0.6, steps=3).rewards, once.rewards)
            assert once.test_rewards is None and once.test_margins is None

    def test_bad_arguments_are_named(self):
        _, W_0, pairs, *_ = draw(4)
        for change, name in ((dict(beta=0), "beta"), (dict(lr=-1.0), "lr"), (dict(steps=-1), "steps"),
                             (dict(every=0), "every"), (dict(floor=2.0), "floor")):
            with pytest.raises(ValueError, match=f"{name} must"):
                train_sequences(W_0, pairs, **(dict(beta=0.1, lr=0.1, steps=1) | change))
        with pytest.raises(ValueError, match="lr must keep the rewards finite"):
            train_sequences(W_0.astype(np.float32), pairs, beta=1.0, lr=1e60, steps=9)  # beyond what single holds


class TestAnswerStates:
    prompts = ("Is this a test?", "Would you say that again, and say it better?")
    chosen, rejected = (" Yes, I would", " No"), (" No, I would not", " Yes, I would")

    def test_log_likelihoods_are_those_of_the_model(self):
        llm = load_llm("tiny")
        pairs = answer_states(llm, self.prompts, self.chosen, self.rejected)
        assert pairs.lengths.tolist() == [[4, 5], [1, 4]]
        W = llm.unembedding().astype(float)
        logits = pairs.states @ W.T
        found = torch.log_softmax(torch.tensor(logits), 1)[range(len(logits)), pairs.tokens].numpy()
        for k, prompt in enumerate(self.prompts):
            for column, answer in enumerate((self.chosen[k], self.rejected[k])):
                asked, tokens = llm.encode(prompt), llm.tokens(answer)
                with torch.inference_mode():
                    plain = torch.log_softmax(llm.model(torch.tensor([[*asked, *tokens]])).logits[0], 1)
                expected = sum(float(plain[len(asked) - 1 + at, token]) for at, token in enumerate(tokens))
                # float32 through two blocks; sums of at most five log-likelihoods of about 6
                assert pairs.sums(found)[k, column] == pytest.approx(expected, abs=1e-4)

    def test_the_first_state_is_the_embedding_of_the_prompt(self):
        llm = load_llm("tiny")
        pairs = answer_states(llm, self.prompts, self.chosen, self.rejected)
        first = pairs.states[pairs.position == 0].reshape(2, 2, -1)
        assert np.array_equal(first[:, 0], first[:, 1])
        np.testing.assert_allclose(first[:, 0], embed(llm, self.prompts, progress=False), atol=1e-5)  # float32

    def test_bad_arguments_are_named(self):
        llm = load_llm("tiny")
        with pytest.raises(ValueError, match="must be equally many and at least 1, got"):
            answer_states(llm, self.prompts, self.chosen, self.rejected[:1])
        with pytest.raises(ValueError, match="must be equally many and at least 1, got"):
            answer_states(llm, (), (), ())
        with pytest.raises(ValueError, match="answer must be a non-empty string"):
            answer_states(llm, self.prompts, self.chosen, (" No", ""))
