"""Whatever is given for an argument, a figure is made or one sentence says what is wrong: no foreign error."""

import dataclasses
import json
import re
import warnings

import numpy as np
from explorers import curves, free, learning, margins, risks, statements
from explorers import grid as panel

from helpers.explore import (
    grid_numbers,
    landing_explorer,
    margin_numbers,
    risk_numbers,
    short_statements,
    statement_explorer,
    statement_margins,
)
from helpers.explore.curves import Curve, Guide
from helpers.layouts import shared

WRONG = [
    None, True, 0, -1, 1, 1.5, float("nan"), float("inf"), 1e308, 10**400, 1j, "", "abc", "</SCRIPT>", "{a}", "\ud800",
    b"x", [], [1], [1, 1], ["a"], [None], [float("nan"), 1], [[1], [2, 3]], (), (1, 2), {}, {"a": 1}, {1: None}, {1, 2},
    object(), np.array(3.0), np.array([]), np.zeros((2, 2)), np.array(["a"]), np.array([None]), np.float32(2), len,
    iter([1, 2]), range(3),
]


def bent(part, **changes):
    return dataclasses.replace(part, **changes)


def calls():
    """Name of each argument, and a function of its value."""
    def of(name, function, given):
        return [(f"{name} {key}", lambda value, key=key: function(**given | {key: value})) for key in given]

    x, pairs = statements(K=2, per_side=3)
    beads = statement_explorer(x, pairs, held_out=1).figure
    grid = panel().figure
    run, unseen, start, _ = learning(10)
    found = of("grid_explorer", panel, dict.fromkeys((
        "x", "knobs", "curves", "x_name", "y_name", "caption", "title", "at", "guides", "stops", "x_label", "margin",
        "log_x", "log_y", "log10", "percent", "y_range", "train")))
    found += [(f"Curve {field.name}", lambda value, name=field.name: panel(
        curves=[bent(curves()[0], **{name: value}), *curves()[1:]])) for field in dataclasses.fields(Curve)]
    found += [(f"points {name}", lambda value, name=name: panel(
        curves=[*curves()[:3], bent(curves()[3], **{name: value}), *curves()[4:]])) for name in ("lower", "upper")]
    found += [(f"Guide {field.name}", lambda value, name=field.name: panel(
        guides=[bent(Guide("horizon", [[50.0], [np.nan]]), **{name: value})])) for field in dataclasses.fields(Guide)]
    found += [(f"grid_numbers {name}", lambda value, name=name: grid_numbers(
        grid.setting, grid.data, {"Q": 1, "β": 0.1, "layout": "chain"} | {name: value})) for name in ("Q", "β", "x")]
    found += [("grid_numbers at", lambda value: grid_numbers(grid.setting, grid.data, value))]
    found += of("margin_explorer", margins, dict.fromkeys((
        "K", "lr", "steps", "betas", "Qs", "measured", "measured_name", "train", "scale", "start", "title")))
    found += of("margin_numbers", margin_numbers, {"steps": 3, "beta": 0.1, "K": 2, "lr": 0.1, "scale": 1.0})
    found += of("risk_explorer", risks, dict.fromkeys((
        "K", "d", "v", "l_b", "layout", "Qs", "steps", "betas", "measured", "tested", "train", "start", "title")))
    found += [(f"start {name}", lambda value, name=name, made=made: made(start={name: value}))
              for made in (margins, risks) for name in ("steps", "beta", "Q")]
    found += of("risk_numbers", risk_numbers, {"Q": 4, "d": 100, "v": 0.3, "l_b": 0.5, "layout": shared(4)})
    found += of("short_statements", short_statements, {"pairs": pairs, "per_side": 2, "longest": 80, "seed": 0})
    found += of("statement_explorer", statement_explorer, {
        "x": x, "pairs": pairs, "held_out": 1, "beta": 0.1, "lr": (0.1, 1.0), "first": None, "answers": "own",
        "embeddings": "whole", "title": "t"})
    found += [("statement_margins clicks", lambda value: statement_margins(beads.setting, beads.data, value))]
    found += [(f"statement_margins {name}", lambda value, name=name: statement_margins(
        beads.setting, beads.data, [free(beads, 0)], **{name: value})) for name in ("answers", "embeddings")]
    found += of("landing_explorer", landing_explorer, {
        "run": run, "pairs": unseen, "start": start, "learned": 16, "first": None, "title": "t"})
    return found


def test_a_wrong_value_gets_one_sentence(record_property):
    tried, refused, foreign = 0, 0, []
    for name, call in calls():
        for value in WRONG:
            tried += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    call(value)
            except ValueError as error:
                refused += 1
                text, odd = str(error), ("could not convert", "ambiguous", "unpack")
                if "\n" in text or len(text) > 400 or any(part in text for part in odd):
                    foreign.append((name, repr(value)[:60], text[:120]))
            except Exception as error:  # the test is about which ones there are
                foreign.append((name, repr(value)[:60], f"{type(error).__name__}: {error}"[:120]))
    record_property("tried", tried)
    print(f"{tried} calls, {refused} refused in one sentence, {len(foreign)} foreign errors")
    assert not foreign, f"{len(foreign)} of {tried}: {foreign[:12]}"
    assert refused > 0.6 * tried


def test_a_text_cannot_leave_its_script():
    """A page holds the state of a widget as JSON in a script: no text of it may end that script, or open another."""
    texts = ["a </SCRIPT><b>", "</script >", "<!-- <script>"]
    explorer = panel(title=texts[0], y_name=texts[1], curves=[Curve("risk", curves()[0].values, "predicted", texts[2])],
                     caption="{Q} {β} {layout}")
    state = json.dumps(explorer.figure.get_state()["setting"])
    assert not re.search(r"<(/?script|!--)", state, re.IGNORECASE)
    assert explorer.figure.setting["title"] == texts[0]                    # in Python the text is what was given
    seen = json.loads(state)
    assert seen["title"].replace("\N{WORD JOINER}", "") == texts[0]        # a reader sees what was given
