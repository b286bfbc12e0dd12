"""Files that are whole or absent, also when the disk fills up or the process dies."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import files
from helpers.files import DamagedFile, atomic_file, atomic_folder, cache_folder, locked, sha256, sweep, verify


def no_space(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def python(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_cache_folder_is_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path / "here"))
    assert cache_folder("a", "b") == tmp_path / "here" / "a" / "b"
    assert (tmp_path / "here" / "a" / "b").is_dir()


def test_cache_folder_without_the_variable_is_the_platforms(monkeypatch, tmp_path):
    monkeypatch.delenv("REWARD_MARGINS_CACHE", raising=False)
    monkeypatch.setattr(files.platformdirs, "user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    assert cache_folder() == tmp_path / "reward-margins"


def test_cache_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(OSError, match="cannot be made.*set REWARD_MARGINS_CACHE"):
        cache_folder()


def test_atomic_file(tmp_path):
    target = tmp_path / "x.txt"
    for text in ("one", "two"):
        with atomic_file(target) as partial:
            assert partial.parent == tmp_path  # a rename is atomic only within one file system
            partial.write_text(text)
        assert target.read_text() == text
    assert os.listdir(tmp_path) == ["x.txt"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("before", [None, "old"])
def test_atomic_file_on_a_full_disk(tmp_path, monkeypatch, function, before):
    target = tmp_path / "x.txt"
    if before:
        target.write_text(before)
    monkeypatch.setattr(files.os, function, no_space)
    with pytest.raises(OSError, match="No space left"), atomic_file(target) as partial:
        partial.write_text("new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ([before] if before else [])


def test_atomic_folder(tmp_path):
    target = tmp_path / "x"
    for name in ("one", "two"):
        with atomic_folder(target) as partial:
            (partial / "below").mkdir()
            (partial / "below" / name).write_text(name)
        assert [p.name for p in (target / "below").iterdir()] == [name]
    assert os.listdir(tmp_path) == ["x"]


def test_atomic_folder_keeps_the_old_one_after_an_error(tmp_path, monkeypatch):
    target = tmp_path / "x"
    with atomic_folder(target) as partial:
        (partial / "name").write_text("old")
    replace = os.replace

    def fail_at_the_second(source, sink, calls=[]):  # noqa: B006
        calls.append(source)
        if len(calls) == 2:
            no_space()
        replace(source, sink)

    monkeypatch.setattr(files.os, "replace", fail_at_the_second)
    with pytest.raises(OSError, match="No space left"), atomic_folder(target) as partial:
        (partial / "name").write_text("new")
    assert (target / "name").read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_killed_writer_leaves_nothing_under_the_name_and_sweep_cleans(tmp_path):
    writer = python(
        "import sys, time\nfrom helpers.files import atomic_file\n"
        "with atomic_file(sys.argv[1]) as partial:\n"
        "    partial.write_text('half'); print('written', flush=True); time.sleep(60)\n",
        tmp_path / "x",
    )
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    assert not (tmp_path / "x").exists()
    assert len(os.listdir(tmp_path)) == 1
    (tmp_path / "other").write_text("")
    sweep(tmp_path)
    assert os.listdir(tmp_path) == ["other"]


def test_a_second_process_waits_and_a_dead_holder_holds_nothing(tmp_path):
    holder = python(
        "import sys, time\nfrom helpers.files import locked\n"
        "with locked(sys.argv[1]):\n    print('held', flush=True); time.sleep(60)\n",
        tmp_path / "x",
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(TimeoutError, match="another process has held .*x for more than 0.1 seconds"):
        with locked(tmp_path / "x", timeout=0.1):
            pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with locked(tmp_path / "x", timeout=10):
        pass


def test_the_lock_excludes(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom helpers.files import locked\n"
        "counter = Path(sys.argv[1])\n"
        "for _ in range(100):\n    with locked(counter):\n"
        "        counter.write_text(str(int(counter.read_text()) + 1))\n"
    )
    (tmp_path / "counter").write_text("0")
    for process in [python(code, tmp_path / "counter") for _ in range(2)]:
        assert process.communicate() == ("", "")
    assert (tmp_path / "counter").read_text() == "200"


@given(st.binary(max_size=300))
def test_sha256(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    assert sha256(path) == digest
    verify(path, digest)
    with pytest.raises(DamagedFile, match=f"content must have SHA-256 0000, got {digest}"):
        verify(path, "0000")


def test_sha256_of_the_standard(tmp_path):
    path = Path(tmp_path / "abc")
    path.write_text("abc")  # FIPS 180-4's own example
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("before", [None, "old"])
def test_saved_names_the_file_when_the_disk_takes_no_more(tmp_path, before):
    # A limit on the size of files fails in the middle of a write, as a full disk does.
    if before:
        (tmp_path / "x").write_text(before)
    writer = python(
        "import resource, sys\nfrom helpers.files import saved\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    with saved(sys.argv[1]) as partial:\n        partial.write_bytes(bytes(9000))\n"
        "except OSError as error:\n    print(error)\n",
        tmp_path / "x",
    )
    said, _ = writer.communicate()
    assert said.count("\n") == 1 and f"{tmp_path / 'x'} could not be written (File too large)" in said
    assert [p.read_text() for p in tmp_path.iterdir()] == ([before] if before else [])
