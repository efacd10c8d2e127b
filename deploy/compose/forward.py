"""`python forward.py 15672=rabbitmq:15672...`: connections to a port of this container in, to another container out.

The servers are on networks without a way out, where no port can be published. This is their door, and it is only
there under a profile.
"""

import asyncio
import contextlib
import sys
from functools import partial

BLOCK_BYTES = 64 * 1024


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes until it ends, and then its end."""
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
        writer.write_eof()


async def forward(host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect one client to the server behind."""
    with contextlib.closing(writer), contextlib.suppress(OSError):
        there_reader, there_writer = await asyncio.open_connection(host, port)
        with contextlib.closing(there_writer):
            await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))


async def main() -> None:
    """Listen on all the ports named, for ever."""
    async with contextlib.AsyncExitStack() as stack:
        for route in sys.argv[1:]:
            port, _, target = route.partition("=")
            host, _, target_port = target.partition(":")
            server = await asyncio.start_server(partial(forward, host, int(target_port)), port=int(port))
            await stack.enter_async_context(server)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
