// Exercises that check themselves on the page. The sentences are those of src/helpers/exercises/marking.py, and the
// tests hold the two to one another.
const rewardMarginsExercises = (() => {
  const FACTORS = [2, 3, 4, 10, 100, 1000];
  const NEAR = 0.1;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

  // One number, a list of numbers, or null. Fractions such as 1/3 are numbers.
  function read(text) {
    let inner = text.trim().replaceAll("\u2212", "-");
    const listed = /^\[(.*)\]$/.exec(inner);
    inner = listed ? listed[1] : inner.replace(/^\((.*)\)$/, "$1");
    const found = inner.split(",").map((part) => {
      const terms = part.split("/").map((term) => (NUMBER.test(term.trim()) ? Number(term) : NaN));
      const value = terms.length === 1 ? terms[0] : terms.length === 2 && terms[1] !== 0 ? terms[0] / terms[1] : NaN;
      return value;
    });
    if (found.some(Number.isNaN)) return null;
    return listed || found.length > 1 ? found : found[0];
  }

  const kind = (value) => (Array.isArray(value) ? `a list of ${value.length}` : "one number");

  // In which way one number misses the right one.
  function way(yours, ours, near) {
    if (!Number.isFinite(yours)) return "a finite number is wanted.";
    if (near(yours, -ours)) return "the size is right, the sign is not.";
    for (const factor of FACTORS) {
      if (near(yours, ours * factor)) return `too large by a factor of ${factor}.`;
      if (near(yours, ours / factor)) return `too small by a factor of ${factor}.`;
    }
    if (yours * ours < 0) return "the sign is wrong.";
    const little = Math.abs(yours - ours) <= NEAR * Math.abs(ours) ? "a little " : "";
    if (ours < 0) return little + (yours < ours ? "too far below zero." : "too close to zero.");
    return little + (yours > ours ? "too large." : "too small.");
  }

  function difference(answer, { right, rel, abs }) {
    if (answer === null) return "a number is wanted.";
    if (kind(answer) !== kind(right)) return `${kind(right)} is wanted, got ${kind(answer)}.`;
    const near = (yours, target) => Math.abs(yours - target) <= abs + rel * Math.abs(target);
    const [yours, ours] = [answer, right].map((value) => [value].flat());
    const at = yours.findIndex((value, n) => !near(value, ours[n]));
    if (at < 0) return "";
    return (Array.isArray(right) ? `entry [${at}]: ` : "") + way(yours[at], ours[at], near);
  }

  // Whether the answer, a text or a letter, is right, and the sentence on it.
  function judge(form, text) {
    if (!text.trim()) return { right: false, text: "Not answered yet." };
    if (form.kind === "choice") {
      const right = text === form.right;
      const because = form.because[text] ?? "";
      return { right, text: (right ? `Right. ${because}` : `${form.what}: not ${text}. ${because}`).trim() };
    }
    const wrong = difference(read(text), form);
    return wrong ? { right: false, text: `${form.what}: ${wrong}` } : { right: true, text: "Right." };
  }

  function decode(name, code) {
    const bytes = Uint8Array.from(atob(code), (c, n) => c.charCodeAt(0) ^ name.charCodeAt(n % name.length));
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  function start(element) {
    const form = decode(element.dataset.exercise, element.dataset.form);
    const said = element.querySelector("output");
    element.querySelector("fieldset").disabled = false;
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = String([...new FormData(element).values()][0] ?? "");
      const verdict = judge(form, text);
      said.textContent = verdict.text;
      said.dataset.right = verdict.right;
      element.querySelector("input[type=text]")?.setAttribute("aria-invalid", String(!verdict.right));
    });
    element.addEventListener("input", () => {
      said.textContent = "";
      element.querySelector("input[type=text]")?.removeAttribute("aria-invalid");
    });
  }

  return { decode, judge, start };
})();

if (typeof document !== "undefined") {
  for (const element of document.querySelectorAll("form.rm-answer")) rewardMarginsExercises.start(element);
}
