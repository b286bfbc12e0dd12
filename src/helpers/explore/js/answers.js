// Design a layout: each value gets two answers. The direction of value i after the first step is sum_k g_ik m_k, so
// products of the means m_k with the test statements give the errors of every layout, and moments of such products
// its law (N5).

// What the numbers of a figure say, for any pairs of letters.
function answersModel(setting, view) {
  const { names, runs, Qs, value, units, t } = setting;
  const [K, M] = [names.length, value.length];
  const numbers = 2 * K * (K + K * K + 2 * K);
  const buffer = aligned(view);
  const moments = new Float32Array(buffer, 0, runs * numbers);
  const products = new Int16Array(buffer, 4 * runs * numbers);
  const tests = names.map((_, i) => value.flatMap((v, j) => (v === i ? [j] : [])));

  // u_i . u_k / 2 of the first `count` values; the others are not trained on.
  function gram(pairs, count) {
    const u = ([a, b], token) => (token === a) - (token === b);
    const tokens = [...setting.letters].map((_, token) => token);
    return names.map((_, i) => names.map((__, k) =>
      (i < count && k < count ? tokens.reduce((sum, token) => sum + u(pairs[i], token) * u(pairs[k], token), 0) / 2 : 0)));
  }
  function errorsOf(run, at, g, count) {
    const from = (run * Qs.length + at) * K * M;
    return g.slice(0, count).map((row, i) => tests[i].filter((j) => {
      let sum = 0;
      for (let k = 0; k < K; k += 1) sum += row[k] * products[from + k * M + j];
      return sum <= 0;
    }).length / tests[i].length);
  }
  // Mean over the two sides of P(T <= 0), T normal: its moments are sums over the row of g.
  function lawOf(run, g, count, Q) {
    const [mean, covariance, error, drawn] = [0, 2 * K * K, 2 * K * K + 2 * K ** 3, 4 * K * K + 2 * K ** 3].map((at) => at + run * numbers);
    return g.slice(0, count).map((row, i) => [0, 1].reduce((sum, side) => {
      const at = (2 * i + side) * K;
      let [middle, given, draw] = [0, 0, 0];
      for (let k = 0; k < K; k += 1) {
        middle += row[k] * moments[mean + at + k];
        draw += row[k] * row[k] * moments[drawn + at + k];
        given -= row[k] * row[k] * moments[error + at + k];
        for (let l = 0; l < K; l += 1) given += row[k] * row[l] * moments[covariance + (at + k) * K + l];
      }
      return sum + normalTail(middle / Math.sqrt(Math.max(given, 0) + draw / Q)) / 2;
    }, 0));
  }
  function interval(draws) {
    const middle = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const half = t * Math.sqrt(draws.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (draws.length - 1) / draws.length);
    return [middle, middle - half, middle + half];
  }
  const average = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
  function told(pairs, count, at) {
    const g = gram(pairs, count);
    const each = Array.from({ length: runs }, (_, run) => ({
      errors: errorsOf(run, at, g, count), laws: lawOf(run, g, count, Qs[at]), floors: lawOf(run, g, count, Infinity),
    }));
    const rows = names.slice(0, count).map((_, i) => ({
      error: interval(each.map(({ errors }) => errors[i])), law: average(each.map(({ laws }) => laws[i])),
      floor: average(each.map(({ floors }) => floors[i])), kappa: g[i].reduce((sum, x) => sum + x * x, 0),
    }));
    const mean = {
      error: interval(each.map(({ errors }) => average(errors))), law: average(rows.map(({ law }) => law)),
      floor: average(rows.map(({ floor }) => floor)), kappa: average(rows.map(({ kappa }) => kappa)),
    };
    return { rows, mean };
  }
  return { K, told };
}

const MOST_ERROR = 0.8;                                // of the axis: a value that is learned backwards is above one half

function answersView({ model, el }) {
  const setting = model.get("setting");
  const { names, letters, Qs, title } = setting;
  const presets = new Map(setting.presets);
  const it = answersModel(setting, model.get("data"));
  const { K } = it;
  const id = newId();
  const used = letters.split("");
  const counts = Array.from({ length: K }, (_, i) => String(i + 1));
  el.classList.add("rm-figure", "rm-design");
  el.innerHTML = `${title ? `<p class="rm-title">${escapeText(title)}</p>` : ""}
    <div class="rm-controls">${segments(`${id}-p`, "answers", [...presets.keys()], 'data-do="preset"')}${
      segments(`${id}-n`, "number of values", counts, 'data-do="count"')}${segments(`${id}-q`, "samples per cluster Q", Qs.map(String), 'data-do="samples"')}</div>
    <ul class="rm-key">${keyEntry('<path class="rm-ink rm-as-predicted" d="M13 0V12"/>', "law")}${
      keyEntry('<path class="rm-ink rm-as-floor" d="M13 0V12"/>', "its floor, endless samples")}${
      keyEntry('<path class="rm-ink rm-ends rm-as-points" d="M3 6H23"/><circle class="rm-spot rm-as-points" cx="13" cy="6" r="5"/>', `measured, ${setting.runs} splits`)}</ul>
    <div class="rm-drawing"><svg class="rm-plot" role="img" aria-describedby="${id}"></svg></div>
    <div class="rm-controls rm-editor">${segments(`${id}-v`, "change the answers of", names, 'data-do="chosen"')}${
      segments(`${id}-f`, "right answer for it", used, 'data-do="for"')}${segments(`${id}-a`, "right answer against it", used, 'data-do="against"')}</div>
    <p class="rm-caption" id="${id}" aria-live="polite"></p>`;
  const [svg, caption] = [".rm-plot", ".rm-caption"].map((name) => el.querySelector(name));
  const group = (name) => [...el.querySelectorAll(`[data-do="${name}"] input`)];
  let width = 0;

  const state = () => ({ pairs: model.get("pairs"), count: model.get("count"), chosen: model.get("chosen"), at: model.get("samples") });
  const same = (a, b) => a[0] === b[0] && a[1] === b[1];
  const preset = ({ pairs, count }) => [...presets.keys()].find((name) => presets.get(name).slice(0, count).every((pair, i) => same(pair, pairs[i])));

  // ---- the graph of the layout: an arrow for each value, from its answer against to its answer for ----
  function graph({ pairs, count, chosen }, box) {
    const [cx, cy] = [box.x + box.size / 2, box.y + box.size / 2], R = box.size / 2 - 16;
    const place = (token) => {
      const turn = ((token - 0.5) / used.length) * 2 * Math.PI - Math.PI / 2;
      return [cx + R * Math.cos(turn), cy + R * Math.sin(turn)];
    };
    const seen = new Set(pairs.slice(0, count).flat());
    let out = "", over = "";
    const between = (pair) => [...pair].sort((a, b) => a - b).join();
    pairs.slice(0, count).forEach((pair, i) => {
      const alike = pairs.slice(0, count).flatMap((other, k) => (between(other) === between(pair) ? [k] : []));
      const [[x1, y1], [x2, y2]] = [place(pair[1]), place(pair[0])];
      const [dx, dy] = [x2 - x1, y2 - y1], length = Math.hypot(dx, dy);
      // Arrows between the same two answers fan out, on the same side whichever way they point.
      const bend = (alike.length > 1 ? Math.min(26, 120 / alike.length) : 0) * (alike.indexOf(i) - (alike.length - 1) / 2) * (pair[0] < pair[1] ? 1 : -1);
      const [nx, ny] = [-dy / length, dx / length];
      const [mx, my] = [(x1 + x2) / 2 + 2 * bend * nx, (y1 + y2) / 2 + 2 * bend * ny];   // of the quadratic curve
      const cut = (ax, ay, bx, by, by_) => { const l = Math.hypot(bx - ax, by - ay) || 1; return [ax + ((bx - ax) * by_) / l, ay + ((by - ay) * by_) / l]; };
      const [sx, sy] = cut(x1, y1, mx, my, 13), [ex, ey] = cut(x2, y2, mx, my, 13);
      const [hx, hy] = cut(ex, ey, mx, my, 9), along = Math.hypot(ex - hx, ey - hy) || 1;
      const [px, py] = [(-(ey - hy) / along) * 4.5, ((ex - hx) / along) * 4.5];
      const strong = i === chosen ? " rm-on" : "";
      out += `<g class="rm-arrow${strong}" data-value="${i}"><path class="rm-reach" d="M${sx.toFixed(1)} ${sy.toFixed(1)}Q${mx.toFixed(1)} ${my.toFixed(1)} ${ex.toFixed(1)} ${ey.toFixed(1)}"/>` +
        `<path class="rm-shaft" d="M${sx.toFixed(1)} ${sy.toFixed(1)}Q${mx.toFixed(1)} ${my.toFixed(1)} ${hx.toFixed(1)} ${hy.toFixed(1)}"/>` +
        `<path class="rm-head-of" d="M${ex.toFixed(1)} ${ey.toFixed(1)}L${(hx + px).toFixed(1)} ${(hy + py).toFixed(1)}L${(hx - px).toFixed(1)} ${(hy - py).toFixed(1)}Z"/></g>`;
      const short_ = length < 90 && alike.length === 1;   // the number stands beside a short arrow
      const part = i % 2 ? 0.42 : 0.58, curve = (a, b, c) => (1 - part) ** 2 * a + 2 * part * (1 - part) * b + part * part * c;  // arrows that cross keep their numbers apart
      const [lx, ly] = short_ ? cut((x1 + x2) / 2, (y1 + y2) / 2, cx, cy, 15) : [curve(x1, mx, x2), curve(y1, my, y2)];
      over += `<text class="rm-note rm-number${strong}" x="${lx.toFixed(1)}" y="${(ly + 4.5).toFixed(1)}" text-anchor="middle">${i + 1}</text>`;
    });
    used.forEach((letter, token) => {
      const [x, y] = place(token);
      over += seen.has(token) ? `<rect class="rm-token" x="${(x - 10).toFixed(1)}" y="${(y - 10).toFixed(1)}" width="20" height="20"/><text class="rm-letter" x="${x.toFixed(1)}" y="${(y + 4.5).toFixed(1)}" text-anchor="middle">${letter}</text>`
        : `<text class="rm-idle" x="${x.toFixed(1)}" y="${(y + 4.5).toFixed(1)}" text-anchor="middle">${letter}</text>`;
    });
    return out + over;
  }

  // ---- a row for each value, and one for their mean ----
  function rows({ count, chosen, pairs }, told, box) {
    const left = box.x + (box.width < 330 ? 128 : 150), right = box.x + box.width - 56, pitch = 30, top = box.y + 24;
    const sx = scale([0, MOST_ERROR], [left, right]);
    const x = (error) => sx(Math.min(MOST_ERROR, error)).toFixed(1);
    const bottom = top + pitch * (count + 1);
    let out = `<text class="rm-label" x="${left}" y="${box.y + 11}">error after the first step (share)</text>`;
    for (const tick of [0, 0.25, 0.5, 0.75]) {
      out += `<line class="${tick === 0.5 ? "rm-guide" : "rm-grid"}" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${bottom}"/>` +
        `<text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${short(tick)}</text>`;
    }
    out += `<text x="${x(0.5)}" y="${bottom + 31}" text-anchor="middle">a coin</text>`;
    out += `<text x="${box.x + box.width}" y="${box.y + 11}" text-anchor="end">κ</text>`;
    const line = (y, name, { error: [mean, low, high], law, floor, kappa }, strong, data) =>
      `<text class="${strong ? "rm-strong" : "rm-name-of"}" x="${box.x}" y="${y + 4.5}">${name}</text>` +
      `<line class="rm-grid" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>` +
      `<path class="rm-ink rm-as-floor" d="M${x(floor)} ${y - 10}V${y + 10}"/><path class="rm-ink rm-as-predicted" d="M${x(law)} ${y - 10}V${y + 10}"/>` +
      `<path class="rm-ink rm-ends rm-as-points" d="M${x(Math.max(0, low))} ${y}H${x(high)}"/>` +
      `<circle class="rm-spot rm-as-points" cx="${x(mean)}" cy="${y}" r="5.5" ${data}="${[mean, low, high, law, floor, kappa].join(" ")}"/>` +
      `<text class="${strong ? "rm-strong" : ""}" x="${box.x + box.width}" y="${y + 4.5}" text-anchor="end">${short(kappa)}</text>`;
    told.rows.forEach((row, i) => {
      const y = top + pitch * (i + 0.5);
      const words = `${i + 1} ${escapeText(names[i])} <tspan class="rm-soft">${letters[pairs[i][0]]}/${letters[pairs[i][1]]}</tspan>`;
      out += `<g data-value="${i}">${line(y, words, row, i === chosen, "data-row")}<rect class="rm-reach-of" x="${box.x}" y="${y - 15}" width="${box.width}" height="30"/></g>`;
    });
    const y = top + pitch * (count + 0.5);
    out += `<line class="rm-axis" x1="${box.x}" x2="${box.x + box.width}" y1="${y - 15}" y2="${y - 15}"/>${line(y, "mean", told.mean, true, "data-mean")}`;
    return out;
  }

  function words(now, told) {
    const name = preset(now), { mean } = told;
    const who = name ? `With ${name === "own" ? "answers of their own" : name === "Yes / No" ? "Yes and No for all" : `a ${name}`}` : "With your answers";
    const late = now.count === K && name ? setting.late[name]?.[now.at] : null;
    return `${who} and ${Qs[now.at]} statements a cluster, the first step tells ${number("measured", mean.error[0])} of the unseen statements of ${now.count === 1 ? "one value" : `${now.count} values`} wrong ` +
      `(95 % interval ${number("measured.lower", mean.error[1])} to ${number("measured.upper", mean.error[2])}); the law expects ${number("law", mean.law)}, and ${number("floor", mean.floor)} with endless statements. ` +
      `Mean κ: ${number("kappa", mean.kappa)}. ` +
      (late ? `Trained on, ${escapeText(setting.lateWords)}, these answers leave ${number("late", late[0])} (${number("late.lower", late[1])} to ${number("late.upper", late[2])}): the floor is one of the first step.`
        : Object.keys(setting.late).length ? `Longer training was run for named layouts of all ${K} values.` : "");
  }

  function update() {
    const now = state(), name = preset(now);
    group("preset").forEach((input, i) => { input.checked = setting.presets[i][0] === name; });
    group("count").forEach((input, i) => { input.checked = i === now.count - 1; });
    group("samples").forEach((input, i) => { input.checked = i === now.at; });
    group("chosen").forEach((input, i) => {
      input.checked = i === now.chosen;
      input.disabled = i >= now.count;
    });
    group("for").forEach((input, i) => { input.checked = i === now.pairs[now.chosen][0]; });
    group("against").forEach((input, i) => { input.checked = i === now.pairs[now.chosen][1]; });
    if (!width) return;
    const told = it.told(now.pairs, now.count, now.at);
    const wide = width >= 600;
    const size = wide ? 250 : Math.min(width, 230);
    const height = wide ? Math.max(size, 24 + 30 * (K + 1) + 38) : size + 12 + 24 + 30 * (K + 1) + 38;
    const graphBox = wide ? { x: 0, y: (height - size) / 2, size } : { x: (width - size) / 2, y: 0, size };
    const rowBox = wide ? { x: size + 30, y: 0, width: width - size - 30 } : { x: 0, y: size + 12, width };
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-label", `Answers of ${now.count} values as a graph, and their errors: ` + told.rows.map(({ error, law }, i) =>
      `${names[i]} for ${letters[now.pairs[i][0]]}, against ${letters[now.pairs[i][1]]}, law ${short(law)}, measured ${short(error[0])}`).join("; "));
    svg.innerHTML = graph(now, graphBox) + rows(now, told, rowBox);
    const text = words(now, told);
    if (caption.innerHTML !== text) caption.innerHTML = text;
  }

  const save = (...changes) => {
    for (const [name, held] of changes) model.set(name, held);
    model.save_changes();
  };
  // A value's two answers differ: who takes the other one hands its own over.
  function answer(role, token) {
    const { pairs, chosen } = state();
    const pair = [...pairs[chosen]];
    if (pair[1 - role] === token) pair[1 - role] = pair[role];
    pair[role] = token;
    save(["pairs", pairs.map((old, i) => (i === chosen ? pair : old))]);
  }
  el.addEventListener("input", ({ target }) => {
    const task = target.closest("[data-do]")?.dataset.do, at = Number(target.value);
    if (task === "preset") save(["pairs", setting.presets[at][1]]);
    if (task === "count") save(["count", at + 1], ["chosen", Math.min(at, model.get("chosen"))]);
    if (task === "samples" || task === "chosen") save([task, at]);
    if (task === "for") answer(0, at);
    if (task === "against") answer(1, at);
  });
  svg.addEventListener("click", ({ target }) => {
    const at = target.closest("[data-value]")?.dataset.value;
    if (at !== undefined) save(["chosen", Number(at)]);
  });
  const events = "change:pairs change:count change:chosen change:samples";
  model.on(events, update);
  update();
  let printing = false;
  const resize = (next) => {
    if (!next || next === width || printing) return;
    width = next;
    update();
  };
  const observer = new ResizeObserver(([entry]) => resize(Math.floor(entry.contentRect.width)));
  observer.observe(el);
  const paper = () => {
    resize(Math.min(width, 640));
    printing = true;
  };
  const screen = () => {
    printing = false;
    resize(Math.floor(el.getBoundingClientRect().width));
  };
  addEventListener("beforeprint", paper);
  addEventListener("afterprint", screen);
  return () => {
    observer.disconnect();
    removeEventListener("beforeprint", paper);
    removeEventListener("afterprint", screen);
    model.off(events, update);
  };
}

export default { render: answersView };
