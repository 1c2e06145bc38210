"""A full disk stops the host's own work only, says so, and is over when there is room again."""
from pathlib import Path

from support.services import make_disk


def test_a_full_store_is_named_and_the_download_goes_on_when_there_is_room(site, small_disk, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 24), "too-big-for-now")
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)])
    small_disk(daemon.state, 145)  # the daemon leaves 67 MB free for others
    filler = daemon.state / "filler"
    filler.write_bytes(b"x" * (100 << 20))
    daemon.start()
    daemon.wait_for_text("disk-full")
    daemon.wait_for(lambda: daemon.image(entry["image-id"])["fault"] == "disk-full", 30, "the fault in the status")
    lines = sum("disk-full" in line for line in daemon.text().splitlines())
    assert lines < 10, "one line is enough"
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 180)


def test_older_versions_give_way_where_the_disk_is_full_and_the_newest_that_works_stays(site, small_disk, tmp_path):
    publisher = site.publisher()
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)])
    small_disk(daemon.state, 145)  # the daemon leaves 67 MB free for others

    def publish(version, megabytes):
        disk = make_disk(tmp_path / f"{version}.raw", megabytes)
        return publisher.publish_image(disk, "worker", "--image-version", str(version))["image-id"]

    def refresh():
        seeder.ctl("refresh")
        daemon.ctl("refresh")

    first = publish(1, 20)
    seeder = site.seeder(publisher)
    daemon.start_and_answer()
    daemon.wait_for_image(first, "active")
    second = publish(2, 20)
    refresh()
    daemon.wait_for_image(second, "active")
    too_big = publish(3, 70)
    refresh()
    daemon.wait_for(lambda: daemon.image(too_big) and daemon.image(too_big)["fault"] == "disk-full", 30,
                    "the fault before the download")
    assert daemon.image(too_big)["progress"] in (0, None)
    assert (daemon.state / "images" / first).exists(), "nothing gives way for what does not fit even then"
    publisher.index("withdraw", "worker@3", "--reason", "too big")
    third = publish(4, 40)
    refresh()
    daemon.wait_for_image(third, "active", 60)
    assert not (daemon.state / "images" / first).exists()
    assert (daemon.state / "images" / second).exists()


def test_zeros_of_an_image_need_no_room(site, small_disk, tmp_path):
    disk = make_disk(tmp_path / "disk.raw", 8)
    with open(disk, "r+b") as out:
        out.truncate(1 << 30)
    publisher = site.publisher()
    entry = publisher.publish_image(disk, "sparse")
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)])
    small_disk(daemon.state, 100)
    daemon.start()
    daemon.wait_for_image(entry["image-id"], "active")


def test_a_full_sink_leaves_nothing_half_made(site, small_disk, tmp_path):
    publisher = site.publisher()
    publisher.publish_image(make_disk(tmp_path / "disk.raw", 8), "too-big-for-the-sink")
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.directory_sink(host)
    folder = small_disk(sink["path"], 4)
    daemon = site.daemon(host, [publisher], sinks=[sink])
    run = daemon.once(timeout=20)
    assert run.returncode == 4, run.stderr
    assert "disk-full" in run.stderr
    assert [path for path in Path(folder).iterdir() if not path.name.startswith(".")] == []
