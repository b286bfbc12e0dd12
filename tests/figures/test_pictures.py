"""The drawn pictures: valid and named, their numbers those of the theory, and no word on a mark, on any screen."""

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from looks import COLUMN, SCREEN
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from helpers import losses
from helpers.bounds import risk_bound
from helpers.figures import part_1_objects, part_2_derivation, part_3_evidence, part_4_sharper, part_5_beyond
from helpers.figures import part_6_yours as part_6
from helpers.figures.pictures import picture, picture_names
from helpers.layouts import disjoint
from helpers.mixture import ValueMixture
from helpers.risk import one_step_risk, risk_law

SVG = "{http://www.w3.org/2000/svg}"
FONT = Path(__file__).resolve().parents[2] / "book/static/vendor/fonts/source-sans-3-latin-wght-normal.woff2"


def numbers_of(svg, mark, *attributes):
    """Attributes of every circle or rectangle of one class."""
    tag, cls = mark.split(".")
    found = [node for node in ET.fromstring(svg).iter(f"{SVG}{tag}") if node.get("class") == cls]
    return np.array([[float(node.get(name)) for name in attributes] for node in found])


@pytest.mark.parametrize("name", picture_names())
def test_a_picture_is_valid_named_and_in_the_keys_colours(name):
    svg = picture(name)
    root = ET.fromstring(svg)
    assert root.get("viewBox") == "0 0 720 300" and root.get("role") == "img"
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert ids == [f"rm-t{name[:2]}", f"rm-d{name[:2]}"] and root.get("aria-labelledby") == " ".join(ids)
    assert root[0].text and len(root[1].text) > 20
    assert "<script" not in svg and "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert len(svg.encode()) < 12_000 and svg == picture.__wrapped__(name)
    marks = re.sub(r"<style>.*?</style>", "", svg)
    assert not re.search(r"#[0-9a-f]{3,6}|rgb|url", marks)  # colours by role alone


def test_the_pictures_are_one_for_each_chapter_and_the_key():
    assert [name[:2] for name in picture_names()] == [f"{n:02d}" for n in range(21)]
    with pytest.raises(ValueError, match=r"picture must be a known name, got '05_tub'; did you mean '05_tube'"):
        picture("05_tub")


# ---- what looks like data ----


def test_01_the_margin_is_the_difference_of_the_two_moves_of_log_probabilities():
    svg = part_1_objects.pair()
    logits = np.array([1.2, 1.6, 0.5, 0.5, 0.5, 0.5])
    p, q = (np.exp(z) / np.exp(z).sum() for z in (logits, logits + 0.8 * np.array([1, -1, 0, 0, 0, 0])))
    change = np.log(q / p)[:2]
    bar = re.search(r'class="l margin w3" d="M\d+,([\d.]+) [\d.]+,[\d.]+M\d+,[\d.]+ \d+,([\d.]+)', svg)
    assert float(bar[2]) - float(bar[1]) == pytest.approx(108 * (change[0] - change[1]), abs=0.2)  # two rounded ends


def test_03_a_push_is_the_product_of_likeness_and_agreement():
    svg = part_2_derivation.interaction()
    tips = [float(y) for y in re.findall(r'class="margin-f " d="M\d+,([\d.]+)', svg)]
    expected = [232 - 54 * push for push in (np.cos(np.radians(20)), np.cos(np.radians(70)), -np.cos(np.radians(20)))]
    np.testing.assert_allclose(tips, expected, atol=0.06)  # rounding to a tenth
    assert svg.count('class="margin-f"') == 1  # the fourth, which shares no answer: a dot


def test_04_the_ring_holds_all_sixteen_ends_in_95_of_100_pictures():
    # The length of a mean's noise in the plane is Rayleigh: P(one outside) = exp(-limit^2 / 2) = p / n, at every Q.
    limit = np.sqrt(2 * np.log(16 / 0.05))
    assert 16 * quad(lambda r: r * np.exp(-r * r / 2), limit, np.inf)[0] == pytest.approx(0.05)
    rng = np.random.default_rng(0)
    inside = (np.linalg.norm(rng.standard_normal((4000, 16, 2)), axis=2) <= limit).all(axis=1).mean()
    assert inside >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 4000)  # three standard errors
    rings = numbers_of(part_2_derivation.concentration(), "circle.tint-f", "cx", "cy", "r")
    np.testing.assert_allclose(rings[:, 2], 146 * 0.25 / np.sqrt(2 * np.array([1, 4, 16, 64])) * limit, atol=0.06)


def test_05_the_margins_of_the_tube_stay_in_it_as_the_theorem_says():
    S, margins, (lower, upper) = part_2_derivation.tube_run()
    assert np.isfinite(lower).all()
    inside = (margins >= lower[:, None]) & (margins <= upper[:, None])
    assert inside.all()
    # The event on which T4.2' rests, checked on these very data: rates of all margins within the bracket at the start.
    first = margins[1] / (S[1] / 2)
    assert 5 / 16 < first.min() and first.max() < 19 / 16 + 60 * 0.045**2 / 60


def test_06_the_dots_are_exact_risks_around_the_law_and_far_below_the_bound():
    mixture, risks = part_2_derivation.bound_run()
    for Q, risk in zip(part_2_derivation.BOUND_SAMPLES, risks, strict=True):
        law = float(risk_law(mixture, Q)[0])
        assert float(one_step_risk(mixture, Q)[0]) == pytest.approx(law, rel=0.05)  # z within 3 % (N5)
        assert risk == pytest.approx(law, rel=0.1) and risk_bound(mixture.K, Q) > 100 * risk
    # What is drawn in place of the samples: the direction of the first step is their signed mean.
    small = ValueMixture(disjoint(1), d=6, v=0.5, l_b=0.5)
    draws = (small.sample(8, np.random.default_rng(k)) for k in range(2000))
    signed = [(draw.side[:, None] * draw.x).mean(axis=0) for draw in draws]
    np.testing.assert_allclose(np.mean(signed, axis=0), small.concepts[0], atol=5 * 0.125 / np.sqrt(2000))
    np.testing.assert_allclose(np.std(signed, axis=0), 0.5 / 4, rtol=0.08)  # five standard errors of a deviation


def test_07_the_weaker_of_two_opposed_concepts_lies_on_the_wrong_side():
    def products(angle, short):
        a, b = np.radians(62), np.radians(62 + angle)
        c = np.array([100 * np.array([np.cos(a), -np.sin(a)]), short * np.array([np.cos(b), -np.sin(b)])])
        return c @ c.sum(axis=0)

    assert (products(90, 92) > 0).all() and np.sign(products(148, 54)).tolist() == [1, -1]
    assert part_2_derivation.conflict().count('class="l ink d"') == 1  # one dashed ring


def test_08_tokens_that_both_answers_share_cancel_in_the_margin():
    _, answers, gains = part_2_derivation.token_rewards()
    shared = [k for k in range(5) if answers[0][: k + 1] == answers[1][: k + 1]]
    assert shared == [0, 1, 2]
    np.testing.assert_allclose([gains[0][k] for k in shared], [gains[1][k] for k in shared])
    up, down = (sum(row) for row in gains)
    assert up > 0 > down
    assert up - down == pytest.approx(sum(gains[0][3:]) - sum(gains[1][3:]))


def test_09_means_about_the_common_mean_are_opposite_whatever_the_sides():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((22, 2))
    x -= x.mean(axis=0)
    who = rng.permutation(np.repeat([1, -1], 11))
    np.testing.assert_allclose(x[who > 0].mean(axis=0), -x[who < 0].mean(axis=0))


def test_10_every_point_of_every_run_lies_on_one_curve():
    ends = numbers_of(part_3_evidence.values(), "circle.predicted-f", "cx", "cy")
    right = ends[ends[:, 0] >= 440]
    S, r = (right[:, 0] - 440) / 55, (244 - right[:, 1]) / 150
    np.testing.assert_allclose(sorted(S), [4 / 16, 4 / 8, 1, 2, 4], atol=0.002)  # a tenth of a unit
    np.testing.assert_allclose(r + np.exp(r), 1 + S, atol=0.005)  # N1
    left = ends[ends[:, 0] < 440]
    np.testing.assert_allclose(np.sort(left[:, 1]), np.sort(right[:, 1]), atol=0.11)


def test_12_every_dot_lies_on_its_dash_as_near_as_the_picture_says():
    rows = np.array(list(part_4_sharper.told_and_found().values()))
    worst = np.abs(rows[..., 0] - rows[..., 1]).max()
    assert rows.shape == (3, 6, 2) and f"off by {worst:.3f} at most" in part_4_sharper.law()
    dots = numbers_of(part_4_sharper.law(), "circle.measured-f", "r")
    assert len(dots) == 18 + 1  # one in the key


def test_13_the_papers_ceiling_is_as_far_up_as_the_picture_says():
    bound, km = part_4_sharper.ceiling_height()
    assert bound == pytest.approx(2 * 16 * 48**2 * np.exp(-48 / 45)) and f"{bound:,.0f}" == "25,374"
    assert km == pytest.approx(bound * 200 / 96 * 2.54 / 100 / 1000)  # units of the sheet are pixels, 96 an inch
    assert part_4_sharper.FOUND < part_4_sharper.GUARANTEED < 0.5


def test_14_what_reaches_each_of_K_values_is_one_over_the_root_of_K():
    bars = re.findall(r'class="l margin w3" d="M\d+,([\d.]+) \d+,[\d.]+M[\d.]+,[\d.]+ [\d.]+,([\d.]+)',
                      part_4_sharper.diversity())
    lengths = [float(low) - float(high) for high, low in bars]
    np.testing.assert_allclose(lengths, [104, 52, 26], atol=0.11)
    noise = numbers_of(part_4_sharper.diversity(), "circle.tint-f", "r")
    np.testing.assert_allclose(noise[:, 0] * 2, 104 * 0.35, atol=0.11)  # the noise does not shrink


def test_15_the_pushes_are_the_slopes_of_the_losses():
    for loss, r, push in (("dpo", 2.0, 2 * expit(-2.0)), ("ipo", 2.0, -1.0)):
        slope = losses.margin_loss(loss).slope
        assert float(slope(np.array(r)) / slope(np.array(0.0))) == pytest.approx(push)
    assert f"510,{158 - 112 * 2 * expit(-2.0):.1f}" in part_5_beyond.losses()


def test_16_both_answers_fall_while_the_margin_grows():
    rows = part_5_beyond.chain_flow(0.0, time=7.0)
    chosen, rejected = rows[-1, 1], rows[-1, 2]
    assert rejected < chosen < 0
    margins = rows[:, 1] - rows[:, 2]
    assert (np.diff(margins) > 0).all()
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 4)  # changes from the uniform distribution


def test_17_the_spring_holds_the_chosen_answer_and_the_margin_is_larger():
    plain, held = (part_5_beyond.chain_flow(penalty)[-1] for penalty in (0.0, 20.0))
    assert plain[1] < -0.1 and abs(held[1]) < 0.02
    assert held[1] - held[2] > plain[1] - plain[2]


@pytest.mark.parametrize("penalty", [0.0, 20.0])
@pytest.mark.parametrize("z", [[0.3, -0.2, 0.1, 0.0], [-0.1, 0.4, -0.3, 0.2]])
def test_17_the_flow_goes_down_the_loss_of_its_name(penalty, z):
    loss = losses.DPOPositive(penalty)

    def value(z):
        change = np.log(4 * np.exp(z) / np.exp(z).sum())
        (a, b, c, _) = change
        return (np.array([3, 2]) / 5) @ loss.value(np.array([a - b, b - c]), chosen=np.array([a, b]))

    slopes = [(value(z + 1e-6 * unit) - value(z - 1e-6 * unit)) / 2e-6 for unit in np.eye(4)]
    np.testing.assert_allclose(part_5_beyond.chain_velocity(np.array(z), penalty), -np.array(slopes), atol=1e-7)


def test_18_beta_follows_the_gap_of_the_batch_against_its_running_mean():
    gaps, usual, betas = part_5_beyond.beta_run()
    mean, momentum = 0.6, 0.9
    for batch, running, beta in zip(gaps, usual, betas, strict=True):
        mean = momentum * mean + (1 - momentum) * batch.mean()
        assert running == pytest.approx(mean) and beta == pytest.approx(1 + 0.6 * (batch.mean() - mean))
    fields = numbers_of(part_5_beyond.beta_dpo(), "rect.tint-f", "x")
    assert len(fields) == (betas > 1).sum()


def test_20_the_arrows_stand_at_the_pairs_for_which_the_law_gives_the_risk():
    needs = [part_6.pairs_needed(v) for v in part_6.NOISE]
    assert np.isinf(needs[-1]) and np.isfinite(needs[:-1]).all()
    for v, need in zip(part_6.NOISE[:-1], needs, strict=False):
        Q = need / 2  # a pair of each side
        D = v * np.sqrt(1 + (1 + 0.25 + 576 * v * v) / (2 * Q))
        assert norm.cdf(-1 / D) == pytest.approx(0.05)
        x = 64 + 128 * np.log10(need)
        assert re.search(rf'predicted-f " d="M{x:.1f}'.removesuffix(".0"), part_6.ruler())
    assert norm.cdf(-1 / part_6.NOISE[-1]) > 0.05  # not even without end


# ---- on the screen ----

OVERLAPS = """() => [...document.querySelectorAll("svg.rm-picture")].flatMap(svg => {
  const name = svg.querySelector("title").textContent, out = [];
  const scale = svg.getBoundingClientRect().width / 720;
  const words = [...svg.querySelectorAll("text")].filter(t => getComputedStyle(t).display !== "none").map(t => {
    const b = t.getBBox(), size = parseFloat(getComputedStyle(t).fontSize), y = +t.getAttribute("y");
    const box = t.previousElementSibling, middle = box && +box.getAttribute("x") + box.getAttribute("width") / 2;
    return {said: t.textContent, x0: b.x, x1: b.x + b.width, y0: y - .7 * size, y1: y + .2 * size, size: size * scale,
            tile: box?.tagName === "rect" && Math.abs(middle - t.getAttribute("x")) < .2};
  });
  words.forEach((a, i) => {
    if (a.x0 < 0 || a.x1 > 720 || a.y0 < 0 || a.y1 > 300) out.push(`${name}: "${a.said}" leaves the sheet`);
    if (a.size < 12) out.push(`${name}: "${a.said}" is ${a.size.toFixed(1)} pixels high`);
    words.slice(i + 1).forEach(b => {
      if (a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1) out.push(`${name}: "${a.said}" on "${b.said}"`);
    });
  });
  for (const mark of svg.querySelectorAll("path, circle, rect")) {
    if (mark.getAttribute("class") === "tint-f") continue;          // a pale field may lie behind a word
    for (let at = 0, end = mark.getTotalLength(); at <= end; at += 1.5) {
      const p = mark.getPointAtLength(at);
      words.filter(w => !w.tile && p.x > w.x0 - 1 && p.x < w.x1 + 1 && p.y > w.y0 - 1 && p.y < w.y1 + 1)
        .forEach(w => out.push(`${name}: "${w.said}" on a ${mark.tagName} ${mark.getAttribute("class")}`));
    }
  }
  return [...new Set(out)];
})"""


@pytest.mark.parametrize("width", [COLUMN, SCREEN])
def test_no_word_lies_on_a_mark_or_a_word_and_all_can_be_read(browser, width):
    # On a phone the window is narrow too: that is what the large type asks for.
    page = browser.new_page(viewport={"width": 1000 if width > 500 else 390, "height": 800})
    font = base64.b64encode(FONT.read_bytes()).decode()
    face = f'@font-face{{font-family:"Book Sans";font-weight:200 900;src:url("data:font/woff2;base64,{font}")}}'
    style = f'<style>{face}html{{--rm-sans:"Book Sans"}}</style>'
    page.set_content(f'{style}<div style="width:{width}px">{"".join(map(picture, picture_names()))}</div>')
    page.evaluate("document.fonts.ready")
    assert page.evaluate(OVERLAPS) == []
    page.close()


def test_a_picture_without_a_page_follows_the_readers_scheme(browser):
    svg = picture("01_pair")
    for scheme, ink in (("light", "rgb(34, 38, 43)"), ("dark", "rgb(227, 231, 235)")):
        page = browser.new_page(color_scheme=scheme)
        page.goto("about:blank")
        found = page.evaluate("""svg => {
          const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
          document.replaceChild(document.importNode(root, true), document.documentElement);
          const text = document.querySelector("text.b:not(.page-f)");
          return [getComputedStyle(text).fill, getComputedStyle(document.documentElement).backgroundColor];
        }""", svg)
        assert found[0] == ink and found[1] != "rgba(0, 0, 0, 0)"
        page.close()
