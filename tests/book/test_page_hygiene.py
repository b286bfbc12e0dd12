"""Pages without what nobody should meet on them."""

from book.extensions.page_hygiene import STOP

FORMULA = '<span class="math notranslate nohighlight">\\(a &lt; b\\)</span>'


def test_the_stop_after_a_formula_stays_with_it():
    tied = STOP.sub(r"<b>\1</b>", f"{FORMULA}, then ({FORMULA}). {FORMULA} alone and [{FORMULA} here")
    assert tied == f"<b>{FORMULA},</b> then <b>({FORMULA}).</b> {FORMULA} alone and <b>[{FORMULA}</b> here"
