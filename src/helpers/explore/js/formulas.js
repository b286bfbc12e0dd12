// The formulas of helpers.dynamics and of scipy that a simulation in the page needs. Tests hold the two equal.

const LOG3 = Math.log(3);

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
