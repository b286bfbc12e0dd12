"""Hidden states of answers of several tokens, by teacher forcing: one for every token, the one that predicts it."""

from collections.abc import Sequence

import numpy as np
import torch

from ..checks import holds, texts
from ..sequences.pairs import SequencePairs
from .model import LLM
from .packing import ROW_TOKENS, check_packing, hidden_states, pack, rows


@torch.inference_mode()
def answer_states(
    llm: LLM, prompts: Sequence[str], chosen: Sequence[str], rejected: Sequence[str]
) -> SequencePairs:
    """Read every answer after its prompt, and keep the state behind each of its tokens.

    The first token of both answers is predicted from the embedding of the prompt, a later one from the state after
    the token before it. A prompt is computed once for both of its answers, the beginning that all share once a row.

    Parameters
    ----------
    prompts, chosen, rejected : N strings each; an answer is one token or several.

    Returns
    -------
    SequencePairs with float64 states; its tokens are the model's ids.

    Raises ValueError for texts that are empty or not equally many, and for a model that takes no packed rows.
    """
    holds("llm", llm, "model tokenizer encode_all", "a model of load_llm")
    prompts, chosen, rejected = texts("prompts", prompts), texts("chosen", chosen), texts("rejected", rejected)
    if not len(prompts) == len(chosen) == len(rejected) or not len(prompts):
        sizes = len(prompts), len(chosen), len(rejected)
        raise ValueError(f"prompts, chosen and rejected must be equally many and at least 1, got {sizes}")
    asked = llm.encode_all(prompts)
    known = {answer: llm.tokens(answer) for answer in {*chosen, *rejected}}
    answers = [known[answer] for both in zip(chosen, rejected, strict=True) for answer in both]
    packing = pack([[*asked[i // 2], *answer[:-1]] for i, answer in enumerate(answers)])
    check_packing(llm.model, packing)
    groups = [(2 * i, 2 * i + 1) for i in range(len(asked))]
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for part in rows(packing, groups, ROW_TOKENS[llm.device.type]):
        numbers = [number for i in part for number in groups[i]]
        row, _ = packing.take(numbers)
        states = hidden_states(llm.model, row).double().cpu().numpy()
        for number, path in zip(numbers, row.paths, strict=True):
            found.append((states[path[-len(answers[number]) :]], np.array(answers[number])))
    return SequencePairs.from_answers(found[::2], found[1::2])
