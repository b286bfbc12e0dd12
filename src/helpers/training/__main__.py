"""Fine-tune a language model from the command line, in one process or several.

    python -m helpers.training --values 4 --steps 60 --out run.npz
    torchrun --nproc-per-node 2 -m helpers.training --values art --loss ipo --steps 60
    accelerate launch --multi_gpu --num_processes 2 -m helpers.training --pairs mine.jsonl --model owner/model

The second starts two processes on any machine, the third on two GPUs.
"""

import argparse
from collections.abc import Sequence

import torch

from ..llm.loading import load_llm
from ..losses import LOSSES
from ..preferences.bank import load_values
from ..preferences.own_pairs import read_pairs
from .fine_tuning import fine_tune
from .processes import processes
from .runs import Run


def main(arguments: Sequence[str] | None = None) -> Run:
    """Train as `arguments` say (those of the command line by default), and say what came of it."""
    parser = argparse.ArgumentParser("python -m helpers.training", description="Fine-tune on preference pairs.")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--values", nargs="+", help="the book's statements: a number of values, or their names")
    data.add_argument("--pairs", help="a file of your own pairs: .jsonl, .json, .csv or .parquet")
    parser.add_argument("--model", help='a Hugging Face id, a folder, or "tiny"; the book\'s model by default')
    parser.add_argument("--device", help='"cpu" or "cuda:N"; a GPU of its own for each process by default')
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=1e-5)
    parser.add_argument("--batch", type=int, default=32, help="pairs an update, over all processes")
    parser.add_argument("--blocks", type=int, help="train the last blocks alone")
    parser.add_argument("--loss", default="dpo", choices=LOSSES)
    parser.add_argument("--test", type=float, default=0.25, help="share of every cluster that is held out")
    parser.add_argument("--seed", type=int, default=0, help="of the split and of the order")
    parser.add_argument("--every", type=int, default=10, help="test, and write the checkpoint, every that many steps")
    parser.add_argument("--checkpoint", help="file to go on from")
    parser.add_argument("--out", help="file for the record (.npz), to be read by Run.load")
    parser.add_argument("--save", help="folder for the trained model, to be read by load_llm")
    given = parser.parse_args(arguments)
    try:
        return _train(given)
    except (ValueError, OSError) as error:  # one sentence
        parser.error(str(error))


def _train(given: argparse.Namespace) -> Run:
    llm = load_llm(given.model, device=given.device)
    if given.pairs:
        pairs = read_pairs(given.pairs)
    else:
        number = len(given.values) == 1 and given.values[0].isdecimal()
        pairs = load_values(int(given.values[0]) if number else given.values)
    train, test = pairs.split(test=given.test, seed=given.seed)
    together = processes(llm.device)
    run = fine_tune(
        llm, train, test=test, beta=given.beta, lr=given.lr, steps=given.steps, batch=given.batch, blocks=given.blocks,
        loss=given.loss, seed=given.seed, evaluate_every=given.every, checkpoint=given.checkpoint,
        checkpoint_every=given.every, in_place=True,
    )
    if together.main:
        if given.out:
            run.save(given.out)
        if given.save:
            llm.model.save_pretrained(given.save)
            llm.tokenizer.save_pretrained(given.save)
        many = f"{together.count} processes" if together.count > 1 else "one process"
        print(f"{given.steps} steps on {len(train)} pairs in {many}: mean margin of {len(test)} unseen pairs "
              f"{run.test_margins[-1].mean():+.4f}, above 0 for {run.test_accuracies[-1]:.1%}")
    together.wait()
    return run


if __name__ == "__main__":
    main()
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
