"""Laws of the hub: verified bytes or a typed failure, and no network afterwards."""

import contextlib
import errno
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from model_core.checkpoints import hub_record
from model_core.checkpoints.hub import (
    DownloadCancelledError,
    HubClient,
    check_repo_id,
)
from model_core.checkpoints.hub_failures import FAILURES, failure
from model_core.checkpoints.hub_record import choose_files
from model_core.interfaces import ModelError
from tests.fakehub import COMMIT, FakeHub, Fault, git_sha1

REPO = "me/tiny-gpt2"
ROOT = Path(__file__).parents[3]
WEIGHTS = random.Random(0).randbytes(2_000_000)
FILES = {
    "README.md": b"# tiny",
    "config.json": b'{"model_type": "gpt2"}',
    "vocab.txt": "[PAD]\n床\n前\n".encode(),
    "tokenizer_config.json": b"{}",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickle",
    "tf_model.h5": b"hdf5",
}
CHOSEN = ("config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors")
TOTAL = sum(len(FILES[name]) for name in CHOSEN)


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch):
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("MASKPLAY_CACHE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def hub(monkeypatch):
    """A hub of this machine that HF_ENDPOINT points at."""
    with FakeHub({REPO: dict(FILES)}) as fake:
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        yield fake


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@contextlib.contextmanager
def failing(kind, zh, en, *, within=5.0):
    """Expect a failure of a kind, in both languages, before a person gives up."""
    start = time.monotonic()
    with pytest.raises(ModelError) as caught:
        yield caught
    assert time.monotonic() - start < within
    assert caught.value.kind == kind
    assert zh in caught.value.zh
    assert en in caught.value.en


def blobs(cache):
    return sorted(path.name for path in cache.glob("models--*/blobs/*"))


# What is fetched


def test_a_snapshot_holds_what_a_loader_needs_and_one_weight_format(hub, cache):
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.repo_id, snapshot.commit) == (REPO, COMMIT)
    found = {path.name: path.read_bytes() for path in snapshot.folder.iterdir()}
    assert found == {name: FILES[name] for name in CHOSEN}


def test_an_outline_tells_sizes_and_fetches_no_file(hub, cache):
    hub.said = {
        "cardData": {"license": "apache-2.0"},
        "safetensors": {"parameters": {"F16": 1_000_000}, "total": 1_000_000},
    }
    outline = HubClient(cache).outline(REPO)
    assert outline.size_bytes == TOTAL
    assert outline.weights_bytes == len(WEIGHTS)
    assert (outline.license, outline.num_parameters) == ("apache-2.0", 1_000_000)
    assert not outline.is_here
    assert not hub.bodies("config.json")
    assert blobs(cache) == []


@pytest.mark.parametrize("said", [{}, {"cardData": {"license": ["mit", "other"]}}])
def test_an_outline_invents_nothing_that_the_hub_does_not_say(hub, cache, said):
    hub.said = said
    outline = HubClient(cache).outline(REPO)
    assert (outline.license, outline.num_parameters) == ("", 0)


def test_an_outline_of_what_is_here_asks_nobody(hub, cache):
    HubClient(cache).snapshot(REPO)
    outline = HubClient(cache, offline=True).outline(REPO)
    assert outline.is_here
    assert outline.size_bytes == TOTAL


def test_an_outline_fails_as_a_download_would(hub, cache):
    with failing("not_found", "me/nothing", "me/nothing"):
        HubClient(cache).outline("me/nothing")
    with failing("unsafe_name", "编号", "hub id"):
        HubClient(cache).outline("../etc")


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["config.json", "tf_model.h5"], ("config.json", "tf_model.h5")),
        (
            ["config.json", "tf_model.h5", "pytorch_model.bin"],
            ("config.json", "pytorch_model.bin"),
        ),
        (
            ["bert_config.json", "vocab.txt", "pytorch_model.bin"],
            ("bert_config.json", "vocab.txt", "pytorch_model.bin"),
        ),
        (
            [
                "config.json",
                "model-00002-of-00002.safetensors",
                "model-00001-of-00002.safetensors",
                "model.safetensors.index.json",
                "pytorch_model.bin",
            ],
            (
                "config.json",
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ),
        ),
        (
            [
                "config.json",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
                "pytorch_model.bin",
            ],
            ("config.json", "pytorch_model.bin"),
        ),
        (["vocab.txt", "model.safetensors"], ()),
        (["config.json", "flax_model.msgpack"], ()),
        (
            [
                "config.json",
                "tf_model-00001-of-00001.h5",
                "tf_model.h5.index.json",
            ],
            (),
        ),
        (["config.json", "../model.safetensors", "a/model.safetensors"], ()),
    ],
)
def test_one_format_is_chosen_whole_or_not_at_all(present, chosen):
    assert choose_files(present) == chosen


def test_sharded_weights_arrive_with_their_index(hub, cache):
    hub.repos["me/shards"] = {
        "config.json": b"{}",
        "pytorch_model.bin.index.json": b"{}",
        "pytorch_model-00001-of-00002.bin": b"one",
        "pytorch_model-00002-of-00002.bin": b"two",
    }
    folder = HubClient(cache).snapshot("me/shards").folder
    assert {path.name for path in folder.iterdir()} == set(hub.repos["me/shards"])


def test_a_repository_without_readable_weights_is_refused_by_what_it_has(hub, cache):
    hub.repos["me/flax"] = {"config.json": b"{}", "flax_model.msgpack": b"x"}
    with failing("unsupported", "没有可读的权重", "config.json, flax_model.msgpack"):
        HubClient(cache).snapshot("me/flax")


def test_shards_that_nothing_reads_are_refused_before_the_download(hub, cache):
    shard = "tf_model-00001-of-00001.h5"
    hub.repos["me/h5"] = {
        "config.json": b"{}",
        "tf_model.h5.index.json": b"{}",
        shard: b"hdf5",
    }
    with failing("unsupported", "tf_model.h5（仅单个文件）", "in one file, tf_"):
        HubClient(cache).snapshot("me/h5")
    assert not hub.bodies(shard)


# Progress, breaks and wrong bytes


def test_progress_moves_from_nothing_to_everything(hub, cache):
    hub.fail("model.safetensors", Fault("slow", seconds=0.5))
    seen = []
    HubClient(cache).snapshot(REPO, on_progress=lambda *bytes_: seen.append(bytes_))
    here = [bytes_[0] for bytes_ in seen]
    assert {bytes_[1] for bytes_ in seen} == {TOTAL}
    assert here == sorted(here)
    assert (here[0], here[-1]) == (0, TOTAL)
    assert len(set(here)) > 20


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_a_cut_heals_and_goes_on_where_it_was(hub, cache, percent):
    cut = len(WEIGHTS) * percent // 100
    hub.fail("model.safetensors", Fault("cut", after_bytes=cut))
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS
    ranges = [seen.headers.get("range") for seen in hub.bodies("model.safetensors")]
    assert ranges == [None, None, f"bytes={cut}-", f"bytes={cut}-"]


def test_an_honest_header_over_too_little_heals_too(hub, cache):
    hub.fail("model.safetensors", Fault("short", after_bytes=70_000))
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS


def test_a_server_that_ignores_the_range_still_gives_the_right_bytes(hub, cache):
    hub.fail("model.safetensors", Fault("cut", after_bytes=90_000), Fault("whole"))
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert len(hub.bodies("model.safetensors")) == 4  # twice, by way of the redirect


def test_breaks_without_progress_end_and_the_next_start_goes_on(hub, cache):
    hub.fail("model.safetensors", Fault("cut", after_bytes=1_000_000))
    hub.fail("model.safetensors", *[Fault("status", status=503)] * 2)
    with failing("network", "HTTP 503", "error HTTP 503"):
        HubClient(cache).snapshot(REPO)
    hub.requests.clear()
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.bodies("model.safetensors")[-1].headers["range"] == "bytes=1000000-"


def test_a_connection_that_keeps_breaking_is_reported_as_resumable(hub, cache):
    hub.fail("model.safetensors", *[Fault("short", after_bytes=1)] * 2)
    hub.fail("model.safetensors", *[Fault("short", after_bytes=0)] * 2)
    with failing("network", "即可续传", "it resumes", within=8):
        HubClient(cache).snapshot(REPO)


def test_a_passing_error_of_the_server_is_asked_once_more(hub, cache):
    hub.fail("vocab.txt", Fault("status", status=502))
    hub.fail("model.safetensors", Fault("status", status=429))
    assert HubClient(cache).snapshot(REPO).commit == COMMIT


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_corrupt_bytes_are_fetched_again(hub, cache, name):
    hub.fail(name, Fault("corrupt"))
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.folder / name).read_bytes() == FILES[name]


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_bytes_corrupt_twice_are_thrown_away_and_reported(hub, cache, name):
    hub.fail(name, Fault("corrupt"), Fault("corrupt"))
    with failing("corrupt", f"文件 {name} 与", f"File {name} of {REPO}"):
        HubClient(cache).snapshot(REPO)
    names = {"model.safetensors": "sha256", "vocab.txt": git_sha1(FILES["vocab.txt"])}
    assert not any(blob.startswith(names[name]) for blob in blobs(cache))
    assert not list(cache.glob(f"**/snapshots/*/{name}"))
    assert not list(cache.glob("**/*.incomplete"))
    assert HubClient(cache).snapshot(REPO).commit == COMMIT


def test_cancelling_returns_within_a_second_even_while_the_hub_stalls(hub, cache):
    hub.fail("model.safetensors", Fault("stall", after_bytes=500_000, seconds=3))
    stop = threading.Event()
    threading.Timer(0.6, stop.set).start()
    start = time.monotonic()
    with pytest.raises(DownloadCancelledError):
        HubClient(cache).snapshot(REPO, cancelled=stop.is_set)
    assert time.monotonic() - start < 1.6
    assert not list(cache.glob("**/.maskplay/*.json"))


def test_a_cancelled_download_goes_on_later(hub, cache):
    hub.fail("model.safetensors", Fault("slow", seconds=4))
    arrived = threading.Event()

    def far_enough(here, _):
        if here > 200_000:
            arrived.set()

    with pytest.raises(DownloadCancelledError):
        HubClient(cache).snapshot(
            REPO, on_progress=far_enough, cancelled=arrived.is_set
        )
    HubClient(cache).snapshot(REPO)
    resumed = hub.bodies("model.safetensors")[-1].headers["range"]
    assert int(resumed.removeprefix("bytes=").removesuffix("-")) > 100_000


# The second start


def test_a_second_start_needs_no_network_and_follows_the_record(hub, cache):
    first = HubClient(cache).snapshot(REPO)
    hub.commit = "b" * 40
    hub.requests.clear()
    assert HubClient(cache).snapshot(REPO) == first
    assert HubClient(cache, offline=True).snapshot(REPO) == first
    assert hub.requests == []


def test_a_second_start_reads_no_file_that_has_not_changed(hub, cache, monkeypatch):
    HubClient(cache).snapshot(REPO)
    read = []
    monkeypatch.setattr(hub_record, "digest_of", lambda path, _: read.append(path))
    HubClient(cache, offline=True).snapshot(REPO)
    assert read == []


def test_the_record_holds_the_commit_and_the_digests_of_the_hubs_list(hub, cache):
    HubClient(cache).snapshot(REPO)
    text = next(cache.glob("**/.maskplay/main.json")).read_text()
    record = json.loads(text)
    assert (record["repo_id"], record["commit"]) == (REPO, COMMIT)
    digests = {file["name"]: file["digest"] for file in record["files"]}
    assert digests["vocab.txt"] == f"git-sha1:{git_sha1(FILES['vocab.txt'])}"
    assert digests["model.safetensors"].startswith("sha256:")


def test_without_a_record_offline_says_what_to_do(hub, cache, monkeypatch):
    with failing("offline", "去掉 --offline", "drop --offline", within=1):
        HubClient(cache, offline=True).snapshot(REPO)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with failing("offline", "离线模式", "HF_HUB_OFFLINE", within=1):
        HubClient(cache).snapshot(REPO)
    assert hub.requests == []


def test_bytes_damaged_on_the_disk_are_found_and_fetched_again(hub, cache):
    weights = HubClient(cache).snapshot(REPO).folder / "model.safetensors"
    weights.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1]))
    with failing("offline", "model.safetensors 缺失或已损坏", "File model.safetensors"):
        HubClient(cache, offline=True).snapshot(REPO)
    HubClient(cache).snapshot(REPO)
    assert weights.read_bytes() == WEIGHTS


def test_files_that_were_only_touched_are_read_again_not_fetched(hub, cache):
    weights = HubClient(cache).snapshot(REPO).folder / "model.safetensors"
    os.utime(weights, ns=(1, 1))
    hub.requests.clear()
    HubClient(cache, offline=True).snapshot(REPO)
    assert '"mtime_ns": 1\n' in next(cache.glob("**/.maskplay/*")).read_text()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: text.replace('"format": 1', '"format": 99'),
        lambda text: text.replace("vocab.txt", "../../vocab.txt"),
        lambda text: text.replace(COMMIT, "../../.."),
        lambda text: text.replace("git-sha1:", "md5:"),
        lambda text: text.replace(REPO, "you/other"),
    ],
)
def test_a_record_that_cannot_be_trusted_is_resolved_anew(hub, cache, damage):
    HubClient(cache).snapshot(REPO)
    record = next(cache.glob("**/.maskplay/main.json"))
    record.write_text(damage(record.read_text()))
    hub.requests.clear()
    assert HubClient(cache).snapshot(REPO).commit == COMMIT
    assert [seen.path for seen in hub.requests] == [
        f"/api/models/{REPO}/revision/main",
        f"/api/models/{REPO}/tree/{COMMIT}",
    ]


def test_the_hubs_own_client_finds_what_was_fetched(hub, cache):
    import huggingface_hub

    HubClient(cache).snapshot(REPO)
    found = huggingface_hub.hf_hub_download(
        REPO, "model.safetensors", cache_dir=cache, local_files_only=True
    )
    assert Path(found).read_bytes() == WEIGHTS


def fetch_with_the_hubs_own_client(hub, cache, names=CHOSEN):
    import huggingface_hub
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True  # it would look for another host
    for name in names:
        huggingface_hub.hf_hub_download(
            REPO, name, cache_dir=cache, endpoint=hub.url, revision="main"
        )


def test_what_the_hubs_own_client_fetched_is_used(hub, cache):
    fetch_with_the_hubs_own_client(hub, cache)
    hub.requests.clear()
    HubClient(cache).snapshot(REPO)
    assert not any("/resolve/" in seen.path for seen in hub.requests)


def test_what_the_hubs_own_client_fetched_is_used_without_a_network(hub, cache):
    fetch_with_the_hubs_own_client(hub, cache)
    hub.requests.clear()
    assert HubClient(cache, offline=True).snapshot(REPO).commit == COMMIT
    assert hub.requests == []


def test_what_a_cache_lacks_is_asked_for_when_the_hub_answers(hub, cache):
    fetch_with_the_hubs_own_client(hub, cache, names=("config.json", CHOSEN[-1]))
    folder = HubClient(cache, offline=True).snapshot(REPO).folder
    assert {path.name for path in folder.iterdir()} == {"config.json", CHOSEN[-1]}
    HubClient(cache).snapshot(REPO)
    assert {path.name for path in folder.iterdir()} == set(CHOSEN)
    hub.requests.clear()
    HubClient(cache).snapshot(REPO)
    assert hub.requests == []


def test_an_outline_of_a_cache_that_may_lack_files_is_the_hubs_where_it_answers(
    hub, cache
):
    fetch_with_the_hubs_own_client(hub, cache, names=("config.json", CHOSEN[-1]))
    offline = HubClient(cache, offline=True)
    offline.snapshot(REPO)
    some = offline.outline(REPO)
    assert (some.is_here, some.size_bytes < TOTAL) == (True, True)
    whole = HubClient(cache).outline(REPO)
    assert (whole.is_here, whole.size_bytes) == (False, TOTAL)


def test_a_cache_that_grows_is_seen_without_a_network(hub, cache):
    fetch_with_the_hubs_own_client(hub, cache, names=("config.json", CHOSEN[-1]))
    HubClient(cache, offline=True).snapshot(REPO)
    fetch_with_the_hubs_own_client(hub, cache)
    HubClient(cache, offline=True).snapshot(REPO)
    assert HubClient(cache, offline=True).outline(REPO).size_bytes == TOTAL


def test_a_second_start_on_a_cache_alone_reads_no_file_again(hub, cache, monkeypatch):
    fetch_with_the_hubs_own_client(hub, cache)
    HubClient(cache, offline=True).snapshot(REPO)
    read = []
    monkeypatch.setattr(hub_record, "digest_of", lambda path, _: read.append(path))
    HubClient(cache, offline=True).snapshot(REPO)
    assert read == []


def test_half_a_cache_of_the_hubs_own_client_is_not_enough_offline(hub, cache):
    fetch_with_the_hubs_own_client(hub, cache, names=CHOSEN[:3])
    with failing("offline", "还没有下载到本机", "not on this machine"):
        HubClient(cache, offline=True).snapshot(REPO)


def test_a_damaged_cache_of_the_hubs_own_client_is_not_used_offline(hub, cache):
    fetch_with_the_hubs_own_client(hub, cache)
    weights = next(cache.glob("**/snapshots/*/model.safetensors"))
    weights.write_bytes(WEIGHTS[::-1])
    hub.requests.clear()
    with failing("offline", "还没有下载到本机", "not on this machine"):
        HubClient(cache, offline=True).snapshot(REPO)
    assert hub.requests == []


def test_where_links_cannot_be_made_files_are_copied(hub, cache, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = HubClient(cache).snapshot(REPO).folder
    assert not (folder / "model.safetensors").is_symlink()
    assert {path.name for path in folder.iterdir()} == set(CHOSEN)
    hub.requests.clear()
    HubClient(cache, offline=True).snapshot(REPO)


# Failures


def test_a_missing_repository(hub, cache):
    with failing("not_found", "找不到「me/nothing」", "no repository me/nothing"):
        HubClient(cache).snapshot("me/nothing")


def test_a_missing_revision(hub, cache):
    with failing("not_found", "没有这个版本", "no such revision"):
        HubClient(cache).snapshot(f"{REPO}@v9")


def test_a_gated_repository_and_its_token(hub, cache, monkeypatch):
    hub.gated = frozenset({REPO})
    with failing("gated", "同意条款", "accept its terms"):
        HubClient(cache).snapshot(REPO)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    HubClient(cache).snapshot(REPO)
    tokens = {seen.path[:5]: seen.headers.get("authorization") for seen in hub.requests}
    assert tokens["/me/t"] == "Bearer hf_secret"
    assert tokens["/cdn/"] is None  # another host never sees the token


def test_a_refused_connection(hub, cache, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with failing("network", "连不上模型站", "cannot be reached", within=2):
            HubClient(cache).snapshot(REPO)


def test_a_hub_that_never_answers(hub, cache):
    hub.fail("/revision/main", Fault("stall", seconds=6))
    with failing("network", "检查网络", "HF_ENDPOINT"):
        HubClient(cache).snapshot(REPO)


def test_a_name_lookup_that_never_ends(cache, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(6))
    with failing("network", "http://hub.invalid", "http://hub.invalid"):
        HubClient(cache).snapshot(REPO)


def test_a_gateway_that_answers_every_address_with_its_own_page(hub, cache):
    hub.fail("/revision/main", Fault("gateway"))
    with failing("network", "登录网关", "sign-in gateway"):
        HubClient(cache).snapshot(REPO)


def test_a_server_in_trouble(hub, cache):
    hub.fail("/revision/main", Fault("status", status=500))
    with failing("network", "HTTP 500", "HTTP 500"):
        HubClient(cache).snapshot(REPO)


def test_too_little_space_is_said_before_the_download(hub, cache, monkeypatch):
    usage = shutil.disk_usage(cache.parent)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with failing("disk", "2.0 MB > 1.0 MB", "Not enough disk space"):
        HubClient(cache).snapshot(REPO)
    assert hub.bodies("config.json") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_disk_that_fills_up_on_the_way(hub, cache):
    HubClient(cache).snapshot(REPO)
    shutil.rmtree(next(cache.glob("**/snapshots")))
    blob = max(cache.glob("**/blobs/*"), key=lambda path: path.stat().st_size)
    blob.unlink()
    partial = blob.with_name(f"{blob.name}.maskplay.incomplete")
    partial.symlink_to("/dev/full")
    with failing("disk", "磁盘空间不足", "--cache-dir"):
        HubClient(cache).snapshot(REPO)
    assert not partial.is_symlink()


@pytest.fixture
def tiny_disk(tmp_path):
    """A real file system of one megabyte, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_really_full_disk_is_left_as_it_was(hub, tiny_disk, monkeypatch):
    usage = shutil.disk_usage(tiny_disk)._replace(free=1 << 40)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with failing("disk", "磁盘空间不足", "Free some space"):
        HubClient(tiny_disk).snapshot(REPO)
    assert not list(tiny_disk.glob("**/*.incomplete"))


def test_a_read_only_cache_is_reported_and_a_complete_one_serves(hub, tiny_disk):
    hub.repos["me/small"] = {**FILES, "model.safetensors": b"small"}
    HubClient(tiny_disk).snapshot("me/small")
    shutil.rmtree(next(tiny_disk.glob("**/.maskplay")))
    remount = ["mount", "-o", "remount,ro", str(tiny_disk)]
    subprocess.run(remount, check=True)
    assert HubClient(tiny_disk).snapshot("me/small").commit == COMMIT
    with failing("disk", "不可写", "cannot be written"):
        HubClient(tiny_disk).snapshot(REPO)


def test_a_cache_that_cannot_be_a_folder(hub, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with failing("disk", "请检查权限", "Check its permissions"):
        HubClient(tmp_path / "file" / "cache").snapshot(REPO)


def test_every_failure_has_both_languages_and_a_next_step():
    for row in FAILURES:
        error = failure(row, repo="r", endpoint="e", folder="f", file="x", detail="d")
        assert "请" in error.zh, row
        assert error.zh.endswith("。"), row
        assert error.en.endswith("."), row


# Names


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("uer/gpt2-chinese-poem", ("uer/gpt2-chinese-poem", None)),
        ("  a/b_c.d-e  ", ("a/b_c.d-e", None)),
        ("a/b@v1.0", ("a/b", "v1.0")),
        ("a/b@refs/pr/3", ("a/b", "refs/pr/3")),
        (f"a/b@{COMMIT}", ("a/b", COMMIT)),
    ],
)
def test_names_that_are_accepted(text, parts):
    assert check_repo_id(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gpt2",
        "a/b/c",
        "/etc/passwd",
        "../a/b",
        "a/..",
        "a/b..c",
        "a\\b/c",
        "C:\\models\\x",
        "https://huggingface.co/a/b",
        "file:///etc/passwd",
        "a/b?x=1",
        "a/b#c",
        "a/b c",
        "模型/名字",
        "a/b\nx",
        "a/\ud800",
        "a/" + "b" * 100,
        "a/b@",
        "a/b@../../x",
        "a/b@/etc",
        "a/b@x//y",
        "a/b@x@y",
        "a/b@" + "c" * 200,
        "~/models/x",
        "./a/b",
    ],
)
def test_names_that_are_refused(text):
    with pytest.raises(ModelError) as caught:
        check_repo_id(text)
    assert caught.value.kind == "unsafe_name"
    assert "「作者/名称」" in caught.value.zh
    assert "owner/name@revision" in caught.value.en
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


def test_an_unsafe_revision_argument_is_refused_too(cache):
    with pytest.raises(ModelError, match="owner/name@revision"):
        HubClient(cache).snapshot(REPO, "../main")


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MASKPLAY_CACHE", str(tmp_path / "named"))
    assert HubClient().cache_dir == tmp_path / "named"
    assert HubClient(tmp_path / "told").cache_dir == tmp_path / "told"


# Several processes

FETCH = """
    import sys
    from pathlib import Path
    from model_core.checkpoints.hub import HubClient

    snapshot = HubClient(Path(sys.argv[1])).snapshot(sys.argv[2])
    sys.stdout.write(snapshot.commit)
"""


def start_fetching(cache):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(FETCH), str(cache), REPO],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_four_processes_at_once_share_one_download(hub, cache):
    hub.fail("model.safetensors", Fault("slow", seconds=1))
    processes = [start_fetching(cache) for _ in range(4)]
    outcomes = [process.communicate(timeout=50) for process in processes]
    assert [out for out, _ in outcomes] == [COMMIT] * 4, outcomes
    carried = [seen for seen in hub.requests if seen.path.startswith("/cdn/")]
    assert len(carried) == 1
    hub.requests.clear()
    folder = HubClient(cache, offline=True).snapshot(REPO).folder
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {name: FILES[name] for name in CHOSEN}
    assert len(blobs(cache)) == len(CHOSEN)


def test_a_process_killed_on_the_way_leaves_a_download_that_goes_on(hub, cache):
    hub.fail("model.safetensors", Fault("slow", seconds=20))
    process = start_fetching(cache)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        partial = next(cache.glob("**/*.incomplete"), None)
        if partial and partial.stat().st_size > 30_000:
            break
        time.sleep(0.05)
    process.kill()
    process.communicate()
    snapshot = HubClient(cache).snapshot(REPO)
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.bodies("model.safetensors")[-1].headers["range"].startswith("bytes=")


def test_importing_the_client_imports_no_library():
    code = (
        "import sys, model_core.checkpoints.hub;"
        "print([m for m in ('huggingface_hub', 'httpx2') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
