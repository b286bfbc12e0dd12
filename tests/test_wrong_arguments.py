"""Public functions of the theory rooms with wrong arguments: a sound result or one sentence, never a foreign error.

Each function is called once as it should be and then with one argument after the other replaced by each of the wrong
values below; warnings are errors here, so that an overflow counts as one.
"""

import dataclasses
import traceback
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import audit, bounds, dynamics, layouts, losses, risk, sequences, statistics
from helpers.mixture import Sample, ValueMixture
from helpers.preferences import Preferences
from helpers.training import (
    Head,
    LastLayerLab,
    OnlinePrompts,
    expected_push,
    pair_pulls,
    sampled_push,
    train_last_layer,
    train_online,
)

WRONG = [
    None, "three", "", float("nan"), float("inf"), -float("inf"), -1, -0.5, 0, 1e308, 1e-308, 10**30, 10**400, True,
    2.5, np.float32(3), 1j, b"x", [], [1, 2, 3], [[1, 2], [3]], {}, set(), object(), np.zeros((2, 3)),
    np.full((2, 2), np.nan), np.array([object(), None], dtype=object), np.array(["a", "b"]),
]
RNG = np.random.default_rng(0)
LAYOUT = layouts.chain(3)
MIXTURE = ValueMixture(LAYOUT, 8, 0.3, 0.5)
SAMPLE, UNSEEN = MIXTURE.sample(3, RNG), MIXTURE.sample(1, RNG)
PUSHES = np.full(len(SAMPLE), 0.5)
C = dynamics.interaction_matrix(SAMPLE, LAYOUT)
PREFERENCES = SimpleNamespace(value=SAMPLE.value, side=SAMPLE.side, layout=LAYOUT)
HELD_OUT = SimpleNamespace(value=UNSEEN.value, side=UNSEEN.side, layout=LAYOUT)
W_0 = RNG.standard_normal((6, 4))
W = W_0 + 0.1 * RNG.standard_normal((6, 4))
CHOSEN, REJECTED = ([(RNG.standard_normal((k, 4)), RNG.integers(6, size=k)) for k in n] for n in ((2, 1), (1, 2)))
PAIRS = sequences.SequencePairs.from_answers(CHOSEN, REJECTED)
WATCHED = dict(states=PAIRS.states[:2], tokens=PAIRS.tokens[:2])
MARGINS = np.array([0.1, -0.2, 0.3])
DRAWS = np.array([0.1, 0.3, 0.2, 0.5])
FEATURES = risk.pair_features(SAMPLE.x, SAMPLE.value, SAMPLE.side, LAYOUT)
ANSWERS = [" Yes", " No"] * 4
POOL = Preferences([f"p{j}" for j in range(8)], ANSWERS, ANSWERS[1:] + [" Yes"], [0] * 8, [1, -1] * 4, ("a",))
X = RNG.standard_normal((8, 5)) + POOL.side[:, None]
HEAD = Head(np.random.default_rng(1).standard_normal((6, 8)), {0: 3, 1: 5, 2: 0, 3: 1})
ONLINE = OnlinePrompts(np.ones((3, 2)), np.zeros((3, 4)), np.arange(24.0).reshape(3, 2, 4) % 5, np.ones((3, 2)))
LAB = LastLayerLab(POOL, POOL, X, X, 1.0)
EDGE = dict(K=3, Q=100, Z=1, d=10, v=0.01, epsilon=1.0)
ONE_STEP = dict(mixture=MIXTURE, Q=3)
ARRAYS = vars(MIXTURE.sample(4, RNG))
MANY = MIXTURE.sample(6, RNG)


def quiet(done, total):
    """A progress bar that nobody sees."""


CALLS = [
    *((maker, dict(K=3)) for maker in (
        layouts.disjoint, layouts.chain, layouts.star, layouts.grid, layouts.shared)),
    (layouts.TokenLayout, dict(pairs=((0, 1), (1, 2)))),
    (ValueMixture, dict(layout=LAYOUT, d=8, v=0.3, l_b=0.5, delta=0.1)),
    (MIXTURE.mean, dict(value=1, side=1)),
    (MIXTURE.counts, dict(Q=3)),
    (MIXTURE.sample, dict(Q=3, rng=RNG)),
    (losses.get_loss, dict(name="dpo")),
    (losses.margin_loss, dict(name="dpo")),
    (losses.DPOPositive, dict(strength=3.0)),
    (losses.BetaDPO, dict(alpha=0.5, keep=0.5, momentum=0.5, least=0.1)),
    (losses.BetaDPO().on_batch, dict(r=MARGINS, beta=0.1, seen=None, rng=RNG)),
    (sequences.SequencePairs, dict(states=PAIRS.states, tokens=PAIRS.tokens, pair=PAIRS.pair, sign=PAIRS.sign)),
    (sequences.SequencePairs.from_answers, dict(chosen=CHOSEN, rejected=REJECTED)),
    (PAIRS.first, dict(length=1)),
    (PAIRS.take, dict(pairs=[0, 1])),
    *((call, dict(W=W, W_0=W_0, pairs=PAIRS, beta=0.1)) for call in (
        sequences.sequence_gradient, sequences.sequence_margins)),
    (sequences.token_reward, dict(W=W, W_0=W_0, beta=0.1) | WATCHED),
    (sequences.token_reward_rates, dict(W=W, W_0=W_0, pairs=PAIRS, beta=0.1, form="paper") | WATCHED),
    (sequences.token_terms, dict(W=W, pairs=PAIRS, form="paper") | WATCHED),
    (sequences.push_matrix, dict(W=W, pairs=PAIRS)),
    (sequences.total_pushes, dict(W=W, pairs=PAIRS, labels=[1, -1])),
    (sequences.SequenceStart, dict(W_0=W_0, pairs=PAIRS, test=PAIRS, floor=0.01)),
    (sequences.train_sequences, dict(
        W_0=W_0, pairs=PAIRS, beta=0.1, lr=0.1, steps=2, test=PAIRS, every=1, floor=0.0)),
    (dynamics.dimensionless_time, dict(steps=3, beta=0.1, lr=0.1, K=2)),
    (dynamics.paper_horizon, dict(K=2, beta=0.1, lr=0.1)),
    (dynamics.noise_free_margin, dict(S=1.0, loss="dpo")),
    (dynamics.interaction_matrix, dict(sample=SAMPLE, layout=LAYOUT, other=UNSEEN)),
    (dynamics.gradient_flow, dict(sample=SAMPLE, layout=LAYOUT, S=np.array([0.5, 1.0]), loss="dpo", test=UNSEEN)),
    (dynamics.gradient_descent, dict(
        sample=SAMPLE, layout=LAYOUT, steps=3, beta=0.3, lr=0.1, loss="ipo", test=UNSEEN)),
    (dynamics.smoothness, dict(sample=SAMPLE, layout=LAYOUT, beta=0.1)),
    (dynamics.scalar_discretization_bound, dict(h=0.1, S=1.0)),
    (dynamics.discretization_bound, dict(sample=SAMPLE, layout=LAYOUT, beta=0.1, lr=0.1, steps=3, test=UNSEEN)),
    (dynamics.push, dict(loss="dpo")),
    (dynamics.first_rates, dict(sample=SAMPLE, layout=LAYOUT)),
    (dynamics.pull, dict(sample=SAMPLE, layout=LAYOUT, pushes=PUSHES, test=UNSEEN)),
    (dynamics.initial_rates, dict(layout=LAYOUT, concepts=MIXTURE.concepts, midpoints=MIXTURE.shared)),
    (dynamics.rate_moments, dict(
        layout=LAYOUT, means=MIXTURE.means, covariance=0.09 * np.eye(8), Q=3, measured_on=5)),
    (dynamics.separation, dict(C=C)),
    (dynamics.recovery_time, dict(C=C, K=3)),
    (dynamics.TokenRows, dict(sample=SAMPLE, layout=LAYOUT)),
    (dynamics.track, dict(sample=SAMPLE, layout=LAYOUT)),
    (dynamics.track(SAMPLE, LAYOUT).margin, dict(S=1.0)),
    (dynamics.track(SAMPLE, LAYOUT).omega, dict(S=1.0)),
    (dynamics.track_beforehand, dict(mixture=MIXTURE, Q=3, failure=0.1, trace=0.3, norm=0.1)),
    *((call, dict(w=MIXTURE.concepts, mixture=MIXTURE)) for call in (
        risk.cluster_risks, risk.exact_risk, risk.log_cluster_risks, risk.log_exact_risk)),
    *((call, ONE_STEP) for call in (
        risk.risk_law, risk.log_law, risk.first_step, risk.log_chernoff, risk.log_one_step_risk, risk.one_step_risk)),
    (risk.risk_theorem, ONE_STEP | dict(form="closed")),
    (risk.law_from_interactions, dict(sample=SAMPLE, layout=LAYOUT, Q=3.0, sides=True)),
    (risk.one_step_risk_from_interactions, dict(sample=SAMPLE, layout=LAYOUT, Q=2.0, sides=False)),
    (risk.first_step_errors, dict(sample=SAMPLE, layout=LAYOUT, Q=[1, 2], rng=np.random.default_rng(0))),
    (risk.interactions, dict(sample=SAMPLE)),
    (risk.interactions(SAMPLE).law, dict(layout=LAYOUT, Q=3.0)),
    (risk.interactions(SAMPLE).strays, dict(layout=LAYOUT, Q=3.0)),
    (risk.samples_for_risk, dict(risk=0.1, v=0.3, d=8, l_b=0.5, kappa=1.0)),
    (risk.diversity_limit, dict(v=0.1, risk=0.1)),
    (risk.first_step_table, dict(train=SAMPLE, test=UNSEEN, known=SAMPLE)),
    (risk.shared_limit, dict(products=np.eye(3))),
    (risk.whitened_products, dict(sample=MIXTURE.sample(9, RNG), layout=LAYOUT)),
    (risk.certificate, dict(sample=SAMPLE, mixture=MIXTURE, S=0.3)),
    (risk.guarantee_beforehand, dict(mixture=MIXTURE, Q=10, S=0.3, failure=0.1, covariance=0.09 * np.eye(8))),
    (risk.pair_features, ARRAYS | dict(layout=LAYOUT)),
    (risk.model_guarantee, dict(
        direction=FEATURES.mean(axis=0), features=FEATURES, prior=FEATURES[0], failure=0.05)),
    (bounds.noise_parts, dict(sample=SAMPLE, means=MIXTURE.means, noise_square=0.1)),
    (bounds.deviations, dict(
        sample=SAMPLE, layout=LAYOUT, means=MIXTURE.means, noise_square=0.1, allowed=0.1)),
    (bounds.largest_epsilon, dict(v=0.1, Z=2)),
    (bounds.rate_bracket, dict(sample=SAMPLE, layout=LAYOUT, pushes=PUSHES, l_b=0.5, noise_square=0.1)),
    (bounds.sharing_term, dict(sample=SAMPLE, layout=LAYOUT, pushes=PUSHES, l_b=0.5)),
    (bounds.rate_tolerance, dict(Q=3, Z=2, pushes=PUSHES, allowed=0.1)),
    *((bounds.failure_probability, EDGE | dict(form=form, c=0.125)) for form in ("paper", "appendix")),
    *((bounds.samples_for_confidence, dict(K=3, failure=0.5, form=form, Z=1, c=0.125))
      for form in ("paper", "appendix")),
    (bounds.risk_bound, dict(K=3, Q=100)),
    (bounds.samples_for_bound, dict(K=3, risk=0.1)),
    (bounds.refined_exponent, dict(Q=100, Z=1, l_b=0.3, d=10, v=0.1, epsilon=1.0, approximate=False)),
    (bounds.refined_risk_bound, EDGE | dict(l_b=0.3)),
    (bounds.conditions, dict(layout=LAYOUT, Q=10, d=8, v=0.1, l_b=0.3, theorem="C.6", epsilon=1.0, delta=0.1)),
    (bounds.slack, dict(
        mixture=MIXTURE, Q=3, rng=RNG, sample=SAMPLE, epsilon=0.1, steps=3, draws=1, failure=0.1, only=None)),
    (audit.measure_geometry, ARRAYS),
    (audit.cluster_means, ARRAYS),
    (audit.measure_value, dict(x=X, side=POOL.side)),
    (audit.cluster_means(**ARRAYS).first_rates, dict(layout=LAYOUT)),
    (audit.audit, dict(embeddings=MANY.x, preferences=SimpleNamespace(value=MANY.value, side=MANY.side), layout=LAYOUT,
                       Q=3, centred=False, theorem="C.6", groups=3, seed=0)),
    (audit.plan, dict(embeddings=MANY.x, preferences=SimpleNamespace(value=MANY.value, side=MANY.side, layout=LAYOUT),
                      target=0.1, Q=8.0, layouts={"own": layouts.disjoint(3)}, centred=True, halves=10, seed=0)),
    (audit.published_cosines, vars(MANY) | dict(again=True)),
    (audit.published_norms, vars(MANY) | dict(norm="each")),
    (audit.normality, vars(MANY) | dict(random=1, leading=1, seed=0)),
    (audit.groups_of_pairs, dict(value=MANY.value, side=MANY.side, groups=3, seed=0)),
    (audit.jackknife, dict(estimate=MARGINS**2, left_out=np.outer(DRAWS, MARGINS**2), log=True, times=2)),
    (statistics.wilson_interval, dict(error=0.2, tested=10)),
    (statistics.mean_interval, dict(draws=DRAWS)),
    (statistics.paired_difference, dict(first=DRAWS, second=DRAWS[::-1])),
    (statistics.bootstrap_interval, dict(draws=DRAWS, statistic=np.mean, seed=0)),
    (train_last_layer, dict(embeddings=SAMPLE.x, preferences=PREFERENCES, beta=0.1, lr=0.1, steps=3, optimizer="adam",
                            loss="dpo", test=(UNSEEN.x, HELD_OUT), every=1, progress=None)),
    (Head, dict(W_0=HEAD.W_0, answers=HEAD.answers, bias=np.zeros(6), floor=0.1)),
    (train_last_layer, dict(embeddings=SAMPLE.x, preferences=PREFERENCES, beta=0.1, lr=0.1, steps=2,
                            loss=losses.DPOPositive(2.0), head=HEAD, batch=3, seed=1)),
    (train_last_layer, dict(embeddings=SAMPLE.x, preferences=PREFERENCES, beta=0.1, lr=0.1, steps=2,
                            loss=losses.BetaDPO(), batch=3, seed=1)),
    (OnlinePrompts, {name: getattr(ONLINE, name) for name in ("x", "logits", "rewards", "weights")}),
    *((call, dict(logits=ONLINE.logits, prompts=ONLINE, beta=0.1, label="each")) for call in (
        pair_pulls, expected_push)),
    (sampled_push, dict(logits=ONLINE.logits, prompts=ONLINE, beta=0.1, rng=RNG, label="sum")),
    (train_online, dict(prompts=ONLINE, beta=0.1, lr=0.1, steps=2, label="sum", batch=3, seed=0, test=ONLINE, every=1,
                        progress=None)),
    (LastLayerLab, dict(pool=POOL, test=POOL, x=X, x_test=X, lr=1.0, seed=0)),
    (LAB.run, dict(steps=3, beta=0.1, Q=2, every=1, draw=0)),
    (LAB.margins, dict(steps=[0, 2], betas=[0.1], Qs=[2])),
    (LAB.errors, dict(steps=[0, 2], betas=[0.1], Qs=[2])),
    (LAB.live_margins, dict(steps=3, beta=0.1, Q=2, progress=quiet)),
    (LAB.live_error, dict(steps=3, beta=0.1, Q=2, progress=quiet)),
]


def changed(good):
    """Wrong values in the place of a good one: the list, and for arrays and samples what is nearly right."""
    yield from WRONG
    if isinstance(good, np.ndarray):
        yield from (good.astype(complex), good.astype(object), good.astype(str), good[:-1], good[..., None], good[:0])
        yield from (np.full(good.shape, value) for value in (0.0, 1e308, 1e-308, -7.5))
        for value in (np.nan, np.inf):
            spoilt = good.astype(float)
            spoilt.flat[-1] = value
            yield spoilt
    if isinstance(good, Sample | SimpleNamespace):
        for field, value in vars(good).items():
            near = changed(value) if isinstance(value, np.ndarray) else WRONG
            yield from (SimpleNamespace(**(vars(good) | {field: wrong})) for wrong in near)


def holds_nan(found):
    """Whether a result has a number in it that is none."""
    if isinstance(found, np.ndarray | float):
        return np.asarray(found).dtype.kind == "f" and bool(np.isnan(found).any())
    if dataclasses.is_dataclass(found):
        return any(holds_nan(getattr(found, field.name)) for field in dataclasses.fields(found))
    if isinstance(found, dict):
        return any(map(holds_nan, found.values()))
    return isinstance(found, tuple | list) and any(map(holds_nan, found))


@pytest.mark.parametrize(("call", "good"), CALLS, ids=lambda part: getattr(part, "__qualname__", ""))
def test_a_wrong_argument_gets_a_sound_result_or_one_sentence(call, good):
    call(**good)
    for name in good:
        for wrong in changed(good[name]):
            said = f"{name}={wrong!r:.80}"
            try:
                found = call(**good | {name: wrong})
            except ValueError as error:
                source = traceback.extract_tb(error.__traceback__)[-1].filename
                assert "/helpers/" in source.replace("\\", "/"), f"{said}: a foreign {error}"
                assert str(error) and "\n" not in str(error), f"{said}: {error}"
            except Exception as error:
                pytest.fail(f"{said}: {type(error).__name__}: {error}")
            else:
                echo = call is LastLayerLab  # holds its embeddings, which training checks
                assert echo or not holds_nan(found), f"{said} gives NaN"


def test_what_once_ran_for_ever_or_gave_nan():
    with pytest.raises(ValueError, match="^beta and lr must keep 2 beta\\^2 lr / K between"):
        dynamics.gradient_descent(SAMPLE, LAYOUT, 3, beta=1e30, lr=1e300)
    with pytest.raises(ValueError, match="^lr must keep the margins finite, got 1e\\+50, which does not after"):
        dynamics.gradient_descent(SAMPLE, LAYOUT, 40, beta=1.0, lr=1e50, loss="ipo")
    with pytest.raises(ValueError, match="^steps must be a whole number from 0 to 10000000, got 1000"):
        train_last_layer(SAMPLE.x, PREFERENCES, beta=0.1, lr=0.1, steps=10**15)
    with pytest.raises(ValueError, match="^steps must keep the record below 2e\\+09 numbers"):
        dynamics.gradient_descent(SimpleNamespace(x=np.ones((1, 500)), value=[0], side=[1]), LAYOUT, 10**7,
                                  beta=0.1, lr=0.1)
    with pytest.raises(ValueError, match="^K must be a whole number from 1 to 20000, got 1000"):
        layouts.disjoint(10**15)
    with pytest.raises(ValueError, match="^Q must ask for at most 1e\\+09 numbers of 8 a sample"):
        MIXTURE.sample(10**12, RNG)
    assert bounds.risk_bound(3, 1e308) == 0 and risk.one_step_risk(ValueMixture(LAYOUT, 8, 1e-12, 0.5), 3).max() == 0
