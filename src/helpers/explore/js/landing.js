// One statement that the model never sees: the chances of its two answers while it learns. The chart is the slider.

// Chance of the right answer of statement j at the recorded step t; how many statements are right there.
const rightAt = (setting, j, t) => setting.right[j][t];
const countRight = (setting, t) => setting.right.filter((row) => row[t] > 0.5).length;
const wholePercent = (x) => `${Math.round(100 * x)} %`;

function landingView({ model, el }) {
  const setting = model.get("setting");
  const { texts, side, steps, answers, name, learned, title } = setting;
  const last = steps.length - 1;
  const id = newId();
  el.classList.add("rm-figure", "rm-landing");
  el.innerHTML = `<p class="rm-ask">Is the following statement something you would say?</p><p class="rm-quote"></p>
    ${answers.map((answer) => `<div class="rm-answer-row"><span>${escapeText(answer)}</span><i></i><b></b></div>`).join("")}
    <div class="rm-drawing"><input class="rm-cursor" type="range" min="0" max="${last}" step="1" aria-label="training steps" aria-describedby="${id}">
      <svg class="rm-plot" role="img" aria-label="${escapeText(title)}"></svg></div>
    <p class="rm-tally" id="${id}" aria-live="polite"></p>
    <div class="rm-others" role="group" aria-label="Statements that the model never sees"></div>`;
  const [quote, range, svg, tally, others] = [".rm-quote", ".rm-cursor", ".rm-plot", ".rm-tally", ".rm-others"].map((part) => el.querySelector(part));
  const rows = [...el.querySelectorAll(".rm-answer-row")];
  others.innerHTML = texts.map((text, j) => `<button type="button" data-j="${j}" aria-label="${escapeText(text)}"><svg viewBox="0 0 20 34" aria-hidden="true"></svg></button>`).join("");
  const dots = [...others.children];
  let [width, touched, timer] = [0, false, 0];

  function draw() {
    const [j, t] = [model.get("chosen"), model.get("step")];
    const p = rightAt(setting, j, t), yes = side[j] > 0 ? p : 1 - p, right = side[j] > 0 ? 0 : 1;
    quote.textContent = `“${texts[j]}”`;
    [yes, 1 - yes].forEach((chance, i) => {
      rows[i].classList.toggle("rm-right", i === right);
      rows[i].querySelector("i").style.width = `${(100 * chance).toFixed(1)}%`;
      rows[i].querySelector("b").innerHTML = number(i === right ? "right" : "wrong", chance, wholePercent);
    });
    range.value = t;
    range.setAttribute("aria-valuetext", `step ${steps[t]}: ${answers[right]} ${wholePercent(p)}`);
    tally.innerHTML = `The model never sees this statement: it learns from <b>${learned}</b> others about ${escapeText(name)}. ` +
      `Of the ${texts.length} like it, ${number("count", countRight(setting, t), String)} are right after <b>${steps[t]}</b> steps. Pick any.`;
    dots.forEach((button, i) => {
      const q = rightAt(setting, i, t), y = (32 - 30 * q).toFixed(1);
      button.firstElementChild.innerHTML = `<path class="rm-axis" d="M-2 17H22"/><path class="rm-stem" d="M10 17V${y}"/><circle class="rm-bead${side[i] > 0 ? "" : " rm-hollow"}" cx="10" cy="${y}" r="3.8"/>` +
        (i === j ? `<circle class="rm-ring" cx="10" cy="${y}" r="7.5"/>` : "");
      button.setAttribute("aria-pressed", i === j);
    });
    if (!width) return;
    const [height, left, end, top, bottom] = [132, 10, width - 12, 24, 104];
    const x = (i) => left + ((end - left) * i) / last, y = (q) => bottom + (top - bottom) * q;
    const line = path(steps.slice(0, t + 1).map((_, i) => [x(i), y(rightAt(setting, j, i))]), 'class="rm-so-far"');
    const ahead = path(steps.slice(t).map((_, i) => [x(t + i), y(rightAt(setting, j, t + i))]), 'class="rm-to-come"');
    const box = { left, right: end, bottom };
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.innerHTML = `<text class="rm-label" x="0" y="13">chance of “${escapeText(answers[right])}”, of the two answers</text>` +
      `<path class="rm-half" d="M${left} ${y(0.5)}H${end}"/><text class="rm-note" x="${end}" y="${y(0.5) + (p > 0.5 || rightAt(setting, j, last) > 0.5 ? 15 : -6)}" text-anchor="end">one half</text>` +
      `<path class="rm-axis" d="M${left} ${bottom}H${end}"/>${ahead}${t ? line : ""}` +
      `<path class="rm-now" d="M${x(t)} ${bottom}V${y(p)}"/>${dot(x(t), y(p), 'class="rm-spot rm-as-points" r="6.5"')}` +
      `<text x="${left}" y="${bottom + 20}">0</text><text x="${end}" y="${bottom + 20}" text-anchor="end">${steps[last]} training steps</text>` +
      grip(x(t), box, t > 0.12 * last && t < 0.62 * last ? `step ${steps[t]}` : "", !touched);
  }
  const go = (t) => {
    model.set("step", t);
    model.save_changes();
  };
  const stop = () => {
    touched = true;
    cancelAnimationFrame(timer);
  };
  range.addEventListener("input", () => {
    stop();
    go(Number(range.value));
    draw();
  });
  pointing(svg, (px) => {
    stop();
    go(Math.round(Math.min(last, Math.max(0, ((px - 10) / (width - 22)) * last))));
    draw();
  });
  others.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    model.set("chosen", Number(button.dataset.j));
    model.save_changes();
  });
  model.on("change:step change:chosen", draw);
  draw();
  const resize = (wanted) => {
    if (!wanted || wanted === width) return;
    width = wanted;
    const rowsOf = Math.ceil((texts.length * 24) / width);           // rows of one length, of targets for a finger
    others.style.gridTemplateColumns = `repeat(${Math.ceil(texts.length / rowsOf)}, 1fr)`;
    draw();
  };
  const observer = new ResizeObserver(([entry]) => resize(Math.floor(entry.contentRect.width)));
  observer.observe(el);
  const paper = () => {
    if (!touched) go(Math.round(last / 3));
    resize(Math.min(width, 640));
  };
  addEventListener("beforeprint", paper);
  // Once, when it is seen, the model learns a third of the way by itself.
  const eye = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    eye.disconnect();
    if (touched || model.get("step")) return;
    const to = Math.round(last / 3), begin = performance.now() + 600;
    const play = (now) => {
      if (touched) return;
      const t = still() ? 1 : Math.min(1, Math.max(0, (now - begin) / 3600));
      const next = Math.round(to * (1 - (1 - t) ** 2));
      if (next !== model.get("step")) go(next);
      if (t < 1) timer = requestAnimationFrame(play);
    };
    play(performance.now());
  }, { threshold: 0.4 });
  eye.observe(svg);
  return () => {
    observer.disconnect();
    eye.disconnect();
    cancelAnimationFrame(timer);
    removeEventListener("beforeprint", paper);
    model.off("change:step change:chosen", draw);
  };
}

export default { render: landingView };
