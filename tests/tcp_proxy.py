"""A TCP proxy that a test makes slow, lossy or deaf while connections run through it."""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

CHUNK_BYTES = 65_536
GLANCE_SECONDS = 0.02
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a loopback port and passes on what comes, as its attributes say at that moment.

    Each chunk of at most 64 KiB waits for `latency_seconds`, as in a TCP window of that size, and for as long as it
    takes at `bytes_per_second`. While the proxy `holds`, nothing passes and nothing is told: a black hole, out of
    which everything comes in the end. While it `refuses`, new connections are reset.
    """

    def __init__(self, port: int) -> None:
        self._target_port = port
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.heal()

    def heal(self) -> None:
        """Be a good line, from now on."""
        self.latency_seconds = 0.0
        self.bytes_per_second: float | None = None
        self.holds = False
        self.refuses = False

    def reset(self) -> None:
        """Reset every connection, at both ends."""
        self._call(self._reset())

    def forget(self) -> None:
        """Pass nothing on any more of the connections there are, and tell neither end: a router that has restarted."""
        for connection in list(self._connections):
            connection.forgotten = True

    def end(self) -> None:
        """Reset every connection and listen no more."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _reset(self) -> None:
        tasks = [connection.task for connection in self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self) -> None:
        self.refuses = True
        await self._reset()
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left)
        self._server.close()  # not earlier: Python 3.11 leaves open what is on its way in

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, asyncio.current_task())
        self._connections.add(connection)
        writers = [writer]
        try:
            if not self.refuses:
                with suppress(OSError):
                    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
                    writers.append(far_writer)
                    await connection.run((reader, far_writer), (far_reader, writer))
        except asyncio.CancelledError:
            pass  # asked for by `reset`; the server would call it an error
        finally:
            self._connections.discard(connection)  # it ends by itself from here on; `reset` need not ask for it
            for each in writers:
                with suppress(OSError):  # it may be closed by now
                    each.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                each.transport.abort()
            for each in writers:
                with suppress(OSError):
                    await each.wait_closed()


class _Connection:
    """Two ends, and a direction each way."""

    def __init__(self, proxy: Proxy, task: Any) -> None:
        self._proxy = proxy
        self.task = task
        self.forgotten = False

    async def run(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Pass on in both directions until one of them ends."""
        pumps = [asyncio.ensure_future(self._pump(*way)) for way in ways]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await asyncio.sleep(self._proxy.latency_seconds)
                if self._proxy.bytes_per_second:
                    await asyncio.sleep(len(chunk) / self._proxy.bytes_per_second)
                while self._proxy.holds or self.forgotten:
                    await asyncio.sleep(GLANCE_SECONDS)
                writer.write(chunk)
                await writer.drain()
