"""Lemma 4.1: how training the last layer moves the reward margins.

Time is dimensionless, S = 2 beta^2 t / (K tau). One step of gradient descent advances it by
h = 2 beta^2 lr / K. Everything works on the token rows of beta Delta W, at a cost of O(N d) a step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from ..checks import at_least, numbers, positive, shown
from ..layouts import TokenLayout
from ..losses import margin_loss
from .token_rows import Samples, TokenRows, checked_arrays, held_out_rows

_TIGHT = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-12}
_SLIC_STEPS = 4096
MOST_STEPS = 10**7  # of any training here
_MOST_RECORDED = 2 * 10**9  # numbers, 16 GB


@dataclass(frozen=True)
class Trajectory:
    """Training, seen at T times.

    S : dimensionless times (T,).
    margins : of the training samples (T, N), in the order of the sample.
    w : the vectors w_i = beta Delta W^T u_i (T, K, d).
    test_margins : of the held-out samples (T, M), or None without them.
    """

    S: Annotated[np.ndarray, "T"]
    margins: Annotated[np.ndarray, "T N"]
    w: Annotated[np.ndarray, "T K d"]
    test_margins: Annotated[np.ndarray, "T M"] | None = None


def push(loss: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function r -> -f'(r) of the loss "dpo", "ipo" or "slic": how hard a sample of margin r pulls.

    Raises `ValueError` for another loss.
    """
    slope = margin_loss(loss).slope
    return lambda r: -slope(r)


def dimensionless_time(
    steps: float | Annotated[np.ndarray, "*S"], beta: float, lr: float, K: int
) -> float | Annotated[np.ndarray, "*S"]:
    """S = 2 n beta^2 lr / K after n steps of gradient descent on the mean loss (N9).

    Raises `ValueError` for steps < 0, beta <= 0, lr <= 0 or K < 1.
    """
    return times_of("steps", steps) * _step_size(beta, lr, K)


def paper_horizon(K: int, beta: float, lr: float) -> float:
    """n_1 = K log 3 / (5 beta^2 lr): the steps that reach the paper's stopping time tau_1 (N9).

    Raises `ValueError` for beta <= 0, lr <= 0 or K < 1.
    """
    return float(0.4 * np.log(3) / _step_size(beta, lr, K))


def noise_free_margin(
    S: float | Annotated[np.ndarray, "*S"], loss: str = "dpo"
) -> float | Annotated[np.ndarray, "*S"]:
    """Margin that all samples share without noise, for balanced data and any token layout (N1).

    DPO solves r + e^r = 1 + S; IPO gives 1 - e^(-2S), SLiC min(1, S). Shaped like S; `ValueError` for S < 0.
    """
    S = times_of("S", S)
    margin_loss(loss)
    if loss == "ipo":
        return -np.expm1(-2.0 * S)
    if loss == "slic":
        return np.minimum(1.0, S)
    small = np.minimum(S, 500.0)  # e^(1+S) overflows soon after
    r = 1.0 + small - lambertw(np.exp(1.0 + small)).real
    r -= (r + np.expm1(r) - small) / (1.0 + np.exp(r))  # restores the digits that the difference lost near 0
    y = 1.0 + S - np.log1p(S)
    for _ in range(4):
        y -= (y + np.log(y) - 1.0 - S) / (1.0 + 1.0 / y)
    return np.where(S > 500.0, np.log(y), r)[()]


def interaction_matrix(
    sample: Samples, layout: TokenLayout, other: Samples | None = None
) -> Annotated[np.ndarray, "M N"]:
    """C[j, k] = (Delta y_j . Delta y_k)(x_j . x_k), rows from `other` if it is given (Lemma 4.1).

    Shape (N, N) or (M, N). For small cases: nothing else here needs it. Errors as for `gradient_flow`.
    """
    x, value, side = checked_arrays(sample, layout, "sample")
    rows = sample if other is None else other
    y, row_value, row_side = checked_arrays(rows, layout, "other", x.shape[1])
    tokens = 2.0 * layout.gram[np.ix_(row_value, value)] * np.multiply.outer(row_side, side)
    return tokens * (y.astype(float, copy=False) @ x.astype(float, copy=False).T)


def gradient_flow(
    sample: Samples, layout: TokenLayout, S: np.ndarray, *, loss: str = "dpo", test: Samples | None = None
) -> Trajectory:
    """Margins under the gradient flow of the mean loss from Delta W = 0, for any data and layout (4.1).

    Parameters
    ----------
    sample : training samples, x of shape (N, d); one copy of x in float64 is held, and one of the test's.
    layout : answer tokens of the K values.
    S : dimensionless times, increasing, at least 0, shape (T,) or one number.
    loss : "dpo", "ipo" or "slic".
    test : held-out samples of the same dimension, whose margins are followed too.

    DPO and IPO are integrated to a relative error of about 1e-9 by an explicit method of order 8. Long embeddings
    make the flow stiff; the cost is then a few evaluations for each step of stable gradient descent to the same S.
    SLiC's push jumps at r = 1, so it takes about 4,096 Euler steps; a margin near 1 errs by up to one step's change.

    Raises
    ------
    ValueError : arrays that do not fit or are not finite; times below 0 or out of order; an unknown loss.
    """
    rows = TokenRows(sample, layout)
    held_out = None if test is None else held_out_rows(test, layout, rows.shape[1])
    times = np.atleast_1d(times_of("S", S))
    if times.ndim != 1 or times.size == 0 or (np.diff(times) <= 0).any():
        raise ValueError(f"S must be one number or an increasing list of times at least 0, got {shown(S)}")
    force, start = push(loss), np.zeros(rows.shape)
    if loss == "slic":
        states = _euler(rows, times)
    elif times[-1] == 0.0:
        states = [start]
    else:

        def velocity(_: float, state: np.ndarray) -> np.ndarray:
            return rows.velocity(state.reshape(rows.shape), force).ravel()

        solution = solve_ivp(velocity, (0.0, times[-1]), start.ravel(), t_eval=times, **_TIGHT)
        if not solution.success:
            raise RuntimeError(f"the flow stopped before S = {times[-1]:g}: {solution.message}")
        states = [state.reshape(rows.shape) for state in solution.y.T]
    return _trajectory(times, states, rows, layout, held_out)


def gradient_descent(
    sample: Samples,
    layout: TokenLayout,
    steps: int,
    *,
    beta: float,
    lr: float,
    loss: str = "dpo",
    test: Samples | None = None,
) -> Trajectory:
    """Full-batch gradient descent on the mean loss from Delta W = 0 in float64, each step 0..steps (N9).

    Arguments as for `gradient_flow`; steps at least 0, beta and lr above 0, where lr is the learning rate of plain
    gradient descent. Holds steps * (N + M + K d) numbers.

    Raises
    ------
    ValueError : as `gradient_flow`; steps beyond 10^7 or a record beyond 2 10^9 numbers; an lr at which the margins
        do not stay finite.
    """
    rows = TokenRows(sample, layout)
    held_out = None if test is None else held_out_rows(test, layout, rows.shape[1])
    h = _step_size(beta, lr, layout.K)
    force, states = push(loss), [np.zeros(rows.shape)]
    size = (at_least("steps", steps, 0, MOST_STEPS) + 1) * (rows.shape[0] * rows.shape[1] + rows.N)
    if size > _MOST_RECORDED:
        raise ValueError(f"steps must keep the record below {_MOST_RECORDED:.0e} numbers, got {steps}, {size:.1e}")
    with np.errstate(over="ignore", invalid="ignore"):  # a step that is too long is reported
        for n in range(1, steps + 1):
            states.append(states[-1] + h * rows.velocity(states[-1], force))
            if not np.isfinite(states[-1]).all():
                raise ValueError(f"lr must keep the margins finite, got {lr!r}, which does not after {n} steps")
    return _trajectory(h * np.arange(steps + 1), states, rows, layout, held_out)


def smoothness(sample: Samples, layout: TokenLayout, beta: float) -> float:
    """L_s = beta^2/4 lambda_max(C/N), the largest curvature of the mean DPO loss in W (N9); O(N d).

    Raises `ValueError` for a sample that does not fit and for beta not above 0 (or above 10^50).
    """
    return positive("beta", beta, 1e50) ** 2 / 4 * TokenRows(sample, layout).largest_eigenvalue()


def scalar_discretization_bound(
    h: float, S: float | Annotated[np.ndarray, "*S"]
) -> float | Annotated[np.ndarray, "*S"]:
    """h S / 16: how far gradient descent of step h <= 4 can run ahead of the noise-free DPO margin (N9).

    Raises `ValueError` for h outside of (0, 4] or S below 0.
    """
    if positive("h", h) > 4:
        raise ValueError(f"h must be above 0 and at most 4, where a step stays monotone, got {h!r}")
    return h * times_of("S", S) / 16.0


def discretization_bound(
    sample: Samples, layout: TokenLayout, *, beta: float, lr: float, steps: int, test: Samples | None = None
) -> Annotated[np.ndarray, "M"]:
    """Bound on |r_j of DPO after `steps` steps of gradient descent - r_j of the flow at the same S| (N9).

    sqrt(2) beta ||x_j|| (lr T / 2) L_s ||grad L(W_0)||_F with T = steps lr, shape (N,), or (M,) for `test`.

    Raises
    ------
    ValueError : lr above 2 / L_s, where a step may expand; other arguments as for `gradient_descent`.
    """
    rows = TokenRows(sample, layout)
    L_s = positive("beta", beta, 1e50) ** 2 / 4 * rows.largest_eigenvalue()
    if positive("lr", lr) * L_s > 2:
        raise ValueError(f"lr must be above 0 and at most 2 / L_s = {2 / L_s:.6g} for these data, got {lr!r}")
    # The velocity is K / (2 beta) times the descent direction in W.
    gradient = 2 * beta / layout.K * np.linalg.norm(rows.velocity(np.zeros(rows.shape), push("dpo")))
    x, _, _ = checked_arrays(sample if test is None else test, layout, "test", rows.shape[1])
    lengths = np.sqrt(np.einsum("jd,jd->j", x, x, dtype=float))
    return np.sqrt(2) * beta * lengths * (at_least("steps", steps, 0) * lr / 2 * lr) * L_s * gradient


def _euler(rows: TokenRows, times: np.ndarray) -> list[np.ndarray]:
    """States of SLiC's flow at `times`, by steps of at most the last time / 4096."""
    force, states, now = push("slic"), [np.zeros(rows.shape)], 0.0
    for time in times:
        state, count = states[-1], int(np.ceil((time - now) / max(times[-1], 1e-300) * _SLIC_STEPS))
        for _ in range(count):
            state = state + (time - now) / count * rows.velocity(state, force)
        states.append(state)
        now = time
    return states[1:]


def _trajectory(times, states, rows: TokenRows, layout: TokenLayout, held_out: TokenRows | None) -> Trajectory:
    states = np.array(states)
    return Trajectory(times, rows.margins(states), layout.incidence @ states,
                      None if held_out is None else held_out.margins(states))


def _step_size(beta: float, lr: float, K: int) -> float:
    """h = 2 beta^2 lr / K, the dimensionless time of one step."""
    h = 2.0 * float(positive("beta", beta)) * float(positive("lr", lr)) / at_least("K", K, 1) * float(beta)
    if not 1e-300 <= h <= 1e100:
        raise ValueError(f"beta and lr must keep 2 beta^2 lr / K between 1e-300 and 1e+100, got {beta!r} and {lr!r}")
    return h


def times_of(name: str, value: float | np.ndarray) -> np.ndarray:
    """Dimensionless times or step counts as float64, from 0 to 1e300; else `ValueError` that names them."""
    array = numbers(name, value)
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError(f"{name} must be finite and at least 0, got {shown(value)}")
    if (array > 1e300).any():
        raise ValueError(f"{name} must be at most 1e+300, got {shown(value)}")
    return array[()]
