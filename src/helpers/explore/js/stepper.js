// The steps of a proof: one row each, its bar as long as the logarithm of what the step gives away.

const STRIPED = ' fill="url(#rm-stripes)"';            // a failed step is told by more than its colour

function drawProof(model, size) {
  const { steps, sliders, shape, rounding } = model.get("setting");
  const [current, ...knobs] = places(model);
  const numbers = float64(model.get("data"));
  const start = placed(shape.slice(0, -2), knobs) * steps.length * 2;
  const rows = steps.map((step, i) => judge(step, numbers[start + 2 * i], numbers[start + 2 * i + 1], rounding));

  // Each unit has its own scale; its longest bar is its largest slack.
  const units = {};
  for (const unit of ["ratio", "log10"]) {
    const known = rows.filter((row) => row.unit === unit && Number.isFinite(row.slack));
    const best = known.reduce((most, row) => (most && most.slack >= row.slack ? most : row), null);
    const end = Math.max(unit === "ratio" ? Math.log10(2) : 1, ...known.map((row) => Math.abs(row.gap)));
    units[unit] = { best: known.length > 1 ? best : null, end, used: rows.some((row) => row.unit === unit) };
  }

  const left = 32;                                     // after the numbers
  const wide = size.width >= 560;
  const longest = Math.max(...rows.map((row) => row.name.length * 6.6));
  const split = wide ? left + Math.min(longest, 0.4 * size.width) + 16 : left;
  const room = wide ? size.width - split - 130 : size.width - left - 8;
  let svg = '<defs><pattern id="rm-stripes" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
    '<path class="rm-stripe" d="M0 0V5"/></pattern></defs>';
  let top = 4;
  const bottoms = [];
  rows.forEach((row, i) => {
    const letters = Math.floor((wide ? split - left - 8 : size.width - left - row.words.length * 6.7 - 14) / 6.3);
    const lines = wrap(row.name, letters);
    const bare = (wide ? 10 : 27) + 15 * lines.length;
    const sides = i === current ? wrap(compare(row), (size.width - left - 6) / 5.9) : [];
    const height = bare + (sides.length ? 15 * sides.length + 3 : 0);
    const middle = top + 5 + 11;
    const heavy = (on) => (on ? ' class="rm-strong"' : "");
    if (i === current) {
      svg += `<rect class="rm-current" x="0" y="${top}" width="${size.width}" height="${height}" rx="4"/>`;
      svg += `<rect class="rm-current-edge" x="0" y="${top}" width="3" height="${height}"/>`;
    }
    svg += `<text${heavy(i === current)} x="${left - 8}" y="${middle}" text-anchor="end">${escapeText(row.number)}</text>`;
    lines.forEach((line, n) => {
      svg += `<text class="rm-label${i === current ? " rm-strong" : ""}" x="${left}" y="${middle + 15 * n}">${escapeText(line)}</text>`;
    });
    const { best, end } = units[row.unit];
    const length = Number.isNaN(row.gap) ? 0 : Number.isFinite(row.gap) ? (Math.abs(row.gap) / end) * room : room;
    const y = wide ? top + bare / 2 - 5 : middle + 15 * (lines.length - 1) + 8;
    const kind = row.failed ? "rm-failed" : row.unit === "ratio" ? "rm-ratio" : "rm-powers";
    svg += `<path class="rm-start" d="M${split} ${y - 2}v14"/>`;
    if (length > 0) {
      const far = split + Math.max(1.5, length);
      const [a, b] = [far.toFixed(1), (far + (Number.isFinite(row.gap) ? 0 : 6)).toFixed(1)];
      svg += `<path class="rm-bar ${kind}${row === best ? " rm-best" : ""}"${row.failed ? STRIPED : ""} d="M${split} ${y}H${a}L${b} ${y + 5}L${a} ${y + 10}H${split}Z"/>`;
    }
    const label = `<text${heavy(i === current || row === best || row.failed)} `;
    const words = oneFont(escapeText(row.words), "tspan");
    svg += wide
      ? `${label}x="${(split + length + 9).toFixed(1)}" y="${y + 5}" dy="0.34em">${words}</text>`
      : `${label}x="${size.width - 6}" y="${middle}" text-anchor="end">${words}</text>`;
    sides.forEach((line, n) => {
      svg += `<text x="${left}" y="${top + bare + 9 + 15 * n}">${oneFont(escapeText(line), "tspan")}</text>`;
    });
    bottoms.push(top + height);
    top += height + 1;
  });

  const bar = (kind, more = "") => `<path class="rm-bar rm-best ${kind}"${more} d="M1 1H25V11H1Z"/>`;
  const own = units.ratio.used && units.log10.used ? ", on a scale of their own" : "";
  const failed = rows.filter((row) => row.failed);
  const key =
    (units.ratio.used ? keyEntry(bar("rm-ratio"), "factor given away (logarithmic)") : "") +
    (units.log10.used ? keyEntry(bar("rm-powers"), `powers of ten given away${own}`) : "") +
    (failed.length ? keyEntry(bar("rm-failed", STRIPED), "✕ a step that fails") : "");
  const summary = rows.map((row) => `step ${row.number} ${row.words}`).join("; ");
  return { svg, key, caption: tell(rows, current, sliders, knobs, units, failed), height: top + 4, bottoms, label: `What each step of the proof gives away: ${summary}.` };
}

// A step with its slack: a factor, or powers of ten; `gap` is the length of its bar before scaling.
function judge(step, left, right, rounding) {
  const log10 = step.unit === "log10";
  const slack = left === right ? (log10 ? 0 : 1) : log10 ? right - left : right / left;
  const allowed = log10 ? rounding * (1 + Math.min(Math.abs(left), Math.abs(right))) : rounding * right;
  const failed = left > right && !(left - right <= allowed);
  const gap = log10 ? slack : Math.log10(slack);
  const size = log10 ? `${short(Math.abs(slack))} powers of ten` : `× ${short(failed ? 1 / slack : slack)}`;
  const words = Number.isNaN(slack) ? "–" : failed ? `✕ fails by ${log10 ? size : short(1 / slack)}` : size;
  return { ...step, left: { words: step.left, value: left }, right: { words: step.right, value: right }, slack, gap, failed, words };
}

const said = (row, value) => (row.unit === "log10" ? tenTo : short)(value);

// The two sides in one line, as they stand in the figure.
function compare(row) {
  if (Number.isNaN(row.slack)) return "does not apply here";
  const [left, right] = [row.left, row.right].map((side) => `${side.words} ${said(row, side.value)}`);
  return `${left} ${row.failed ? ">" : "≤"} ${right}`;
}

// The caption: the current step, its sides, what it gives away, and where most is given away.
function tell(rows, current, sliders, knobs, units, failed) {
  const row = rows[current];
  const log10 = row.unit === "log10";
  const knob = ([name, labels], i) => `${escapeText(name)} = <b>${escapeText(labels[knobs[i]])}</b>`;
  const where = sliders.length > 1 ? `With ${sliders.slice(1).map(knob).join(", ")}: ` : "";
  const side = (name) => `${escapeText(row[name].words)} = ${number(name, row[name].value, (value) => said(row, value))}`;
  let text = `<strong>Step ${escapeText(row.number)}, ${escapeText(row.name)}.</strong> ${escapeText(row.statement)} ${where}`;
  if (Number.isNaN(row.slack)) {
    text += "this step does not apply here.";
  } else {
    text += `${side("left")}, ${side("right")}; `;
    const size = (x) => number("slack", row.slack, () => short(x));
    if (row.left.value === row.right.value) {
      text += `${number("slack", row.slack, () => "nothing")} is given away.`;
    } else if (row.failed) {
      text += log10
        ? `✕ the step fails: its left side is larger by ${size(-row.slack)} powers of ten.`
        : `✕ the step fails: its left side is larger by a factor ${size(1 / row.slack)}.`;
    } else {
      text += log10 ? `${size(row.slack)} powers of ten are given away.` : `a factor ${size(row.slack)} is given away.`;
    }
  }
  const { ratio, log10: powers } = units;
  if (ratio.best) text += ` Among the factors, step ${escapeText(ratio.best.number)} (${escapeText(ratio.best.name)}) gives most away: ${number("largest", ratio.best.slack)}.`;
  if (powers.best) text += ` Among the powers of ten, step ${escapeText(powers.best.number)} (${escapeText(powers.best.name)}) does: ${number("largest.powers", powers.best.slack)}.`;
  if (failed.length) text += ` ✕ Steps that fail here: ${number("violated", failed.length)} (${failed.map((f) => escapeText(f.number)).join(", ")}).`;
  return text;
}

const rowAt = (bottoms, y) => Math.min(bottoms.length - 1, bottoms.filter((bottom) => bottom < y).length);

export default {
  render: explorer(["knob_0", "knob_1", "knob_2", "knob_3", "knob_4", "knob_5"], drawProof, (model, drawn, x, y) =>
    model.set("knob_0", rowAt(drawn.bottoms, y))),
};
