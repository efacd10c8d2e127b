"""Files of URLs, well made and otherwise."""

import io
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from services.fetcher.lines import LONGEST_LINE_BYTES, NotAList, open_list

URL = b"https://images.example/1.png"
REFUSED = {
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR": "line 1 is not UTF-8 text",
    URL + b"\n" + URL + b"\nh\x00ttp\n": "line 3 has a zero byte",
    "\ufeffhttp://h/\n".encode("utf-16-le"): "line 1 has a zero byte",
    URL + b"\n\nhttp://h/\xfc\n": "line 3 is not UTF-8 text",
    URL + b"\n" + b"x" * (LONGEST_LINE_BYTES + 1): "line 2 is longer than 65,536 bytes",
    b"#" * (LONGEST_LINE_BYTES + 1): "line 1 is longer",
    b"": "there is no URL in it",
    b"\n\r\n  \n# nothing\n": "there is no URL in it",
    b"\xef\xbb\xbf": "there is no URL in it",
}
MILLION = 1_000_000
READ_A_MILLION = """
import re, sys
from pathlib import Path
from services.fetcher.lines import open_list
def peak():  # of this program alone; getrusage would count what its parent had when it was started
    return re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
before = peak()
with open_list(sys.argv[1]) as urls:
    assert sum(1 for _ in urls) == urls.urls
    print(urls.urls, peak(), before)
"""


def read(path: Path) -> tuple[list[str], int]:
    with open_list(str(path)) as urls:
        found = list(urls)
        assert list(urls) == found, "it is read anew each time"
        assert urls.urls == len(found)
        return found, urls.skipped


def written(folder: Path, content: bytes) -> Path:
    path = folder / "urls.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "found", "skipped"),
    [
        (b"http://a/\nhttp://b/\n", ["http://a/", "http://b/"], 0),
        (b"http://a/\nhttp://b/", ["http://a/", "http://b/"], 0),
        (b"http://a/\r\nhttp://b/\r\n", ["http://a/", "http://b/"], 0),
        (b"\xef\xbb\xbfhttp://a/\n", ["http://a/"], 0),
        (b"\xef\xbb\xbf# list\nhttp://a/\n", ["http://a/"], 1),
        (b"\n\nhttp://a/\n  \n\t\n# http://b/\n  # c\nhttp://d/\n\n", ["http://a/", "http://d/"], 7),
        (b"  http://a/ \t\n", ["http://a/"], 0),
        (b"http://a/#fragment\n", ["http://a/#fragment"], 0),
        ("http://b\u00fccher.example/\u4f8b\n".encode(), ["http://b\u00fccher.example/\u4f8b"], 0),
        (b"nonsense\n", ["nonsense"], 0),
        (b"http://a/\rhttp://b/\n", ["http://a/\rhttp://b/"], 0),
        (b"http://a/\nhttp://a/\n", ["http://a/", "http://a/"], 0),
        (b"x" * LONGEST_LINE_BYTES, ["x" * LONGEST_LINE_BYTES], 0),
    ],
)
def test_each_line_is_a_url_but_blank_ones_and_comments(
    tmp_path: Path, content: bytes, found: list[str], skipped: int
) -> None:
    assert read(written(tmp_path, content)) == (found, skipped)


@pytest.mark.parametrize(("content", "sentence"), REFUSED.items())
def test_what_is_no_list_is_refused_and_told_where(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(NotAList, match=sentence), open_list(str(written(tmp_path, content))):
        pytest.fail("it was opened")


def test_a_file_that_is_not_there_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    for path, sentence in ((tmp_path / "missing", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(NotAList, match=sentence) as caught, open_list(str(path)):
            pytest.fail("it was opened")
        assert str(path) in str(caught.value)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[b"http://a/\n\nhttp://b/\n"])
    writer.start()
    assert read(path) == (["http://a/", "http://b/"], 1)
    writer.join(10)


@pytest.mark.parametrize(("content", "expected"), [(b"http://a/\n\n", "1 1"), (b"\x00", "zero byte")])
def test_standard_input_is_read_like_a_file(content: bytes, expected: str) -> None:
    code = (
        "from services.fetcher.lines import NotAList, open_list\n"
        "try:\n    with open_list('-') as urls: print(len(list(urls)), urls.skipped)\n"
        "except NotAList as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True, timeout=60)
    assert expected in done.stdout.decode()


def test_a_million_lines_take_no_more_memory_than_one(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    with path.open("w") as file:
        file.writelines(
            f"https://images.example/a/rather/long/path/to/a/picture/{line:09}.jpg\n" for line in range(MILLION)
        )
    done = subprocess.run(
        [sys.executable, "-c", READ_A_MILLION, str(path)], capture_output=True, check=True, timeout=120, text=True
    )
    urls, peak_kilobytes, before_kilobytes = map(int, done.stdout.split())
    print(f"a million lines: {peak_kilobytes / 1024:.0f} MB")  # noqa: T201 - the figure is wanted
    assert urls == MILLION
    assert peak_kilobytes < 100 * 1024
    assert peak_kilobytes - before_kilobytes < 8 * 1024


def test_an_endless_line_is_not_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, b"x" * (16 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(NotAList), open_list(str(path)):
            pytest.fail("it was opened")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_the_file_is_closed_whatever_happens(tmp_path: Path) -> None:
    with open_list(str(written(tmp_path, URL))) as urls:
        file = urls.file
    assert isinstance(file, io.BufferedReader)
    assert file.closed
