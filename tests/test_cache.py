"""The cache keeps bytes, and the attacks of CVE-2025-69872 and its neighbours are misses."""

from __future__ import annotations

import pickle
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.cache import Cache
from studio.errors import StudioError

BIG = b"b" * 100_000  # beyond what lives inside the database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder: Path) -> Iterator[Cache]:
    with Cache(folder) as opened:
        yield opened


def forge(folder: Path, **columns: Any) -> None:
    """Rewrite every row of the database, as someone with write access to the folder may."""
    connection = sqlite3.connect(folder / "cache.db")
    with connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE Cache SET {name} = ?", (value,))
    connection.close()


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("value", [b"", b"small", BIG], ids=["empty", "small", "big"])
def test_what_is_put_is_got(cache: Cache, folder: Path, value: bytes) -> None:
    cache.put("key", value)
    assert cache.get("key") == value
    cache.close()
    with Cache(folder) as again:
        assert again.get("key") == value
        assert again.get("another") is None


def test_a_new_value_replaces_the_old(cache: Cache, folder: Path) -> None:
    for value in (BIG, b"small", BIG + b"2"):
        cache.put("key", value)
        assert cache.get("key") == value
    assert len(list(folder.glob("??/??/*.val"))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_folder_is_private(cache: Cache, folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("key", [1, 1.5, b"key", None, ("a", "b"), {"a": 1}])
def test_keys_are_text(cache: Cache, key: Any) -> None:
    with pytest.raises(TypeError, match="a cache key is text"):
        cache.put(key, b"value")
    with pytest.raises(TypeError, match="a cache key is text"):
        cache.get(key)


@pytest.mark.parametrize("value", ["text", 1, None, ["a"], {"a": 1}, bytearray(b"x"), memoryview(b"x")])
def test_values_are_bytes(cache: Cache, value: Any) -> None:
    with pytest.raises(TypeError, match="a cache value is bytes"):
        cache.put("key", value)


@pytest.mark.parametrize("value", [b"small", BIG], ids=["inline", "file"])
def test_a_planted_pickle_is_not_run(cache: Cache, folder: Path, tmp_path: Path, value: bytes) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "ran"))
    cache.put("key", value)
    for file in folder.glob("??/??/*.val"):
        file.write_bytes(bomb)
    forge(folder, mode=4, **({"value": bomb} if value == b"small" else {}))
    assert cache.get("key") is None
    assert not (tmp_path / "ran").exists()
    pickle.loads(bomb)
    assert (tmp_path / "ran").exists(), "the attack itself must work, or this test proves nothing"


def test_a_planted_pickle_as_key_is_not_run(cache: Cache, folder: Path, tmp_path: Path) -> None:
    cache.put("key", b"value")
    forge(folder, key=pickle.dumps(Bomb(tmp_path / "ran")), raw=0)
    assert cache.get("key") is None
    cache.put("key", b"value")
    assert cache.get("key") == b"value"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["../secret", "{absolute}", "link/secret", "", ".", "cache.db"])
def test_a_planted_file_name_leads_nowhere(cache: Cache, folder: Path, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path)
    cache.put("key", BIG)
    forge(folder, filename=name.format(absolute=secret))
    assert cache.get("key") is None
    cache.put("key", b"new")  # diskcache now deletes the old row's file
    assert secret.read_bytes() == b"secret"
    assert cache.get("key") == b"new"


@pytest.mark.parametrize("mode", [0, 3, 99, None])
def test_a_forged_mode_is_a_miss(cache: Cache, folder: Path, mode: int | None) -> None:
    cache.put("key", BIG)
    forge(folder, mode=mode, value="text")
    assert cache.get("key") is None


@pytest.mark.parametrize("data", [b"", b"x", BIG], ids=["emptied", "short", "other bytes"])
def test_a_damaged_file_is_a_miss(cache: Cache, folder: Path, data: bytes) -> None:
    cache.put("key", BIG)
    (file,) = folder.glob("??/??/*.val")
    file.write_bytes(data)
    assert cache.get("key") is None
    file.unlink()
    assert cache.get("key") is None
    cache.put("key", BIG)
    assert cache.get("key") == BIG


@pytest.mark.parametrize("damage", ["not a database", ""])
def test_a_damaged_database_costs_only_what_was_cached(folder: Path, damage: str) -> None:
    with Cache(folder) as cache:
        cache.put("key", BIG)
    for path in folder.glob("cache.db*"):
        path.write_text(damage)
    with Cache(folder) as cache:
        assert cache.get("key") is None
        cache.put("key", BIG)
        assert cache.get("key") == BIG


def test_a_database_damaged_under_an_open_cache_ends_nothing(cache: Cache, folder: Path) -> None:
    cache.put("key", b"value")
    cache.close()
    for path in folder.glob("cache.db*"):
        path.write_bytes(b"not a database" * 1000)
    cache.put("key", b"value")
    assert cache.get("key") is None


def test_a_cache_that_cannot_be_opened_is_not_cleared(folder: Path) -> None:
    (folder / "cache.db").mkdir(parents=True)
    with pytest.raises(StudioError, match=r"The cache in .* cannot be opened"):
        Cache(folder)
    assert (folder / "cache.db").is_dir()


@pytest.mark.parametrize(("name", "value"), [("disk__directory", "/"), ("eviction_policy", "?"), ("disk_evil", 1)])
def test_forged_settings_do_not_reach_the_disk(folder: Path, name: str, value: Any) -> None:
    Cache(folder).close()
    connection = sqlite3.connect(folder / "cache.db")
    with connection:
        connection.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (name, value))
    connection.close()
    with Cache(folder) as cache:
        cache.put("key", BIG)
        assert cache.get("key") == BIG
        assert list(folder.glob("??/??/*.val"))


def test_the_least_recently_used_goes_first(folder: Path) -> None:
    with Cache(folder, size_limit=1_000_000) as cache:
        for name in "abcdefgh":
            cache.put(name, BIG)
        for extra in range(40):
            assert cache.get("a") == BIG, "what is used all the time stays"
            cache.put(f"extra {extra}", BIG)
        assert cache.get("b") is None and cache.get("extra 39") == BIG
        assert sum(path.stat().st_size for path in folder.rglob("*.val")) < 1_500_000


def test_threads_and_processes_share_it(cache: Cache, folder: Path) -> None:
    def fill(number: int) -> None:
        for each in range(20):
            cache.put(f"{number} {each}", BIG + bytes([number]))
        cache.close()  # every thread has a connection of its own

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(cache.get(f"{number} {each}") == BIG + bytes([number]) for number in range(4) for each in range(20))
    code = "import sys, pathlib, studio.cache as c; print(c.Cache(pathlib.Path(sys.argv[1])).get('3 19')[-1])"
    seen = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert seen.stdout == "3\n"
