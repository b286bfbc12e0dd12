// What every explorer draws with: scales, axes, a key, a caption of numbers. Text is drawn at its real size, so the
// picture is laid out again for every width instead of being scaled.

// Bytes arrive as a DataView in every front end; the copy aligns them.
const float32 = (view) => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

const escapeText = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function scale([low, high], [start, end], log = false) {
  const f = log ? Math.log : (x) => x;
  const span = f(high) - f(low) || 1;
  const to = (x) => start + ((f(x) - f(low)) / span) * (end - start);
  to.back = (pixel) => low + ((pixel - start) / (end - start)) * (high - low);     // linear scales only
  return to;
}

// About `count` round numbers between 0 and high.
function roundTicks(high, count) {
  const raw = high / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

// Three significant digits; powers of ten below 0.001 and from a million on.
function short(x) {
  if (!Number.isFinite(x)) return "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 0.001 && size < 1e6) {
    return size >= 1000 ? Math.round(x).toLocaleString("en") : String(Number(x.toPrecision(3)));
  }
  const [digits, power] = x.toExponential(1).split("e");
  const raised = String(Number(power)).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return `${digits} × 10${raised}`;
}

const percent = (x) => (x >= 0.001 || x === 0 ? `${Number((100 * x).toFixed(1))} %` : short(x));

// A number of the caption: what is read is rounded, what tests compare is not.
const number = (name, value, show = short) => `<b data-name="${name}" data-value="${value}">${show(value)}</b>`;

const path = (points, extra) => `<path ${extra} d="${points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")}"/>`;
const dot = (x, y, extra) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" ${extra}/>`;

// Axes, grid and their words; returns the two scales and the drawing so far.
function axes(size, x, y) {
  const box = { left: 46, right: size.width - 14, top: 26, bottom: size.height - 42 };
  const sx = scale(x.domain, [box.left, box.right], x.log);
  const sy = scale(y.domain, [box.bottom, box.top]);
  let svg = "";
  for (const tick of y.ticks) {
    const at = sy(tick).toFixed(1);
    svg += `<line class="rm-grid" x1="${box.left}" x2="${box.right}" y1="${at}" y2="${at}"/>`;
    svg += `<text x="${box.left - 8}" y="${at}" dy="0.32em" text-anchor="end">${escapeText((y.show ?? short)(tick))}</text>`;
  }
  let free = -Infinity;                                // labels that would run into the one before are left out
  for (const tick of x.ticks) {
    const at = sx(tick);
    const word = short(tick);
    svg += `<line class="rm-axis" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${box.bottom}" y2="${box.bottom + 5}"/>`;
    if (at - word.length * 3.6 < free) continue;
    free = at + word.length * 3.6 + 8;
    svg += `<text x="${at.toFixed(1)}" y="${box.bottom + 18}" text-anchor="middle">${word}</text>`;
  }
  svg += `<line class="rm-axis" x1="${box.left}" x2="${box.right}" y1="${box.bottom}" y2="${box.bottom}"/>`;
  svg += `<text class="rm-label" x="${box.right}" y="${size.height - 6}" text-anchor="end">${escapeText(x.label)}</text>`;
  svg += `<text class="rm-label" x="0" y="13">${escapeText(y.label)}</text>`;
  return { sx, sy, box, svg };
}

// One entry of the key above the figure: a sample of the mark and its name.
const keyEntry = (kind, words) =>
  `<li><svg class="rm-sample" width="26" height="12" aria-hidden="true">${{
    line: '<path class="rm-predicted" d="M1 6H25"/>',
    measured: '<path class="rm-measured" d="M1 6H25"/>',
    points: '<path class="rm-whisker" d="M13 0V12"/><circle class="rm-measured-dot" cx="13" cy="6" r="3.5"/>',
    live: '<path class="rm-live-line" d="M1 6H25"/>',
    livePoint: '<path class="rm-live-dot" d="M13 1L18 6L13 11L8 6Z"/>',
    band: '<rect class="rm-envelope" x="1" y="1" width="24" height="10" rx="2"/>',
    floor: '<path class="rm-floor" d="M1 6H25"/>',
  }[kind]}</svg>${words}</li>`;

let figures = 0;

// An anywidget view: `draw(model, size)` returns {svg, key, caption, label}, and is called for every change of `names`.
// `point(model, where)`, where given, turns a press or drag of the mouse over the figure into a change of the model.
function explorer(names, draw, point) {
  return ({ model, el }) => {
    const id = `rm-caption-${(figures += 1)}`;
    el.classList.add("rm-figure");
    el.innerHTML =
      `<ul class="rm-key"></ul><svg class="rm-plot" role="img" aria-describedby="${id}"></svg>` +
      `<p class="rm-caption" id="${id}" aria-live="polite"></p>`;
    const [key, svg, caption] = el.children;
    let width = 0;
    let drawn = null;
    const update = () => {
      if (!width) return;
      const size = { width, height: Math.round(Math.min(380, Math.max(240, 0.52 * width))) };
      drawn = draw(model, size);
      svg.setAttribute("width", size.width);
      svg.setAttribute("height", size.height);
      svg.setAttribute("aria-label", drawn.label);
      svg.innerHTML = drawn.svg;
      if (key.innerHTML !== drawn.key) key.innerHTML = drawn.key;
      if (caption.innerHTML !== drawn.caption) caption.innerHTML = drawn.caption;
    };
    const events = names.map((name) => `change:${name}`).join(" ");
    model.on(events, update);
    const observer = new ResizeObserver(([entry]) => {
      const next = Math.floor(entry.contentRect.width);
      if (next && next !== width) {
        width = next;
        update();
      }
    });
    observer.observe(el);
    if (point) {
      svg.classList.add("rm-draggable");
      const move = (event) => {
        if (event.pointerType !== "mouse" || !(event.buttons & 1) || !drawn) return;
        point(model, drawn, event.clientX - svg.getBoundingClientRect().left);
        model.save_changes();
      };
      svg.addEventListener("pointerdown", move);
      svg.addEventListener("pointermove", move);
    }
    return () => {
      observer.disconnect();
      model.off(events, update);
    };
  };
}
