"""All tools in turn, A B A B, so that what changes on the machine meanwhile changes for all of them."""

from collections.abc import Callable, Sequence

from bench.corpus import Corpus
from bench.measure import CommandFailed, Run, measure
from bench.noise import Patience
from bench.peers.environment import NotInstalled
from bench.rig import Rig
from bench.series import FEW, Results, Series
from bench.tools import OURS, Job, Tool

Say = Callable[[str], None]


class Turns:
    """Runs tools on a rig. One that fails is left out of what follows; if it is our own, everything ends."""

    def __init__(self, rig: Rig, say: Say, patience: Patience) -> None:
        self._rig = rig
        self._say = say
        self._patience = patience

    def take(self, tools: Sequence[Tool], corpora: Sequence[Corpus], runs: int) -> Results:
        """Run each tool so many times on each corpus. Raises CommandFailed for our own."""
        missing = self._install(tools)
        here = [tool for tool in tools if tool.name not in missing]
        measured: dict[str, dict[str, Series]] = {}
        failures: dict[str, dict[str, str]] = {}
        for corpus in corpora:
            failures[corpus.name] = dict(missing)
            measured[corpus.name] = self._on(corpus, here, runs, failures[corpus.name])
        return Results(measured, failures)

    def _install(self, tools: Sequence[Tool]) -> dict[str, str]:
        missing = {}
        for tool in tools:
            try:
                tool.install()
            except NotInstalled as error:
                missing[tool.name] = f"cannot be installed: {error}"
                self._say(f"{tool.name} {missing[tool.name]}")
        return missing

    def _on(self, corpus: Corpus, tools: Sequence[Tool], runs: int, failures: dict[str, str]) -> dict[str, Series]:
        done: dict[str, list[tuple[Run, Run]]] = {tool.name: [] for tool in tools}
        for number in range(1, runs + 1):
            for tool in tools:
                if tool.name in failures:
                    continue
                try:
                    start = self.run(tool, corpus, FEW)
                    whole = self.run(tool, corpus, tool.samples.get(corpus.name, corpus.count))
                except CommandFailed as error:
                    if tool.name == OURS:
                        raise
                    failures[tool.name] = str(error)
                    self._say(f"{tool.name}: {error}")
                    continue
                done[tool.name].append((start, whole))
                rate = f"{whole.images / whole.seconds:,.0f} images/s"
                self._say(f"{corpus.name} {number} of {runs}: {tool.name} {rate}, {whole.noise:.0%} noise")
        return {
            name: Series([whole for _, whole in pairs], [start for start, _ in pairs])
            for name, pairs in done.items()
            if name not in failures
        }

    def run(self, tool: Tool, corpus: Corpus, count: int) -> Run:
        """Run a tool once, with nothing stored before, and see that it stored every image. Raises CommandFailed."""
        rig = self._rig
        rig.stack.empty()
        job = Job(rig.url_list(corpus, count), count, rig.new_folder(), rig.stack)
        with tool.beside(job) as beside:
            self._patience.wait_for_quiet()
            log = rig.folder / f"{tool.name}.log"
            run = measure(tool.command(job), tool.environment(job), beside, images=count, log=log)
        stored = tool.stored(job)
        if stored != count:
            raise CommandFailed(f"stored {stored:,} of {count:,} images")
        return run
