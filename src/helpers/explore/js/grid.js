// Curves over a grid of settings: the first control is the cursor along x, the others choose what is drawn.

const FIELD = /\{([^{}]*)\}/;
const FAR = 1e4;                                       // pixels; what lies further out is cut off anyway

function drawGrid(model, size) {
  const setting = model.get("setting");
  const { x: xs, stops, logY, log10, sliders, series } = setting;
  const [stop, ...knobs] = places(model);
  const cursor = stops[stop];
  const data = float32(model.get("data"));
  const runs = (model.get("live").runs ?? []).filter((run) => run.at.every((i, axis) => i === knobs[axis]));

  const value = (name, i, at = knobs) => data[series[name].from + placed(series[name].shape, [...at, i])];
  const onAxis = (v) => (!logY || log10 ? v : v > 0 ? Math.log10(v) : v <= 0 ? -Infinity : NaN);
  const rows = (curve, at) => curve.parts.map((name) => xs.map((_, i) => onAxis(value(name, i, at))));
  const curves = setting.curves.map((curve) => ({ ...curve, rows: rows(curve, knobs) }));
  const live = runs.map((run) => ({ ...run, y: run.y.map(onAxis) }));

  // The ends of the vertical axis hold for all settings, so that nothing but the curves moves; a run made here may widen them.
  // Only where the curves would lie in a sixteenth of it, it is enlarged, and says so.
  const made = live.flatMap((run) => run.y).filter(Number.isFinite);
  const ends = [Math.min(setting.yRange[0], ...made), Math.max(setting.yRange[1], ...made)];
  const main = curves.filter(({ style }) => !["bound", "band"].includes(style)).flatMap((curve) => curve.rows.flat()).filter(Number.isFinite);
  const filled = Math.max(...[...main, ...made].map((v) => Math.max(v / ends[1], ends[0] < 0 ? v / ends[0] : 0)));
  let enlarged = 1;
  if (setting.zoom && filled > 0 && filled < 1 / 16) while (filled * enlarged * 8 <= 1) enlarged *= 8;
  const [low, high] = ends.map((end) => end / enlarged);
  const many = size.height > 300 ? 6 : 4;
  const ticks = logY ? powerTicks(high, many, low) : roundTicks(high, many, low);
  const plain = ticks.every((e) => e > -3.01 && e < 5.01) || !ticks.every(Number.isInteger);
  const readable = setting.percent ? percent : short;
  const show = !logY ? readable : (e) => (plain ? (Math.abs(e) < 300 ? readable(10 ** e) : tenTo(e)) : raised(e));
  const [first, last] = [xs[0], xs[xs.length - 1]];
  const air = (last / first) ** 0.04;
  const domain = setting.logX ? [first / air, last * air] : [first, last];
  const powers = () => powerTicks(Math.log10(domain[1]), size.width > 480 ? 8 : 4, Math.log10(domain[0])).map((e) => Number((10 ** e).toPrecision(12)));
  const { sx, sy: toPixel, box, svg: frame } = axes(
    size,
    {
      domain,
      log: setting.logX,
      ticks: setting.logX ? (stops.length <= 12 ? stops.map((i) => xs[i]) : powers()) : roundTicks(domain[1], size.width > 480 ? 8 : 4, domain[0]),
      show: (n) => (n >= 1e6 && Number.isInteger(Math.log10(n)) ? raised(Math.log10(n)) : short(n)),
      label: setting.xLabel,
    },
    { domain: [low, high], ticks, label: enlarged > 1 ? `${setting.yName}, enlarged ${enlarged} times` : setting.yName, show },
  );
  const sy = (v) => (Number.isNaN(v) ? NaN : Math.min(FAR, Math.max(-FAR, toPixel(v))));
  const at = (i) => sx(xs[i]);

  const clip = `rm-clip-${size.width}-${size.height}-${box.left}-${box.top}`;
  let svg = `<clipPath id="${clip}"><rect x="${box.left - 7}" y="${box.top - 4}" width="${box.right - box.left + 14}" height="${box.bottom - box.top + 5}"/></clipPath>`;
  svg += frame;
  if (!logY && low < 0) svg += `<line class="rm-axis" x1="${box.left}" x2="${box.right}" y1="${sy(0).toFixed(1)}" y2="${sy(0).toFixed(1)}"/>`;

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
  const line = (row, look) => path(row.map((v, i) => [at(i), sy(v)]), `class="rm-ink ${look}"`);
  const field = ([low, high], look) => ribbon(low.map((v, i) => [at(i), sy(v), sy(high[i])]), look);
  const hatched = (row, up, look) => hatches(row.map((v, i) => [at(i), sy(v)]), up ? -1 : 1, box, look);
  const guides = setting.guides
    .map((guide) => ({ ...guide, x: sx(value(guide.name, 0)) }))
    .filter(({ x }) => x >= box.left - 1 && x <= box.right + 1);

  let [areas, lines, points, spots, notes, ghosts] = ["", "", "", "", "", ""];
  for (const { style, variant, rows, closed } of curves) {
    const look = `rm-as-${style} rm-v${variant}`;
    if (style === "band") {
      areas += field(rows, look);
      lines += rows.map((row, i) => line(row, look) + hatched(row, i === 1, look)).join("");
    } else if (style === "points") {
      rows[0].forEach((v, i) => {
        const ends = rows.slice(1).map((end) => sy(end[i]));
        if (ends.length && !ends.some(Number.isNaN)) lines += path(ends.map((y) => [at(i), y]), `class="rm-ink rm-ends ${look}"`);
        points += mark(at(i), v, look, variant, i === cursor ? 7.5 : 4);
      });
    } else {
      if (rows.length > 1) areas += field(rows.slice(1), look);
      lines += line(rows[0], look);
      if (style === "bound" && closed !== "nowhere") lines += hatched(rows[0], closed === "above", look);
      if (style !== "guide" && style !== "floor") spots += mark(at(cursor), rows[0][cursor], look, 1, 5);
    }
  }
  // Where the curves were before the last control was moved.
  const before = size.before?.slice(1);
  const moved = before ? knobs.flatMap((k, i) => (k === before[i] ? [] : [`${sliders[i + 1][0]} = ${sliders[i + 1][1][before[i]]}`])) : [];
  if (moved.length) {
    for (const curve of setting.curves.filter(({ style }) => ["predicted", "measured", "points", "bound"].includes(style))) {
      const [former, now] = [rows(curve, before)[0], curves.find(({ name }) => name === curve.name).rows[0]];
      if (former.every((v, i) => v === now[i] || (Number.isNaN(v) && Number.isNaN(now[i])))) continue;
      if (curve.style === "points") ghosts += former.map((v, i) => (Number.isNaN(v) ? "" : dot(at(i), sy(v), 'class="rm-ghost-dot" r="4"'))).join("");
      else ghosts += path(former.map((v, i) => [at(i), sy(v)]), 'class="rm-ghost"');
    }
  }
  for (const run of live) {
    if (run.line) lines += path(run.x.map((x, i) => [sx(x), sy(run.y[i])]), 'class="rm-live-line"');
    else spots += diamond(sx(run.x[0]), sy(run.y[0]));
  }
  guides.forEach(({ x, words }, i) => {
    const side = x > (box.left + box.right) / 2 ? -1 : 1;
    areas += upright(x, "rm-guide");
    notes += `<text class="rm-note" x="${(x + 5 * side).toFixed(1)}" y="${box.top + 12 + 15 * i}" text-anchor="${side < 0 ? "end" : "start"}">${escapeText(words)}</text>`;
  });
  let measure = "";
  if (setting.margin) {
    const [x, y] = [at(cursor), sy(onAxis(value(setting.margin, cursor)))];
    if (!Number.isNaN(y)) measure = `<path class="rm-measure" d="M${(x - 5).toFixed(1)} ${sy(0).toFixed(1)}h10M${x.toFixed(1)} ${sy(0).toFixed(1)}V${y.toFixed(1)}m-5 0h10"/>`;
  }
  const ghosted = ghosts ? `<g clip-path="url(#${clip})">${ghosts}</g>` : "";
  svg += `${ghosted}<g clip-path="url(#${clip})">${areas}${lines}</g>${upright(at(cursor), "rm-now")}${measure}${points}${spots}${notes}`;
  svg += grip(at(cursor), box, sliders[0][1][stop], size.hint);

  const key =
    curves.map((curve) => keyEntry(sample(curve), escapeText(curve.words))).join("") +
    (live.length ? keyEntry(live.some((run) => run.line) ? "live" : "livePoint", "trained here") : "") +
    (ghosts ? keyEntry(ghosts.includes("<path") ? '<path class="rm-ghost" d="M1 6H25"/>' : '<circle class="rm-ghost-dot" cx="13" cy="6" r="4"/>', `before: ${escapeText(moved.join(", "))}`) : "");
  const said = { number: short, percent, power: tenTo };
  const fill = (words) => {
    let whole = true;
    const text = words.split(FIELD).map((part, i) => {
      if (i % 2 === 0) return escapeText(part);
      const slider = sliders.findIndex(([name]) => name === part);
      if (slider >= 0) return `<b>${escapeText(sliders[slider][1][slider ? knobs[slider - 1] : stop])}</b>`;
      const v = value(part, cursor);
      whole &&= !Number.isNaN(v);
      return number(escapeText(part), v, said[series[part].show]);
    }).join("");
    return whole ? text : null;
  };
  const sentences = setting.caption.map((choices) => choices.map(fill).find((text) => text !== null));
  const latest = runs.filter((run) => !run.line).pop();
  if (latest) sentences.push(`Trained here: ${number("live", latest.y[0], readable)} at ${escapeText(sliders[0][0])} = ${short(latest.x[0])}.`);
  return { svg, key, caption: sentences.filter(Boolean).join(" "), sx, xs: stops.map((i) => xs[i]), label: `${setting.yName} against ${setting.xLabel}.` };
}

// A mark of a curve: a circle, a square or a triangle.
function spot(x, y, look, variant, r) {
  if (variant === 1) return dot(x, y, `class="rm-spot ${look}" r="${r}"`);
  const at = (dx, dy) => `${(x + dx * r).toFixed(1)} ${(y + dy * r).toFixed(1)}`;
  const corners = variant === 2 ? [at(-0.95, -0.95), at(0.95, -0.95), at(0.95, 0.95), at(-0.95, 0.95)] : [at(0, -1.25), at(1.15, 0.85), at(-1.15, 0.85)];
  return `<path class="rm-spot ${look}" d="M${corners.join("L")}Z"/>`;
}

const diamond = (x, y) => `<path class="rm-live-dot" d="M${x.toFixed(1)} ${(y - 7).toFixed(1)}l7 7l-7 7l-7 -7Z"/>`;

// Points in stretches without a gap.
function stretches(points) {
  const found = [[]];
  for (const point of points) {
    if (point.some(Number.isNaN)) found.push([]);
    else found[found.length - 1].push(point);
  }
  return found.filter((stretch) => stretch.length);
}

// A field between two edges: one closed shape for each stretch.
function ribbon(points, look) {
  const closed = stretches(points).map((stretch) => {
    const there = stretch.map(([x, low]) => `${x.toFixed(1)} ${low.toFixed(1)}`);
    const back = stretch.reverse().map(([x, , high]) => `${x.toFixed(1)} ${high.toFixed(1)}`);
    return `M${[...there, ...back].join("L")}Z`;
  });
  return `<path class="rm-area ${look}" d="${closed.join("")}"/>`;
}

// Short strokes along a line, on the side where nothing can be.
function hatches(points, side, box, look) {
  let strokes = "";
  for (const stretch of stretches(points)) {
    let i = 0;
    for (let x = stretch[0][0] + 4; x < stretch[stretch.length - 1][0]; x += 8) {
      while (stretch[i + 1][0] < x) i += 1;
      const [[x0, y0], [x1, y1]] = [stretch[i], stretch[i + 1]];
      const y = y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
      if (y > box.top - 8 && y < box.bottom + 8) strokes += `M${x.toFixed(1)} ${y.toFixed(1)}l4 ${6 * side}`;
    }
  }
  return strokes ? `<path class="rm-hatch ${look}" d="${strokes}"/>` : "";
}

// The sample of a curve in the key.
function sample({ style, variant, rows }) {
  const look = `rm-as-${style} rm-v${variant}`;
  if (style === "band") return `<path class="rm-ink ${look}" d="M1 4H25M1 10H25"/><path class="rm-hatch ${look}" d="M4 4l3 -4M12 4l3 -4M20 4l3 -4"/>`;
  if (style === "bound") return `<path class="rm-ink ${look}" d="M1 8H25"/><path class="rm-hatch ${look}" d="M4 8l3 -5M12 8l3 -5M20 8l3 -5"/>`;
  if (style !== "points") return `<path class="rm-ink ${look}" d="M2 6H25"/>`;
  return (rows.length > 1 ? `<path class="rm-ink rm-ends ${look}" d="M13 -1V13"/>` : "") + spot(13, 6, look, variant, 4);
}

const nearest = (drawn, pixel) =>
  drawn.xs.reduce((best, x, i) => (Math.abs(drawn.sx(x) - pixel) < Math.abs(drawn.sx(drawn.xs[best]) - pixel) ? i : best), 0);

export default {
  render: explorer(["knob_0", "knob_1", "knob_2", "knob_3", "knob_4", "knob_5", "live"], drawGrid, (model, drawn, pixel) =>
    model.set("knob_0", nearest(drawn, pixel))),
};
