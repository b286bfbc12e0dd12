"""How often the first step is wrong on statements that it did not see: measured, beside what the laws say of it."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from ..checks import holds, integers
from ..dynamics.token_rows import Samples, checked_arrays
from ..layouts import TokenLayout


def first_step_errors(
    sample: Samples, layout: TokenLayout, Q: Sequence[int], rng: np.random.Generator
) -> Annotated[np.ndarray, "Q K 2"]:
    """Errors of the direction of the first step, learned from Q samples a cluster and judged by all others.

    Parameters
    ----------
    sample : embeddings with value and side, more than max(Q) of each cluster.
    layout : the answer tokens.
    Q : numbers of training samples a cluster; a smaller one has a part of the samples of a larger one.
    rng : draws the training samples.

    After one full-batch step w_i is proportional to sum_k g_ik m_k, with m_k the mean of the signed training samples
    of value k, whatever the learning rate and the loss (N3).

    Returns
    -------
    Shape (len(Q), K, 2), side +1 first: the share of the other samples of each cluster with a margin of at most 0.

    Raises
    ------
    ValueError : arrays that do not fit, Q below 1, or a cluster with no sample left to judge by.
    """
    x, value, side = checked_arrays(sample, layout, "sample")
    holds("rng", rng, "permutation", "a NumPy random generator")
    samples = integers("Q", Q, 1, len(x))
    rows = [[np.flatnonzero((value == i) & (side == s)) for s in (1, -1)] for i in range(layout.K)]
    fewest = min(len(cluster) for pair in rows for cluster in pair)
    if samples.size and fewest <= samples.max():
        raise ValueError(f"Q must leave samples to judge by: at most {fewest - 1}, got {samples.max()}")
    dealt = [[rng.permutation(cluster) for cluster in pair] for pair in rows]
    errors = np.empty((len(samples), layout.K, 2))
    for at, few in enumerate(samples):
        means = [[x[cluster[:few]].mean(axis=0) for cluster in pair] for pair in dealt]
        w = layout.gram @ np.array([(plus - minus) / 2 for plus, minus in means])
        for i, pair in enumerate(dealt):
            for k, (s, cluster) in enumerate(zip((1, -1), pair, strict=True)):
                errors[at, i, k] = np.mean(s * (x[cluster[few:]] @ w[i]) <= 0)
    return errors
