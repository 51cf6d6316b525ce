"""TLS by certificate files that are replaced while the service runs."""

import ssl
import time

import requests
from test_verifiers import certificate_for_loopback

from service import Service


def certificate_served(service):
    return ssl.get_server_certificate(("127.0.0.1", int(service.url.rsplit(":", 1)[1])))


def test_a_renewed_certificate_is_served_without_a_restart_and_a_broken_one_is_not(folder):
    place = folder / "renewed"
    place.mkdir()
    files = certificate_for_loopback(place)
    chain = place / "tls.crt"
    service = Service(place, env=files)
    try:
        first = certificate_served(service)
        assert first.split() == chain.read_text().split()

        chain.write_text("half a certifica")
        time.sleep(6)
        assert certificate_served(service) == first

        certificate_for_loopback(place)
        deadline = time.monotonic() + 15
        while certificate_served(service) == first:
            assert time.monotonic() < deadline, "the renewed certificate was never served"
            time.sleep(0.2)
        assert certificate_served(service).split() == chain.read_text().split()
        assert requests.get(f"{service.url}/livez", timeout=5, verify=str(chain)).status_code == 200
    finally:
        service.stop()
