"""The cards of the landing page: chapters that exist are linked, others are announced, and every chapter has one."""

import re

from bs4 import BeautifulSoup
from claims import BUILT, numbers

from book.tools.source import ROOT, find


def cards():
    soup = BeautifulSoup((BUILT / "book" / "index.html").read_text(encoding="utf-8"), "html.parser")
    return soup.select(".rm-cards > li")


def test_every_chapter_has_a_card_with_its_title_and_its_link():
    linked = {card.a["href"]: card.select_one(".rm-card-title").text for card in cards() if card.a}
    expected = {}
    for path in find(ROOT):
        title = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[1]
        number, _, words = title.partition(". ")
        expected[f"../chapters/{path.stem}.html"] = f"{int(number)}. {words}"
    assert linked == expected


def test_twenty_cards_with_a_glyph_each_and_no_link_for_what_is_to_come():
    assert len(cards()) == 20
    assert all(card.svg and card.select_one(".rm-card-line").text for card in cards())
    later = [card for card in cards() if not card.a]
    assert len(later) == 20 - len(find(ROOT)) and all("to come" in card.text for card in later)


def test_the_landing_pages_numbers():
    said = numbers("index")
    assert (said["tested"], said["learned"]) == (32, 96)
    assert said["before"] <= 20 and said["after"] >= 29
