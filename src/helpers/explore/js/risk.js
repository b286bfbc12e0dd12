// Risk against samples per cluster: the law N5, its floor, and measured test errors with their intervals.

function drawRisk(model, size) {
  const setting = model.get("setting");
  const { tested } = setting;
  const Qs = model.get("Qs");
  const Q = Qs[model.get("q_index")];
  const recorded = model.get("recorded");
  const betas = model.get("betas");
  const live = model.get("live");
  const bytes = model.get("measured");
  const errors = [];
  if (bytes.byteLength) {
    const grid = float32(bytes);
    Qs.forEach((samples, i) => {
      const error = grid[(i * betas.length + model.get("beta_index")) * recorded.length + model.get("step_index")];
      if (Number.isFinite(error)) errors.push({ samples, error, interval: tested ? wilsonInterval(error, tested) : null });
    });
  }
  const law = riskLaw(setting, Q);
  const floor = riskFloor(setting);
  const now = errors.find((point) => point.samples === Q);

  const domain = [Qs[0] / 1.35, Qs[Qs.length - 1] * 1.35];
  const peak = Math.max(riskLaw(setting, domain[0]), ...errors.map((p) => (p.interval ?? [0, p.error])[1]), ...(live.y ?? []));
  const top = Math.min(1, 1.08 * peak);
  const { sx, sy, box, svg: frame } = axes(
    size,
    { domain, log: true, ticks: Qs, label: "samples per cluster Q" },
    { domain: [0, top], ticks: roundTicks(top, size.height > 300 ? 6 : 4), label: "risk (share of wrong preferences)", show: percent },
  );

  const curve = Array.from({ length: 121 }, (_, i) => domain[0] * (domain[1] / domain[0]) ** (i / 120));
  let svg = frame;
  svg += `<line class="rm-floor" x1="${box.left}" x2="${box.right}" y1="${sy(floor).toFixed(1)}" y2="${sy(floor).toFixed(1)}"/>`;
  svg += `<line class="rm-now" x1="${sx(Q).toFixed(1)}" x2="${sx(Q).toFixed(1)}" y1="${box.top}" y2="${box.bottom}"/>`;
  svg += path(curve.map((samples) => [sx(samples), sy(riskLaw(setting, samples))]), 'class="rm-predicted"');
  for (const { samples, error, interval } of errors) {
    if (interval) svg += path(interval.map((edge) => [sx(samples), sy(edge)]), 'class="rm-whisker"');
    svg += dot(sx(samples), sy(error), `class="rm-measured-dot" r="${samples === Q ? 6 : 3.5}"`);
  }
  (live.x ?? []).forEach((samples, i) => {
    const [x, y] = [sx(samples), sy(live.y[i])];
    svg += path([[x, y - 7], [x + 7, y], [x, y + 7], [x - 7, y], [x, y - 7]], 'class="rm-live-dot"');
  });
  svg += dot(sx(Q), sy(law), 'class="rm-predicted-dot" r="5"');
  if (errors.length) {
    const shown = `measured after ${recorded[model.get("step_index")]} steps at β = ${betas[model.get("beta_index")]}`;
    svg += `<text class="rm-note" x="${box.right}" y="${box.top + 9}" text-anchor="end">${shown}</text>`;
  }

  const key =
    keyEntry("line", "law (N5)") +
    keyEntry("floor", "floor of the law") +
    (errors.length ? keyEntry("points", tested ? "measured test error, 95 % interval" : "measured test error") : "") +
    (live.x?.length ? keyEntry("livePoint", "trained here") : "");
  let caption =
    `With <b>${Q}</b> samples per cluster the law predicts a risk of ${number("law", law, percent)}; ` +
    `with endless samples, ${number("floor", floor, percent)}.`;
  if (now) {
    caption +=
      ` Measured on held-out statements after <b>${recorded[model.get("step_index")]}</b> steps at ` +
      `β = <b>${betas[model.get("beta_index")]}</b>: ${number("measured", now.error, percent)}`;
    caption += now.interval
      ? `, 95 % interval ${number("low", now.interval[0], percent)} to ${number("high", now.interval[1], percent)}.`
      : ".";
  }
  if (live.x?.length) {
    caption += ` Trained here last: ${number("live", live.y[live.y.length - 1], percent)} with Q = ${live.x[live.x.length - 1]}.`;
  }
  if (errors.length || live.x?.length) caption += " The law depends on neither steps nor β; the measured errors do.";
  return { svg, key, caption, label: "Risk against samples per cluster." };
}

export default { render: explorer(["step_index", "beta_index", "q_index", "live"], drawRisk) };
