// Click one statement: beads on strings. One step on statement k moves statement j by
//   beta^2 lr C_jk sigma(-r_k),  C_jk = (how their answers match) times (how alike their prompts are)      (Lemma 4.1).
// The state is the list of clicks and nothing else: a switch replays it.

const ALL = -1;
const SHARED = [0, 1, 2];                              // own answers, one shared, Yes and No for all
const WHOLE = 0;
const sigma = (x) => 1 / (1 + Math.exp(-x));

// The pushes of a setting, without their sigma: rate, match of answers, likeness of prompts.
function statementModel(setting, view) {
  const { texts, value, side, held, lean, common, beta, lr, steps, unit } = setting;
  const n = texts.length;
  const upper = new Int16Array(aligned(view));
  const G = new Float64Array(n * n);
  for (let j = 0, at = 0; j < n; j += 1) for (let k = j; k < n; k += 1, at += 1) G[j * n + k] = G[k * n + j] = upper[at] * unit;
  const trained = texts.flatMap((_, j) => (held[j] ? [] : [j]));
  const match = (j, k, answers) => side[j] * side[k] * (value[j] === value[k] ? 2 : SHARED[answers]);
  const alike = (j, k, mode) => G[j * n + k] + (mode === WHOLE ? lean[j] + lean[k] + common : 0);
  const rate = (mode) => beta * beta * lr[mode];
  const C = (j, k, answers, mode) => rate(mode) * match(j, k, answers) * alike(j, k, mode);

  // Margins after every click, the start first.
  function replay(clicks, answers, mode) {
    const margins = [new Float64Array(n)];
    for (const click of clicks) {
      const r = margins[margins.length - 1].slice();
      const rows = click === ALL ? trained : [click];
      const m = rows.length;
      const pushes = new Float64Array(n * m);
      for (let j = 0; j < n; j += 1) for (let i = 0; i < m; i += 1) pushes[j * m + i] = C(j, rows[i], answers, mode) / m;
      const force = new Float64Array(m);
      for (let t = click === ALL ? steps[mode] : 1; t > 0; t -= 1) {
        for (let i = 0; i < m; i += 1) force[i] = sigma(-r[rows[i]]);
        for (let j = 0; j < n; j += 1) {
          let sum = 0;
          for (let i = 0; i < m; i += 1) sum += pushes[j * m + i] * force[i];
          r[j] += sum;
        }
      }
      margins.push(r);
    }
    return margins;
  }
  return { n, trained, heldOut: texts.flatMap((_, j) => (held[j] ? [j] : [])), match, alike, rate, C, replay };
}

const signed = (x, digits = 2) => (Math.abs(x) < 0.5 * 10 ** -digits ? "0" : `${x > 0 ? "+" : "−"}${Math.abs(x).toFixed(digits)}`);
const amount = (x) => (Math.abs(x) >= 100 ? `${x < 0 ? "−" : ""}${Math.round(Math.abs(x)).toLocaleString("en")}` : signed(x, 1).replace("+", ""));
const quoted = (text) => `“${escapeText(text)}”`;

function statementView({ model, el }) {
  const setting = model.get("setting");
  const { names, texts, value, side, held, title } = setting;
  const it = statementModel(setting, model.get("data"));
  const { n } = it;
  const per = n / names.length / 2;
  const id = newId();
  el.classList.add("rm-figure", "rm-statement");
  el.innerHTML = `<p class="rm-title">${escapeText(title)}</p>
    <p class="rm-lead"><span>Each bead is a statement, like beside like. Its height is its margin: how far training has moved the model towards the right answer.</span>
      <span>Click one to train on it; all others are pushed up or down.</span></p>
    <div class="rm-head"><div class="rm-controls"></div>
      <div class="rm-actions"><button type="button" class="rm-button" data-do="all">Train on all ${it.trained.length}</button><button type="button" class="rm-button" data-do="reset">Reset</button></div></div>
    <div class="rm-map"><div class="rm-tip" hidden></div></div>
    <ul class="rm-count"></ul>
    <div class="rm-told"><p class="rm-caption" id="${id}" aria-live="polite"></p><button type="button" class="rm-next"></button></div>
    <div class="rm-pair"><div><p class="rm-of" data-of="k"></p><p class="rm-says" data-says="k"></p><p class="rm-of" data-of="j"></p><p class="rm-says" data-says="j"></p>
      <p class="rm-act"><button type="button" class="rm-button" data-do="it" hidden>Train on it</button><span></span></p></div><div class="rm-bars"></div></div>
    <details class="rm-how"><summary>What is computed</summary><p>${howComputed(setting, per)}</p></details>`;
  const find = (name) => el.querySelector(name);
  const [map, tip, count, caption, next, bars, act] = [".rm-map", ".rm-tip", ".rm-count", ".rm-caption", ".rm-next", ".rm-bars", ".rm-act"].map(find);
  const showControls = drawControls(model, find(".rm-controls"), id);

  const answers = () => model.get("knob_0");
  const mode = () => model.get("knob_1");
  const clicks = () => model.get("clicks");
  const last = () => clicks()[clicks().length - 1];
  let margins = it.replay([], 0, 0);
  let [r, before, push] = [margins[0], margins[0], margins[0].slice()];
  let [j, k, pointing] = [-1, -1, false];               // looked at, clicked last
  const answer = (v, s) => [setting.answers[v], ["Yes", setting.answers[v][1]], ["Yes", "No"]][answers()][s > 0 ? 0 : 1];

  // ---- the picture ----
  const NS = "http://www.w3.org/2000/svg";
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    parent?.append(node);
    return node;
  };
  let [box, beads, rings, halo, frame, width] = [null, [], null, null, 0, 0];
  const shown = new Float64Array(n), shownBefore = new Float64Array(n);
  let pulse = 0;
  const lift = (x) => (box.half * Math.asinh(x / 0.12)) / Math.asinh(6 / 0.12);      // small pushes are seen too

  function build() {
    const wide = width >= 520, columns = wide ? 2 : 1, left = 34, gap = 30;
    const half = wide ? 38 : 23, label = wide ? 21 : 17, row = label + 2 * half + (wide ? 6 : 3);
    const cell = (width - left - gap * (columns - 1)) / columns;
    box = { half, home: [], pitch: cell / per, r: Math.min(4.6, (0.4 * cell) / per) };
    const strings = 2 * names.length;
    const height = (strings / columns) * row + 4;
    const svg = make("svg", { class: "rm-strings", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Statements on strings. Arrow keys move along and between the strings, Enter trains." });
    for (let string = 0; string < strings; string += 1) {
      const v = Math.floor(string / 2), s = string % 2 ? -1 : 1;
      const x = left + (string % columns) * (cell + gap), y = Math.floor(string / columns) * row + label + half;
      const words = make("text", { x, y: y - half - 6 }, svg);
      make("tspan", { class: "rm-strong" }, words, names[v]);
      make("tspan", {}, words, `, ${s > 0 ? "for" : "against"}: right answer `);
      make("tspan", { class: "rm-strong", "data-v": v, "data-s": s }, words, "");
      make("line", { class: "rm-axis", x1: x, x2: x + cell, y1: y, y2: y }, svg);
      if (string % columns === 0) for (const mark of [3, 1, 0.3, 0, -0.3, -1, -3]) {
        if (Number.isInteger(mark) && Math.abs(mark) < 2) make("text", { x: left - 9, y: y - lift(mark) + 4, "text-anchor": "end" }, svg, mark > 0 ? `+${mark}` : String(mark).replace("-", "−"));
        make("line", { class: "rm-grid", x1: left - 5, x2: left, y1: y - lift(mark), y2: y - lift(mark) }, svg);
      }
      for (let i = 0; i < per; i += 1) box.home.push([x + (i + 0.5) * box.pitch, y]);
    }
    beads = texts.map((_, i) => {
      const g = make("g", {}, svg);
      return { g, stem: make("line", { class: "rm-stem" }, g), tail: make("line", { class: "rm-tail" }, g), mark: make("path", { class: side[i] > 0 ? "rm-bead" : "rm-bead rm-hollow" }, g) };
    });
    rings = make("g", {}, svg);
    halo = make("circle", { class: "rm-halo", r: box.r + 4, visibility: "hidden" }, svg);
    beads.forEach((bead, i) => {                         // the target is the whole column
      const [x, y] = box.home[i];
      bead.hit = make("rect", { class: "rm-hit", x: x - box.pitch / 2, y: y - half - 1, width: box.pitch, height: 2 * half + 2, role: "button", tabindex: i === Math.max(j, 0) ? 0 : -1, "data-j": i }, svg);
    });
    map.querySelector("svg")?.remove();
    map.prepend(svg);
    shown.set(r);
    shownBefore.set(before);
    draw();
    labels();
  }
  const idle = (i) => Math.abs(push[i]) < 1e-9;
  function draw() {
    if (!box) return;
    beads.forEach(({ g, stem, tail, mark }, i) => {
      const [x, y] = box.home[i], now = y - lift(shown[i]), then = y - lift(shownBefore[i]);
      g.setAttribute("class", idle(i) && Math.abs(shown[i]) < 1e-9 ? "rm-rest" : "");
      for (const [line, a, b] of [[stem, y, then], [tail, then, now]]) {
        line.setAttribute("x1", x); line.setAttribute("x2", x);
        line.setAttribute("y1", a.toFixed(1)); line.setAttribute("y2", b.toFixed(1));
      }
      const d = box.r * (held[i] ? 1.2 : 1);
      mark.setAttribute("d", held[i] ? `M${x} ${now - d}L${x + d} ${now}L${x} ${now + d}L${x - d} ${now}Z` : `M${x - d} ${now}a${d} ${d} 0 1 1 ${2 * d} 0a${d} ${d} 0 1 1 ${-2 * d} 0Z`);
    });
    rings.replaceChildren(...[...new Set(clicks().filter((click) => click !== ALL))].map((click) =>
      make("circle", { class: click === k ? "rm-ring rm-latest" : "rm-ring", r: box.r + (click === k ? 4 + 16 * pulse : 3.5), "stroke-opacity": click === k ? 1 - pulse : 1, cx: box.home[click][0], cy: box.home[click][1] - lift(shown[click]) })));
    const seen = j >= 0 && j !== k;
    halo.setAttribute("visibility", seen ? "visible" : "hidden");
    if (seen) {
      halo.setAttribute("cx", box.home[j][0]);
      halo.setAttribute("cy", box.home[j][1] - lift(shown[j]));
    }
    tip.hidden = !(pointing && j >= 0);
    if (!tip.hidden) {
      const [x, y] = box.home[j];
      tip.textContent = `${texts[j]}${held[j] ? " (held out)" : ""}  ${signed(r[j])}`;
      tip.style.maxWidth = `${Math.min(320, width)}px`;
      const room = tip.getBoundingClientRect();
      tip.style.left = `${Math.min(width - room.width, Math.max(0, x - room.width / 2))}px`;
      tip.style.top = `${Math.max(0, y - box.half - room.height - 4)}px`;
    }
  }
  // All beads go to their new heights, the strongest pushed first: likeness is seen as a wave.
  function animate(time, ripple) {
    cancelAnimationFrame(frame);
    const [from, fromBefore] = [shown.slice(), shownBefore.slice()];
    const order = [...push.keys()].sort((a, b) => Math.abs(push[b]) - Math.abs(push[a]));
    const delay = new Float64Array(n);
    if (ripple) order.forEach((i, rank) => { delay[i] = 0.45 * (rank / n); });
    const begin = performance.now();
    const step = (now) => {
      const t = still() || !time ? 1 : Math.min(1, Math.max(0, (now - begin) / time));
      for (let i = 0; i < n; i += 1) {
        const part = Math.min(1, Math.max(0, (t - delay[i]) / 0.55)), ease = 1 - (1 - part) ** 3;
        shown[i] = from[i] + (r[i] - from[i]) * ease;
        shownBefore[i] = fromBefore[i] + (before[i] - fromBefore[i]) * Math.min(1, 3 * ease);
      }
      pulse = ripple ? (1 - Math.min(1, 2 * t)) ** 2 : 0;
      draw();
      if (t < 1) frame = requestAnimationFrame(step);
    };
    step(begin);
  }

  // ---- the words ----
  const what = (i) => `${names[value[i]]}, right answer “${answer(value[i], side[i])}”${held[i] ? ", held out" : ""}`;
  const above = (list) => list.filter((i) => r[i] > 1e-9).length;
  const mean = (list) => list.reduce((sum, i) => sum + push[i], 0) / (list.length || 1);
  const said = (name, x, digits = 2) => number(name, x, (v) => signed(v, digits));

  function tell() {
    const all = last() === ALL, whole = mode() === WHOLE;
    const others = [...push.keys()].filter((i) => i !== k);
    if (!clicks().length) return "Nothing is trained yet, and every margin is zero. Click any bead.";
    if (all) {
      return `${setting.steps[mode()].toLocaleString("en")} steps on all ${it.trained.length} at once: ${number("above", above(it.trained))} of them and ` +
        `${number("above held out", above(it.heldOut))} of the ${it.heldOut.length} held-out ones are above zero${whole
          ? "; it takes a hundred times as many steps as with centred embeddings, because the part that all prompts share cancels between the two sides." : "."}`;
    }
    const near = others.filter((i) => it.match(i, k, answers()) !== 0);
    const [same, opposite] = [1, -1].map((s) => near.filter((i) => side[i] * side[k] === s));
    const reach = [`Only <b>${escapeText(names[value[k]])}</b> moves`, "One shared word: every value moves, the others half as far", "Yes and No for all: <b>every</b> statement moves"][answers()];
    if (whole) {
      const own = (list) => (answers() === 1 ? list.filter((i) => value[i] === value[k]) : list);
      return `${reach}; its side is helped (${said("same side", mean(own(same)))}), the other side is hurt (${said("other side", mean(own(opposite)))}), ` +
        "all about equally, because to the model all prompts look nearly the same.";
    }
    const best = others.reduce((a, i) => (push[i] > push[a] ? i : a), others[0]), worst = others.reduce((a, i) => (push[i] < push[a] ? i : a), others[0]);
    const ups = (list) => list.filter((i) => push[i] > 0).length;
    return `${reach}, and likeness decides how far: ${quoted(texts[best])} rises most (${said("most", push[best])}), ${quoted(texts[worst])} sinks most ` +
      `(${said("least", push[worst])}); ${ups(same)} of ${same.length} on its side and ${ups(opposite)} of ${opposite.length} on the other rise.`;
  }
  // One next step is offered; together they are the whole argument.
  function tour() {
    const [all, whole] = [last() === ALL, mode() === WHOLE];
    if (!clicks().length) return ["Train on one", () => train(setting.first)];
    if (!all && answers() === 0 && whole && names.length > 1) return ["The same click with Yes and No for all", () => choose("knob_0", 2)];
    if (!all && whole) return ["The same click without the part that all prompts share", () => choose("knob_1", 1)];
    if (!all) return [`Train on all ${it.trained.length}`, () => train(ALL)];
    return ["Start again", restart];
  }
  function words() {
    const text = tell();
    if (caption.innerHTML !== text) caption.innerHTML = text;
    const [offer, go] = tour();
    next.textContent = offer;
    next.onclick = go;
    const row = (list, mark, name) => `<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">${mark}</svg><span>${name}<b>${above(list)}</b> of ${list.length} above zero</span></li>`;
    count.innerHTML = row(it.trained, '<circle class="rm-bead" cx="7" cy="7" r="4.8"/>', "can be trained on: ") +
      (it.heldOut.length ? row(it.heldOut, '<path class="rm-bead" d="M7 1L13 7L7 13L1 7Z"/>', "held out: ") : "") +
      '<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path class="rm-tail" d="M7 0V14"/></svg><span>the last push</span></li>';
    look();
  }
  function look() {
    const all = last() === ALL, times = clicks().filter((click) => click === k).length, whole = mode() === WHOLE;
    const other = j >= 0 && j !== k;
    const set = (name, text, none) => {
      const node = find(name);
      node.textContent = text;
      node.classList.toggle("rm-none", Boolean(none));
    };
    set("[data-of=k]", k < 0 ? "Trained on" : `Trained on${times > 1 ? ` ${times} times` : ""}: ${what(k)}`);
    set("[data-says=k]", k >= 0 ? texts[k] : all ? `all ${it.trained.length} at once` : "nothing yet", k < 0);
    set("[data-of=j]", other ? `Looking at: ${what(j)}` : "Looking at");
    set("[data-says=j]", other ? texts[j] : k < 0 ? "point at a bead" : "the same statement", !other);
    act.firstElementChild.hidden = !other || Boolean(held[j]);
    act.lastElementChild.textContent = other ? `${held[j] ? "only watched, never trained on; " : ""}margin ${signed(r[j])}` : "";
    bars.innerHTML = factors(all, other ? j : k, times, whole);
  }
  function factors(all, at, times, whole) {
    const bar = (name, x, full, show, kind = "", part = null) => {
      const piece = (from, to, look) => {
        const [a, b] = [from, to].map((v) => 50 + 50 * Math.max(-1, Math.min(1, v / full))).sort((p, q) => p - q);
        return `<i class="${look}" style="left:${a.toFixed(2)}%;width:${(b - a).toFixed(2)}%"></i>`;
      };
      return `<span>${name}</span><span class="rm-track">${part === null ? piece(0, x, kind) : piece(0, part, "rm-common") + piece(part, x, kind)}</span><span class="rm-value">${show}</span>`;
    };
    const rule = '<span class="rm-rule"></span>';
    if (all && at >= 0) {                                // the first step on all, from zero: what the two sides do
      const parts = [1, -1].map((s) => it.trained.reduce((sum, i) => sum + (side[i] * side[at] === s ? it.C(at, i, answers(), mode()) / it.trained.length / 2 : 0), 0));
      const full = Math.max(...parts.map(Math.abs)) * 1.05 || 1, digits = whole ? 4 : 3;
      return bar("pushed by its side", parts[0], full, said("by its side", parts[0], digits), "rm-push") +
        bar("+ by the other side", parts[1], full, said("by the other side", parts[1], digits), "rm-push") + rule +
        bar("= first step, from 0", parts[0] + parts[1], full, said("first step", parts[0] + parts[1], digits), "rm-push") +
        `<p>${whole ? "What all prompts share pushes up from one side and down from the other, and cancels. What is left does the learning." : "Without the part that all prompts share nothing has to cancel."}</p>`;
    }
    if (k < 0 || at < 0) {
      return bar("answers match", 0, 1, "–") + bar("× prompts alike", 0, 1, "–") + rule + bar("= push", 0, 1, "–") + "<p>Two factors decide how far a step on one statement moves another.</p>";
    }
    const a = it.match(at, k, answers()), b = it.alike(at, k, mode()), s = sigma(-before[k]), p = push[at];
    const full = whole ? 1.05 * (setting.common + 200) : 1.05 * it.alike(k, k, 1);
    return bar("answers match", a, 2.1, said("answers", a, 0)) + bar("× prompts alike", b, full, number("prompts", b, amount), "", whole ? setting.common : null) + rule +
      bar("= push", p, 1.05, said("push", p), "rm-push") +
      `<p>(${signed(a, 0)}) × ${amount(b)} × step ${short(it.rate(mode()))} × σ(−r) ${s.toFixed(2)}${times > 1 ? ", which shrinks as the clicked margin r grows" : ""}.${whole
        ? ` Pale: ${amount(setting.common)}, which all prompts share; these two add ${signed(b - setting.common, 0)}.` : ""}</p>`;
  }
  function labels() {
    beads.forEach(({ hit }, i) => hit.setAttribute("aria-label", `${texts[i]} (${what(i)}; margin ${signed(r[i])})`));
    for (const span of map.querySelectorAll("tspan[data-v]")) span.textContent = answer(Number(span.dataset.v), Number(span.dataset.s));
  }

  // ---- what a reader does ----
  // Where nothing is pointed at: with whole embeddings the most hurt, with centred ones the most helped.
  function furthest() {
    if (last() === ALL) return r.indexOf(Math.min(...r));
    const s = mode() === WHOLE ? -1 : 1;
    return [...push.keys()].reduce((best, i) => (i !== k && s * push[i] > 1e-9 && (best < 0 || s * push[i] > s * push[best]) ? i : best), -1);
  }
  let clicked = null;                                    // what was clicked when it was drawn last
  const update = () => {
    showControls();
    margins = it.replay(clicks(), answers(), mode());
    r = margins[margins.length - 1];
    before = margins[Math.max(0, margins.length - 2)];
    push = r.map((x, i) => x - before[i]);
    k = clicks().length && last() !== ALL ? last() : -1;
    const fresh = clicked !== null && clicks().length > clicked;
    clicked = clicks().length;
    j = clicks().length ? furthest() : -1;
    pointing = false;
    words();
    labels();
    if (box) animate(last() === ALL ? 1100 : 850, fresh && last() !== ALL);
  };
  const save = (...pairs) => {
    for (const [name, held] of pairs) model.set(name, held);
    model.save_changes();
  };
  function train(i) {
    if (i !== ALL && held[i]) {
      point(i);
      caption.textContent = "This one is held out: it is watched and never trained on. Click a round bead.";
      return;
    }
    save(["clicks", [...clicks(), i]]);
  }
  const choose = (name, at) => save([name, at]);
  const restart = () => save(["clicks", []], ["knob_0", 0], ["knob_1", 0]);
  function point(i, over = true) {
    if (i === j && over === pointing) return;
    [j, pointing] = [i, over];
    look();
    draw();
  }
  const nearest = (event) => {
    const corner = map.getBoundingClientRect(), x = event.clientX - corner.left, y = event.clientY - corner.top;
    let [best, near] = [-1, Infinity];
    box.home.forEach(([a, b], i) => {
      const d = Math.abs(x - a) + (Math.abs(y - b) > box.half + 10 ? 1000 : 0);
      if (d < near) [best, near] = [i, d];
    });
    return near < 0.8 * box.pitch ? best : -1;
  };
  let down = null;
  map.addEventListener("pointerdown", (event) => { down = { x: event.clientX, moved: false }; });
  map.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" && down && Math.abs(event.clientX - down.x) > 8) down.moved = true;
    const i = nearest(event);
    if (i >= 0 && (event.pointerType === "mouse" || down?.moved)) point(i);
  });
  map.addEventListener("click", (event) => {
    if (down?.moved) {                                   // a finger that slides along a string only reads
      down = null;
      return;
    }
    const i = event.detail === 0 ? Number(event.target.dataset?.j ?? -1) : nearest(event);
    if (i >= 0) train(i);
  });
  map.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") point(clicks().length ? furthest() : -1, false); });
  map.addEventListener("focusin", ({ target }) => { if (target.dataset.j && target.matches(":focus-visible")) point(Number(target.dataset.j)); });
  map.addEventListener("focusout", () => point(j, false));
  map.addEventListener("keydown", (event) => {
    const i = Number(event.target.dataset.j ?? -1);
    if (i < 0) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      train(i);
      return;
    }
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: per, ArrowUp: -per, Home: -i, End: n - 1 - i }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(n - 1, i + move));
    beads[i].hit.setAttribute("tabindex", -1);
    beads[to].hit.setAttribute("tabindex", 0);
    beads[to].hit.focus();
    point(to);
  });
  el.addEventListener("click", ({ target }) => {
    const task = target.dataset?.do;
    if (task === "all") train(ALL);
    if (task === "reset") save(["clicks", []]);
    if (task === "it") train(j);
  });

  model.on("change:clicks change:knob_0 change:knob_1", update);
  update();
  const resize = (wanted) => {
    if (!wanted || wanted === width) return;
    width = wanted;
    build();
  };
  const observer = new ResizeObserver(([entry]) => resize(Math.floor(entry.contentRect.width)));
  observer.observe(map);
  const paper = () => {
    if (!clicks().length) train(setting.first);
    resize(Math.min(width, 640));
    cancelAnimationFrame(frame);
    shown.set(r);
    shownBefore.set(before);
    draw();
  };
  addEventListener("beforeprint", paper);
  // The first click happens by itself, once, when the beads are seen.
  const eye = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    eye.disconnect();
    if (!clicks().length) setTimeout(() => { if (!clicks().length) train(setting.first); }, still() ? 0 : 700);
  }, { threshold: 0.3 });
  eye.observe(map);
  return () => {
    observer.disconnect();
    eye.disconnect();
    removeEventListener("beforeprint", paper);
    model.off("change:clicks change:knob_0 change:knob_1", update);
  };
}

function howComputed({ texts, held, beta, lr, steps }, per) {
  const watched = held.slice(0, per).reduce((sum, x) => sum + x, 0);
  return `${texts.length} statements, ${per} a side, ${watched} of them held out; like stand side by side. One click is one step of gradient descent on the last layer: ` +
    `the margin of statement j grows by β² η C<sub>jk</sub> σ(−r<sub>k</sub>), with β = ${short(beta)} and learning rate η = ${short(lr[1])} (centred) or ${short(lr[0])} (whole). ` +
    `Centred means: minus the mean of the statements that can be trained on. Train on all takes ${steps[1].toLocaleString("en")} or ${steps[0].toLocaleString("en")} full-batch steps. ` +
    "A full bead is a statement for a value, a hollow one against it; a diamond is held out.";
}

export default { render: statementView };
