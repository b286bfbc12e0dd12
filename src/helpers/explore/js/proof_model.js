// The proof of Theorem 4.2 on data that are drawn here. `simulate` turns a setting into numbers, `argue` turns the numbers
// into the ten brackets of the proof; both are pure, and tests hold them equal to helpers.dynamics, .risk and .bounds.
// Speeds are in units of the speed without noise at the start, so that rho_j, 1/8 and 5 are on one scale.

const proofModel = (() => {
  const K = 4, D = 150, MOST = 50, NEW = 5, LN10 = Math.log(10);
  const HORIZON = 0.4 * LOG3;                          // S at the paper's stopping time tau_1
  const TIMES = 6;                                     // states that are shown on the way there
  const NEAR = 1 + 1e-12;                              // equality of two sides, up to rounding
  const LAYOUTS = {
    own: { pairs: [[0, 1], [2, 3], [4, 5], [6, 7]], Z: 1 },
    chain: { pairs: [[0, 1], [1, 2], [2, 3], [3, 4]], Z: 2 },
    star: { pairs: [[0, 1], [0, 2], [0, 3], [0, 4]], Z: 4 },
    shared: { pairs: [[0, 1], [0, 1], [0, 1], [0, 1]], Z: 4 },
  };
  const gram = (pairs) => pairs.map(([a, b]) => pairs.map(([c, e]) => (a === c) + (b === e) - (a === e) - (b === c)));

  // Normal numbers from a seed: mulberry32, then Box and Muller.
  function normals(count, seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const drawn = new Float64Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
      drawn[i] = radius * Math.cos(angle);
      if (i + 1 < count) drawn[i + 1] = radius * Math.sin(angle);
    }
    return drawn;
  }

  // The directions of the noise and their products are drawn once for a seed; v only scales them.
  let last = null;
  function noise(seed) {
    if (last?.seed === seed) return last;
    const n = 2 * K * MOST, z = normals(n * D, seed), fresh = normals(2 * K * NEW * D, seed + 7919);
    const products = new Float64Array(n * n);
    for (let j = 0; j < n; j++) for (let k = 0; k <= j; k++) {
      let sum = 0;
      for (let m = 0, a = j * D, b = k * D; m < D; m++) sum += z[a + m] * z[b + m];
      products[j * n + k] = products[k * n + j] = sum;
    }
    last = { seed, n, z, fresh, products };
    return last;
  }

  function logTail(x) {                                // log P(N(0,1) > x), also where the probability underflows
    if (x < 3) return Math.log(normalTail(x));
    let fraction = x;
    for (let k = 120; k > 0; k--) fraction = x + k / fraction;
    return -x * x / 2 - Math.log(Math.sqrt(2 * Math.PI) * fraction);
  }

  function ends(rows) {
    let low = Infinity, high = -Infinity;
    for (const row of rows) for (const x of row) {
      if (x < low) low = x;
      if (x > high) high = x;
    }
    return [low, high];
  }

  function simulate({ v, l_b, Q, layout, seed }) {
    const { n, z, fresh, products } = noise(seed), { pairs, Z } = LAYOUTS[layout], G = gram(pairs), N = 2 * K * Q;
    const id = new Int32Array(N), value = new Int32Array(N), side = new Float64Array(N);
    for (let j = 0; j < N; j++) {
      const cluster = Math.floor(j / Q);
      value[j] = cluster >> 1; side[j] = cluster % 2 ? -1 : 1; id[j] = cluster * MOST + (j % Q);
    }
    const unit = 1 / (4 * Q);                          // K / (2N)
    const C = new Float64Array(N * N), rho = new Float64Array(N), linear = new Float64Array(N), both = new Float64Array(N);
    let linearPart = 0, bilinearPart = 0, sizes = 0, stray = 0, related = 0;
    for (let j = 0; j < N; j++) for (let k = 0; k < N; k++) {
      const g = G[value[j]][value[k]];
      if (!g) continue;
      const s = side[j], t = side[k], zj = id[j] * D, zk = id[k] * D;
      const means = (value[j] === value[k] ? s * t : 0) + l_b * l_b;
      const lin = v * (s * z[zk + 1 + value[j]] + t * z[zj + 1 + value[k]] + l_b * (z[zk] + z[zj]));
      const square = j === k ? D * v * v : 0;
      const bil = v * v * products[id[j] * n + id[k]] - square;
      const size = Math.abs(lin) + Math.abs(bil), off = Math.abs(lin + bil);
      C[j * N + k] = s * t * g * (means + lin + bil + square);
      rho[j] += unit * C[j * N + k];
      linear[j] += unit * Math.abs(g) * Math.abs(lin);
      both[j] += unit * Math.abs(g) * size;
      if (Math.abs(lin) > linearPart) linearPart = Math.abs(lin);
      if (Math.abs(bil) > bilinearPart) bilinearPart = Math.abs(bil);
      if (size > sizes) sizes = size;
      if (off > stray) stray = off;
      if (k <= j) related++;
    }

    // The flow of Lemma 4.1 in S, by Runge and Kutta: psi_k' = sigma(-r_k), r = K/(2N) C psi.
    const margins = (psi) => {
      const r = new Float64Array(N);
      for (let j = 0; j < N; j++) {
        let sum = 0;
        for (let k = 0, a = j * N; k < N; k++) sum += C[a + k] * psi[k];
        r[j] = unit * sum;
      }
      return r;
    };
    const pushes = (psi) => margins(psi).map((r) => 1 / (1 + Math.exp(r)));
    const step = (psi, h) => {
      const on = (slope, f) => psi.map((p, i) => p + f * slope[i]);
      const a = pushes(psi), b = pushes(on(a, h / 2)), c = pushes(on(b, h / 2)), e = pushes(on(c, h));
      return psi.map((p, i) => p + (h / 6) * (a[i] + 2 * b[i] + 2 * c[i] + e[i]));
    };
    let psi = new Float64Array(N);
    const speeds = [rho], averages = [rho], pushed = [0.5, 0.5];
    for (let i = 1; i <= 2 * TIMES; i++) {
      psi = step(psi, HORIZON / (2 * TIMES));
      const r = margins(psi), p = r.map((x) => 1 / (1 + Math.exp(x)));
      for (const x of p) {
        if (x < pushed[0]) pushed[0] = x;
        if (x > pushed[1]) pushed[1] = x;
      }
      if (i % 2) continue;
      speeds.push(margins(p).map((x) => 2 * x));
      averages.push(r.map((x) => x / ((i * HORIZON) / TIMES / 4)));
    }

    // Strangers: new statements, judged by w_i = K/(2N) sum_k G_ik psi_k s_k x_k.
    const directions = (weights) => pairs.map((_, i) => {
      const w = new Float64Array(D);
      for (let k = 0; k < N; k++) {
        const f = unit * G[i][value[k]] * weights[k] * side[k];
        if (!f) continue;
        for (let m = 0; m < D; m++) w[m] += f * v * z[id[k] * D + m];
        w[1 + value[k]] += f * side[k];
        w[0] += f * l_b;
      }
      return w;
    });
    const judged = (w) => Float64Array.from({ length: 2 * K * NEW }, (_, j) => {
      const cluster = Math.floor(j / NEW), i = cluster >> 1, s = cluster % 2 ? -1 : 1;
      let sum = 0;
      for (let m = 0; m < D; m++) sum += w[i][m] * v * fresh[j * D + m];
      return s * (sum + s * w[i][1 + i] + l_b * w[i][0]);
    });
    const w = directions(psi);
    const strangers = [judged(directions(new Float64Array(N).fill(1))), judged(w).map((r) => r / (HORIZON / 2))];
    const logs = w.flatMap((wi, i) => [1, -1].map((s) => logTail((wi[1 + i] + s * l_b * wi[0]) / (v * Math.hypot(...wi)))));
    const top = Math.max(...logs);                     // N2: the mean of the clusters' risks, as a power of ten
    const risk = (top + Math.log(logs.reduce((sum, x) => sum + Math.exp(x - top), 0) / logs.length)) / LN10;

    function reaches() {                               // S / S(tau_1) at which the first margin is log 3
      let p = new Float64Array(N), before = 0;
      for (let S = 0, h = HORIZON / 6; S < 12 * HORIZON; S += h) {
        p = step(p, h);
        const most = Math.max(...margins(p));
        if (most >= LOG3) return (S + (h * (LOG3 - before)) / (most - before)) / HORIZON;
        before = most;
      }
      return Infinity;
    }
    const nu = Math.max(...G.map((row) => row.reduce((sum, g) => sum + Math.abs(g) / 2, 0)));
    return {
      N, value, id, rho, linear: Math.max(...linear), both: Math.max(...both), linearPart, bilinearPart, sizes, stray,
      related, nu, speeds, averages, pushed, strangers, risk, reaches,
    };
  }

  // Without noise: the speed 2 sigma(-r) and its average r / (S/2), at the times that are shown.
  const CLEAN = Array.from({ length: TIMES + 1 }, (_, i) => {
    const S = (HORIZON * i) / TIMES, r = noiseFreeMargin(S);
    return { speed: 2 / (1 + Math.exp(r)), average: i ? r / (S / 2) : 1 };
  });

  // The hypotheses of Theorems 4.2 and 4.3 in their order, with the lines of the proof that use them.
  function hypotheses({ v, l_b, Q, layout }) {
    const { Z } = LAYOUTS[layout];
    return [
      { key: "pairs", holds: layout !== "shared", lines: [5, 7] },
      { key: "Z", holds: Z <= (1 / (4 * l_b * l_b)) * NEAR, lines: [7] },
      { key: "l_low", holds: l_b >= 0.25 / NEAR, lines: [5] },
      { key: "l_high", holds: l_b <= 0.5 * NEAR, lines: [2] },
      { key: "d", holds: D <= 5 * Q, lines: [3, 8] },
      { key: "v", holds: v <= NEAR / (32 * Math.sqrt(Q)), lines: [5, 8] },
      { key: "Q", holds: Q >= 40, lines: [10] },
    ];
  }

  // The ten brackets; each is a consequence of the one before. `fits`: the inequality of the line itself holds on these
  // data. `bad`: it does not, or statements are outside. `lacks`: a hypothesis fails and the line holds all the same.
  // `proved`: the bracket follows from what holds here.
  function argue(run, setting) {
    const { v, l_b, Q, layout } = setting, { Z } = LAYOUTS[layout];
    const centre = 1 + (D * v * v) / (2 * Q);
    const tolerance = 1 / (16 * (Z + 2));              // epsilon v, the largest that is allowed
    const error = 2 * (1 + Z) * tolerance, sharing = (Z * l_b * l_b) / 4;
    const around = (width) => [centre - width, centre + width];
    const brackets = [
      around(0), around(run.linear), around(run.both), around(run.nu * run.sizes), around(error),
      [0.5 - error, centre + error], [0.5 - error - sharing, centre + error + sharing],
      [1 / 8, 5], [1 / 8, 5], [0.5 - error - sharing, Infinity],
    ];
    const start = ends([run.rho]), way = ends(run.speeds), mean = ends(run.averages), fresh = ends(run.strangers);
    const seen = [start, start, start, start, start, way, way, way, mean, fresh];
    const failed = hypotheses(setting).filter(({ holds }) => !holds);
    const event = run.stray <= 2 * tolerance * NEAR;   // of Lemma B.1
    let proved = true;
    const lines = brackets.map(([low, high], i) => {
      const no = i + 1, outside = seen[i][0] < low - 1e-9 || seen[i][1] > high + 1e-9;
      let fits = true;
      if (no === 5) fits = event;
      if (no === 6) fits = run.pushed[0] >= 0.25 && run.pushed[1] <= 0.5 + 1e-12;
      if (no === 7) fits = low > 0;
      if (no === 8) fits = brackets[6][0] >= 1 / 8 - 1e-12 && brackets[6][1] <= 5;
      const lacking = failed.filter(({ lines: users }) => users.includes(no)).map(({ key }) => key);
      const bad = !fits || (no >= 5 && outside), lacks = !bad && lacking.length > 0;
      // Most hypotheses serve the probability or an inequality that can be read off; without this one no count is right.
      if (no >= 5 && (!fits || lacking.includes("pairs"))) proved = false;
      return { no, low, high, seen: seen[i], outside, fits, lacking, bad, lacks, proved };
    });
    const width = ({ low, high }) => high - low;
    lines.forEach((line, i) => {
      line.from = i === 1 ? start[1] - start[0] : i ? width(lines[i - 1]) : null;
      line.times = i === 0 || i >= 8 || !line.fits ? null : width(line) / line.from;
    });
    const epsilon = tolerance / v, count = Math.log(2 * K * Q * Q);
    const failure = ((8 * Z + 4) * K * Q * Q) * (Math.exp(-epsilon * epsilon / 16) + Math.exp((-epsilon / v / 8) * Math.min(1, epsilon / (D * v))));
    const exponent = (epsilon * epsilon) / (2 * (1 + l_b * l_b + D * v * v + 2 * tolerance));
    return {
      lines, centre, tolerance, error, event, failure, start, failed: failed.map(({ key }) => key),
      sound: failed.length === 0 && event, b4: (count - exponent) / LN10, b43: (count - Q / 45) / LN10,
    };
  }

  return { K, D, MOST, NEW, HORIZON, LAYOUTS, CLEAN, normals, simulate, hypotheses, argue };
})();
