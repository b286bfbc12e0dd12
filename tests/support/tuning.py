"""What the tests of fine-tuning share: made-up pairs, cheap settings, and runs that two processes make as one does."""

import numpy as np
import torch

from helpers.llm.loading import load_llm
from helpers.losses import BetaDPO, DPOPositive
from helpers.preferences.pairs import Preferences
from helpers.training.fine_tuning import fine_tune

WORDS = "time money work life way day good new first own people things".split()
CHEAP = dict(beta=0.5, lr=3e-3, steps=6, batch=4, evaluate_every=2, progress=False)


def some_pairs(count=10, seed=0, answers=(" Yes", " No")):
    rng = np.random.default_rng(seed)
    side = rng.choice([-1, 1], size=count)
    prompts = [f"I believe {' '.join(rng.choice(WORDS, size=rng.integers(2, 7)))}" for _ in range(count)]
    picked = [answers[::s] for s in side]
    return Preferences(prompts, *zip(*picked, strict=True), [0] * count, side, ("a value",))


LONG = (" good work", " bad day time")
# A batch of 5 is shared as 3 and 2, so that a mean of the two means would be another update; steps go beyond an epoch.
CASES = {
    "whole": dict(batch=5),
    "long": dict(batch=5, answers=LONG),
    "block": dict(batch=5, blocks=1),
    "positive": dict(batch=5, answers=LONG, loss=DPOPositive(5.0), lr=1e-3),
    "adaptive": dict(batch=5, loss=BetaDPO(keep=0.6), lr=1e-3),
    "short": dict(batch=2, test=1),  # of one held-out pair, a process has none
}


def tuned(name, **change):
    """One of the cases, and the model as training leaves it."""
    case = {**CHEAP, **CASES[name], **change}
    answers, count = case.pop("answers", (" Yes", " No")), case.pop("test", 5)
    llm = load_llm("tiny", device="cpu")
    held = some_pairs(count, seed=1, answers=answers)
    return fine_tune(llm, some_pairs(answers=answers), test=held, in_place=True, **case), llm


def weights_of(llm):
    return torch.cat([p.detach().flatten() for p in llm.model.parameters()]).numpy()
