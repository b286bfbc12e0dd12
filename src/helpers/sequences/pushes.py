"""How pairs of answers push each other at the reference, before any training of the last layer (Theorem D).

G_k = sum over the positions of pair k of sign (e_y - pi(g)) g^T is minus the gradient of its loss, up to a factor, and
R_jk = <G_j, G_k> is how fast a step on pair k moves the margin of pair j. R is symmetric: what the others do to a pair,
the pair does to them.
"""

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from ..checks import numbers, shown
from .pairs import SequencePairs, finite_table
from .rewards import check_pairs

_BLOCK = 2048  # tokens of the vocabulary at once
_LARGEST = 64  # million numbers in the gradients of a block


def push_matrix(
    W: Annotated[np.ndarray, "V d"], pairs: SequencePairs
) -> Annotated[np.ndarray, "N N"]:
    """R_jk = <G_j, G_k> of all pairs of pairs: shape (N, N), in nats per beta^2/(2N) of learning rate.

    One step of gradient descent with a small learning rate lr on pairs with the labels as they are moves the margin of
    pair j by lr beta^2/(2N) sum_k R_jk. A turned label turns the sign of its row and its column. The work is O(N^2 V d)
    or O(T^2 V) for T positions, whichever is less; `total_pushes` needs O(T V d). It is done in single precision.

    Raises `ValueError` for pairs that are none, and states or tokens that do not fit W.
    """
    W, states = _checked(W, pairs)
    N, T = len(pairs), len(states)
    by_pair = N * N * W.shape[1] < T * T
    found = np.zeros((N, N) if by_pair else (T, T), np.float64)
    width = max(1, min(_BLOCK, _LARGEST * 10**6 // (N * W.shape[1]))) if by_pair else _BLOCK
    order = np.argsort(pairs.pair, kind="stable")
    starts = np.searchsorted(pairs.pair[order], np.arange(N))
    for _, part in _signed_residuals(W, states, pairs, width):
        if by_pair:
            gradients = np.stack([part[rows].T @ states[rows] for rows in np.split(order, starts[1:])])
            flat = gradients.reshape(N, -1)
            found += flat @ flat.T
        else:
            found += part @ part.T
    if by_pair:
        return found
    found *= states @ states.T
    rows = np.add.reduceat(found[order], starts, axis=0)
    return np.add.reduceat(rows[:, order], starts, axis=1)


def total_pushes(
    W: Annotated[np.ndarray, "V d"], pairs: SequencePairs, labels: Annotated[np.ndarray, "*M N"] | None = None
) -> tuple[Annotated[np.ndarray, "*M N"], Annotated[np.ndarray, "N"]]:
    """What all other pairs together do to each pair: one gradient, minus each pair's own part; O(T V d).

    Parameters
    ----------
    W : unembedding at the reference (V, d).   pairs : N pairs.
    labels : 1 or -1 for each pair, -1 where its two answers are exchanged, shape (N,), or (M, N) for M labellings;
        None leaves all as they are.

    Returns
    -------
    pushes : label_j sum_{k != j} label_k R_jk, shape (N,) or (M, N).   own : R_jj, shape (N,).

    Raises
    ------
    ValueError : pairs that are none, states or tokens that do not fit W, labels of another shape or kind.
    """
    W, states = _checked(W, pairs)
    N = len(pairs)
    labels = np.ones(N) if labels is None else numbers("labels", labels)
    if labels.shape[-1:] != (N,) or labels.ndim > 2 or not np.isin(labels, (1, -1)).all():
        raise ValueError(f"labels must hold 1 or -1 for each of {N} pairs, got {shown(labels)}")
    many = np.atleast_2d(labels).astype(np.float32)
    order = np.argsort(pairs.pair, kind="stable")
    starts = np.searchsorted(pairs.pair[order], np.arange(N))
    found, own = np.zeros((len(many), N)), np.zeros(N)
    own_products = [states[rows] @ states[rows].T for rows in np.split(order, starts[1:])]
    for _, part in _signed_residuals(W, states, pairs, _BLOCK):
        for m, label in enumerate(many):
            gradient = (part * label[pairs.pair, None]).T @ states  # (block, d)
            moved = np.einsum("tv,tv->t", part, states @ gradient.T)
            found[m] += np.bincount(pairs.pair, weights=moved, minlength=N)
        for k, rows in enumerate(np.split(order, starts[1:])):
            own[k] += (own_products[k] * (part[rows] @ part[rows].T)).sum()
    found = np.atleast_2d(labels) * found - own
    return (found if labels.ndim == 2 else found[0]), own


def _checked(W: np.ndarray, pairs: SequencePairs) -> tuple[np.ndarray, np.ndarray]:
    check_pairs("pairs", pairs)
    W = finite_table("W", W, "(V, d)")
    if pairs.states.shape[1] != W.shape[1] or pairs.tokens.max() >= len(W):
        found = f"{pairs.states.shape} and {pairs.tokens.max()}"
        raise ValueError(f"the states and tokens of pairs must fit W of shape {W.shape}, got {found}")
    return W.astype(np.float32, copy=False), pairs.states.astype(np.float32)


def _signed_residuals(
    W: np.ndarray, states: np.ndarray, pairs: SequencePairs, width: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """sign (e_y - pi(g)) at every position, `width` tokens of the vocabulary at a time: (T, width) each."""
    top, total = np.full(len(states), -np.inf, np.float32), np.zeros(len(states), np.float32)
    for block in _blocks(len(W), _BLOCK):  # the normalizer first
        logits = states @ W[block].T
        new = np.maximum(top, logits.max(axis=1))
        total = total * np.exp(top - new) + np.exp(logits - new[:, None]).sum(axis=1)
        top = new
    lse, sign = top + np.log(total), pairs.sign.astype(np.float32)
    for block in _blocks(len(W), width):
        part = -np.exp(states @ W[block].T - lse[:, None])
        inside = np.flatnonzero((pairs.tokens >= block.start) & (pairs.tokens < block.stop))
        part[inside, pairs.tokens[inside] - block.start] += 1
        part *= sign[:, None]
        yield block, part


def _blocks(V: int, width: int) -> Iterator[slice]:
    return (slice(a, min(a + width, V)) for a in range(0, V, width))
