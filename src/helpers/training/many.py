"""Many runs of one function at many settings, one after the other or on as many workers as there are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..checks import listed, shown


def run_all(task: Callable[..., Any], settings: Sequence[Mapping[str, Any]], *, jobs: int | None = None) -> list:
    """[task(**setting) for setting in settings], by joblib: the results in the order of the settings.

    Inside `joblib.parallel_config(backend="dask")` (or "ray", "loky" and whatever else is registered with joblib) the
    calls go to its workers; without, and with `jobs` None, they are made here, one after the other.

    Parameters
    ----------
    task : a function whose random numbers come from its arguments alone, as `seed`, so that no result depends on the
        number of workers.  It and what it returns must be picklable where workers are other processes.
    settings : a dictionary of its arguments for each call.
    jobs : calls at a time; -1 for one a core, None for what the active joblib configuration says, else 1.

    Raises `ValueError` for a task that is no function, settings that are no list of dictionaries, and jobs that are no
    whole number or 0; and whatever a call raises.
    """
    if not callable(task):
        raise ValueError(f"task must be a function, got {shown(task)}")
    settings = listed("settings", settings, "dictionaries")
    for setting in settings:
        if not isinstance(setting, Mapping) or not all(isinstance(name, str) for name in setting):
            wanted = "a list of dictionaries of arguments by name"
            raise ValueError(f"settings must be {wanted}, got {shown(setting)} in it")
    if jobs is not None and (not isinstance(jobs, int) or isinstance(jobs, bool) or jobs == 0):
        raise ValueError(f"jobs must be None or a whole number other than 0, got {shown(jobs)}")
    from joblib import Parallel, delayed

    jobs = jobs if jobs is None else min(jobs, max(len(settings), 1))
    return list(Parallel(n_jobs=jobs)(delayed(task)(**setting) for setting in settings))
