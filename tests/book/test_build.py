"""One page alone, a new chapter, a page that is built when it is saved."""

import subprocess
import sys
import time
import urllib.request

import pytest
from sample import ROOT, SAMPLE, make_book

from book.tools import build, site, source


@pytest.mark.slow
def test_one_page_is_run_exported_and_built_alone(tmp_path):
    root = make_book(tmp_path)
    # Another page, whose notebook would fail: it is not read.
    other = SAMPLE.replace("# 5. A sample", "# 6. Another").replace("from IPython", "1 / 0\nfrom IPython")
    (root / "chapters" / "06_other.md").write_text(other.replace(" fig-", " fig-other-"))
    (root / "book" / "_toc.yml").write_text((root / "book" / "_toc.yml").read_text() + "  - file: chapters/06_other\n")
    page = root / "_build" / "html" / "chapters" / "05_sample.html"

    def make(name):
        command = [sys.executable, "-m", "book.tools.build", name, "--root", str(root)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    status, log = make("05")
    assert status == 0, log
    assert "Figure 5.2" in page.read_text()
    assert (root / "chapters" / "05_sample.ipynb").exists()
    assert (root / "_build" / "numbers" / "05_sample.json").exists()
    (root / "chapters" / "05_sample.md").write_text(SAMPLE.replace("Code that carries", "A line that carries"))
    status, log = make("05")
    assert status == 0 and "1 of 1 notebooks are current, 0 to run" in log and f"{page} after" in log
    assert "A line that carries" in page.read_text()
    assert not (root / "_build" / "html" / "chapters" / "06_other.html").exists()
    status, log = make("06")
    assert status == 1 and "06_other.md: code cell 1 of" in log and "ZeroDivisionError" in log
    status, log = make("07")
    assert status == 1 and "no page begins with 07; there are 05_sample, 06_other, index" in log


def test_a_new_chapter_is_laid_out_and_listed(tmp_path):
    root = make_book(tmp_path)
    (root / "records").mkdir()
    path = build.new(root, "09_many_values")
    toc = (root / "book" / "_toc.yml").read_text()
    assert path.name == "09_many_values.md" and "NN" not in path.read_text() and "NUMBER" not in path.read_text()
    (exercise,) = source.exercises(source.read(path, root))
    assert exercise.check_name == "09.1" and exercise.label == "ex-09-1"
    assert toc.splitlines()[-1].strip() == "- file: chapters/09_many_values"
    with pytest.raises(ValueError, match="number 05 is taken by 05_sample"):
        build.new(root, "05_other")
    with pytest.raises(ValueError, match="such as 09_many_values, got '9 lives'"):
        build.new(root, "9 lives")


def test_a_page_is_built_when_it_is_saved_and_served_meanwhile(tmp_path, monkeypatch):
    root, built = make_book(tmp_path), []
    (tmp_path / "index.html").write_text("<p>served</p>")
    monkeypatch.setattr("book.tools.site.SITE", tmp_path)
    monkeypatch.setattr(build, "PORT", 0)
    path = root / "chapters" / "05_sample.md"

    def naps(seconds):
        if built:
            raise KeyboardInterrupt
        path.write_text(SAMPLE + "\nMore.\n")

    monkeypatch.setattr(time, "sleep", naps)
    monkeypatch.setattr(build, "one", lambda root, names, scale: built.append(names))
    with pytest.raises(KeyboardInterrupt):
        build.watch(root, "book")
    assert built == [["05_sample.md"]]


@pytest.mark.slow
def test_a_taken_port_gives_another_and_no_book_a_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "index.html").write_text("<p>served</p>")
    monkeypatch.setattr(site, "SITE", tmp_path)

    def interrupted():
        address = capsys.readouterr().out.rpartition("The book is at ")[2].partition(";")[0]
        assert b"served" in urllib.request.urlopen(address).read()
        raise KeyboardInterrupt

    with site.serving(0) as taken:
        site.show(int(taken.rstrip("/").rpartition(":")[2]), interrupted)
    monkeypatch.setattr(site, "SITE", tmp_path / "none")
    with pytest.raises(SystemExit, match="There are no built pages in"):
        site.show(0, interrupted)


@pytest.mark.slow
def test_the_whole_book_after_one_page_lists_all_pages_at_its_side(tmp_path):
    root = make_book(tmp_path)
    (root / "chapters" / "06_other.md").write_text("# 6. Another\n\nWords.\n")
    (root / "book" / "_toc.yml").write_text((root / "book" / "_toc.yml").read_text() + "  - file: chapters/06_other\n")
    page = root / "_build" / "html" / "chapters" / "05_sample.html"

    def make(*arguments):
        command = [sys.executable, "-m", "book.tools.build", *arguments, "--root", str(root)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    make("05")
    assert "6. Another" not in page.read_text()
    make("--strict")
    assert "6. Another" in page.read_text()
