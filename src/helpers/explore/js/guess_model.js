// How far a guess and a prediction are from what was measured, in numbers and in sentences; helpers.explore.guessing says
// the same, and tests hold the two equal.

const guessModel = (() => {
  const axis = ({ log }, value) => (log ? Math.log(value) : value);
  const average = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
  const sizes = (list) => list.map(Math.abs);
  const minus = (text) => text.replace("-", "−");
  const say = ({ percent: share }, value) => minus(share ? percent(value) : short(value));
  // A distance on the axis: a factor where it is logarithmic, points where it counts per cent.
  function amount({ log, percent: share }, gap) {
    if (log) return `a factor of ${short(Math.exp(Math.abs(gap)))}`;
    const points = short(100 * Math.abs(gap));
    return share ? `${points} point${points === "1" ? "" : "s"}` : short(Math.abs(gap));
  }
  const measuredAt = ({ measured }) => measured.flatMap((value, i) => (value === null ? [] : [i]));

  const gaps = (setting, values) => measuredAt(setting).map((i) => axis(setting, values[i]) - axis(setting, setting.measured[i]));
  const inside = ({ lower, upper, measured }, values) =>
    lower === null ? null : measuredAt({ measured }).filter((i) => lower[i] <= values[i] && values[i] <= upper[i]).length;

  // What counts as a lean: a fiftieth of the axis.
  const notable = (setting) => 0.02 * (axis(setting, setting.range[1]) - axis(setting, setting.range[0]));

  function lean(setting, list) {
    const mean = average(list);
    if (Math.abs(mean) <= notable(setting) || Math.abs(mean) < 0.6 * average(sizes(list))) return "";
    return mean > 0 ? "too high" : "too low";
  }
  function slope(setting, values) {
    const at = measuredAt(setting), [first, last] = [at[0], at[at.length - 1]], least = 2 * notable(setting);
    const rise = (list) => axis(setting, list[last]) - axis(setting, list[first]);
    const [said, real] = [rise(values), rise(setting.measured)];
    if (said * real < 0 && Math.abs(said) > least && Math.abs(real) > least) return "in the wrong direction";
    if (Math.abs(said) - Math.abs(real) > least) return "too steep";
    return Math.abs(real) - Math.abs(said) > least ? "too flat" : "";
  }
  const highest = (list, at) => at.reduce((best, i) => (list[i] > list[best] ? i : best), at[0]);

  function you(setting, mine) {
    const list = gaps(setting, mine), within = inside(setting, mine), off = average(sizes(list));
    if (setting.shape === "point") {
      const said = `You said ${say(setting, mine[0])}`;
      if (within) return `${said}, inside the interval.`;
      return off <= notable(setting) ? `${said}, off by ${amount(setting, off)}.` : `${said}, ${list[0] > 0 ? "too high" : "too low"} by ${amount(setting, off)}.`;
    }
    const how = [lean(setting, list), setting.shape === "curve" ? slope(setting, mine) : ""].filter(Boolean).join(" and ");
    const all = within === list.length ? ", inside every interval" : "";
    let text = `You were off by ${amount(setting, off)} on average${how ? `, ${how}` : all}.`;
    if (setting.shape === "bars") {
      const at = measuredAt(setting), [said, real] = [highest(mine, at), highest(setting.measured, at)];
      text += said === real ? ` You put ${setting.x[said]} highest, and it is.` : ` You put ${setting.x[said]} highest; measured, ${setting.x[real]} is.`;
    }
    return text;
  }
  function predicted(setting) {
    const list = gaps(setting, setting.prediction), within = inside(setting, setting.prediction), off = average(sizes(list));
    if (setting.shape === "point") {
      const said = `The prediction was ${say(setting, setting.prediction[0])}`;
      if (within) return `${said}, inside the interval.`;
      return `${said}, ${list[0] > 0 ? "too high" : "too low"} by ${amount(setting, off)}.`;
    }
    const where = list.every((gap) => gap > 0) ? ", everywhere too high" : list.every((gap) => gap < 0) ? ", everywhere too low" : "";
    const held = within === null ? "" : `; it lies inside ${within === list.length ? "all" : within} ${within === list.length ? list.length : `of ${list.length}`} intervals`;
    return `The prediction was off by ${amount(setting, off)} on average${where}${held}.`;
  }

  // The whole verdict; without a guess that is complete, the prediction's alone.
  function judge(setting, mine) {
    const whole = mine.length === setting.prediction.length && mine.every((value) => value !== null);
    return {
      gaps: whole ? gaps(setting, mine) : null, predictionGaps: gaps(setting, setting.prediction),
      you: whole ? you(setting, mine) : null, predicted: predicted(setting),
    };
  }
  return { judge, measuredAt, amount, say };
})();
