// The words of the proof: its ten lines, what each shows on the data that are drawn, and what its hypotheses are for.

const proofLines = (() => {
  const { K, D, NEW, LAYOUTS } = proofModel;

  // ---- numbers as words ----
  const bold = (text) => `<b>${text}</b>`;
  const raise = (text) => oneFont(text, "span");
  const say = (x) => bold(raise(short(x)));
  const plain = (x) => (Number.isFinite(x) ? x.toFixed(Math.abs(x) >= 10 ? 1 : Math.abs(x - 1) < 0.3 ? 3 : 2).replace("-", "−") : short(x));
  const place = (x) => (x === 0.125 || x === 5 ? short(x) : plain(x));                 // a place on the axis
  const times = (x) => `×\u2009${x >= 9.95 ? Math.round(x) : x < 1.095 ? x.toFixed(2) : x.toFixed(1)}`;
  const span = ([low, high]) => `${bold(place(low))} to ${bold(place(high))}`;
  const width = (x) => bold(`±\u2009${short(x)}`);

  // ---- formulas: letters in the page's mathematical font ----
  const i = (letter) => `<i>${letter}</i>`;
  const sub = (letter, index) => `${i(letter)}<sub>${index}</sub>`;
  const over = (above, below) => `<span class="rm-over"><span>${above}</span><span>${below}</span></span>`;
  const jk = `${i("j")}${i("k")}`, LB = sub("l", i("b"));

  const LB_DRAWN = 'l<tspan dy="3" font-size="12">b</tspan>';                           // in a drawing; what follows rises again
  const after = (text) => `<tspan dy="-3">${text}</tspan>`;

  const LINES = [
    {
      name: "Centre", part: "Lemma B.1", title: "Put every statement on its mean",
      words: "A margin’s speed adds up its interactions with all training statements. If each statement were its cluster’s mean, all speeds would agree.",
      formula: `${sub("ρ", i("j"))} = ${over(i("K"), `2${i("N")}`)} <span class="rm-sum">∑</span><sub>${i("k")}</sub> ${sub("C", jk)}`,
      spoken: "rho j is K over 2 N times the sum over k of C j k",
    },
    {
      name: "Linear", part: "Lemma B.1", title: "Let the noise meet the means", grip: "both",
      words: "Every statement strays from its mean. The proof takes each stray by its size, as if none could cancel another.",
      formula: `| ${sub("μ", i("j"))}·${sub("α", i("k"))} + ${sub("μ", i("k"))}·${sub("α", i("j"))} |`,
      spoken: "the size of mu j times alpha k plus mu k times alpha j",
    },
    {
      name: "Bilinear", part: "Lemma B.1", title: "Let the noise meet the noise", grip: "both",
      words: "Two noises in many dimensions are almost at right angles. Their product is counted too, again by its size.",
      formula: `| ${sub("α", i("j"))}·${sub("α", i("k"))} |`,
      spoken: "the size of alpha j times alpha k",
    },
    {
      name: "All pairs", part: "Lemma B.1", title: "One number for all pairs", grip: "both",
      words: (run) => `A bound on one pair is easy. The proof wants one number for all ${bold(run.related.toLocaleString("en"))} pairs that interact: the stray of the worst.`,
      formula: `max<sub>${i("j")}, ${i("k")}</sub> ( | linear | + | bilinear | )`,
      spoken: "the maximum over j and k of the sizes of the linear and the bilinear part, added",
    },
    {
      name: "Tolerance", part: "B.2", title: "Fix the number beforehand", grip: "both",
      words: "The worst stray is known only after the draw. So the proof names a tolerance first, and bets that no pair strays further.",
      formula: `error ≤ 8${i("Q")}(1 + ${i("Z")}) ${i("ε")}${i("v")} max<sub>${i("k")}</sub> ${sub("σ", i("k"))}`,
      spoken: "the error is at most 8 Q times 1 plus Z times epsilon v times the largest push",
    },
    {
      name: "Pushes", part: "Theorem 4.2 (B.3)", title: "Now let time run", grip: "low",
      words: "A learned pair pushes less than at the start, and everything slows down. While margins are between 0 and log 3, the proof uses only this:",
      formula: `${over(1, 4)} ≤ ${sub("σ", i("k"))} ≤ ${over(1, 2)}`,
      spoken: "every push sigma k lies between one quarter and one half",
    },
    {
      name: "Sharing", part: "Theorem 4.2 (B.3)", title: "Let values share tokens", grip: "both",
      words: "Values with a common token pull on each other when their two sides push unequally. At worst:",
      formula: `| sharing | ≤ 2${i("Z")} ${i("l")}<span class="rm-both"><sup>2</sup><sub>${i("b")}</sub></span> · ${over(i("Q"), 4)}`,
      spoken: "the size of the sharing term is at most 2 Z l b squared times Q over 4",
    },
    {
      name: "Rounding", part: "Theorem 4.2 (B.3)", title: "Round to handsome numbers", grip: "each",
      words: "Under all hypotheses line 7 lies between 5/16 and little more than 19/16. The paper states rounder ends.",
      formula: `${over(1, 8)} ≤ ${over(5, 16)} , &ensp; ${over(19, 16)} + ${over(`${i("d")}${i("v")}<sup>2</sup>`, `2${i("Q")}`)} ≤ 5`,
      spoken: "one eighth is at most 5 over 16, and 19 over 16 plus d v squared over 2 Q is at most 5",
    },
    {
      name: "First exit", part: "Theorem 4.2 (B.3)", title: "Speed times time",
      words: "No margin turns back to 0, and the fastest cannot reach log 3 before τ₁. So line 6 was allowed, and speeds become margins.",
      formula: `${over(i("S"), 16)} ≤ ${sub("r", i("j"))} ≤ ${over(`5${i("S")}`, 2)} &ensp; up to ${sub("τ", 1)}`,
      spoken: "every margin r j lies between S over 16 and 5 S over 2 up to tau 1",
    },
    {
      name: "A stranger", part: "4.3 (B.4)", title: "Say it of a stranger",
      words: "A new statement obeys the same lines if its own noise strays no further. Only the lower end is needed: a speed above zero is judged rightly.",
      formula: `${i("R")} ≤ 2${i("K")}${i("Q")}<sup>2</sup> ${i("e")}<sup>−${i("Q")}/45</sup>`,
      spoken: "the risk R is at most 2 K Q squared e to the minus Q over 45",
    },
  ];

  // ---- the hypotheses: their names, how they stand here, and what the line that uses one needs it for ----
  const lambda = (l_b) => (l_b ? raise(short(1 / (4 * l_b * l_b))) : "∞");
  const HYPOTHESES = {
    pairs: { name: "no two values with the same two answers", drawn: "two answers for all",
      here: () => "all four answer Yes or No", why: () => "it counts one shared token, not two" },
    Z: { name: `${i("Z")} ≤ 1/(4${LB}²)`, drawn: `Z ≤ 1/(4 ${LB_DRAWN}${after("²)")}`,
      here: ({ layout, l_b }) => `${i("Z")} = ${LAYOUTS[layout].Z} against ${lambda(l_b)}`, why: () => "it keeps the pull between values below 1/16" },
    l_low: { name: `${LB} ≥ 1/4`, drawn: `${LB_DRAWN}${after(" ≥ 1/4")}`,
      here: ({ l_b }) => `${LB} = ${short(l_b)}`, why: () => "only to keep Z ≤ 4 in the probability; the bracket never needs it" },
    l_high: { name: `${LB} ≤ 1/2`, drawn: `${LB_DRAWN}${after(" ≤ 1/2")}`,
      here: ({ l_b }) => `${LB} = ${short(l_b)}`, why: () => "it keeps the linear noise small, which makes the event of line 5 likely" },
    d: { name: `${i("d")} ≤ 5${i("Q")}`, drawn: "d ≤ 5Q", here: ({ Q }) => `${i("d")} = ${D} against ${5 * Q}`,
      why: (line) => (line === 3 ? "it keeps noise times noise small, which makes the event of line 5 likely" : `it keeps a statement’s push on itself, ${i("d")}${i("v")}²/2${i("Q")}, small`) },
    v: { name: `${i("v")} ≤ 1/(32√${i("Q")})`, drawn: "v ≤ 1/(32√Q)",
      here: ({ v, Q }) => `${i("v")} = ${raise(short(v))} against ${raise(short(1 / (32 * Math.sqrt(Q))))}`,
      why: (line) => (line === 5 ? "the tolerance must be large beside the noise" : `it keeps a statement’s push on itself, ${i("d")}${i("v")}²/2${i("Q")}, small`) },
    Q: { name: `${i("Q")} ≥ 40`, drawn: "Q ≥ 40", here: ({ Q }) => `${i("Q")} = ${Q}`, why: () => "it makes the count of line 10 fit" },
  };

  // ---- what line `no` shows on these data, one or two sentences ----
  function result(no, run, arg) {
    const line = arg.lines[no - 1], by = line.times ? `, ${bold(times(line.times))} as wide` : "";
    switch (no) {
      case 1: return `The bracket is a single line at ${bold(arg.centre.toFixed(5))}. The cloud reaches from ${span(line.seen)}.`;
      case 2: return `${width(run.linear)}, ${bold(times(line.times))} the cloud. ${
        line.times < 1 ? "Too narrow as yet: noise times noise is still to come."
        : line.times < 1.5 ? "Hardly anything is lost: a statement’s own stray is the same against a whole cluster, so it never cancelled."
        : "Signs are lost here: strays against different values did cancel."}`;
      case 3: return `${width(run.both)}${by}. ${
        line.times < 1.15 ? `With little noise in ${D} dimensions this part is nearly nothing.` : "With this much noise the part is no longer small."}`;
      case 4: return `${width(run.nu * run.sizes)}${by}. One unlucky pair now speaks for all.`;
      case 5: {
        const bet = `the worst stray is ${say(run.stray)}, the tolerance ${say(2 * arg.tolerance)}`;
        if (!arg.event) return `The bet is lost: ${bet}.`;
        const odds = arg.failure >= 1 ? `But the bound on losing it is ${say(arg.failure)}: above 1, it promises nothing at this Q.` : `The bound on losing it is ${say(arg.failure)}.`;
        return `${width(arg.error)}${by}. The bet is won: ${bet}. ${odds}`;
      }
      case 6: return !line.fits
        ? `Some margin leaves 0 to log 3 before τ₁: pushes reach from ${say(run.pushed[0])} to ${say(run.pushed[1])}.`
        : `Lower end ${bold(place(line.low))}${by}. The smallest push up to τ₁ is really ${say(run.pushed[0])}${
          line.outside ? `; but speeds from ${span(line.seen)} bring along the noise that line 5 did not cover.` : `, so speeds fall only to ${bold(place(line.seen[0]))}.`}`;
      case 7: return line.fits
        ? `${span([line.low, line.high])}${by}.${arg.event ? " In truth the two sides push almost alike, and the pull is near zero." : ""}`
        : `The lower end falls to ${bold(place(line.low))}, below zero: the proof can no longer say that a margin grows.`;
      case 8: return line.fits
        ? `${bold("1/8")} to ${bold("5")}${by}. Nothing asked for this rounding; the book’s Theorem 4.2′ leaves it out.`
        : `Rounding is no longer allowed: line 7 reaches from ${span([arg.lines[6].low, arg.lines[6].high])}, outside 1/8 to 5.`;
      case 9: {
        const first = run.reaches(), exit = Number.isFinite(first) ? short(first) : "more than 12";
        return `As average speeds the margins lie between ${bold(place(line.seen[0]))} and ${bold(place(line.seen[1]))}; the theorem says ${bold("1/8")} to ${bold("5")}${
          line.outside ? ", which is false here" : `, ${bold(times(4.875 / (line.seen[1] - line.seen[0])))} as wide`}. The first margin reaches log 3 at ${bold(exit)} τ₁.`;
      }
      default: {
        const risk = (p) => bold(raise(tenTo(p)));
        return `${arg.sound ? "Theorem 4.3 promises a risk of at most" : "Theorem 4.3, if it applied, would promise"} ${risk(arg.b43)}${
          arg.b43 > 0 ? ", which is above 1 and says nothing" : ""}. Its own proof, B.4, gives ${risk(arg.b4)}. The exact risk of this run is ${risk(run.risk)}.`;
      }
    }
  }

  // ---- which hypotheses fail, and what follows ----
  const listing = (words) => words.join(", ").replace(/, (?=[^,]*$)/, " and ");
  const lineNames = (numbers) => `line${numbers.length > 1 ? "s" : ""} ${listing(numbers.map(String))}, ${listing(numbers.map((no) => LINES[no - 1].name.toLowerCase()))}`;
  function verdict(run, arg, setting) {
    const users = Object.fromEntries(proofModel.hypotheses(setting).map(({ key, lines }) => [key, lines]));
    const items = arg.failed.map((key) => ["fails", `${bold(HYPOTHESES[key].name)} fails: ${HYPOTHESES[key].here(setting)}. Used in ${lineNames(users[key])}.`]);
    if (!arg.event) items.push(["fails", `${bold("The event of Lemma B.1")} fails on this draw: some pair strays by ${raise(short(run.stray))}, allowed ${raise(short(2 * arg.tolerance))}. Used in line 5, tolerance, and by all that follow.`]);
    const left = arg.lines.filter(({ no, outside }) => no >= 5 && no <= 9 && outside).map(({ no }) => String(no));
    if (!items.length) return [["holds", "All hypotheses hold, the event of Lemma B.1 holds on this draw, and every statement is inside every bracket."]];
    if (left.length) return [...items, ["fails", `It breaks: statements leave the bracket of line${left.length > 1 ? "s" : ""} ${listing(left)}.`]];
    if (arg.failed.length === 1 && arg.failed[0] === "Q" && arg.event) return [...items, ["open", "Lines 1 to 9 stand; no statement leaves a bracket."]];
    return [...items, ["open", arg.lines[8].proved
      ? "The bracket stands on this draw all the same, because the inequality of every line holds on it. What is lost is the promise that it will."
      : "No longer proved, still true here: no statement leaves a bracket."]];
  }

  // ---- the reader's guess: how wide it is against the bracket before, and how it did ----
  const guessed = (no, guess, arg) => {
    const before = arg.lines[no - 2];
    return (LINES[no - 1].grip === "low" ? before.high - guess.low : guess.high - guess.low) / arg.lines[no - 1].from;
  };
  function answer(no, guess, arg) {
    const line = arg.lines[no - 1];
    if (!guess?.touched || !line.times || !line.fits) return "";
    const said = guessed(no, guess, arg), ratio = said / line.times;
    return `You said ${times(said)}: ${ratio > 1.25 ? "too wide" : ratio < 0.8 ? "too narrow" : "close"}.`;
  }

  const FINE = `Simulated in this page: ${K} values, two clusters each, d = ${D}; nothing is drawn by hand. Lines 2 to 4 add up the noise of this draw; from line 5 on the bracket is the theorem’s own. The directions of the noise stay the same when a slider moves. “Wider” compares the widths of two brackets, in line 2 with the cloud itself. Lines 6 to 9 follow all speeds up to the stopping time τ₁; line 10 adds ${2 * K * NEW} new statements.`;

  return { LINES, HYPOTHESES, FINE, place, times, result, verdict, guessed, answer, bold };
})();
