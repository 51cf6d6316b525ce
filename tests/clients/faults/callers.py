"""Callers by the hundred in one thread: some ask again when they are answered, some come whether others are or not."""

import asyncio
import json
import time
import urllib.parse

import requests


class Line:
    """A connection to the service that is kept."""

    def __init__(self, url):
        self.address, self.reader, self.writer = urllib.parse.urlsplit(url), None, None

    async def ask(self, path, body):
        """The status that a POST is answered with; 0 for none."""
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection(self.address.hostname, self.address.port)
            self.writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
                path.encode(), len(body), body))
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 30)
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            await self.reader.readexactly(length)
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.writer = None
            return 0


def packed(bodies):
    return [json.dumps(body).encode() for body in bodies]


def answered(url, path, bodies, width):
    """Asks all bodies with `width` connections; answers (status, seconds) of each."""
    queue, said = packed(bodies), []

    async def worker():
        line = Line(url)
        while queue:
            body, started = queue.pop(), time.monotonic()
            said.append((await line.ask(path, body), time.monotonic() - started))

    async def run():
        await asyncio.gather(*(worker() for _ in range(width)))
        return said

    return asyncio.run(run())


def served(url, path, bodies, width, seconds):
    """How many are answered with 200 in a second when `width` callers ask again as soon as they are answered."""
    queue, said = packed(bodies), []

    async def worker(number, until):
        line = Line(url)
        while time.monotonic() < until:
            number += width
            said.append(await line.ask(path, queue[number % len(queue)]))

    async def run():
        started = time.monotonic()
        await asyncio.gather(*(worker(number, started + seconds) for number in range(width)))
        return said.count(200) / (time.monotonic() - started)

    return asyncio.run(run())


def arriving(url, path, bodies, rate, seconds):
    """`rate` a second come, whether or not those before were answered; (status, when, how long it took) of each."""
    queue, said, idle, asking = packed(bodies), [], [], set()

    async def one(body):
        line = idle.pop() if idle else Line(url)
        started = time.monotonic()
        said.append((await line.ask(path, body), started, time.monotonic() - started))
        idle.append(line)

    async def run():
        started = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            task = asyncio.create_task(one(queue[number % len(queue)]))
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)
        return said

    return asyncio.run(run())


def refreshes(service, name, tokens, until):
    """Latencies of refreshes, one after the other, for as long as `until` says; the client's token rotates."""
    token, times = tokens["refresh_token"], []
    with requests.Session() as session:
        while not until():
            started = time.monotonic()
            answer = session.post(f"{service.url}/v1/token-refresh", json={"username": name, "refresh_token": token}, timeout=20)
            assert answer.status_code == 200, answer.text
            token = tokens["refresh_token"] = answer.json()["refresh_token"]
            times.append(time.monotonic() - started)
            time.sleep(0.01)
    return times
