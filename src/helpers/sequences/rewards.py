"""Answers of many tokens: the reward of a sequence, and how training the last layer moves that of one token.

The hidden states are fixed and the unembedding W (V, d) is trained (paper, section 4.3 and Appendix D). pi(g) is the
softmax of W g over all V tokens, S(W g) in the paper; an asterisk marks the token that is watched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.special import expit, logsumexp

from ..checks import holds, one_of, positive
from .pairs import SequencePairs, finite_table, whole_numbers

_BLOCK = 64  # positions whose logits over the whole vocabulary are held at once


@dataclass(frozen=True)
class TokenTerms:
    """The parts of Theorem D for M observed tokens and T trained positions, each of shape (M, T).

    correlation : C* = g . g*.   equal : 1 where both tokens are the same, else 0.
    p, d_p : what the softmax adds.   `sharing` : equal - p + d_p, which takes the place of Delta y . Delta y'.
    """

    correlation: Annotated[np.ndarray, "M T"]
    equal: Annotated[np.ndarray, "M T"]
    p: Annotated[np.ndarray, "M T"]
    d_p: Annotated[np.ndarray, "M T"]

    @property
    def sharing(self) -> np.ndarray:
        """(e_y - pi(g*)) . (e_y' - pi(g)), if p is the sum."""
        return self.equal - self.p + self.d_p


def token_reward(
    W: Annotated[np.ndarray, "V d"],
    W_0: Annotated[np.ndarray, "V d"],
    states: Annotated[np.ndarray, "M d"],
    tokens: Annotated[np.ndarray, "M"],
    *,
    beta: float,
) -> Annotated[np.ndarray, "M"]:
    """r*_y = beta (log pi(g*)_y - log pi_ref(g*)_y) for M states g* (M, d) and tokens y (M,); shape (M,), in nats.

    Raises `ValueError` for arrays that do not fit or are not finite, and for beta not above 0 (or above 1e50).
    """
    positive("beta", beta, 1e50)
    states, tokens = _targets(W, states, tokens)
    if W is W_0:
        return np.zeros(len(tokens))
    W, start = finite_table("W", W, "(V, d)"), finite_table("W_0", W_0, "(V, d)")
    if start.shape != W.shape:
        raise ValueError(f"W_0 must have the shape of W, {W.shape}, got {start.shape}")
    return beta * (_log_likelihood(W, states, tokens) - _log_likelihood(start, states, tokens))


def sequence_margins(W: np.ndarray, W_0: np.ndarray, pairs: SequencePairs, *, beta: float) -> np.ndarray:
    """Reward margins r_i = sum_j r(y_w^(j)) - sum_j r(y_l^(j)), shape (N,), in nats; errors as `token_reward`."""
    check_pairs("pairs", pairs)
    return pairs.sums(token_reward(W, W_0, pairs.states, pairs.tokens, beta=beta)) @ [1.0, -1.0]


def sequence_gradient(
    W: Annotated[np.ndarray, "V d"], W_0: Annotated[np.ndarray, "V d"], pairs: SequencePairs, *, beta: float
) -> Annotated[np.ndarray, "V d"]:
    """Gradient in W (V, d) of the loss -mean_i log sigma(r_i): minus the sum of weight (e_y - pi(g)) g^T.

    Errors as `token_reward`.
    """
    weight, gradient = _weights(W, W_0, pairs, beta) / beta, np.zeros(np.shape(W))
    W = finite_table("W", W, "(V, d)")
    for block, probabilities in _softmax(W, pairs.states):
        probabilities *= weight[block, None]
        np.subtract.at(probabilities.T, (pairs.tokens[block], np.arange(len(probabilities))), weight[block])
        gradient += probabilities.T @ pairs.states[block]
    return gradient


def token_terms(
    W: np.ndarray, pairs: SequencePairs, states: np.ndarray, tokens: np.ndarray, *, form: str = "repaired"
) -> TokenTerms:
    """C*, token equality, p and d_p of Theorem D; arguments and errors as for `token_reward_rates`."""
    one_of("form", form, ("repaired", "paper"))
    check_pairs("pairs", pairs)
    states, tokens = _targets(W, states, tokens)
    _targets(W, pairs.states, pairs.tokens, "the states and tokens of pairs")
    W = finite_table("W", W, "(V, d)")
    observed = np.concatenate([probabilities for _, probabilities in _softmax(W, states)])  # pi(g*), (M, V)
    p = observed[:, pairs.tokens] * (1.0 if form == "repaired" else -1.0)
    d_p = np.empty_like(p)
    for block, probabilities in _softmax(W, pairs.states):
        p[:, block] += probabilities[:, tokens].T
        d_p[:, block] = observed @ probabilities.T
    equal = (tokens[:, None] == pairs.tokens).astype(float)
    return TokenTerms(states @ pairs.states.T, equal, p, d_p)


def token_reward_rates(
    W: Annotated[np.ndarray, "V d"],
    W_0: Annotated[np.ndarray, "V d"],
    pairs: SequencePairs,
    states: Annotated[np.ndarray, "M d"],
    tokens: Annotated[np.ndarray, "M"],
    *,
    beta: float,
    form: str = "repaired",
) -> Annotated[np.ndarray, "M"]:
    """tau dr*_y/dt of M observed tokens under the flow tau dW/dt = -grad L on `pairs` (Theorem D, App. D).

    Parameters
    ----------
    W, W_0 : unembedding now and at the start (V, d).   pairs : the training pairs.
    states, tokens : hidden states g* (M, d) and tokens y (M,) to watch, trained on or not.
    form : "repaired", with p = pi(g)_y + pi(g*)_y'; "paper" evaluates p as printed, with a difference.

    Returns
    -------
    Rates (M,), in nats per unit of t / tau; one small gradient step of learning rate lr adds lr times the rate.

    Raises
    ------
    ValueError : arrays that do not fit or are not finite, a token outside of W, beta <= 0, an unknown form.
    """
    terms = token_terms(W, pairs, states, tokens, form=form)
    return (terms.correlation * terms.sharing) @ _weights(W, W_0, pairs, beta)


def _weights(W: np.ndarray, W_0: np.ndarray, pairs: SequencePairs, beta: float) -> np.ndarray:
    """beta^2/N sigma(-r_i) for each position, negative in rejected answers, shape (T,)."""
    r = sequence_margins(W, W_0, pairs, beta=beta)
    return float(beta) ** 2 / len(pairs) * expit(-r)[pairs.pair] * pairs.sign


def _log_likelihood(W: np.ndarray, states: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    found = np.empty(len(tokens))
    for start in range(0, len(tokens), _BLOCK):
        block = slice(start, start + _BLOCK)
        logits = states[block] @ W.T
        found[block] = logits[np.arange(len(logits)), tokens[block]] - logsumexp(logits, axis=1)
    return found


def _softmax(W: np.ndarray, states: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """pi(g) of the states, block by block, each (at most `_BLOCK`, V)."""
    for start in range(0, len(states), _BLOCK):
        block = slice(start, start + _BLOCK)
        probabilities = states[block] @ W.T
        np.exp(probabilities - probabilities.max(axis=1, keepdims=True), out=probabilities)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        yield block, probabilities


def check_pairs(name: str, pairs: SequencePairs) -> None:
    """Raise `ValueError` where `pairs` are no `SequencePairs`."""
    holds(name, pairs, "states tokens pair sign sums lengths", "SequencePairs")


def _targets(
    W: np.ndarray, states: np.ndarray, tokens: np.ndarray, name: str = "states and tokens"
) -> tuple[np.ndarray, np.ndarray]:
    V, d = finite_table("W", W, "(V, d)").shape
    states = finite_table("states", states)
    tokens = whole_numbers("tokens", tokens, len(states))
    if states.shape[1] != d or tokens.max() >= V:
        raise ValueError(f"{name} must fit W of shape {(V, d)}, got {states.shape} and {tokens.max()}")
    return states, tokens
