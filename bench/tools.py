"""The tools that are measured: how each is called, what works beside it, and how to see that it did the job."""

import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.corpus import LARGE, ROOT, SMALL
from bench.measure import CommandFailed
from bench.peers.environment import installed
from bench.stack import Stack

OURS = "graymill"
LIMIT = "limit"
ARCHIVES = 8
READY_SECONDS = 60
STOP_SECONDS = 30
Processes = Mapping[str, psutil.Process]


@dataclass(frozen=True)
class Job:
    """A list of so many URLs, an empty folder to write to, and the stack, whose servers others use as well."""

    urls: Path
    count: int
    folder: Path
    stack: Stack

    @property
    def peers_environment(self) -> dict[str, str]:
        """The stack's variables, but a database of the tool's own, and nobody asks the network for news."""
        mongo_url = urlsplit(self.stack.environment["MONGO_URL"])._replace(path="/peers").geturl()
        return {**self.stack.environment, "MONGO_URL": mongo_url, "NO_ALBUMENTATIONS_UPDATE": "1"}

    def servers(self, *names: str) -> Processes:
        """Give these processes of the stack."""
        return {name: self.stack.processes[name] for name in names}


@dataclass(frozen=True)
class Tool:
    """One of them. Graymill runs in `.venv`, each of the others in an environment by its name."""

    name: str
    does: str
    command: Callable[[Job], list[str]]
    """Gives the command that ends when the last image is stored."""
    stored: Callable[[Job], int]
    """Counts the images that are there afterwards."""
    beside: Callable[[Job], AbstractContextManager[Processes]] = lambda _: nullcontext({})
    """Has what works for the command ready, and nothing stored in it yet."""
    samples: Mapping[str, int] = field(default_factory=dict)
    """By corpus: how many images tell enough of a slow tool."""

    def install(self) -> None:
        """Make its environment, if it needs one and has none. Raises NotInstalled."""
        if self.name != OURS:
            installed(self.name)

    def environment(self, job: Job) -> Mapping[str, str]:
        """Give the variables of its command."""
        return job.stack.environment if self.name == OURS else job.peers_environment


def _graymill(job: Job) -> list[str]:
    return [str(Path(sys.executable).parent / "fetcher"), "publish", str(job.urls), "--wait", "--json"]


def _stored_by_graymill(job: Job) -> int:
    """Count what has all of it: the item's outcome, the image, the gray version."""
    with job.stack.database() as database:
        return min(
            database["items"].count_documents({"outcome": "success"}),
            database["images"].count_documents({}),
            database["grays"].count_documents({"png": {"$type": "binData"}}),
        )


def _stored_in_mongodb(job: Job) -> int:
    with job.stack.database() as database:
        complete = {"md5": {"$type": "string"}, "gray": {"$type": "binData"}}
        return database.client["peers"]["images"].count_documents(complete)


def _img2dataset(job: Job) -> list[str]:
    options = {
        "url_list": job.urls,
        "output_folder": job.folder / "archives",
        "output_format": "webdataset",
        "processes_count": 2,
        "thread_count": 16,
        "resize_mode": "no",
        "compute_hash": "md5",
        "number_sample_per_shard": max(1, job.count // ARCHIVES),
    }
    return [str(installed("img2dataset") / "img2dataset"), *(f"--{name}={value}" for name, value in options.items())]


def _stored_in_archives(job: Job) -> int:
    count = 0
    for path in job.folder.glob("archives/*.tar"):
        with tarfile.open(path) as archive:
            count += sum(name.endswith(".jpg") for name in archive.getnames())
    return count


def _scrapy(job: Job) -> list[str]:
    return _module("scrapy", "bench.peers.scrapy_images", str(job.urls), str(job.folder))


def _stored_as_files(job: Job) -> int:
    return sum(path.stat().st_size > 0 for path in job.folder.glob("full/*.jpg"))


def _script(job: Job) -> list[str]:
    return _module("script", "bench.peers.script", str(job.urls), job.peers_environment["MONGO_URL"])


def _limit(job: Job) -> list[str]:
    return _module(LIMIT, "bench.limit", str(job.urls), job.peers_environment["MONGO_URL"])


def _with_mongod(job: Job) -> AbstractContextManager[Processes]:
    return nullcontext(job.servers("mongod"))


def _celery(job: Job) -> list[str]:
    return _module("celery", "bench.peers.celery_chain", str(job.urls))


@contextmanager
def _celery_worker(job: Job) -> Iterator[Processes]:
    """Have a worker that has done the job before: once for a single URL, after which it is surely ready."""
    options = ("--pool=prefork", "--concurrency=2", "--without-gossip", "--without-mingle", "--loglevel=WARNING")
    environment = {**job.peers_environment, "C_FORCE_ROOT": "1"}
    one = job.folder / "one.txt"
    one.write_text(job.urls.read_text("utf-8").partition("\n")[0], "utf-8")
    with (job.folder / "worker.log").open("wb") as log:
        command = _module("celery", "celery", "--app=bench.peers.celery_tasks", "worker", *options)
        worker = psutil.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        warm_up = _module("celery", "bench.peers.celery_chain", str(one))
        try:
            subprocess.run(  # noqa: S603 - the command is ours
                warm_up, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=READY_SECONDS
            )
        except subprocess.SubprocessError as error:
            raise CommandFailed(f"its worker does not work: {error}") from error
        job.stack.empty()
        yield {"worker": worker, **job.servers("rabbitmq", "mongod")}
    finally:
        worker.terminate()
        worker.wait(STOP_SECONDS)


def _module(name: str, module: str, *arguments: str) -> list[str]:
    return [str(installed(name) / "python"), "-m", module, *arguments]


TOOLS = (
    Tool(
        OURS,
        "all of it, durable, accounted for",
        _graymill,
        _stored_by_graymill,
        lambda job: nullcontext(job.stack.processes),
    ),
    Tool("img2dataset", "MD5, lossy JPEG; no gray, no database", _img2dataset, _stored_in_archives),
    Tool("scrapy", "lossy JPEG, its MD5; no gray, no database", _scrapy, _stored_as_files),
    Tool(
        "script",
        "MD5, gray, insert; eight threads",
        _script,
        _stored_in_mongodb,
        _with_mongod,
        samples={LARGE.name: 100},
    ),
    Tool(
        "celery",
        "MD5, gray, insert; RabbitMQ",
        _celery,
        _stored_in_mongodb,
        _celery_worker,
        samples={SMALL.name: 500, LARGE.name: 50},
    ),
    Tool(LIMIT, "MD5, gray, insert; two bare processes", _limit, _stored_in_mongodb, _with_mongod),
)
