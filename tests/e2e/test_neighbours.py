"""A host that cannot reach the index host at all, with its tracker and web server, lives on what a neighbour has."""
import filecmp
import hashlib
from pathlib import Path

import pytest

from support.approvals import Approvals
from support.neighbour import HostileNeighbour
from support.process import wait_until
from support.services import make_disk
from support.testbed import merged


@pytest.fixture
def published(site, tmp_path):
    publisher = site.publisher()
    publisher.image = make_disk(tmp_path / "disk.raw", 8)
    publisher.entry = publisher.publish_image(publisher.image, "far-away")
    publisher.image_id = publisher.entry["image-id"]
    publisher.approvals = Approvals(site, publisher, tmp_path)
    return publisher


@pytest.fixture
def cut_off(site):
    """A host without a way to the index host, where the catalogue, the lists, the torrents and the tracker are."""
    host = site.hypervisors[1]
    wall = ["blackhole", f"{site.index_host.address}/32"]
    host.run("ip", "route", "add", *wall)
    yield host
    host.run("ip", "route", "delete", *wall)


def daemon_on(site, host, published, **configuration):
    return site.daemon(host, [published], **merged({"approvals": published.approvals.settings()}, configuration))


@pytest.fixture
def neighbour(site, published):
    """A host that has everything, documents as the only one."""
    folder = published.store / "public" / "images"
    daemon_on(site, site.index_host, published, store={"seed-from": [str(folder)]},
              swarm={"documents": False}).start_and_answer()
    daemon = daemon_on(site, site.hypervisors[0], published).start()
    daemon.wait_for(lambda: (daemon.image(published.image_id) or {}).get("progress") == 1, 60, "the neighbour to have it")
    return daemon


@pytest.fixture
def hostile(site):
    neighbour = HostileNeighbour(site.hypervisors[2])
    yield neighbour
    neighbour.close()


def knowing(*hosts):
    return {"neighbours": [f"{host.address}:6881" for host in hosts]}


def test_a_host_that_is_cut_off_from_its_first_start_gets_the_image_from_a_neighbour(site, published, cut_off,
                                                                                     neighbour, figure):
    daemon = daemon_on(site, cut_off, published, swarm=knowing(neighbour.host),
                       sinks=[site.glance_sink(), site.directory_sink(cut_off)])
    begin = cut_off.bytes_received()
    done = daemon.once(90)
    assert done.returncode == 0, done.stderr
    assert f"from neighbour {neighbour.host.address}" in done.stderr
    for what in ("accepted catalogue", "accepted approval-list", "the torrent file of far-away"):
        [line] = [line for line in done.stderr.splitlines() if what in line]
        assert f"neighbour {neighbour.host.address}" in line, line
    figure(f"cut off from its first start: 8 MiB in Glance and a directory, "
           f"{(cut_off.bytes_received() - begin) / 1e6:.1f} MB over the wire")

    daemon.start_and_answer()
    daemon.wait_for_image(published.image_id, "active")
    receipts = {receipt["sink-type"]: receipt for receipt in daemon.receipts()}
    assert filecmp.cmp(published.image, receipts["directory"]["reference"], shallow=False)
    assert site.cloud.image(published.image_id)["status"] == "active"


def test_a_tracker_of_listed_images_alone_brings_neighbours_together(site, published, neighbour):
    site.web.stop()
    daemon = daemon_on(site, site.hypervisors[2], published, swarm={"trackers": [site.tracker.url]}).start_and_answer()
    daemon.wait_for(lambda: (daemon.image(published.image_id) or {}).get("progress") == 1, 90, "the image")
    assert "from neighbour" in daemon.text()


def test_a_recall_reaches_a_host_that_is_cut_off(site, published, cut_off, neighbour, figure):
    daemon = daemon_on(site, cut_off, published, swarm=knowing(neighbour.host), sinks=[site.directory_sink(cut_off)])
    daemon.start()
    daemon.wait_for_image(published.image_id, "active", 90)
    rows = {row["kind"]: row for row in daemon.status()["subscriptions"]}
    assert {row["neighbour"] for row in rows.values()} == {neighbour.host.address}
    [receipt] = daemon.receipts()

    published.approvals.recall(published.image_id)
    daemon.wait_for_image(published.image_id, "recalled", 30)
    daemon.wait_for(lambda: not Path(receipt["reference"]).exists(), 30, "the recalled image to be gone")
    assert "serial 2" in daemon.text()


def test_a_hostile_neighbour_is_passed_over(site, published, cut_off, neighbour, hostile):
    stranger = site.hypervisors[2]
    old = published.catalogue.read_bytes()
    published.publish()  # once more, with the next serial
    neighbour.ctl("refresh")
    wait_until(lambda: neighbour.subscription()["serial"] == 2, 30, "the neighbour to have the new one")
    daemon = daemon_on(site, cut_off, published, swarm=knowing(neighbour.host, stranger)).start_and_answer()
    daemon.wait_for(lambda: daemon.subscription()["serial"] == 2, 60, "the catalogue to come from the neighbour")
    daemon.wait_for(hostile.connected, 60, "the hostile neighbour to be met")
    current = published.catalogue.read_bytes()
    catalogue = ("catalogue", published.url)

    hostile.offer(*catalogue, 99, old)
    daemon.wait_for_text("serial 1 is lower than the accepted 2")
    hostile.offer(*catalogue, 3, current.replace(b"far-away", b"far-awaz"))
    daemon.wait_for_text("sig-invalid")
    hostile.claim(*catalogue, 4, hashlib.sha256(b"endless").digest(), (1 << 32) - 1)
    liar = hashlib.sha256(b"something else").digest()
    hostile.files[liar] = bytes(20_000)
    hostile.claim(*catalogue, 5, liar, 20_000)
    daemon.wait_for_text(f"neighbour {stranger.address} does not keep to the rules")
    wait_until(lambda: not hostile.connected(), 10, "the hostile neighbour to be shut out")
    assert hashlib.sha256(b"endless").digest() not in hostile.asked

    row = daemon.subscription()
    assert row["serial"] == 2
    assert row["fault"] in (None, "http-connect"), "a neighbour that is behind is no reason for an alarm"
    assert daemon.image(published.image_id)["state"] != "withdrawn"
