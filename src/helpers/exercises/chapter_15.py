"""The right answers of chapter 15's exercises, each computed by other code than the chapter asks for."""

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.special import expit

from .marking import Exercise, choice, function, number


def _time_to(margin, push):
    """Time in which the noise-free margin comes so far, as an integral."""
    return quad(lambda r: 1 / push(r), 0.0, margin)[0]


def _squared_hinge(S):
    """Noise-free margin, by an integrator of ordinary differential equations."""
    times = np.atleast_1d(np.asarray(S, dtype=float))
    found = [
        solve_ivp(lambda t, r: 2 * np.maximum(0.0, 1 - r), (0.0, end), [0.0], rtol=1e-10, atol=1e-12).y[0, -1]
        if end > 0 else 0.0
        for end in times
    ]
    return np.array(found).reshape(np.shape(S))[()]


def _turn(epsilon=0.1, step=1e-4):
    """f'' / -f' at zero of robust DPO's loss, by differences of the loss itself."""
    def loss(r):
        return (-(1 - epsilon) * np.log(expit(r)) + epsilon * np.log(expit(-r))) / (1 - 2 * epsilon)

    down, middle, up = loss(-step), loss(0.0), loss(step)
    return float((up - 2 * middle + down) / step**2 / ((down - up) / (2 * step)))


def _gap_at_rest(tokens=20, beta=0.1):
    """Minimum of the length-normalized loss over gaps of whole answers."""
    gaps = np.linspace(0.0, 400.0, 400_001)
    return float(gaps[np.argmin((gaps / tokens - 1 / (2 * beta)) ** 2)])


ANSWERS: dict[str, Exercise] = {
    "15.1": number("time", _time_to(0.9, lambda r: 2 * (1 - r))),
    "15.2": choice(
        "what explains the lead",
        "c",
        {
            "a": "Which statement is told right after one step is a matter of signs; look at part (b) of the theorem.",
            "b": "It was, but what does the length of a step do to the sign of a margin?",
            "c": "From the reference, on the same full batch, the two directions are the same.",
        },
    ),
    "15.3": function("margin", _squared_hinge, [(0.0,), (0.3,), (1.7,)]),
    "15.4": number("turn", _turn()),
    "15.5": number("gap in nats", _gap_at_rest()),
}
