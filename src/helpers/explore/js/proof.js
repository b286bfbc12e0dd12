// A proof that is driven: one line at a time beside one live cloud of rates. What is drawn is computed by `proofModel`, what
// is said by `proofLines`; here are the picture, the buttons and the sliders. All state is the model's.

const proofView = (() => {
  const { K, D, LAYOUTS, CLEAN, MOST, normals, simulate, argue } = proofModel;
  const { LINES, HYPOTHESES, FINE, place, times, result, verdict, guessed, answer, bold } = proofLines;

  const STATE = ["line", "shown", "guesses", "v", "l_b", "Q", "token_layout", "seed"];
  const VALID = { v: 0.004, l_b: 0.35, Q: 50, token_layout: "chain" };
  const TRIES = [
    ["ten times the noise", { ...VALID, v: 0.04 }, 5],
    ["all values share a token", { ...VALID, token_layout: "star", l_b: 0.7, v: 0.002 }, 7],
    ["two noisy statements", { ...VALID, Q: 2, v: 0.5 }, 8],
    ["put it right", VALID, null],
    ["another draw", null, null],
  ];
  const power = { to: (x) => Number((10 ** x).toPrecision(3)), from: Math.log10 }, same = { to: (x) => x, from: (x) => x };
  const KNOBS = [
    { key: "v", name: "noise <i>v</i>", min: -3, max: 0, step: 0.01, ...power, show: (v) => short(v) },
    { key: "Q", name: "statements a cluster <i>Q</i>", min: 2, max: MOST, step: 1, ...same, show: String },
    { key: "l_b", name: "shared component <i>l</i><sub><i>b</i></sub>", min: 0, max: 1, step: 0.01, ...same, show: (l) => l.toFixed(2) },
  ];
  const NAMES = { own: "own", chain: "chain", star: "star", shared: "Yes/No" };
  const SHARED = {
    own: "no token is shared, Z = 1", chain: "neighbours share one token, Z = 2", star: "all share one token, Z = 4",
    shared: "no two values may have the same two answers",
  };
  // The layouts as graphs: a line is a value, its ends are its answers.
  const GRAPHS = {
    own: [[[3, 2], [33, 2]], [[3, 6.7], [33, 6.7]], [[3, 11.3], [33, 11.3]], [[3, 16], [33, 16]]],
    chain: [[[2, 14], [10, 4]], [[10, 4], [18, 14]], [[18, 14], [26, 4]], [[26, 4], [34, 14]]],
    star: [[[18, 9], [4, 2]], [[18, 9], [32, 2]], [[18, 9], [4, 16]], [[18, 9], [32, 16]]],
    shared: null,
  };
  function graph(key) {
    const ends = GRAPHS[key] ?? [[[3, 9], [33, 9]]];
    const lines = GRAPHS[key] ? ends.map(([[a, b], [c, e]]) => `M${a} ${b}L${c} ${e}`).join("") : "M3 9Q18 -3 33 9M3 9Q18 5 33 9M3 9Q18 13 33 9M3 9Q18 21 33 9";
    return `<svg width="36" height="18" aria-hidden="true"><path d="${lines}"/>${ends.flat().map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2"/>`).join("")}</svg>`;
  }
  const SIGNS = { holds: '<circle cx="7" cy="7" r="6"/>', open: '<circle cx="7" cy="7" r="6"/>', fails: '<circle cx="7" cy="7" r="6"/><path d="M1 13L13 1"/>' };

  const NEAR = [0.83, 1.2], FAR = [0.085, 7.6];        // the two views of the one axis
  const jitter = normals(2 * K * MOST, 5).map((x) => Math.max(-1, Math.min(1, x / 2.2)));
  const n1 = (x) => x.toFixed(1);

  function render({ model, el }) {
    const root = document.createElement("div");
    root.className = "rm-stage rm-proof";
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", model.get("title"));
    root.innerHTML = `
      <p class="rm-name">${escapeText(model.get("title"))}</p>
      <p class="rm-lead">Each dot is one training statement, placed by <b>how fast its margin grows</b>. The proof must get all dots into one bracket. It takes ten lines. How much wider does each make the bracket? Drag, then look.</p>
      <ol class="rm-rail">${LINES.map((_, i) => `<li><button type="button" data-line="${i + 1}"><span class="rm-bar"></span><span class="rm-no">${i + 1}</span><span class="rm-short">${LINES[i].name}</span></button></li>`).join("")}</ol>
      <ul class="rm-parts" aria-hidden="true">${parts()}</ul>
      <div class="rm-scene">
        <div class="rm-said">
          <div class="rm-text"><p class="rm-title"></p><p class="rm-words"></p><p class="rm-formula" role="math"></p><p class="rm-ask"></p></div>
          <div class="rm-result" aria-live="polite"></div>
        </div>
        <div class="rm-picture"><svg role="img"></svg>${["high", "low"].map((end) => `<div class="rm-handle" data-end="${end}" tabindex="0" role="slider" aria-orientation="vertical" aria-label="Your guess, ${end === "low" ? "lower" : "upper"} end of the bracket"></div>`).join("")}</div>
        <div class="rm-go"><button type="button" data-go="back">Back</button><button type="button" data-go="next" class="rm-main"></button></div>
      </div>
      <div class="rm-break">
        <p class="rm-title">Break it</p>
        <p class="rm-lead">A slider is green where the hypotheses of Theorem 4.2 hold. Leave it, and see which line needed them.</p>
        <div class="rm-tries">${TRIES.map(([name], i) => `<button type="button" data-try="${i}">${name}</button>`).join("")}</div>
        <div class="rm-knobs">${KNOBS.map(({ key, name, min, max, step }) => `<div class="rm-knob"><label><span class="rm-top"><span>${name}</span><b></b></span><span class="rm-track" style="display:block"><span class="rm-road"></span><span class="rm-free"></span><input type="range" data-knob="${key}" min="${min}" max="${max}" step="${step}"></span></label><p class="rm-asks"></p></div>`).join("")}
          <fieldset class="rm-knob"><legend class="rm-top">answers of the four values</legend><div class="rm-seg">${Object.entries(NAMES).map(([key, name]) => `<label><input type="radio" value="${key}">${graph(key)}${name}</label>`).join("")}</div><p class="rm-asks"></p></fieldset>
        </div>
        <ul class="rm-verdict" aria-live="polite"></ul>
        <p class="rm-fine">${FINE}</p>
      </div>`;
    el.replaceChildren(root);
    const $ = (selector) => root.querySelector(selector), $$ = (selector) => [...root.querySelectorAll(selector)];
    const group = `rm-layout-${Math.random().toString(36).slice(2)}`;                  // two figures must not be one group
    $$(".rm-seg input").forEach((input) => { input.name = group; });
    const svg = $(".rm-picture svg"), handles = Object.fromEntries($$(".rm-handle").map((node) => [node.dataset.end, node]));
    const still = matchMedia("(prefers-reduced-motion: reduce)"), paper = matchMedia("print");

    let run, arg, setting, width = 0, slim = false, frame = 0, scale = null, waiting = false, sudden = false;
    const view = { low: NEAR[0], high: NEAR[1], a: 1, b: 1, time: 0 };
    const get = (name) => model.get(name);
    // On paper nothing can be asked: all lines are shown, and a proof that was not begun stands at its result.
    const shown = () => (paper.matches ? 10 : get("shown"));
    const at = () => (paper.matches && get("line") === 1 ? 9 : get("line"));
    const asking = () => at() > shown();
    const set = (changes) => { for (const [name, value] of Object.entries(changes)) model.set(name, value); model.save_changes(); };
    const mine = () => {
      const no = at(), held = get("guesses")[no];
      if (!LINES[no - 1].grip) return null;
      if (held) return held;
      const before = arg.lines[no - 2];
      return asking() ? (no === 2 ? { low: arg.centre - 0.004, high: arg.centre + 0.004 } : { low: before.low, high: before.high }) : null;
    };

    // ---- the picture ----
    function target() {
      const lit = arg.lines[at() - (asking() ? 2 : 1)], far = at() >= 6;
      return { low: (far ? FAR : NEAR)[0], high: (far ? FAR : NEAR)[1], a: lit.low, b: lit.high, time: far ? 1 : 0 };
    }
    function move(now) {
      const goal = target(), from = { ...view };
      cancelAnimationFrame(frame);
      if (now || still.matches || paper.matches || document.hidden) { Object.assign(view, goal); draw(); return; }
      const length = from.low !== goal.low ? 1100 : 600, begun = performance.now();
      const tick = (now) => {
        const u = Math.max(0, Math.min(1, (now - begun) / length)), f = u < 0.5 ? 4 * u ** 3 : 1 - (2 - 2 * u) ** 3 / 2;
        for (const key of ["low", "high"]) view[key] = Math.exp(Math.log(from[key]) + f * (Math.log(goal[key]) - Math.log(from[key])));
        for (const key of ["a", "b"]) view[key] = Number.isFinite(goal[key]) && Number.isFinite(from[key]) ? from[key] + f * (goal[key] - from[key]) : goal[key];
        view.time = from.time + f * (goal.time - from.time);
        draw();
        if (u < 1) frame = requestAnimationFrame(tick);
      };
      frame = requestAnimationFrame(tick);
    }

    function draw() {
      if (!width) return;
      const W = width, H = slim ? 330 : 404, left = 40, right = W - 66, top = 30, bottom = H - 34, no = at();
      const f = (x) => Math.log(Math.max(x, 1e-9)), [low, high] = [view.low, view.high];
      const Y = (x) => bottom - ((f(x) - f(low)) / (f(high) - f(low))) * (bottom - top);
      const clip = (x) => Math.max(top, Math.min(bottom, Y(x)));
      const back = (y) => Math.exp(f(low) + ((bottom - y) / (bottom - top)) * (f(high) - f(low)));
      scale = { Y, back };
      const line = arg.lines[no - 1], lit = arg.lines[no - (asking() ? 2 : 1)], T = view.time, late = T > 0.5;
      const fresh = asking() && no === 6;              // the bracket of line 5 speaks of the start alone
      const lane = right - 38;                         // beyond it the reader's handles stand
      const text = (x, y, words, look = "", anchor = "start") => `<text class="rm-halo ${look}" x="${n1(x)}" y="${n1(y)}" text-anchor="${anchor}">${words}</text>`;
      const across = (y, look, from = left, to = right) => `<line class="${look}" x1="${n1(from)}" x2="${n1(to)}" y1="${n1(y)}" y2="${n1(y)}"/>`;
      let art = "";

      // the field that the bracket allows, the axis
      const lower = view.a > 0 ? clip(view.a) : bottom, upper = Number.isFinite(view.b) ? clip(view.b) : top;
      if (lower > upper) art += `<rect class="rm-field" x="${left}" y="${n1(upper)}" width="${n1(right - left)}" height="${n1(lower - upper)}"/>`;
      const ticks = high / low < 2 ? [0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15] : [0.1, 0.2, 0.5, 1, 2, 5];
      for (const t of ticks) {
        if (Y(t) < top - 2 || Y(t) > bottom + 2) continue;
        art += across(Y(t), "rm-scale") + `<text class="${t === 1 ? "rm-t-predicted rm-strong" : ""}" x="${left - 7}" y="${n1(Y(t) + 4)}" text-anchor="end">${t}</text>`;
      }
      art += across(bottom, "rm-base");
      art += text(0, 13, no >= 9 ? "average speed of a margin since the start" : "speed of a margin, without noise 1 at the start", "rm-t-ink");
      for (let i = no >= 6 ? 5 : 2; i < lit.no && i < 8 && lit.no < 10; i++) for (const end of [arg.lines[i - 1].low, arg.lines[i - 1].high]) {
        if (end > low && end < high) art += across(Y(end), "rm-former");
      }

      // the cloud: a column for each value at the start; then time runs to the right and every dot draws a thread
      const kind = no >= 9 ? run.averages : run.speeds, column = (lane - left) / K, r = run.N > 200 ? 2.1 : 2.8;
      const [begin, end] = [left + 10, lane - 4], when = (i, n) => begin + ((end - begin) * i) / n;
      let dots = "", diamonds = "", leaving = 0;
      const beyond = [0, 0];
      for (let j = 0; j < run.N; j++) {
        const x = run.rho[j], wide = left + column * (run.value[j] + 0.5) + jitter[run.id[j]] * column * 0.42;
        const px = wide + T * (begin - 4 + jitter[run.id[j]] * 3 - wide);
        const worst = no >= 6 ? kind.reduce((w, s) => (s[j] < lit.low || s[j] > lit.high ? s[j] : w), x) : x;
        const out = worst < lit.low - 1e-9 || worst > lit.high + 1e-9;
        if (out) leaving++;
        if (x < low) beyond[0]++;
        if (x > high) beyond[1]++;
        const py = x < low ? bottom - 3 : x > high ? top + 3 : Y(x);
        if (out && lit.no >= 5 && !fresh) diamonds += `M${n1(px)} ${n1(py - 5)}l5 5l-5 5l-5 -5Z`;
        else dots += `M${n1(px)} ${n1(py)}h0`;
      }
      const stranger = no === 10 && late;
      if (T > 0.02) {
        let threads = "";
        for (let j = 0; j < run.N; j++) kind.forEach((s, i) => {
          threads += `${i ? "L" : "M"}${n1(begin + T * (when(i, kind.length - 1) - begin))} ${n1(clip(s[j]))}`;
        });
        art += `<path class="rm-threads${stranger ? " rm-ghost" : ""}" stroke-width="${Math.abs(clip(line.seen[1]) - clip(line.seen[0])) < 40 ? 1.5 : 0.8}" stroke-opacity="${(0.75 * T).toFixed(2)}" d="${threads}"/>`;
      }
      if (stranger) {
        const [first, last] = run.strangers;
        art += `<path class="rm-threads" stroke-width="1" d="${[...first].map((x, j) => `M${n1(begin)} ${n1(clip(x))}L${n1(end)} ${n1(clip(last[j]))}`).join("")}"/>`;
      }
      const clean = CLEAN.map(({ speed, average }, i) => [when(i, CLEAN.length - 1), 1 + T * ((no >= 9 ? average : speed) - 1)]);
      art += `<path class="rm-clean" d="M${left} ${n1(Y(1))}${clean.map(([x, s]) => `L${n1(x)} ${n1(Y(s))}`).join("")}L${right} ${n1(Y(clean[clean.length - 1][1]))}"/>`;
      if (!stranger) art += `<path class="rm-dots" stroke-width="${2 * r}" d="${dots}"/>`;

      // the bracket: hatched where nothing can be, dotted once it is no longer proved
      const proved = lit.no < 5 || lit.proved, look = `rm-bracket${proved ? "" : " rm-unproved"}`, aside = [];
      const side = (y, way) => {
        art += across(y, look);
        if (!proved) return;
        let hatch = "";
        for (let x = left + 4; x < right - 2; x += 9) hatch += `M${n1(x)} ${n1(y)}l${way * -5} ${way * 7}`;
        art += `<path class="rm-hatch" d="${hatch}"/>`;
      };
      const open = view.a <= 0, single = lit.no === 1;
      if (single) art += across(Y(view.a), look);
      else {
        if (!open && view.a >= low) { side(lower, 1); aside.push([lower, place(lit.low), "rm-t-proved rm-strong"]); }
        if (Number.isFinite(view.b) && view.b <= high) { side(upper, -1); aside.push([upper, place(lit.high), "rm-t-proved rm-strong"]); }
      }
      if (diamonds) art += `<path class="rm-out" d="${diamonds}"/>`;
      aside.push([Y(clean[clean.length - 1][1]), "no noise", "rm-t-predicted rm-strong"]);

      // the reader's guess
      const guess = mine(), grip = LINES[no - 1].grip, held = guess && grip ? (grip === "low" ? ["low"] : ["low", "high"]) : [];
      svg.classList.toggle("rm-pulled", asking() && held.length > 0);
      for (const name of ["low", "high"]) handles[name].hidden = !asking() || !held.includes(name);
      for (const name of held) {
        const y = clip(guess[name]);
        art += `<path class="rm-mine" d="M${left} ${n1(y)}H${right}"/>`;
        if (!asking()) { aside.push([y, "you", "rm-t-ink rm-strong"]); continue; }
        const node = handles[name], spread = guessed(no, guess, arg);
        node.style.left = `${lane + 19}px`;
        node.style.top = `${n1(y + (name === "low" ? 8 : -8))}px`;
        node.setAttribute("aria-valuemin", low.toFixed(3));
        node.setAttribute("aria-valuemax", high.toFixed(3));
        node.setAttribute("aria-valuenow", Math.max(low, Math.min(high, guess[name])).toFixed(3));
        node.setAttribute("aria-valuetext", `${place(guess[name])}, ${spread.toFixed(2)} times as wide`);
        if (!guess.touched && name === held[held.length - 1]) art += text(lane + 8, y + (name === "low" ? 17 : -9), "drag ↕", "rm-t-ink rm-strong", "end");
      }

      // words
      const count = stranger ? `${run.strangers[0].length} new statements, ${place(line.seen[0])} to ${place(line.seen[1])}`
        : `${run.N} statements, ${place((late ? line : arg.lines[0]).seen[0])} to ${place((late ? line : arg.lines[0]).seen[1])}`;
      if (!asking() || no === 6 || no < 6) art += text(left + 6, late ? Y(0.165) : bottom - 9, count, "rm-t-measured");
      const notes = [];
      if (lit.no >= 5 && !fresh && leaving) notes.push([`◆ ${leaving} of ${run.N} leave the bracket`, "rm-t-ink rm-strong"]);
      if (lit.no >= 5) {
        const causes = [...new Set(arg.lines.filter((x) => x.no <= lit.no).flatMap((x) => x.lacking))];
        if (causes.length) notes.push([causes.length > 2 ? `${causes.length} hypotheses fail` : `${causes.map((key) => HYPOTHESES[key].drawn).join(" and ")} fail${causes.length > 1 ? "" : "s"}`, "rm-t-ink"]);
        else if (!arg.event) notes.push(["the event of Lemma B.1 fails", "rm-t-ink"]);
      }
      notes.forEach(([words, style], i) => { art += text(left + 6, (late ? Y(3.9) : top + 15) + 17 * i, words, style); });
      if (beyond[1]) art += text(lane - 4, top + 15, `▴ ${beyond[1]} more`, "rm-t-measured rm-strong", "end");
      if (beyond[0]) art += text(lane - 4, bottom - 9, `▾ ${beyond[0]} more`, "rm-t-measured rm-strong", "end");
      if (open) art += text(right, bottom - 9, `▾ ${place(lit.low)}: below zero`, "rm-t-proved rm-strong", "end");
      if (lit.no === 10) art += text(right, top + 15, "no upper end ▴", "rm-t-proved", "end");
      if (late) {
        art += `<text x="${n1(begin)}" y="${bottom + 17}" text-anchor="middle">start</text><text x="${n1(end)}" y="${bottom + 17}" text-anchor="middle">τ₁</text>`;
        art += `<text class="rm-t-ink" x="${n1((begin + end) / 2)}" y="${bottom + 17}" text-anchor="middle">training →</text>`;
      } else for (let i = 0; i < K; i++) art += `<text x="${n1(left + column * (i + 0.5))}" y="${bottom + 17}" text-anchor="middle">value ${i + 1}</text>`;
      apart(aside, 15, top - 4, bottom).forEach(([y, words, style]) => { art += `<text class="${style}" x="${right + 8}" y="${n1(y + 4)}">${words}</text>`; });

      svg.setAttribute("width", W);
      svg.setAttribute("height", H);
      svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
      svg.setAttribute("aria-label", `${run.N} speeds from ${place(line.seen[0])} to ${place(line.seen[1])}; the bracket of line ${lit.no} reaches from ${place(lit.low)} to ${place(lit.high)}${leaving && lit.no >= 5 ? `, and ${leaving} leave it` : ""}.`);
      svg.innerHTML = art;
    }

    // ---- the guess ----
    function pull(end, x) {
      const no = at(), spec = LINES[no - 1], before = arg.lines[no - 2], guess = { ...mine(), touched: true };
      const middle = no === 2 ? arg.centre : (before.low + before.high) / 2;
      const near = (value) => Math.max(view.low * 1.002, Math.min(view.high / 1.002, value));
      guess[end] = end === "low" ? Math.min(before.low, near(x)) : Math.max(before.high, near(x));
      if (spec.grip === "both") guess[end === "low" ? "high" : "low"] = 2 * middle - guess[end];
      guess.low = Math.max(guess.low, view.low * 1.002);
      sudden = true;
      set({ guesses: { ...get("guesses"), [no]: guess } });
    }
    const nearest = (y) => {
      const guess = mine();
      if (LINES[at() - 1].grip === "low") return "low";
      return y > (scale.Y(guess.low) + scale.Y(guess.high)) / 2 ? "low" : "high";
    };
    const height = (event) => event.clientY - svg.getBoundingClientRect().top;
    let pressed = null;                                // the end that is held, and how far from its line it was taken
    const release = () => { pressed = null; };
    for (const [end, node] of Object.entries(handles)) {
      node.addEventListener("pointerdown", (event) => {
        pressed = { end, off: height(event) - scale.Y(mine()[end]) };
        node.setPointerCapture(event.pointerId);
        node.focus({ preventScroll: true });
        event.preventDefault();
      });
      node.addEventListener("pointermove", (event) => { if (pressed?.end === end) pull(end, scale.back(height(event) - pressed.off)); });
      for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, release);
      node.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: 6, ArrowDown: 6, PageDown: 24, ArrowRight: -6, ArrowUp: -6, PageUp: -24 }[event.key];
        if (event.key === "Enter") {                     // the square goes, so the button takes over
          next();
          $('[data-go="next"]').focus({ preventScroll: true });
          event.preventDefault();
        }
        if (!way) return;
        event.preventDefault();
        pull(end, scale.back(scale.Y(mine()[end]) + way * (event.shiftKey ? 4 : 1)));
      });
    }
    // The mouse may take the nearest end anywhere in the picture; a finger taps, so that the page can still be scrolled.
    svg.addEventListener("pointerdown", (event) => {
      if (!asking() || !LINES[at() - 1].grip || event.pointerType !== "mouse") return;
      pressed = { end: nearest(height(event)), off: 0 };
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => { if (pressed && event.pointerType === "mouse") pull(pressed.end, scale.back(height(event))); });
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, release);
    svg.addEventListener("click", (event) => { if (asking() && LINES[at() - 1].grip) pull(nearest(height(event)), scale.back(height(event))); });

    // ---- the words beside the picture ----
    const html = (selector, words) => { const node = $(selector); if (node.innerHTML !== words) node.innerHTML = words; };
    function tell() {
      const no = at(), spec = LINES[no - 1], line = arg.lines[no - 1], guess = mine();
      root.dataset.line = no;
      html(".rm-said .rm-title", `${no}. ${spec.title}`);
      html(".rm-words", typeof spec.words === "function" ? spec.words(run) : spec.words);
      if ($(".rm-formula").dataset.line !== String(no)) {
        $(".rm-formula").innerHTML = spec.formula;
        $(".rm-formula").dataset.line = no;
        $(".rm-formula").setAttribute("aria-label", spec.spoken);
      }
      const ask = asking() && spec.grip
        ? guess.touched ? `Your guess: ${times(guessed(no, guess, arg))} ${no === 2 ? "the cloud" : "as wide"}.`
          : spec.grip === "low" ? "How far down must the bracket go? Drag it." : "How wide must the bracket be now? Drag it."
        : "";
      html(".rm-ask", ask);
      let told = "";
      if (!asking()) {
        const you = answer(no, guess, arg);
        told = `<p class="rm-told${line.fits && !line.bad ? (no < 5 || line.proved ? "" : " rm-unsure") : " rm-broken"}">${result(no, run, arg)}${you ? `<span class="rm-you">${you}</span>` : ""}</p>`;
        told += line.lacking.map((key) => `<p class="rm-told rm-broken">${bold(HYPOTHESES[key].name)} fails (${HYPOTHESES[key].here(setting)}). This line used it: ${HYPOTHESES[key].why(no)}.</p>`).join("");
      }
      html(".rm-result", told);
      const untouched = asking() && spec.grip && !guess.touched, button = $('[data-go="next"]');
      button.classList.toggle("rm-quiet", Boolean(untouched));
      button.textContent = asking() ? (untouched ? "Just show me" : "Show the bracket") : no === 10 ? "From the start" : `Line ${no + 1}: ${LINES[no].name.toLowerCase()}`;
      $('[data-go="back"]').disabled = no === 1;
    }
    function rail() {
      const most = Math.log(Math.max(6, ...arg.lines.map((line) => line.times ?? 1))), tall = slim ? 24 : 38;
      $$(".rm-rail li").forEach((item, i) => {
        const no = i + 1, line = arg.lines[i], done = no <= shown(), button = item.firstElementChild;
        item.className = [done && "rm-done", no === at() && "rm-now", line.bad && "rm-bad", line.lacks && "rm-lacks"].filter(Boolean).join(" ");
        const only = no >= 5 && !line.proved ? " rm-only" : "", size = Math.max(2, (Math.log(Math.max(1, line.times ?? 1)) / most) * tall);
        const bar = done && line.times ? `<span class="${only.trim()}">${times(line.times)}</span><i class="${only.trim()}" style="height:${n1(size)}px"></i>`
          : no === 1 ? '<span class="rm-what">wider by</span>' : !done && LINES[i].grip ? '<span class="rm-open">?</span>' : "";
        if (button.firstElementChild.innerHTML !== bar) button.firstElementChild.innerHTML = bar;
        const state = line.bad ? ", it fails here" : line.lacks ? ", a hypothesis that it uses fails" : "";
        button.setAttribute("aria-label", `Line ${no}, ${LINES[i].name}${state}${done && line.times ? `, wider by ${line.times.toFixed(2)}` : ""}`);
        if (no === at()) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
        button.tabIndex = no === at() ? 0 : -1;                         // one stop for the keyboard; arrows go on
      });
    }

    // ---- the way through the proof ----
    const go = (line, more = {}) => set({ line, ...more });
    function next() {
      const no = at();
      if (asking()) {
        const { [no]: own, ...others } = get("guesses");
        set({ shown: no, guesses: own?.touched ? get("guesses") : others });
      } else if (no === 10) go(1, { shown: 1, guesses: {} });
      else go(no + 1, LINES[no].grip ? {} : { shown: Math.max(get("shown"), no + 1) });
    }
    $('[data-go="next"]').addEventListener("click", next);
    $('[data-go="back"]').addEventListener("click", () => {
      const no = at(), { [no]: own, ...others } = get("guesses");       // a line that is left backwards is asked again
      if (no > 1) go(no - 1, { shown: Math.min(get("shown"), no - 1), guesses: others });
    });
    $(".rm-rail").addEventListener("click", (event) => {
      const no = Number(event.target.closest("[data-line]")?.dataset.line);
      if (no) go(no, { shown: Math.max(get("shown"), no) });
    });
    $(".rm-rail").addEventListener("keydown", (event) => {              // arrows walk along it, Enter goes to a line
      const no = Number(event.target.dataset.line), last = LINES.length;
      const to = { ArrowLeft: no - 1, ArrowUp: no - 1, ArrowRight: no + 1, ArrowDown: no + 1, Home: 1, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      $(`.rm-rail [data-line="${Math.min(last, Math.max(1, to))}"]`).focus();
    });

    // ---- the hypotheses ----
    $(".rm-tries").addEventListener("click", (event) => {
      const chosen = TRIES[event.target.dataset?.try];
      if (!chosen) return;
      const [, changes, line] = chosen;
      set({ ...(changes ?? { seed: get("seed") + 1 }), ...(line ? { line, shown: Math.max(get("shown"), line) } : {}) });
    });
    for (const { key, to } of KNOBS) $(`[data-knob="${key}"]`).addEventListener("input", (event) => { sudden = true; set({ [key]: to(Number(event.target.value)) }); });
    $(".rm-seg").addEventListener("change", (event) => set({ token_layout: event.target.value }));

    function knobs() {
      const { Q, layout } = setting, { Z } = LAYOUTS[layout], failed = new Set(arg.failed);
      const limits = { v: [0, 1 / (32 * Math.sqrt(Q))], Q: [Math.ceil(D / 5), MOST], l_b: [0.25, Math.min(0.5, 1 / (2 * Math.sqrt(Z)))] };
      const asks = {
        v: `at most 1/(32 √Q) = ${short(limits.v[1])}`,
        Q: `at least ${limits.Q[0]}, so that d = ${D} ≤ 5Q; for line 10 at least 40`,
        l_b: `${Z === 4 ? "exactly 1/4" : `1/4 to ${Z === 2 ? "0.353" : "1/2"}`}, so that Z = ${Z} ≤ 1/(4<i>l</i><sub><i>b</i></sub>²)`,
      };
      const wrong = { v: failed.has("v"), Q: failed.has("d") || failed.has("Q"), l_b: ["l_low", "l_high", "Z"].some((key) => failed.has(key)) };
      for (const { key, min, max, from, show } of KNOBS) {
        const input = $(`[data-knob="${key}"]`), knob = input.closest(".rm-knob"), value = setting[key];
        const share = (x) => Math.max(0, Math.min(1, (from(Math.max(x, 1e-9)) - min) / (max - min)));
        const [a, b] = limits[key].map(share), free = knob.querySelector(".rm-free"), words = knob.querySelector(".rm-asks");
        if (document.activeElement !== input || Number(input.value) !== from(value)) input.value = from(Math.max(value, 1e-9));
        knob.querySelector("b").innerHTML = oneFont(show(value), "span");
        input.setAttribute("aria-valuetext", `${show(value)}${wrong[key] ? ", outside the hypothesis" : ""}`);
        free.style.left = `calc(9px + ${a} * (100% - 18px))`;
        free.style.width = `max(4px, calc(${b - a} * (100% - 18px)))`;
        words.innerHTML = `${wrong[key] ? "fails: " : ""}${asks[key]}`;
        words.classList.toggle("rm-no-more", wrong[key]);
      }
      for (const input of $$(".rm-seg input")) input.checked = input.value === layout;
      const words = $("fieldset .rm-asks");
      words.textContent = `${failed.has("pairs") ? "fails: " : ""}${SHARED[layout]}`;
      words.classList.toggle("rm-no-more", failed.has("pairs"));
      html(".rm-verdict", verdict(run, arg, setting).map(([kind, sentence]) => `<li class="rm-${kind}"><svg viewBox="0 0 14 14" aria-hidden="true">${SIGNS[kind]}</svg><span>${sentence}</span></li>`).join(""));
    }

    // Several traits change at once: they are drawn once. Only a change of the setting is simulated anew.
    function update() {
      waiting = false;
      const now = { v: get("v"), l_b: get("l_b"), Q: get("Q"), layout: get("token_layout"), seed: get("seed") };
      if (JSON.stringify(now) !== JSON.stringify(setting)) {
        setting = now;
        run = simulate(setting);
        arg = argue(run, setting);
        knobs();
      }
      rail();
      tell();
      move(sudden);
      sudden = false;
    }
    const schedule = () => { if (!waiting) { waiting = true; queueMicrotask(update); } };
    const events = STATE.map((name) => `change:${name}`).join(" ");
    model.on(events, schedule);
    const onPaper = () => { if (width) { rail(); tell(); move(true); } };
    paper.addEventListener("change", onPaper);
    const observer = new ResizeObserver(() => {
      const whole = root.getBoundingClientRect().width;
      if (!whole) return;
      slim = whole < 600;
      root.toggleAttribute("data-slim", slim);
      const next = Math.floor($(".rm-picture").getBoundingClientRect().width);
      if (next !== width) { width = next; rail(); move(true); }
    });
    update();
    observer.observe(root);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      paper.removeEventListener("change", onPaper);
      model.off(events, schedule);
    };
  }

  // Words at heights that would run into each other, moved apart by `step` within the ends.
  function apart(items, step, top, bottom) {
    const sorted = [...items].sort((a, b) => a[0] - b[0]).map((item) => [...item]);
    sorted.forEach((item, i) => { item[0] = Math.max(item[0], i ? sorted[i - 1][0] + step : top); });
    for (let i = sorted.length - 1, floor = bottom; i >= 0; i--) { sorted[i][0] = Math.min(sorted[i][0], floor); floor = sorted[i][0] - step; }
    return sorted;
  }
  // The names of the theorems below the rail, each over its lines.
  function parts() {
    const runs = [];
    LINES.forEach(({ part }) => {
      const last = runs[runs.length - 1];
      if (last?.part === part) last.n += 1; else runs.push({ part, n: 1 });
    });
    return runs.map(({ part, n }) => `<li style="grid-column:span ${n}">${part}</li>`).join("");
  }
  return { render };
})();

export default { render: proofView.render };
