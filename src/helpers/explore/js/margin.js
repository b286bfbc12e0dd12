// Reward margin against steps: the closed form (N1), the envelope of Theorem 4.2, and measured runs.

function interpolate(xs, ys, x) {
  const right = xs.findIndex((known) => known >= x);
  if (right <= 0) return right === 0 && xs[0] === x ? ys[0] : NaN;
  const share = (x - xs[right - 1]) / (xs[right] - xs[right - 1]);
  return ys[right - 1] + share * (ys[right] - ys[right - 1]);
}

function drawMargins(model, size) {
  const { K, lr, scale: squaredLength, measuredName } = model.get("setting");
  const steps = model.get("steps");
  const beta = model.get("betas")[model.get("beta_index")];
  const Q = model.get("Qs")[model.get("q_index")];
  const recorded = model.get("recorded");
  const last = recorded[recorded.length - 1];
  const live = model.get("live");

  const time = (n) => dimensionlessTime(n, beta, lr, K, squaredLength);
  const horizon = paperHorizon(beta, lr, K, squaredLength);
  const bytes = model.get("measured");
  let measured = null;
  if (bytes.byteLength) {
    const grid = float32(bytes);
    const from = (model.get("q_index") * model.get("betas").length + model.get("beta_index")) * recorded.length;
    measured = grid.subarray(from, from + recorded.length);
  }

  const S = time(steps);
  const predicted = noiseFreeMargin(S);
  const [lower, upper] = trainingEnvelope(S);
  const measuredNow = measured ? interpolate(recorded, measured, steps) : NaN;

  // The axis follows the curves and shows as much of the envelope as leaves them readable.
  const peaks = [noiseFreeMargin(time(last)), ...(measured ?? []), ...(live.y ?? [])].filter(Number.isFinite);
  const peak = Math.max(...peaks, 1e-12);
  const low = Math.min(0, ...peaks);
  const top = Math.max(1.08 * peak, Math.min(2.6 * peak, 1.08 * 2.5 * Math.min(time(last), 0.4 * LOG3)));
  const ticks = roundTicks(top, size.height > 300 ? 6 : 4);
  const below = low < -0.02 * top ? roundTicks(-low, 3).slice(1).map((t) => -t) : [];
  const { sx, sy, box, svg: frame } = axes(
    size,
    { domain: [0, last], ticks: roundTicks(last, size.width > 480 ? 8 : 4), label: "training steps n" },
    { domain: [Math.min(0, low < -0.02 * top ? low : 0), top], ticks: [...below, ...ticks], label: "reward margin" },
  );

  const curve = Array.from({ length: 161 }, (_, i) => (i / 160) * last);
  const end = Math.min(horizon, last);
  const limit = time(end);
  const clip = `rm-clip-${size.width}-${size.height}`;
  let svg = `<clipPath id="${clip}"><rect x="${box.left}" y="${box.top - 4}" width="${box.right - box.left}" height="${size.height - box.top}"/></clipPath>`;
  svg += frame + `<g clip-path="url(#${clip})">`;
  svg += path([[sx(0), sy(0)], [sx(end), sy(limit / 16)], [sx(end), sy(2.5 * limit)]], 'class="rm-envelope"');
  if (horizon < last) {
    svg += `<line class="rm-guide" x1="${sx(horizon).toFixed(1)}" x2="${sx(horizon).toFixed(1)}" y1="${box.top}" y2="${box.bottom}"/>`;
  }
  svg += `<line class="rm-now" x1="${sx(steps).toFixed(1)}" x2="${sx(steps).toFixed(1)}" y1="${box.top}" y2="${box.bottom}"/>`;
  svg += path(curve.map((n) => [sx(n), sy(noiseFreeMargin(time(n)))]), 'class="rm-predicted"');
  if (measured) svg += path(Array.from(measured, (r, i) => [sx(recorded[i]), sy(r)]), 'class="rm-measured"');
  if (live.x) svg += path(live.x.map((n, i) => [sx(n), sy(live.y[i])]), 'class="rm-live-line"');
  svg += dot(sx(steps), sy(predicted), 'class="rm-predicted-dot" r="5"');
  if (Number.isFinite(measuredNow)) svg += dot(sx(steps), sy(measuredNow), 'class="rm-measured-dot" r="5"');
  svg += "</g>";
  if (horizon < last) {
    const right = sx(horizon) > (box.left + box.right) / 2;
    svg += `<text class="rm-note" x="${(sx(horizon) + (right ? -5 : 5)).toFixed(1)}" y="${box.top + 9}" text-anchor="${right ? "end" : "start"}">Theorem 4.2 ends</text>`;
  }

  const key =
    keyEntry("line", "closed form (N1)") +
    keyEntry("band", "envelope of Theorem 4.2") +
    (measured ? keyEntry("measured", escapeText(measuredName)) : "") +
    (live.x ? keyEntry("live", `trained here: ${live.steps} steps, β = ${live.beta}, Q = ${live.Q}`) : "");
  let caption =
    `After <b>${steps}</b> steps at β = <b>${beta}</b>, dimensionless time is S = ${number("S", S)} and the closed form ` +
    `gives a reward margin of ${number("predicted", predicted)}.`;
  if (measured) {
    caption += ` The ${escapeText(measuredName)} with Q = <b>${Q}</b> samples per cluster is ${number("measured", measuredNow)}.`;
  }
  caption += Number.isFinite(lower)
    ? ` Theorem 4.2 allows ${number("lower", lower)} to ${number("upper", upper)}.`
    : ` Theorem 4.2 says nothing here: it ends at step ${number("horizon", horizon, (n) => short(Math.floor(n)))}.`;
  return { svg, key, caption, sx, last, label: "Reward margin against training steps." };
}

export default {
  render: explorer(["steps", "beta_index", "q_index", "live"], drawMargins, (model, drawn, x) =>
    model.set("steps", Math.round(Math.min(drawn.last, Math.max(0, drawn.sx.back(x)))))),
};
