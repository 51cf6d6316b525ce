"""A load that retries nothing, and a proxy that sends new connections only to who says that he is ready."""

import asyncio
import contextlib
import http.client
import itertools
import json
import threading
import time
import urllib.parse


class Load:
    """Clients with connections of their own, which are kept alive as long as the service says so. Whatever is not
    answered as wanted is a failure; nothing is sent twice."""

    def __init__(self, address, calls, clients=8, pause=0.02):
        self.address, self.calls, self.pause = address, calls, pause
        self.answered, self.failures, self.stopping = 0, [], threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """No new requests; the running ones are waited for."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _client(self, number):
        # http.client closes after an answer that says so, and connects anew for the next request.
        connection = http.client.HTTPConnection(self.address, timeout=20)
        for turn in itertools.count(number):
            if self.stopping.is_set():
                return connection.close()
            path, body, wanted = self.calls[turn % len(self.calls)]
            try:
                connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                said = answer.read()
                problem = None if answer.status == wanted else f"{path}: {answer.status} {said[:200]}"
            except (OSError, http.client.HTTPException) as fault:
                problem = f"{path}: {fault!r}"
                connection.close()
            with self.lock:
                self.answered += problem is None
                self.failures += [f"{time.monotonic():.2f} {problem}"] if problem else []
            time.sleep(self.pause)


class Balancer:
    """TCP round robin. Who does not say 200 at /readyz gets no new connection; the old ones stay."""

    def __init__(self, urls, every=0.25):
        self.backends = [urllib.parse.urlsplit(url) for url in urls]
        self.ready, self.every, self.turn = set(), every, itertools.count()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        started.wait(10)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        for backend in self.backends:
            self.loop.create_task(self._check(backend))
        self.loop.call_soon(started.set)
        self.loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _check(self, backend):
        while True:
            try:
                reader, writer = await asyncio.open_connection(backend.hostname, backend.port)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                line = await asyncio.wait_for(reader.readline(), 2)
                writer.close()
                ready = b" 200 " in line
            except (OSError, TimeoutError):
                ready = False
            (self.ready.add if ready else self.ready.discard)(backend)
            await asyncio.sleep(self.every)

    async def _serve(self, reader, writer):
        choice = [backend for backend in self.backends if backend in self.ready]
        if not choice:
            return writer.close()
        backend = choice[next(self.turn) % len(choice)]
        try:
            to_reader, to_writer = await asyncio.open_connection(backend.hostname, backend.port)
        except OSError:
            return writer.close()
        await asyncio.gather(pipe(reader, to_writer), pipe(to_reader, writer))


async def pipe(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
