// Curves over a grid of settings: the first slider is the cursor along x, the others choose what is drawn.

const FIELD = /\{([^{}]*)\}/;
const FAR = 1e4;                                       // pixels; what lies further out is cut off anyway

function drawGrid(model, size) {
  const setting = model.get("setting");
  const { x: xs, logY, log10, sliders, series } = setting;
  const [cursor, ...knobs] = places(model);
  const data = float32(model.get("data"));
  const runs = (model.get("live").runs ?? []).filter((run) => run.at.every((i, axis) => i === knobs[axis]));

  const value = (name, i) => data[series[name].from + placed(series[name].shape, [...knobs, i])];
  const onAxis = (v) => (!logY || log10 ? v : v > 0 ? Math.log10(v) : v <= 0 ? -Infinity : NaN);
  const row = (name) => xs.map((_, i) => onAxis(value(name, i)));
  const curves = setting.curves.map((curve) => ({ ...curve, rows: curve.parts.map(row) }));
  const live = runs.map((run) => ({ ...run, y: run.y.map(onAxis) }));

  // Ends of the vertical axis: on a linear one the curves are what counts, and bounds show as far as that leaves them readable.
  const finite = (wide) => curves.filter((c) => ["bound", "band"].includes(c.style) === wide).flatMap((c) => c.rows.flat()).filter(Number.isFinite);
  const main = [...finite(false), ...live.flatMap((run) => run.y).filter(Number.isFinite)];
  const wide = finite(true);
  const all = [...main, ...wide, ...(main.length + wide.length ? [] : [0, 1])];
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (!logY) {
    if (main.length) {
      const [least, most] = [Math.min(0, ...main), Math.max(0, ...main)];
      high = Math.max(Math.max(...main), Math.min(most + 1.6 * (most - least), high));
      low = Math.min(least, Math.max(least - (most - least), low));
    }
    low = Math.min(0, low);
    high += 0.08 * (high - low) || 1;
    if (low < 0) low -= 0.06 * (high - low);
  } else {
    const air = Math.max(0.06 * (high - low), 0.1);
    [low, high] = [low - air, high + air];
  }
  const [wantedLow, wantedHigh] = setting.yRange.map((end) => (end === null ? null : onAxis(end)));
  [low, high] = [wantedLow ?? low, wantedHigh ?? high];
  if (!(high > low)) high = low + 1;

  const many = size.height > 300 ? 6 : 4;
  const ticks = logY ? powerTicks(high, many, low) : roundTicks(high, many, low);
  const plain = ticks.every((e) => e > -3.01 && e < 5.01) || !ticks.every(Number.isInteger);
  const readable = setting.percent ? percent : short;
  const show = !logY ? readable : (e) => (plain ? (Math.abs(e) < 300 ? readable(10 ** e) : tenTo(e)) : raised(e));
  const domain = setting.logX ? [xs[0] / (xs[1] / xs[0]) ** 0.3, xs[xs.length - 1] * (xs[1] / xs[0]) ** 0.3] : [xs[0], xs[xs.length - 1]];
  const powers = () => powerTicks(Math.log10(domain[1]), size.width > 480 ? 8 : 4, Math.log10(domain[0])).map((e) => Number((10 ** e).toPrecision(12)));
  const { sx, sy: toPixel, box, svg: frame } = axes(
    size,
    {
      domain,
      log: setting.logX,
      ticks: setting.logX ? (xs.length <= 12 ? xs : powers()) : roundTicks(domain[1], size.width > 480 ? 8 : 4, domain[0]),
      show: (n) => (n >= 1e6 && Number.isInteger(Math.log10(n)) ? raised(Math.log10(n)) : short(n)),
      label: sliders[0][0],
    },
    { domain: [low, high], ticks, label: setting.yName, show },
  );
  const sy = (v) => (Number.isNaN(v) ? NaN : Math.min(FAR, Math.max(-FAR, toPixel(v))));

  const clip = `rm-clip-${size.width}-${size.height}-${box.left}-${box.top}`;
  let svg = `<clipPath id="${clip}"><rect x="${box.left - 7}" y="${box.top - 4}" width="${box.right - box.left + 14}" height="${box.bottom - box.top + 5}"/></clipPath>`;
  svg += frame;

  // Lines beyond the frame are cut off; a mark beyond it becomes a triangle at the edge.
  const mark = (x, v, look, variant, r) => {
    const y = sy(v);
    if (Number.isNaN(y)) return "";
    const out = y < box.top - 4 ? -1 : y > box.bottom + 1 ? 1 : 0;
    if (!out) return spot(x, y, look, variant, r);
    const [edge, tip] = out < 0 ? [box.top + 5, box.top - 4] : [box.bottom - 5, box.bottom + 4];
    return `<path class="rm-spot ${look}" d="M${(x - 6).toFixed(1)} ${edge}H${(x + 6).toFixed(1)}L${x.toFixed(1)} ${tip}Z"/>`;
  };
  const upright = (x, kind) => `<line class="${kind}" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${box.top}" y2="${box.bottom}"/>`;
  const guides = setting.guides
    .map((guide) => ({ ...guide, x: sx(value(guide.name, 0)) }))
    .filter(({ x }) => x >= box.left - 1 && x <= box.right + 1);

  let [areas, lines, points, spots, notes] = ["", "", "", "", ""];
  for (const { style, variant, rows } of curves) {
    const look = `rm-as-${style} rm-v${variant}`;
    const at = (i) => sx(xs[i]);
    if (style === "band") {
      areas += ribbon(rows[0].map((v, i) => [at(i), sy(v), sy(rows[1][i])]), look);
    } else if (style === "points") {
      rows[0].forEach((v, i) => {
        const ends = rows.slice(1).map((end) => sy(end[i]));
        if (ends.length && !ends.some(Number.isNaN)) lines += path(ends.map((y) => [at(i), y]), `class="rm-ink rm-ends ${look}"`);
        points += mark(at(i), v, look, variant, i === cursor ? 7.5 : 3.5);
      });
    } else {
      lines += path(rows[0].map((v, i) => [at(i), sy(v)]), `class="rm-ink ${look}"`);
      if (style !== "guide" && style !== "floor") spots += mark(at(cursor), rows[0][cursor], look, 1, 5);
    }
  }
  for (const run of live) {
    if (run.line) lines += path(run.x.map((x, i) => [sx(x), sy(run.y[i])]), 'class="rm-live-line"');
    else spots += diamond(sx(run.x[0]), sy(run.y[0]));
  }
  guides.forEach(({ x, words }, i) => {
    const side = x > (box.left + box.right) / 2 ? -1 : 1;
    areas += upright(x, "rm-guide");
    notes += `<text class="rm-note" x="${(x + 5 * side).toFixed(1)}" y="${box.top + 18 + 15 * i}" text-anchor="${side < 0 ? "end" : "start"}">${escapeText(words)}</text>`;
  });
  svg += `<g clip-path="url(#${clip})">${areas}${lines}</g>${upright(sx(xs[cursor]), "rm-now")}${points}${spots}${notes}`;

  const key =
    curves.map((curve) => keyEntry(sample(curve), escapeText(curve.words))).join("") +
    (live.length ? keyEntry(live.some((run) => run.line) ? "live" : "livePoint", "trained here") : "");
  const said = { number: short, percent, power: tenTo };
  const fill = (words) => {
    let whole = true;
    const text = words.split(FIELD).map((part, i) => {
      if (i % 2 === 0) return escapeText(part);
      const slider = sliders.findIndex(([name]) => name === part);
      if (slider >= 0) return `<b>${escapeText(sliders[slider][1][slider ? knobs[slider - 1] : cursor])}</b>`;
      const v = value(part, cursor);
      whole &&= !Number.isNaN(v);
      return number(escapeText(part), v, said[series[part].show]);
    }).join("");
    return whole ? text : null;
  };
  const sentences = setting.caption.map((choices) => choices.map(fill).find((text) => text !== null));
  const last = runs.filter((run) => !run.line).pop();
  if (last) sentences.push(`Trained here: ${number("live", last.y[0], readable)} at ${escapeText(sliders[0][0])} = ${short(last.x[0])}.`);
  return { svg, key, caption: sentences.filter(Boolean).join(" "), sx, xs, label: `${setting.yName} against ${sliders[0][0]}.` };
}

// A mark of a curve: a circle, a square or a triangle.
function spot(x, y, look, variant, r) {
  if (variant === 1) return dot(x, y, `class="rm-spot ${look}" r="${r}"`);
  const at = (dx, dy) => `${(x + dx * r).toFixed(1)} ${(y + dy * r).toFixed(1)}`;
  const corners = variant === 2 ? [at(-0.95, -0.95), at(0.95, -0.95), at(0.95, 0.95), at(-0.95, 0.95)] : [at(0, -1.25), at(1.15, 0.85), at(-1.15, 0.85)];
  return `<path class="rm-spot ${look}" d="M${corners.join("L")}Z"/>`;
}

const diamond = (x, y) => `<path class="rm-live-dot" d="M${x.toFixed(1)} ${(y - 7).toFixed(1)}l7 7l-7 7l-7 -7Z"/>`;

// A band: one closed shape for each stretch without a gap.
function ribbon(points, look) {
  const stretches = [[]];
  for (const point of points) {
    if (point.some(Number.isNaN)) stretches.push([]);
    else stretches[stretches.length - 1].push(point);
  }
  const closed = stretches.filter((stretch) => stretch.length).map((stretch) => {
    const there = stretch.map(([x, low]) => `${x.toFixed(1)} ${low.toFixed(1)}`);
    const back = stretch.reverse().map(([x, , high]) => `${x.toFixed(1)} ${high.toFixed(1)}`);
    return `M${[...there, ...back].join("L")}Z`;
  });
  return `<path class="rm-area ${look}" d="${closed.join("")}"/>`;
}

// The sample of a curve in the key.
function sample({ style, variant, rows }) {
  const look = `rm-as-${style} rm-v${variant}`;
  if (style === "band") return `<rect class="rm-area ${look}" x="1" y="1" width="24" height="10" rx="2"/>`;
  if (style !== "points") return `<path class="rm-ink ${look}" d="M1 6H25"/>`;
  return (rows.length > 1 ? `<path class="rm-ink rm-ends ${look}" d="M13 -1V13"/>` : "") + spot(13, 6, look, variant, 3.5);
}

const nearest = (drawn, pixel) =>
  drawn.xs.reduce((best, x, i) => (Math.abs(drawn.sx(x) - pixel) < Math.abs(drawn.sx(drawn.xs[best]) - pixel) ? i : best), 0);

export default {
  render: explorer(["knob_0", "knob_1", "knob_2", "knob_3", "knob_4", "knob_5", "live"], drawGrid, (model, drawn, pixel) =>
    model.set("knob_0", nearest(drawn, pixel))),
};
