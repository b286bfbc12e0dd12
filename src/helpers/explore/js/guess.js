// Guess first: the reader draws a curve, places a point or pulls bars; then prediction and measurement appear over it.
// The guess is kept in this browser, one for each figure, and sent nowhere. What is said is `guessModel`'s.

const guessView = (() => {
  const { judge, measuredAt, amount, say } = guessModel;
  const PREFIX = "reward-margins.guess.";
  const n1 = (x) => x.toFixed(1);

  // Where nothing may be kept (a private window, a page without storage) a guess lasts as long as the page.
  function recall(key, count) {
    try {
      const held = JSON.parse(localStorage.getItem(PREFIX + key));
      const whole = Array.isArray(held?.mine) && held.mine.length === count && held.mine.every((x) => x === null || Number.isFinite(x));
      return whole ? { mine: held.mine, seen: held.seen === true } : null;
    } catch { return null; }
  }
  function keep(key, mine, seen) {
    try { localStorage.setItem(PREFIX + key, JSON.stringify({ mine, seen })); } catch { /* not kept */ }
  }

  function render({ model, el }) {
    const setting = model.get("setting"), { shape, key, x: places, range, log, prediction, measured, lower, upper } = setting;
    const count = prediction.length, rows = shape !== "curve", title = model.get("title");
    const f = (value) => (log ? Math.log(value) : value), [low, high] = range.map(f);
    const fraction = (value) => (f(value) - low) / (high - low);
    const digits = Math.max(0, Math.ceil(-Math.log10((range[1] - range[0]) / 500)));
    const value = (share) => {                         // of a place on the axis, rounded to a five-hundredth of it
      const at = low + Math.max(0, Math.min(1, share)) * (high - low);
      return log ? Number(Math.exp(at).toPrecision(3)) : Number(at.toFixed(Math.min(12, digits)));
    };
    const name = (i) => (shape === "curve" ? `${setting.xName}: ${short(places[i])}` : shape === "bars" ? places[i] : setting.yName);

    const root = document.createElement("div");
    root.className = "rm-stage rm-guess";
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", title);
    root.innerHTML = `
      <p class="rm-name">${escapeText(title)}</p>
      <div class="rm-picture"><svg role="img" class="${rows ? "rm-rows" : ""}"></svg>${prediction.map((_, i) => `<div class="rm-handle${rows ? " rm-along" : ""}" data-place="${i}" tabindex="0" role="slider" aria-orientation="${rows ? "horizontal" : "vertical"}" aria-label="Your guess, ${escapeText(name(i))}"></div>`).join("")}</div>
      <div class="rm-below"><div class="rm-verdict" aria-live="polite"></div><div class="rm-go"></div></div>
      <p class="rm-fine">${lower ? `Bars: ${escapeText(setting.interval)}. ` : ""}<span class="rm-screen">Your guess stays in this browser and is sent nowhere.</span></p>`;
    el.replaceChildren(root);
    const svg = root.querySelector("svg"), handles = [...root.querySelectorAll(".rm-handle")];
    const said = root.querySelector(".rm-verdict"), buttons = root.querySelector(".rm-go"), paper = matchMedia("print");
    let width = 0, slim = false, fresh = false, scale = null, holding = null, last = null;
    const mine = () => model.get("mine");
    const seen = () => paper.matches || model.get("seen");       // on paper nobody can be asked
    const whole = () => mine().length === count && mine().every((guess) => guess !== null);
    const set = (changes) => {
      for (const [trait, held] of Object.entries(changes)) model.set(trait, held);
      model.save_changes();
      keep(key, model.get("mine"), model.get("seen"));
    };

    // ---- the picture ----
    const line = (x1, y1, x2, y2, look) => `<line class="${look}" x1="${n1(x1)}" y1="${n1(y1)}" x2="${n1(x2)}" y2="${n1(y2)}"/>`;
    const text = (x, y, words, look = "", anchor = "start") => `<text class="rm-halo ${look}" x="${n1(x)}" y="${n1(y)}" text-anchor="${anchor}">${oneFont(escapeText(words), "tspan")}</text>`;
    const spread = (a, b, across) => (across
      ? `<path class="rm-spread" d="M${n1(a[0])} ${n1(a[1])}H${n1(b[0])}M${n1(a[0])} ${n1(a[1] - 5)}v10M${n1(b[0])} ${n1(a[1] - 5)}v10"/>`
      : `<path class="rm-spread" d="M${n1(a[0])} ${n1(a[1])}V${n1(b[1])}M${n1(a[0] - 5)} ${n1(a[1])}h10M${n1(a[0] - 5)} ${n1(b[1])}h10"/>`);
    const square = (x, y) => `<rect class="rm-said" x="${n1(x - 5)}" y="${n1(y - 5)}" width="10" height="10"/>`;
    const after = (art) => `<g${fresh ? ' class="rm-after"' : ""}>${art}</g>`;
    const ticks = (many) => {
      if (!log) return roundTicks(range[1], many, range[0]);
      const powers = powerTicks(Math.log10(range[1]), many, Math.log10(range[0])).map((p) => Number((10 ** p).toPrecision(12)));
      return powers.filter((tick) => tick >= range[0] * 0.999 && tick <= range[1] * 1.001);
    };

    function drawCurve() {
      const H = slim ? 330 : 390, words = ticks(6).map((tick) => say(setting, tick));
      const left = Math.max(34, 14 + Math.max(...words.map(textWidth))), right = width - 86, top = 34, bottom = H - 48;
      const g = setting.logX ? Math.log : (at) => at, [first, final] = [g(places[0]), g(places[count - 1])];
      const X = (at) => left + 18 + ((g(at) - first) / (final - first)) * (right - left - 36);
      const Y = (at) => bottom - Math.max(-0.02, Math.min(1.02, fraction(at))) * (bottom - top);
      scale = { X, Y, xs: places.map(X), back: (y) => value((bottom - y) / (bottom - top)) };
      let art = text(0, 14, setting.yName, "rm-t-ink");
      ticks(6).forEach((tick, i) => {
        art += line(left, Y(tick), right, Y(tick), tick === 0 ? "rm-base" : "rm-scale") + text(left - 8, Y(tick) + 4, words[i], "", "end");
      });
      art += line(left, bottom, right, bottom, "rm-base");
      const aside = [];
      for (const [known, at] of setting.guides) { art += line(left, Y(at), right, Y(at), "rm-known"); aside.push([Y(at), known, ""]); }
      let free = -Infinity;
      places.forEach((at) => {
        const word = short(at), half = textWidth(word) / 2;
        art += line(X(at), bottom, X(at), bottom + 5, "rm-base");
        if (X(at) - half < free) return;
        free = X(at) + half + 8;
        art += text(X(at), bottom + 20, word, "rm-t-ink", "middle");
      });
      art += text(right, bottom + 41, setting.xName, "rm-t-ink", "end");

      const guess = mine(), points = places.map((at, i) => (guess[i] === null ? null : [X(at), Y(guess[i])]));
      let d = "", open = false;
      for (const point of points) {
        d += point ? `${open ? "L" : "M"}${n1(point[0])} ${n1(point[1])}` : "";
        open = Boolean(point);
      }
      if (!seen()) {
        art = `<rect class="rm-field" x="${n1(left)}" y="${top - 6}" width="${n1(right - left)}" height="${bottom - top + 6}"/>` + art;
        if (guess.every((at) => at === null)) {
          const y = top + 0.3 * (bottom - top);
          art += `<path class="rm-hint" d="M${n1(scale.xs[0])} ${n1(y)}H${n1(scale.xs[count - 1])}"/>`;
          art += text((left + right) / 2, y - 18, slim ? "Draw from left to right" : "Draw your curve from left to right", "rm-t-ink rm-strong", "middle");
        }
        if (d) art += `<path class="rm-mine" d="${d}"/>`;
        if (holding !== null && guess[holding] !== null) art += text(X(places[holding]), Y(guess[holding]) - 16, say(setting, guess[holding]), "rm-t-ink rm-strong", "middle");
        handles.forEach((node, i) => stand(node, i, X(places[i]), guess[i] === null ? top + 0.3 * (bottom - top) : Y(guess[i])));
        finish(art, H, aside, right, bottom);
        return;
      }
      const drawn = whole(), at = measuredAt(setting);
      if (drawn) {
        art += `<path class="rm-mine" d="${d}"/>`;
        const gaps = judge(setting, guess).gaps;
        art += after(at.map((i, k) => {
          const [x, y, m] = [X(places[i]), Y(guess[i]), Y(measured[i])], side = i === count - 1 ? -1 : 1;
          const word = Math.abs(y - m) > 30 ? text(x + 9 * side, (y + m) / 2 + 4, amount(setting, gaps[k]).replace("a factor of ", "× "), "rm-t-ink rm-strong", side < 0 ? "end" : "start") : "";
          return line(x, y, x, m, "rm-miss") + word;
        }).join(""));
        art += points.map(([x, y]) => square(x, y)).join("");
        aside.push([points[count - 1][1], "you", "rm-t-ink rm-strong"]);
      }
      const [xs, ys] = setting.fine ?? [places, prediction];
      art += `<g${fresh ? ' class="rm-reveal"' : ""}><path class="rm-law" d="M${xs.map((place, i) => `${n1(X(place))} ${n1(Y(ys[i]))}`).join("L")}"/></g>`;
      aside.push([Y(prediction[count - 1]), "predicted", "rm-t-predicted rm-strong"]);
      art += after(at.map((i) => {
        const x = X(places[i]);
        return (lower ? spread([x, Y(lower[i])], [x, Y(upper[i])], false) : "") + `<circle class="rm-real" cx="${n1(x)}" cy="${n1(Y(measured[i]))}" r="6"/>`;
      }).join(""));
      aside.push([Y(measured[at[at.length - 1]]), "measured", "rm-t-measured rm-strong"]);
      finish(art, H, aside, right, bottom);
    }

    // A point is one row, bars are several: the axis runs to the right, so that names stand upright.
    function drawRows() {
      const tall = shape === "bars" ? 54 : 66, top = setting.guides.length ? 24 : 8, bottom = top + count * tall + 6, H = bottom + 46, left = 14, right = width - 16;
      const X = (at) => left + Math.max(-0.01, Math.min(1.01, fraction(at))) * (right - left), Y = (i) => top + tall * i + (shape === "bars" ? 34 : 40);
      const zero = range[0] <= 0 && range[1] >= 0 && !log ? X(0) : left;
      scale = { X, Y, back: (x) => value((x - left) / (right - left)), row: (y) => Math.max(0, Math.min(count - 1, Math.floor((y - top) / tall))) };
      const guess = mine();
      let art = "", free = -Infinity;
      for (const tick of ticks(slim ? 4 : 6)) {
        const word = say(setting, tick), half = textWidth(word) / 2, x = Math.max(half + 2, Math.min(width - half - 2, X(tick)));
        art += line(X(tick), top, X(tick), bottom, tick === 0 ? "rm-base" : "rm-scale");
        if (x - half < free) continue;
        free = x + half + 10;
        art += text(x, bottom + 18, word, "rm-t-ink", "middle");
      }
      art += line(left, bottom, right, bottom, "rm-base");
      art += text(right, bottom + 40, setting.yName, "rm-t-ink", "end");
      setting.guides.forEach(([known, at]) => {
        const end = X(at) > width / 2;
        art += line(X(at), top - 6, X(at), bottom, "rm-known") + text(X(at) + (end ? -6 : 6), top - 10, known, "", end ? "end" : "start");
      });
      for (let i = 0; i < count; i++) {
        if (shape === "bars") art += text(left, Y(i) - 17, places[i], "rm-t-ink rm-strong");
        if (!seen()) {
          art += `<rect class="rm-field" x="${left}" y="${n1(Y(i) - 11)}" width="${n1(right - left)}" height="22"/>`;
          const at = guess[i] === null ? (shape === "bars" ? zero : (left + right) / 2) : X(guess[i]);
          if (guess[i] !== null && shape === "bars") art += bar(zero, at, Y(i));
          if (guess.every((held) => held === null) && i === 0) art += text(at + 18, Y(i) + 4, shape === "bars" ? "drag →" : "drag ↔", "rm-t-ink rm-strong");
          if (guess[i] !== null) art += text(at + (at > right - 90 ? -14 : 14), Y(i) - (shape === "bars" ? -4 : 16), say(setting, guess[i]), "rm-t-ink rm-strong", at > right - 90 ? "end" : "start");
          stand(handles[i], i, at, Y(i));
          continue;
        }
        const drawn = whole() && guess[i] !== null, at = measured[i];
        if (shape === "point") art += line(left, Y(i), right, Y(i), "rm-scale");
        if (drawn) {
          if (shape === "bars") art += bar(zero, X(guess[i]), Y(i));
          if (at !== null) art += after(line(X(guess[i]), Y(i), X(at), Y(i), "rm-miss"));
          art += square(X(guess[i]), Y(i));
        }
        art += `<g${fresh ? ' class="rm-reveal"' : ""}><line class="rm-mark" x1="${n1(X(prediction[i]))}" x2="${n1(X(prediction[i]))}" y1="${n1(Y(i) - 12)}" y2="${n1(Y(i) + 12)}"/></g>`;
        if (at !== null) art += after((lower ? spread([X(lower[i]), Y(i)], [X(upper[i]), Y(i)], true) : "") + `<circle class="rm-real" cx="${n1(X(at))}" cy="${n1(Y(i))}" r="6"/>`);
        if (i === 0) {                                 // names once, above the first row, kept apart
          const items = [[X(prediction[i]), "predicted", "rm-t-predicted rm-strong"]];
          if (at !== null) items.push([X(at), "measured", "rm-t-measured rm-strong"]);
          if (drawn) items.push([X(guess[i]), "you", "rm-t-ink rm-strong"]);
          art += sideBySide(items, Y(i) - (shape === "bars" ? 17 : 20), shape === "bars" ? left + textWidth(places[0]) * 1.1 + 16 : 4);
        }
      }
      finish(art, H, [], right, bottom);
    }
    const bar = (from, to, y) => `<rect class="rm-bar" x="${n1(Math.min(from, to))}" y="${n1(y - 9)}" width="${n1(Math.abs(to - from))}" height="18"/>`;
    function sideBySide(items, y, from) {
      const sized = items.sort((a, b) => a[0] - b[0]).map(([x, words, look]) => ({ x, words, look, half: textWidth(words) * 0.58 }));
      let end = from;
      for (const item of sized) { item.x = Math.max(item.x, end + item.half); end = item.x + item.half + 12; }
      let start = width + 8;
      for (const item of [...sized].reverse()) { item.x = Math.min(item.x, start - 10 - item.half); start = item.x - item.half; }
      return sized.map(({ x, words, look }) => text(x, y, words, look, "middle")).join("");
    }
    function stand(node, i, x, y) {
      const guess = mine()[i], at = guess ?? value(shape === "bars" ? fraction(log ? range[0] : Math.max(range[0], Math.min(range[1], 0))) : 0.5);
      node.style.left = `${n1(x)}px`;
      node.style.top = `${n1(y)}px`;
      node.classList.toggle("rm-empty", guess === null);
      node.setAttribute("aria-valuemin", range[0]);
      node.setAttribute("aria-valuemax", range[1]);
      node.setAttribute("aria-valuenow", at);
      node.setAttribute("aria-valuetext", guess === null ? "not drawn yet" : say(setting, guess));
    }
    function finish(art, H, aside, right, bottom) {
      const sorted = aside.sort((a, b) => a[0] - b[0]).map((item) => [...item]);
      sorted.forEach((item, i) => { if (i) item[0] = Math.max(item[0], sorted[i - 1][0] + 16); });
      for (let i = sorted.length - 1, floor = bottom; i >= 0; i--) { sorted[i][0] = Math.min(sorted[i][0], floor); floor = sorted[i][0] - 16; }
      for (const [y, words, look] of sorted) art += text(right + 9, y + 4, words, look);
      handles.forEach((node) => { node.hidden = seen(); });
      svg.classList.toggle("rm-drawing", !seen());
      svg.classList.toggle("rm-stroked", !seen() && !rows);
      svg.setAttribute("width", width);
      svg.setAttribute("height", H);
      svg.setAttribute("viewBox", `0 0 ${width} ${H}`);
      const verdict = judge(setting, mine());
      svg.setAttribute("aria-label", seen() ? `${setting.yName}: ${[verdict.you, verdict.predicted].filter(Boolean).join(" ")}` : `An empty field for your guess: ${setting.yName}.`);
      svg.innerHTML = art;
    }
    const draw = () => { if (width) (rows ? drawRows : drawCurve)(); };

    // ---- drawing: a mouse, a finger, or keys ----
    function put(changes) {
      const guess = [...mine()];
      for (const [i, at] of changes) guess[i] = at;
      set({ mine: guess });
    }
    const spot = (event) => { const box = svg.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    function stroke([x, y]) {                          // every place that the stroke passes takes its height
      const { xs, back } = scale, changes = [];
      if (last && last[0] !== x) {
        const [a, b] = [Math.min(last[0], x), Math.max(last[0], x)];
        xs.forEach((at, i) => { if (at >= a && at <= b) changes.push([i, back(last[1] + ((y - last[1]) * (at - last[0])) / (x - last[0]))]); });
      }
      const near = xs.reduce((best, at, i) => (Math.abs(at - x) < Math.abs(xs[best] - x) ? i : best), 0);
      holding = Math.abs(xs[near] - x) < 26 ? near : null;
      if (holding !== null) changes.push([near, back(y)]);
      last = [x, y];
      if (changes.length) put(changes); else draw();
    }
    const release = () => { pressed = null; last = null; if (holding !== null) { holding = null; draw(); } };
    let pressed = null;
    const begin = (event, i) => {
      if (seen() || !event.isPrimary || event.button > 0) return false;
      event.target.setPointerCapture(event.pointerId);
      pressed = i;
      return true;
    };
    svg.addEventListener("pointerdown", (event) => {
      if (rows) {                                      // a finger taps a row, so that the page can still be scrolled
        if (event.pointerType === "mouse" && begin(event, scale.row(spot(event)[1]))) put([[pressed, scale.back(spot(event)[0])]]);
      } else if (begin(event, -1)) { last = null; stroke(spot(event)); }
    });
    svg.addEventListener("pointermove", (event) => {
      if (pressed === null) return;
      if (rows) put([[pressed, scale.back(spot(event)[0])]]); else stroke(spot(event));
    });
    svg.addEventListener("click", (event) => {
      if (rows && !seen()) put([[scale.row(spot(event)[1]), scale.back(spot(event)[0])]]);
    });
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, release);
    handles.forEach((node, i) => {
      node.addEventListener("pointerdown", (event) => {
        if (!begin(event, i)) return;
        node.focus({ preventScroll: true });
        event.preventDefault();
        if (!rows) { holding = i; draw(); }
      });
      node.addEventListener("pointermove", (event) => {
        if (pressed !== i) return;
        if (!rows) { holding = i; last = null; stroke(spot(event)); } else put([[i, scale.back(spot(event)[0])]]);
      });
      for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, release);
      node.addEventListener("keydown", (event) => {
        if (seen()) return;
        const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5, ...(rows ? { ArrowRight: 1, ArrowLeft: -1 } : {}) }[event.key];
        const over = rows ? 0 : { ArrowRight: 1, ArrowLeft: -1 }[event.key], ends = { Home: 0, End: 1 }[event.key];
        if (steps) {
          const from = mine()[i] ?? (shape === "curve" ? mine().slice(0, i).reverse().find((held) => held !== null) : null) ?? Number(node.getAttribute("aria-valuenow"));
          put([[i, value(fraction(from) + 0.01 * steps * (event.shiftKey ? 5 : 1))]]);
        } else if (ends !== undefined) put([[i, value(ends)]]);
        else if (over) handles[i + over]?.focus();
        else if (event.key === "Enter" && whole()) show();
        else return;
        event.preventDefault();
      });
      node.addEventListener("focus", () => { if (!rows && pressed === null) { holding = i; draw(); } });
      node.addEventListener("blur", () => { if (pressed === null && holding === i) { holding = null; draw(); } });
    });

    // ---- words ----
    function told() {
      const guess = mine(), drawn = whole(), verdict = judge(setting, guess), at = measuredAt(setting), show = (held) => oneFont(escapeText(say(setting, held)), "span");
      const sentences = [verdict.you && `<span class="rm-you">${escapeText(verdict.you)}</span>`, `<span class="rm-predicted">${oneFont(escapeText(verdict.predicted), "b")}</span>`, setting.told && `<span>${escapeText(setting.told)}</span>`];
      if (shape === "point") {
        sentences.splice(2, 0, `<span class="rm-measured">Measured: <b>${show(measured[0])}</b>${lower ? `, ${show(lower[0])} to ${show(upper[0])}` : ""}.</span>`);
        return `<p class="rm-words">${sentences.filter(Boolean).join(" ")}</p>`;
      }
      const head = `<tr><th scope="col">${shape === "curve" ? escapeText(setting.xName) : '<span class="rm-unseen">which</span>'}</th>${drawn ? '<th scope="col" class="rm-h-you">you</th>' : ""}<th scope="col" class="rm-h-predicted">predicted</th><th scope="col" class="rm-h-measured">measured</th></tr>`;
      const body = at.map((i) => `<tr><th scope="row">${shape === "curve" ? short(places[i]) : escapeText(places[i])}</th>${drawn ? `<td>${show(guess[i])}</td>` : ""}<td>${show(prediction[i])}</td><td><b>${show(measured[i])}</b>${lower ? `<small>${show(lower[i])} to ${show(upper[i])}</small>` : ""}</td></tr>`).join("");
      return `<p class="rm-words">${sentences.filter(Boolean).join(" ")}</p><table><thead>${head}</thead><tbody>${body}</tbody></table>`;
    }
    const HOW = { curve: "Drag across the field. With keys: Tab to a point, arrows up and down.", point: "Drag the square, or click on the axis. With keys: Tab, then arrows.", bars: "Drag each square, or click in its row. With keys: Tab, then arrows." };
    function words() {
      const left = mine().filter((held) => held === null).length;
      const text = seen() ? told() : `<p class="rm-words">${left === count ? HOW[shape] : left ? `${left} ${shape === "bars" ? "bar" : "point"}${left > 1 ? "s" : ""} to go.` : "Drag again to mend it."}</p>`;
      if (said.innerHTML !== text) said.innerHTML = text;
      const choice = seen() ? '<button type="button" data-do="again">Guess again</button>'
        : `<button type="button" class="rm-main" data-do="show"${left ? " disabled" : ""}>Show what was measured</button><button type="button" data-do="skip">Skip</button>`;
      if (buttons.innerHTML !== choice) buttons.innerHTML = choice;
    }
    function show() { fresh = true; set({ seen: true }); buttons.querySelector("button")?.focus({ preventScroll: true }); }
    buttons.addEventListener("click", (event) => {
      const empty = prediction.map(() => null);
      switch (event.target.dataset?.do) {
        case "show": show(); break;
        case "skip": fresh = true; set({ mine: empty, seen: true }); buttons.querySelector("button")?.focus({ preventScroll: true }); break;
        case "again": fresh = false; set({ mine: empty, seen: false }); handles[0].focus({ preventScroll: true }); break;
        default:
      }
    });

    const update = () => { draw(); words(); };
    model.on("change:mine change:seen", update);
    paper.addEventListener("change", update);
    const observer = new ResizeObserver(() => {
      const room = root.getBoundingClientRect().width;
      if (!room) return;
      slim = room < 560;
      root.toggleAttribute("data-slim", slim);
      const next = Math.floor(root.querySelector(".rm-picture").getBoundingClientRect().width);
      if (next !== width) { width = next; fresh = false; draw(); }
    });
    const held = recall(key, count);
    if (held && mine().every((guess) => guess === null) && !model.get("seen")) set(held);
    words();
    observer.observe(root);
    return () => {
      observer.disconnect();
      paper.removeEventListener("change", update);
      model.off("change:mine change:seen", update);
    };
  }
  return { render };
})();

export default { render: guessView.render };
