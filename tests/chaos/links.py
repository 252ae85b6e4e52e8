"""Connections that can be cut and slowed: one TCP proxy for each way two processes talk. TLS passes through unread."""

import asyncio
import contextlib
import threading

UP, DOWN = "up", "down"  # from who connects to who listens, and back
CHUNK_BYTES = 64 * 1024


class Link:
    """One proxied address. Made by Links.add; its methods may be called from any thread."""

    def __init__(self, links, name, target_port):
        self.name = name
        self.target_port = target_port
        self.port = None
        self._links = links
        self._open = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self._delay_s = {UP: 0.0, DOWN: 0.0}
        self._writers = set()
        for event in self._open.values():
            event.set()

    def cut(self, *directions):
        """Nothing passes any more in these directions, and nobody is told: connections stay open."""
        self._links.call(lambda: [self._open[direction].clear() for direction in directions])

    def slow(self, delay_s, *directions):
        """What passes waits this long first."""
        def change():
            for direction in directions:
                self._delay_s[direction] = delay_s
        self._links.call(change)

    def heal(self, drop):
        """Everything passes again; what was held back arrives late, or with `drop` every connection is reset."""
        def change():
            if drop:
                for writer in self._writers:
                    writer.transport.abort()
            for direction in (UP, DOWN):
                self._delay_s[direction] = 0.0
                self._open[direction].set()
        self._links.call(change)

    def redirect(self, target_port):
        """New connections go there; those that are open stay where they are."""
        self.target_port = target_port

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        other = None
        try:
            await self._open[UP].wait()
            from_target, other = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._writers.add(other)
            pumps = [asyncio.ensure_future(self._pump(reader, other, UP)),
                     asyncio.ensure_future(self._pump(from_target, writer, DOWN))]
            _, left = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in left:
                pump.cancel()
        except OSError:
            pass  # nobody listens at the target: the caller's connection ends
        finally:
            for end in (writer, other):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()

    async def _pump(self, reader, writer, direction):
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if self._delay_s[direction]:
                    await asyncio.sleep(self._delay_s[direction])
                await self._open[direction].wait()
                writer.write(data)
                await writer.drain()


class Links:
    """All proxies of a network, on one thread of their own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()
        self._servers = []

    def call(self, function):
        """Runs function() on the links' thread and returns its result."""
        async def run():
            return function()
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def add(self, name, target_port):
        async def start():
            link = Link(self, name, target_port)
            server = await asyncio.start_server(link._serve, "127.0.0.1", 0)
            self._servers.append(server)
            link.port = server.sockets[0].getsockname()[1]
            return link
        return asyncio.run_coroutine_threadsafe(start(), self._loop).result()

    def close(self):
        def stop():
            for server in self._servers:
                server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_soon(self._loop.stop)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(stop)
            self._thread.join()
