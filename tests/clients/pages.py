"""A web server that is not ours: pages on another origin than the service's."""

import contextlib
import functools
import http.server
import threading


@contextlib.contextmanager
def served(folder):
    """The origin of a folder's files on loopback."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
