"""Several processes that train one model, as `torchrun` or `accelerate launch` starts them.

Every process runs the whole script with the whole model. Each takes a share of a batch; gradients are weighted by pairs
and added up, so that all make the update that one process would make of the whole batch, to rounding.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Processes:
    """This process, `number`, among `count`; number 0 is the main one, which alone writes files and shows progress.

    device : where arrays lie while they travel.   Every method but `share` is a meeting: all processes must call it.
    """

    number: int = 0
    count: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def main(self) -> bool:
        """Whether this is the process that writes."""
        return self.number == 0

    def share(self, things: np.ndarray) -> np.ndarray:
        """This process's part of a list; the parts are in order and as even as may be, and may be empty."""
        return np.array_split(things, self.count)[self.number]

    def gather(self, mine: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        """An array (..., size) of which this process knows the columns `places`, and each column is one process's."""
        whole = np.zeros((*mine.shape[:-1], size), mine.dtype)
        whole[..., places] = mine
        if self.count == 1:
            return whole
        travelling = torch.from_numpy(whole).to(self.device)
        torch.distributed.all_reduce(travelling)  # the others add 0, which changes no bit
        return travelling.cpu().numpy()

    def work(self, size: int, rows: int, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """What `of` finds for n of the numbers 0..size-1, (rows, n) in float32: (rows, size), a share each process."""
        part = self.share(np.arange(size))
        return self.gather(of(part) if len(part) else np.empty((rows, 0), np.float32), part, size)

    def known(self, array: np.ndarray) -> np.ndarray:
        """An array of which every process knows some columns, the others being NaN; where several do, the first's."""
        if self.count == 1:
            return array
        mine = torch.from_numpy(array).to(self.device)
        found = [torch.empty_like(mine) for _ in range(self.count)]
        torch.distributed.all_gather(found, mine)
        whole = found[0].cpu().numpy()
        for other in found[1:]:
            whole = np.where(np.isnan(whole), other.cpu().numpy(), whole)
        return whole

    def add_gradients(self, weights: Iterable[torch.Tensor]) -> None:
        """Add up the gradients of all processes, in place; a weight that no process used keeps none."""
        if self.count == 1:
            return
        weights = list(weights)
        used = torch.tensor([float(weight.grad is not None) for weight in weights], device=self.device)
        torch.distributed.all_reduce(used)
        for weight, by_any in zip(weights, used.tolist(), strict=True):
            if by_any:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                torch.distributed.all_reduce(weight.grad)

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.count > 1:
            torch.distributed.barrier()


def processes(device: torch.device) -> Processes:
    """This process among those that were started together; one alone where the environment names no others.

    `accelerate` joins them, by NCCL for GPUs and by gloo for CPUs. `device` is the model's.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", 1)) < 2:
        return Processes()
    from accelerate import PartialState

    state = PartialState(cpu=device.type == "cpu")
    return Processes(state.process_index, state.num_processes, device)
