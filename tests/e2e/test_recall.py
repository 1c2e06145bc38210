"""A recall: nobody seeds the image any more, Glance no longer hands it out, and every host proves it."""
import json
import socket
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from support.approvals import Approvals
from support.network import inside
from support.nova import Nova
from support.process import wait_until
from support.services import make_disk
from support.testbed import merged, wait_for_images


@pytest.fixture
def published(site, tmp_path):
    publisher = site.publisher()
    publisher.entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 16), "to-be-recalled")
    publisher.approvals = Approvals(site, publisher, tmp_path)
    return publisher


def daemon_on(site, host, published, **configuration):
    return site.daemon(host, [published], **merged({"approvals": published.approvals.settings()}, configuration))


def seeder(site, published):
    folder = published.store / "public" / "images"
    return daemon_on(site, site.index_host, published, store={"seed-from": [str(folder)]}).start_and_answer()


def seeds(stranger, host, entry):
    """Does the host shake hands with a stranger who asks for the image?"""
    info_hash = bytes.fromhex(entry["torrent-info-hash-v2"])[:20]
    hello = b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-XX0000-" + bytes(12)
    with inside(stranger.netns), socket.create_connection((host.address, 6881), timeout=5) as peer:
        try:
            peer.sendall(hello)
            return len(peer.recv(68)) > 0
        except OSError:
            return False


def recalled(daemon):
    answer = daemon.ctl("recalled", "--json", check=False)
    return json.loads(answer.stdout) if answer.returncode == 0 else []


def confirmation(daemon, image_id):
    [row] = [row for row in recalled(daemon) if row["image-id"] == image_id] or [None]
    return row if row and row["confirmed"] else None


def handed_out(site, image_id):
    return site.cloud.glance_api("GET", f"/images/{image_id}/file").status == 200


def test_a_recall_reaches_four_hosts_and_glance_and_is_proved_by_all(site, published, figure):
    entry, image_id = published.entry, published.entry["image-id"]
    source = seeder(site, published)
    stranger = site.hypervisors[4]
    daemons = [daemon_on(site, host, published, sinks=[site.glance_sink()]).start() for host in site.hypervisors[:4]]
    wait_for_images(daemons, image_id)
    hosts = [daemon.host for daemon in [source, *daemons]]
    wait_until(lambda: all(seeds(stranger, host, entry) for host in hosts), 30, "everybody to seed")
    assert handed_out(site, image_id)
    assert not any(recalled(daemon) for daemon in daemons)

    published.approvals.recall(image_id)
    begin, when = time.monotonic(), {}
    conditions = {
        "nobody seeds it": lambda: not any(seeds(stranger, host, entry) for host in hosts),
        "Glance no longer hands it out": lambda: not handed_out(site, image_id),
        "all four have confirmed": lambda: all(confirmation(daemon, image_id) for daemon in daemons),
    }
    while len(when) < len(conditions):
        for what, holds in conditions.items():
            if what not in when and holds():
                when[what] = time.monotonic() - begin
        assert time.monotonic() - begin < 60, f"after a minute only {when}"
        time.sleep(0.05)
    figure("a recall, lists asked for every 2 s: " + ", ".join(f"{what} after {at:.1f} s" for what, at in when.items()))

    record = site.cloud.image(image_id)
    assert (record["status"], record["os_hidden"]) == ("deactivated", True)
    for daemon in daemons:
        row = confirmation(daemon, image_id)
        assert row["state"] == "recalled"
        assert "site-approvals serial 2" in row["reason"] and "a hole in its login" in row["reason"]
        assert [(sink["type"], sink["reference"], sink["done"]) for sink in row["sinks"]] == [
            ("glance", image_id, "deactivated")]
        assert not list(daemon.state.rglob(entry["torrent-content-name"]))
        assert daemon.receipts() == []
        assert "deactivated" in daemon.ctl("recalled").stdout
    assert not any(seeds(stranger, host, entry) for host in hosts)
    # The artefact of the index host belongs to the endorser's store.
    assert confirmation(source, image_id)["discarded"] is None
    assert published.artefact(entry).exists()


@pytest.fixture
def nova(site):
    nova = Nova(site.cloud).start()
    yield nova
    nova.close()


def test_the_instances_of_a_recalled_image_are_listed_where_nova_tells_of_them(site, published, nova):
    image_id = published.entry["image-id"]
    seeder(site, published)
    daemon = daemon_on(site, site.hypervisors[0], published, sinks=[site.glance_sink()]).start()
    daemon.wait_for_image(image_id, "active")
    ours = site.cloud.project_id("operators")
    running = nova.add_instance("web-1", image_id, ours)
    stopped = nova.add_instance("web-2", image_id, ours, "stopped")
    nova.add_instance("of-another-image", str(uuid.uuid4()), ours)
    published.approvals.recall(image_id)
    row = daemon.wait_for(lambda: confirmation(daemon, image_id), 30, "the recall to be confirmed")
    [sink] = row["sinks"]
    assert sink["done"] == "deactivated", "instances keep nobody from deactivating it"
    assert f"web-1 ({running})" in sink["used-by"] and f"web-2 ({stopped})" in sink["used-by"]
    assert "another" not in sink["used-by"]
    assert "web-1" in daemon.ctl("recalled").stdout


def test_a_host_that_was_off_confirms_when_it_comes_back(site, published):
    entry, image_id = published.entry, published.entry["image-id"]
    seeder(site, published)
    here, away = [daemon_on(site, host, published, sinks=[site.directory_sink(host)]).start()
                  for host in site.hypervisors[:2]]
    wait_for_images([here, away], image_id)
    away.kill()
    published.approvals.recall(image_id)
    here.wait_for(lambda: confirmation(here, image_id), 30, "the recall to be confirmed")
    away.start()
    away.wait_for(lambda: confirmation(away, image_id), 30, "the recall to be confirmed after the start")
    assert not list(site.directory.joinpath("images").rglob(f"{image_id}*"))
    before = confirmation(here, image_id)
    here.stop()
    here.start_and_answer()
    assert confirmation(here, image_id) == before, "the proof changed with a restart"
    assert not seeds(site.hypervisors[4], away.host, entry)


def test_a_file_that_a_machine_runs_from_stays_until_the_machine_is_gone(site, published):
    image_id = published.entry["image-id"]
    seeder(site, published)
    host = site.hypervisors[0]
    daemon = daemon_on(site, host, published, sinks=[site.directory_sink(host)]).start()
    daemon.wait_for_image(image_id, "active")
    [receipt] = daemon.receipts()
    assert receipt["compared"] == ["content-sha256", "content-sha512"]
    disk = Path(receipt["reference"])
    with subprocess.Popen(["qemu-system-x86_64", "-machine", "none", "-display", "none", "-monitor", "stdio",
                           "-blockdev", f"driver=raw,node-name=disk,read-only=on,file.driver=file,"
                           f"file.filename={disk}"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as machine:
        assert "QEMU" in machine.stdout.readline()
        published.approvals.recall(image_id)

        def seen_in_use():
            [row] = recalled(daemon) or [None]
            return row and row["sinks"][0]["used-by"]
        user = daemon.wait_for(seen_in_use, 30, "the user of the file to be seen")
        assert "lock" in user or "open" in user
        assert disk.exists() and not confirmation(daemon, image_id)
        assert "still in use" in daemon.ctl("recalled").stdout
        machine.communicate("quit\n", timeout=20)
    daemon.wait_for(lambda: confirmation(daemon, image_id), 60, "the file to be removed")
    assert not disk.exists()
