// The same formulas as helpers.dynamics, helpers.bounds and helpers.risk. Tests hold the two equal.

const LOG3 = Math.log(3);

// S = 2 n beta^2 lr / K; a concept of squared length `scale` speeds time up by that factor (N5, item 7).
function dimensionlessTime(steps, beta, lr, K, scale) {
  return (2 * steps * beta * beta * lr * scale) / K;
}

// N1: the root of r + e^r = 1 + S. The left side is convex, so Newton from log(1 + S), right of the root, descends to it.
function noiseFreeMargin(S) {
  let r = Math.log1p(S);
  for (let i = 0; i < 60; i += 1) {
    const next = r - (r + Math.expm1(r) - S) / (1 + Math.exp(r));
    if (!(next < r)) break;
    r = next;
  }
  return r;
}

// Theorem 4.2 speaks until S = (2/5) log 3, which is this number of steps.
function paperHorizon(beta, lr, K, scale) {
  return (K * LOG3) / (5 * beta * beta * lr * scale);
}

// Theorem 4.2: S/16 to 5S/2, and nothing past its horizon (the last bits of S at the horizon itself may differ).
function trainingEnvelope(S) {
  return S <= 0.4 * LOG3 ? [S / 16, 2.5 * S] : [NaN, NaN];
}

// P(N(0,1) > z): a series near the middle, a continued fraction in the tail.
function normalTail(z) {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let k = 120; k > 0; k -= 1) fraction = z + k / fraction;
  return density / fraction;
}

const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;

// N5, averaged over the values: Phi(-1/D_i), D_i^2 = kappa_i v^2 (1 + (1 + l_b^2 + d v^2) / (2Q)).
function riskLaw({ kappa, d, v, l_b }, Q) {
  const penalty = 1 + (1 + l_b * l_b + d * v * v) / (2 * Q);
  return mean(kappa.map((k) => normalTail(1 / (v * Math.sqrt(k * penalty)))));
}

// What N5 tends to with more and more samples.
function riskFloor({ kappa, v }) {
  return mean(kappa.map((k) => normalTail(1 / (v * Math.sqrt(k)))));
}

// Wilson's 95 % interval for an error rate seen on `tested` statements.
function wilsonInterval(error, tested) {
  const z = 1.959963984540054;
  const share = (z * z) / tested;
  const centre = (error + share / 2) / (1 + share);
  const half = (Math.sqrt(share * (error * (1 - error) + share / 4))) / (1 + share);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
