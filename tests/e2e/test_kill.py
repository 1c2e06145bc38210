"""kill -9 at any moment: afterwards the image is there exactly once, and next to nothing was moved twice."""
import contextlib
import sqlite3
import time
from pathlib import Path

from support.process import wait_until
from support.services import make_disk
from support.testbed import random_moments

TIMES = 10


def usable_images(site, image_id):
    return [record for record in site.cloud.images_of(image_id)
            if record["status"] == "active" and not record["os_hidden"]]


def test_during_the_download(site, figure, tmp_path):
    size, rate = 96 << 20, 6_000_000
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", size >> 20), "killed-in-download")
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)], swarm={"download-rate": f"{rate}B/s"})
    before = host.bytes_received()
    kills = 0
    for moment in random_moments(TIMES, 0.5, 2.5):
        daemon.start_and_answer()
        daemon.wait_for(lambda: daemon.image(entry["image-id"]), 30, "the image to be known")
        time.sleep(moment)
        kills += daemon.image(entry["image-id"])["state"] == "fetching"
        daemon.kill()
    daemon.start()
    daemon.wait_for_image(entry["image-id"], "active")

    twice = host.bytes_received() - before - size
    figure(f"{kills} kills during a download of {size / 1e6:.0f} MB at {rate / 1e6:.0f} MB/s: "
           f"{twice / 1e6:.1f} MB more than the artefact came in, protocol and catalogue included")
    assert kills >= TIMES - 1
    # The last second's pieces of each life, and a few per cent of protocol. Without resume data it would be all of them.
    assert twice < TIMES * rate + 0.03 * size


def payload_of(daemon, image_id):
    counted = (daemon.image(image_id) or {"bytes": {"peers": 0, "web-seed": 0}})["bytes"]
    return counted["peers"] + counted["web-seed"]


def test_during_the_upload(site, figure, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 24), "killed-in-upload")
    image_id = entry["image-id"]
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink()])
    site.cloud.glance.stop()  # so that nothing is uploaded while it arrives
    daemon.start()
    daemon.wait_for(lambda: payload_of(daemon, image_id) >= entry["torrent-content-size"], 60, "the download to end")
    daemon.kill()
    site.cloud.start_glance()
    downloaded = host.bytes_received()
    host.limit(40)  # the upload takes five seconds: no kill comes too late for it, on a busy machine either
    kills = 0
    for moment in random_moments(TIMES, 0.0, 2.0):
        daemon.start_and_answer()
        daemon.wait_for(lambda: any((row["status"] == "saving") for row in site.cloud.images_of(image_id)), 60,
                        "an upload to begin")
        time.sleep(moment)
        kills += daemon.image(image_id)["state"] == "registering"
        daemon.kill()
    host.limit(None)
    daemon.start()
    daemon.wait_for_image(image_id, "active")

    assert len(usable_images(site, image_id)) == 1
    assert sum(site.cloud.uploads(record["id"]).count(204) for record in site.cloud.images_of(image_id)) == 1
    again = host.bytes_received() - downloaded
    figure(f"{kills} kills during the upload: one usable image of {len(site.cloud.images_of(image_id))} records; "
           f"{again / 1e6:.2f} MB came in after the download, of {entry['torrent-content-size'] / 1e6:.0f} MB")
    assert kills >= TIMES - 1
    assert again < entry["torrent-content-size"] / 4


def alive(pid):
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_ahead_of_the_download(site, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 64), "killed-ahead", "--compress", "none")
    image_id = entry["image-id"]
    site.seeder(publisher)
    host = site.hypervisors[0]
    host.limit(40)  # the upload takes twelve seconds, and begins before the download ends where pieces come in order
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink()]).start_and_answer()
    daemon.wait_for(lambda: any(row["status"] == "saving" for row in site.cloud.images_of(image_id)), 60,
                    "an upload to begin")
    helpers = [int(pid) for task in Path(f"/proc/{daemon.pid}/task").iterdir()
               for pid in (task / "children").read_text().split()]
    assert helpers
    daemon.kill()
    wait_until(lambda: not any(map(alive, helpers)), 5, "its helpers to end")
    assert not usable_images(site, image_id)
    host.limit(None)
    daemon.start()
    daemon.wait_for_image(image_id, "active")
    assert len(usable_images(site, image_id)) == len(site.cloud.images_of(image_id)) == 1


def receipts_in(state):
    """How many receipts are on disk; read beside the daemon, without its help."""
    database = state / "state.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM receipt").fetchone()[0]


def test_just_before_the_state_is_written(site, figure, tmp_path):
    """Killed within milliseconds after Glance has all bytes. A round counts if no receipt was on disk by then."""
    rounds = counted = 0
    while counted < TIMES:
        rounds += 1
        assert rounds <= 3 * TIMES, "the kill comes too late again and again"
        publisher = site.publisher()
        entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), f"killed-before-state-{rounds}")
        image_id = entry["image-id"]
        seeder = site.seeder(publisher)
        daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()]).start()
        stored = site.cloud.images / image_id
        wait_until(lambda: stored.exists() and stored.stat().st_size == entry["content-size"], 60, "the upload to end",
                   every=0.001)
        time.sleep(0.03 * counted / TIMES)
        daemon.kill()
        counted += receipts_in(daemon.state) == 0
        daemon.start()
        daemon.wait_for_image(image_id, "active", 60)

        assert [record["id"] for record in usable_images(site, image_id)] == [image_id]
        assert site.cloud.uploads(image_id).count(204) == 1
        assert len(daemon.receipts()) == 1
        daemon.kill()
        seeder.kill()
    figure(f"{counted} kills after the last byte and before the receipt ({rounds} tries): one usable image, one upload")
