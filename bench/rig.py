"""What every run needs: the corpora on a local server, and a running stack with nothing in it."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import CACHE, Corpus, build
from bench.origin import HOST, serving
from bench.stack import Stack, started
from deploy.local.ports import free_ports

WORKERS = {"fetcher": 1, "hasher": 1, "grayscaler": 2, "aggregator": 1}


@dataclass(frozen=True)
class Rig:
    """A running stack, and where everything that runs beside it may write."""

    stack: Stack
    folder: Path
    _urls: Mapping[Corpus, tuple[str, ...]]

    def url_list(self, corpus: Corpus, count: int) -> Path:
        """Give a file with the first so many URLs of a corpus."""
        path = self.folder / f"{corpus.name}-{count}.txt"
        path.write_text("".join(f"{url}\n" for url in self._urls[corpus][:count]), "utf-8")
        return path

    def new_folder(self) -> Path:
        """Give an empty folder, in the place of the one before."""
        folder = self.folder / "output"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


@contextmanager
def rig(corpora: Iterable[Corpus], workers: Mapping[str, int]) -> Iterator[Rig]:
    """Have it all for the length of a `with` block."""
    files = {corpus: build(corpus) for corpus in corpora}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        port = free_ports(1)[0]
        urls = {
            corpus: tuple(f"http://{HOST}:{port}/{path.relative_to(CACHE)}" for path in paths)
            for corpus, paths in files.items()
        }
        with serving(CACHE, folder, port), started(folder, workers, {}) as stack:
            yield Rig(stack, folder, urls)
