"""A network between a replica and a store that misbehaves as told: a TCP proxy that delays, narrows, swallows, resets,
cuts answers in the middle, goes half open, and leads elsewhere."""

import asyncio
import contextlib
import random
import socket
import struct
import threading

# Closing with this sends RST instead of FIN.
HARD = struct.pack("ii", 1, 0)


class Network:
    """Listens on a port of its own and forwards to `target`, a port of loopback. Its attributes may be changed at any
    time, and count for what flows from then on."""

    def __init__(self, target):
        self.target = target
        # Seconds that everything takes longer, each way; up to `jitter` more by chance; bytes a second, 0 for all.
        self.delay, self.jitter, self.rate = 0.0, 0.0, 0
        # Nothing is forwarded and nothing closed.
        self.hole = False
        # New connections are reset.
        self.refuses = False
        # The next answers that are cut after half their bytes, the rest lost with the connection.
        self.cuts = 0
        self.cut = 0
        self.pairs = set()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(10)

    def heal(self):
        """All goes through again."""
        self.delay = self.jitter = self.rate = self.cuts = 0
        self.hole = self.refuses = False

    def reset(self):
        """Every connection ends with RST on both sides."""
        self._each(lambda client, server: (slam(client), slam(server)))

    def half_open(self):
        """The store's side is gone, and the replica's is not told: the hole swallows what it still sends."""
        self.hole = True
        self._each(lambda client, server: slam(server))

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def _each(self, act):
        def now():
            for pair in list(self.pairs):
                act(*pair)
        self.loop.call_soon_threadsafe(now)

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.loop.call_soon(started.set)
        self.loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _serve(self, reader, writer):
        if self.refuses:
            return slam(writer)
        try:
            store_reader, store_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return slam(writer)
        pair = (writer, store_writer)
        self.pairs.add(pair)
        try:
            await asyncio.gather(self._forward(reader, store_writer), self._forward(store_reader, writer, answers=True))
        finally:
            self.pairs.discard(pair)

    async def _forward(self, reader, writer, answers=False):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._pass(data, writer, answers)
        # The far side of a half-open connection learns nothing.
        if not self.hole:
            with contextlib.suppress(OSError):
                writer.close()

    async def _pass(self, data, writer, answers):
        if self.delay or self.jitter:
            await asyncio.sleep(self.delay + random.random() * self.jitter)
        if self.rate:
            await asyncio.sleep(len(data) / self.rate)
        while self.hole:
            await asyncio.sleep(0.02)
            if writer.is_closing():
                return
        if answers and self.cuts > 0:
            self.cuts, self.cut = self.cuts - 1, self.cut + 1
            writer.write(data[: len(data) // 2])
            with contextlib.suppress(OSError):
                await writer.drain()
            slam(writer)
            return
        writer.write(data)
        await writer.drain()


def slam(writer):
    """Ends a connection with RST."""
    with contextlib.suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)
    writer.transport.abort()
