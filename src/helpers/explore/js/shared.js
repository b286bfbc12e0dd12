// What every explorer draws with: scales, axes, a key, a caption of numbers. Text is drawn at its real size, so the
// picture is laid out again for every width instead of being scaled.

// Bytes arrive as a DataView in every front end; the copy aligns them.
const aligned = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
const float32 = (view) => new Float32Array(aligned(view));

const escapeText = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function scale([low, high], [start, end], log = false) {
  const f = log ? Math.log : (x) => x;
  const span = f(high) - f(low) || 1;
  return (x) => start + ((f(x) - f(low)) / span) * (end - start);
}

// About `count` round numbers between low and high, three at least.
function roundTicks(high, count, low = 0) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  if (last - first < 2 && count < 12) return roundTicks(high, 1.5 * count, low);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// Exponents to mark between low and high: whole ones where there are several, else those of 1, 2, 5 times a power.
function powerTicks(high, count, low) {
  if (high - low > 1.5) return roundTicks(high, Math.min(count, high - low), low).filter(Number.isInteger);
  const decades = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const fine = decades.flatMap((e) => [1, 2, 5].map((m) => e + Math.log10(m))).filter((e) => e >= low && e <= high);
  return fine.length > 1 ? fine : roundTicks(high, count, low);
}

const raised = (power) => `10${String(power).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`;

// Three significant digits; two and a power of ten below 0.001 and from a million on.
function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "–" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 0.001 && size < 1e6) {
    return size >= 999.5 ? Math.round(x).toLocaleString("en") : String(Number(x.toPrecision(3)));
  }
  const [digits, power] = x.toExponential(1).split("e");
  return `${digits} × ${raised(Number(power))}`;
}

// 10^exponent, of any size.
function tenTo(exponent) {
  if (!Number.isFinite(exponent) || Math.abs(exponent) < 300) return short(10 ** exponent);
  const whole = Math.floor(exponent);
  return `${Number((10 ** (exponent - whole)).toPrecision(2))} × ${raised(whole)}`;
}

const percent = (x) => ((Math.abs(x) >= 0.001 && Math.abs(x) < 10) || x === 0 ? `${Number((100 * x).toFixed(1))} %` : short(x));

// Raised digits in one font: the book's own has only some of them.
const oneFont = (text, tag) => text.replace(/[⁻⁰¹²³⁴-⁹]+/g, (run) => `<${tag} class="rm-raised">${run}</${tag}>`);

const minus = (text) => text.replace(/^-/, "−");

// A number of the caption: what is read is rounded, what tests compare is not.
const number = (name, value, show = short) => `<b data-name="${name}" data-value="${value}">${oneFont(minus(show(value)), "span")}</b>`;

// A line through points; it breaks where one is missing.
function path(points, extra) {
  let open = false;
  const steps = points.map(([x, y], i) => {
    if (Number.isNaN(y)) {
      open = false;
      return "";
    }
    const alone = !open && !(i + 1 < points.length && !Number.isNaN(points[i + 1][1]));
    const step = `${open ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}${alone ? "h0" : ""}`;
    open = true;
    return step;
  });
  return `<path ${extra} d="${steps.join("")}"/>`;
}
const dot = (x, y, extra) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" ${extra}/>`;

// Words in lines of about `letters` letters.
function wrap(text, letters) {
  const lines = [""];
  for (const word of String(text).split(" ")) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (longer.length <= letters || !lines[lines.length - 1]) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// Pixels that a text of 12 px takes, roughly; raised digits are smaller.
const textWidth = (text) => [...text].reduce((sum, c) => sum + (/[⁻⁰¹²³⁴-⁹]/.test(c) ? 4.6 : /[ .,×]/.test(c) ? 4.2 : 6.8), 0);

// Axes, grid and their words; returns the two scales and the drawing so far.
function axes(size, x, y) {
  const heading = wrap(y.label, size.width / 6.2);
  const footing = wrap(x.label, size.width / 6.2);
  const words = y.ticks.map((tick) => minus((y.show ?? short)(tick)));
  const box = {
    left: Math.max(46, Math.ceil(Math.max(...words.map(textWidth)) + 12)),
    right: size.width - 14,
    top: 26 + 15 * (heading.length - 1),
    bottom: size.height - 42 - 15 * (footing.length - 1),
  };
  const sx = scale(x.domain, [box.left, box.right], x.log);
  const sy = scale(y.domain, [box.bottom, box.top]);
  let svg = "";
  y.ticks.forEach((tick, i) => {
    const at = sy(tick).toFixed(1);
    svg += `<line class="rm-grid" x1="${box.left}" x2="${box.right}" y1="${at}" y2="${at}"/>`;
    svg += `<text x="${box.left - 8}" y="${at}" dy="0.32em" text-anchor="end">${oneFont(escapeText(words[i]), "tspan")}</text>`;
  });
  let free = -Infinity;                                // labels that would run into the one before are left out
  for (const tick of x.ticks) {
    const at = sx(tick);
    const word = (x.show ?? short)(tick);
    svg += `<line class="rm-axis" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${box.bottom}" y2="${box.bottom + 5}"/>`;
    if (at - word.length * 3.6 < free) continue;
    free = at + word.length * 3.6 + 8;
    svg += `<text x="${at.toFixed(1)}" y="${box.bottom + 18}" text-anchor="middle">${oneFont(escapeText(word), "tspan")}</text>`;
  }
  svg += `<line class="rm-axis" x1="${box.left}" x2="${box.right}" y1="${box.bottom}" y2="${box.bottom}"/>`;
  footing.forEach((line, i) => {
    svg += `<text class="rm-label" x="${box.right}" y="${box.bottom + 36 + 15 * i}" text-anchor="end">${escapeText(line)}</text>`;
  });
  heading.forEach((line, i) => {
    svg += `<text class="rm-label" x="0" y="${13 + 15 * i}">${escapeText(line)}</text>`;
  });
  return { sx, sy, box, svg };
}

// One entry of the key above the figure: a sample of the mark, one of these or a drawing of its own, and its name.
const keyEntry = (kind, words) =>
  `<li><svg class="rm-sample" width="26" height="12" aria-hidden="true">${{
    live: '<path class="rm-live-line" d="M1 6H25"/>',
    livePoint: '<path class="rm-live-dot" d="M13 1L18 6L13 11L8 6Z"/>',
  }[kind] ?? kind}</svg>${words}</li>`;

// The numbers of a figure with any sliders: the value of one series at the sliders' places.
function placed(shape, at) {
  return at.reduce((sum, i, axis) => sum * shape[axis] + Math.min(i, shape[axis] - 1), 0);
}

// Where the sliders of such a figure stand.
const places = (model) => model.get("setting").sliders.map((_, i) => model.get(`knob_${i}`));

// What holds the cursor, on the axis, with its value; the hint goes once the drawing was touched.
function grip(x, box, words, hint) {
  const half = 3.6 * words.length;
  const middle = Math.min(box.right - half, Math.max(box.left + half, x));
  const left = x > box.right - 60;
  return `<circle class="rm-grip" cx="${x.toFixed(1)}" cy="${box.bottom}" r="7"/>` +
    `<text class="rm-strong rm-at" x="${middle.toFixed(1)}" y="${box.bottom + 20}" text-anchor="middle">${escapeText(words)}</text>` +
    (hint ? `<text class="rm-strong rm-hint" x="${(x + (left ? -13 : 13)).toFixed(1)}" y="${box.bottom - 8}" text-anchor="${left ? "end" : "start"}">${left ? "← drag" : "drag →"}</text>` : "");
}

// Whether the page has no kernel: the book's own script marks it.
const alone = () => document.documentElement.dataset.widgets !== undefined;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// A name for a figure that no other of the page has: each is drawn by a script of its own.
const newId = () => `rm-${(globalThis.rmFigures = (globalThis.rmFigures ?? 0) + 1)}`;

// A group of buttons of which one is pressed: radio buttons, so that arrow keys work and one Tab passes them.
const segments = (group, name, labels, data = "") =>
  `<fieldset class="rm-control rm-segments" data-name="${escapeText(name)}" ${data}><legend>${escapeText(name)}</legend><div class="rm-choices">` +
  labels.map((label, k) => `<label><input type="radio" name="${group}" value="${k}"><span>${escapeText(label)}</span></label>`).join("") +
  "</div></fieldset>";

// The controls of a figure: `setting.controls` says of each slider whether it is "segments", a "slider", or "none"
// (the figure moves it). Where there are no `controls` the figure has none of its own.
function drawControls(model, host, id) {
  const { sliders = [], controls = [] } = model.get("setting");
  host.innerHTML = controls.map((kind, i) => {
    const [name, labels] = sliders[i];
    if (kind === "segments") return segments(`${id}-${i}`, name, labels, `data-knob="${i}"`);
    if (kind !== "slider") return "";
    return `<label class="rm-control rm-range" data-name="${escapeText(name)}" data-knob="${i}"><span>${escapeText(name)}</span><output></output>` +
      `<input type="range" min="0" max="${labels.length - 1}" step="1" aria-label="${escapeText(name)}"></label>`;
  }).join("");
  host.hidden = !host.innerHTML;
  host.addEventListener("input", ({ target }) => {
    model.set(`knob_${target.closest("[data-knob]").dataset.knob}`, Number(target.value));
    model.save_changes();
  });
  return () => {
    for (const control of host.children) {
      const [at, labels] = [model.get(`knob_${control.dataset.knob}`), sliders[control.dataset.knob][1]];
      if (control.matches(".rm-segments")) control.querySelectorAll("input")[at].checked = true;
      else {
        const input = control.querySelector("input");
        input.value = at;
        input.setAttribute("aria-valuetext", labels[at]);
        input.style.setProperty("--at", `${(100 * at) / (labels.length - 1)}%`);
        control.querySelector("output").textContent = labels[at];
      }
    }
  };
}

// *Train for real*: the button asks the kernel, which tells by `running` how far it is. It is dead while a run lasts,
// at once, so that a double click asks for one run.
function drawTraining(model, host) {
  if (!model.get("setting").train) return () => {};
  if (alone()) {
    host.innerHTML = `<p class="rm-without-kernel">${escapeText(model.get("setting").train)}</p>`;
    return () => {};
  }
  host.innerHTML = '<button type="button" class="rm-button">Train for real</button><progress hidden></progress><span class="rm-status" role="status"></span>';
  const [button, progress, status] = host.children;
  button.addEventListener("click", () => {
    button.disabled = true;
    model.send({ type: "train" });
  });
  return () => {
    const [done, total] = model.get("running");
    progress.hidden = total === undefined;
    button.disabled = !progress.hidden;
    progress.max = total ?? 1;
    progress.value = done ?? 0;
    status.textContent = model.get("status");
  };
}

// An anywidget view. `draw(model, size)` returns {svg, key, caption, label, height?, said?}, and is called for every change
// of `names`. `size` has width, height, `hint` (nobody has touched the drawing yet) and `before` (where all sliders stood
// before the last one but the first was moved, or null). `point(model, drawn, x, y)`, where given, turns a tap or a drag
// into a change of the model. `setting.title`, `setting.controls` and `setting.train` are drawn where they are given;
// `setting.cursor` makes the first slider the drawing itself, with arrow keys.
function explorer(names, draw, point) {
  return ({ model, el }) => {
    const id = newId();
    const { title, cursor } = model.get("setting");
    el.classList.add("rm-figure");
    el.innerHTML =
      `${title ? `<p class="rm-title">${escapeText(title)}</p>` : ""}<div class="rm-controls"></div><ul class="rm-key"></ul>` +
      `<div class="rm-drawing">${cursor ? `<input class="rm-cursor" type="range" step="1" min="0" aria-describedby="${id}">` : ""}` +
      `<svg class="rm-plot" role="img" aria-describedby="${id}"></svg></div>` +
      `<p class="rm-caption" id="${id}" aria-live="polite"></p><div class="rm-live"></div>`;
    const find = (name) => el.querySelector(`.rm-${name}`);
    const [key, svg, caption, range] = ["key", "plot", "caption", "cursor"].map(find);
    const showControls = drawControls(model, find("controls"), id);
    const showTraining = drawTraining(model, find("live"));
    let [width, drawn, touched, before, printing] = [0, null, false, null, false];
    let stood = model.get("setting").sliders ? places(model) : [];
    const update = () => {
      if (model.get("setting").sliders) {
        const now = places(model);
        if (now.some((at, i) => i && at !== stood[i])) before = stood;
        stood = now;
      }
      showControls();
      if (range) {
        const [name, labels] = model.get("setting").sliders[0];
        range.max = labels.length - 1;
        range.value = stood[0];
        range.setAttribute("aria-label", name);
        range.setAttribute("aria-valuetext", labels[stood[0]]);
      }
      if (!width) return;
      const size = { width, height: Math.round(Math.min(380, Math.max(240, 0.52 * width))), hint: !touched, before };
      drawn = draw(model, size);
      svg.setAttribute("width", size.width);
      svg.setAttribute("height", drawn.height ?? size.height);
      svg.setAttribute("viewBox", `0 0 ${size.width} ${drawn.height ?? size.height}`);
      svg.setAttribute("aria-label", drawn.label);
      svg.innerHTML = drawn.svg;
      if (key.innerHTML !== drawn.key) key.innerHTML = drawn.key;
      if (caption.innerHTML !== drawn.caption) caption.innerHTML = drawn.caption;
    };
    const events = names.map((name) => `change:${name}`).join(" ");
    model.on(events, update);
    model.on("change:running change:status", showTraining);
    showTraining();
    const resize = (next) => {
      if (!next || next === width || printing) return;
      width = next;
      update();
    };
    const observer = new ResizeObserver(([entry]) => resize(Math.floor(entry.contentRect.width)));
    observer.observe(el);
    // Paper is narrower than a desk: no observer runs between the command to print and the print.
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
    const touch = () => {
      touched = true;
    };
    if (range) {
      range.addEventListener("input", () => {
        touch();
        model.set("knob_0", Number(range.value));
        model.save_changes();
      });
    }
    if (point) pointing(svg, (x, y) => {
      if (!drawn) return;
      touch();
      point(model, drawn, x, y);
      model.save_changes();
    });
    return () => {
      observer.disconnect();
      removeEventListener("beforeprint", paper);
      removeEventListener("afterprint", screen);
      model.off(events, update);
      model.off("change:running change:status", showTraining);
    };
  };
}

// Calls `move(x, y)` for a press or a drag of the mouse, for a tap, and for a finger that moves sideways; one that
// moves up or down scrolls the page, and nothing else.
function pointing(svg, move) {
  svg.classList.add("rm-draggable");
  let start = null;
  const at = (event) => {
    const corner = svg.getBoundingClientRect();
    move(event.clientX - corner.left, event.clientY - corner.top);
  };
  svg.addEventListener("pointerdown", (event) => {
    start = event.clientX;
    if (event.pointerType !== "mouse") return;
    if (event.button === 0) at(event);
    svg.setPointerCapture?.(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" ? event.buttons & 1 : start !== null && Math.abs(event.clientX - start) > 6) at(event);
  });
  svg.addEventListener("pointerup", () => { start = null; });
  svg.addEventListener("pointercancel", () => { start = null; });
  svg.addEventListener("click", at);
}
