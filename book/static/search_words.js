// Search results quote the text of a page. Its formulas are TeX there: this makes them readable, "β ≤ 1/4".
const SIGNS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", kappa: "κ",
  lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", varphi: "φ", chi: "χ", psi: "ψ",
  omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
  le: "≤", leq: "≤", ge: "≥", geq: "≥", ne: "≠", neq: "≠", approx: "≈", sim: "∼", to: "→", mapsto: "↦", in: "∈", subset: "⊂",
  cdot: "·", times: "×", pm: "±", infty: "∞", sum: "∑", prod: "∏", int: "∫", sqrt: "√", ell: "ℓ", dots: "…", ldots: "…",
  cdots: "…", partial: "∂", nabla: "∇", top: "⊤", mid: "|", Vert: "‖", lVert: "‖", rVert: "‖", langle: "⟨", rangle: "⟩",
  log: "log", exp: "exp", max: "max", min: "min", Pr: "Pr", quad: " ", qquad: " ",
};

function readable(tex) {
  return tex.replace(/\\[()[\]]|\\(?:begin|end)\{[^}]*\}|\\label\{[^}]*\}/g, "")
    .replace(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, "$1/$2")
    .replace(/\\([A-Za-z]+)\s?/g, (_, name) => SIGNS[name] ?? "")
    .replace(/\\[,;:! ]|\\\\|[&~]/g, " ").replace(/\\(.)/g, "$1").replace(/[{}]/g, "").replace(/\s+/g, " ").trim();
}

const asWritten = Search.htmlToText;
Search.htmlToText = (html, anchor) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const formula of page.querySelectorAll(".math")) formula.textContent = readable(formula.textContent);
  for (const unread of page.querySelectorAll("svg, .rm-skip, details.hide, .highlight")) unread.remove();
  return asWritten(page.documentElement.outerHTML, anchor);
};
