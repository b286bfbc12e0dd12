"""What a training run leaves behind: losses, margins and accuracies by step, and the settings that made them."""

import json
import os
import zipfile
import zlib
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from ..checks import integers, numbers, path_of, shown
from ..files import saved

# What NumPy and zipfile raise for bytes that are not a whole archive, and Python for arrays that make no Run.
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, NotImplementedError, zipfile.BadZipFile, zlib.error)

# The dimensions that the arrays of a run may have; those that have no row for each recorded step.
_AXES = dict(losses=(1,), margins=(1, 2), accuracies=(1,), test_margins=(2,), test_accuracies=(1,), test_gaps=(2,),
             ranking_accuracies=(1,), chosen=(1, 2), test_chosen=(2,), kept=(2,), batch_losses=(1,), batch_betas=(1,),
             seconds=(1,), w=(2,), w_by_step=(3,))
_NOT_BY_STEP = ("batch_losses", "batch_betas", "seconds", "w")
_NEEDED = ("losses", "margins", "accuracies")


def as_json(settings: dict) -> str:
    """Settings as JSON, in which NumPy's numbers are numbers."""
    return json.dumps(settings, sort_keys=True, default=lambda value: np.asarray(value).tolist())


@dataclass(frozen=True, eq=False)
class Run:
    """A record of one training run at T recorded steps.

    Attributes
    ----------
    steps : (T,) whole numbers, increasing; step 0 is the reference model, before any update.
    losses : (T,) mean training loss.
    margins : (T, N) reward margin of every training sample, or (T,) means over batches.
    accuracies : (T,) share of training samples with margin > 0.  At step 0 all margins are 0 and so is the share.
    test_margins : (T, M) reward margins of the M test samples, or None.
    test_accuracies : (T,) share of test samples with margin > 0, or None.
    test_gaps : (T, M) log p(chosen) - log p(rejected) of the test samples under the trained model, or None.
    ranking_accuracies : (T,) share of test samples with gap > 0, which is not the margin accuracy, or None.
    chosen, test_chosen : rewards beta (log pi - log pi_ref) of the chosen answers, shaped as `margins` and
        `test_margins`, where they are followed, or None.
    kept : (T, N) number of updates so far that kept each training pair, for a loss that chooses pairs, or None.
    batch_losses : (n,) loss of the batch of every single step 1..n, before its update, or None.
    batch_betas : (n,) beta of every step, for a loss that changes it, or None.
    seconds : (n,) wall-clock seconds of every step, or None.  The one array that differs between equal runs.
    w : (K, d) for last-layer training, w_i = beta (W - W_0)^T u_i: a sample of value i has margin side * w_i . x.
    w_by_step : (T, K, d), w at each recorded step, or None.
    settings : what made the run; anything that JSON can hold.

    Raises `ValueError` (one sentence) for steps that do not increase and for arrays of other shapes.
    """

    steps: np.ndarray
    losses: np.ndarray
    margins: np.ndarray
    accuracies: np.ndarray
    test_margins: np.ndarray | None = None
    test_accuracies: np.ndarray | None = None
    test_gaps: np.ndarray | None = None
    ranking_accuracies: np.ndarray | None = None
    chosen: np.ndarray | None = None
    test_chosen: np.ndarray | None = None
    kept: np.ndarray | None = None
    batch_losses: np.ndarray | None = None
    batch_betas: np.ndarray | None = None
    seconds: np.ndarray | None = None
    w: np.ndarray | None = None
    w_by_step: np.ndarray | None = None
    settings: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.settings, dict):
            raise ValueError(f"settings must be a dictionary, got {shown(self.settings)}")
        steps = integers("steps", self.steps, 0, 2**53)
        if not (np.diff(steps) > 0).all():
            raise ValueError(f"steps must increase, got {shown(steps)}")
        for name, axes in _AXES.items():
            value = getattr(self, name)
            if value is None and name not in _NEEDED:
                continue
            numbers(name, value)
            value = np.asarray(value)  # in its own precision
            if name not in _NOT_BY_STEP and value.shape[:1] != steps.shape:
                raise ValueError(f"{name} must have one row for each of the {len(steps)} steps, "
                                 f"got shape {value.shape}")
            if value.ndim not in axes:
                allowed = " or ".join(map(str, axes))
                raise ValueError(f"{name} must be an array of dimension {allowed}, got shape {value.shape}")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "steps", steps)

    def __len__(self) -> int:
        """T, the number of recorded steps."""
        return len(self.steps)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that the run holds, by name."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "settings"}
        return {name: value for name, value in named.items() if value is not None}

    def save(self, path: str | os.PathLike) -> Path:
        """Write the run to `path` (npz with the settings as JSON); the file appears whole or not at all.

        Raises `OSError` where it cannot be written, `ValueError` for settings that JSON cannot hold.
        """
        path = path_of("path", path)
        try:
            settings = np.array(as_json(self.settings))
        except (TypeError, ValueError) as error:
            raise ValueError(f"settings must be what JSON can hold, but {error}") from error
        with saved(path) as part, part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, settings=settings, **self.arrays())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Run":
        """Read a run that `save` wrote.  `ValueError` for another or a damaged file, `OSError` where there is none."""
        with open(path_of("path", path), "rb") as file:
            try:
                stored = dict(np.load(file, allow_pickle=False))
                settings = json.loads(str(stored.pop("settings")))
                return cls(**stored, settings=settings)
            except _DAMAGE as error:
                raise ValueError(f"path must be a run written by Run.save, got {str(path)!r} ({error})") from error
