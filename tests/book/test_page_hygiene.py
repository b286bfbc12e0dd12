"""Pages without what nobody should meet on them, and where their notebooks open."""

from types import SimpleNamespace

import pytest

from book.extensions.page_hygiene import STOP, colab, set_repository
from book.tools.references import REPOSITORY

FORMULA = '<span class="math notranslate nohighlight">\\(a &lt; b\\)</span>'
HOST = "https://colab.research.google.com/github"


def test_the_stop_after_a_formula_stays_with_it():
    tied = STOP.sub(r"<b>\1</b>", f"{FORMULA}, then ({FORMULA}). {FORMULA} alone and [{FORMULA} here")
    assert tied == f"<b>{FORMULA},</b> then <b>({FORMULA}).</b> {FORMULA} alone and <b>[{FORMULA}</b> here"


def app(**options):
    """As much of Sphinx as an address needs."""
    return SimpleNamespace(config=SimpleNamespace(html_theme_options=options))


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({"repository_url": "https://github.com/someone/book"},
         f"{HOST}/someone/book/blob/main/chapters/09_nine.ipynb"),
        ({"repository_url": "https://github.com/someone/book", "repository_branch": "dev"},
         f"{HOST}/someone/book/blob/dev/chapters/09_nine.ipynb"),
        ({"repository_url": ""}, ""),
        ({}, ""),
        ({"repository_url": "https://github.company.com/someone/book"}, ""),
    ],
)
def test_colab_opens_what_github_holds_and_nothing_else(options, address):
    assert colab(app(**options), "chapters/09_nine") == address


def test_the_environment_goes_before_the_file_and_is_checked(monkeypatch):
    monkeypatch.setenv(REPOSITORY, "https://github.com/someone/book.git/")
    config = app(repository_url="https://github.com/other/book").config
    set_repository(None, config)
    assert config.html_theme_options["repository_url"] == "https://github.com/someone/book"
    monkeypatch.setenv(REPOSITORY, "")
    set_repository(None, config)
    assert config.html_theme_options["repository_url"] == "" and not config.html_theme_options["use_repository_button"]
    monkeypatch.setenv(REPOSITORY, "someone/book")
    with pytest.raises(ValueError, match=f"^{REPOSITORY} must look like https://github.com/OWNER/NAME, got 'someone"):
        set_repository(None, config)
