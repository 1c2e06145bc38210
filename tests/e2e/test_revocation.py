"""Revocation lists that are replaced while the daemon runs count at once, whatever its refresh interval is."""
import time
from pathlib import Path

import pytest

from support.services import make_disk


@pytest.fixture
def running(site, tmp_path):
    """A daemon with an active image, that would ask its source again only in a quarter of an hour."""
    publisher = site.publisher(site.authority["dora"])
    publisher.entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "image")
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)])
    daemon.settings["catalogues"][0]["refresh"] = "15m"
    daemon.configure({})
    daemon.start_and_answer()
    daemon.publisher = publisher
    daemon.wait_for_image(publisher.entry["image-id"], "active")
    return daemon


def seconds_until(daemon, condition, what):
    begin = time.monotonic()
    daemon.wait_for(condition, 20, what)
    return time.monotonic() - begin


def test_a_stale_list_stops_new_trust_and_a_fresh_one_gives_it_back(site, running):
    with site.authority.stale_revocation_list():
        stale = seconds_until(running, lambda: running.subscription()["state"] == "stale", "stale")
        assert running.subscription()["fault"] == "crl-stale"
        assert running.image(running.publisher.entry["image-id"])["state"] == "active"
    current = seconds_until(running, lambda: running.subscription()["state"] == "current", "current again")
    print(f"\nstale list: seen after {stale:.1f} s; fresh list: current after {current:.1f} s")
    assert max(stale, current) < 5


def test_a_revoked_endorser_loses_all_images_without_restart(site, running):
    image = running.publisher.entry["image-id"]
    folder = running.settings["sinks"][0]["path"]
    site.authority.revoke(running.publisher.endorser)
    refused = seconds_until(running, lambda: running.subscription()["fault"] == "cert-revoked", "the refusal")
    withdrawn = refused + seconds_until(running, lambda: running.image(image) is None or
                                        running.image(image)["state"] == "withdrawn", "the withdrawal")
    gone = withdrawn + seconds_until(running, lambda: not any(Path(folder).iterdir()), "the sink to be empty")
    print(f"\nrevoked: catalogue refused after {refused:.1f} s, image withdrawn after {withdrawn:.1f} s, "
          f"gone from the sink after {gone:.1f} s")
    assert gone < 5
