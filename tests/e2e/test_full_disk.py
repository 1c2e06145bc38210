"""A full disk stops the host's own work only, says so, and is over when there is room again.

Every file system here is a small one on a loop device.
"""
import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from support.nova_check import cache_file
from support.process import wait_until
from support.services import file_system, make_disk


def fill(folder, but=0):
    """Takes all the room of a file system but so many bytes, until the file is removed."""
    filler = Path(folder) / "filler"
    with open(filler, "wb", buffering=0) as out:
        for block in (1 << 20, 1 << 10):
            with contextlib.suppress(OSError):
                while out.write(b"x" * block) == block:
                    pass
        out.truncate(max(0, out.tell() - but))
    return filler


def sink_fault(daemon, entry, kind):
    row = daemon.image(entry["image-id"])
    return row and next(sink["fault"] for sink in row["sinks"] if sink["type"] == kind)


def half_made(folder):
    """What is there and is no final name of ours."""
    return [path.name for path in Path(folder).iterdir() if path.name.startswith(".")]


def lines_of(daemon, *words):
    return [line for line in daemon.text().splitlines() if all(word in line for word in words)]


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


def test_what_is_active_stays_while_the_state_directory_is_full_even_over_a_restart(site, small_disk, tmp_path):
    publisher = site.publisher()
    first = publisher.publish_image(make_disk(tmp_path / "1.raw", 4), "first")
    seeder = site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)])
    small_disk(daemon.state, 145)
    daemon.start()
    daemon.wait_for_image(first["image-id"], "active")
    filler = fill(daemon.state)
    second = publisher.publish_image(make_disk(tmp_path / "2.raw", 4), "second")
    seeder.ctl("refresh")
    daemon.ctl("refresh", check=False)
    daemon.wait_for_text("disk-full")
    assert daemon.image(first["image-id"])["state"] == "active"
    daemon.stop()
    daemon.start()
    daemon.wait_for(lambda: len(lines_of(daemon, "disk-full")) > 1 or daemon.image(first["image-id"]), 60,
                    "the daemon to answer, or to say why not")
    filler.unlink()
    if not daemon.running():
        daemon.start()  # as systemd does
    daemon.wait_for_image(first["image-id"], "active")
    daemon.ctl("refresh")
    daemon.wait_for_image(second["image-id"], "active", 180)


def test_a_store_that_others_fill_during_the_download_is_named_and_the_rest_comes_later(site, small_disk, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 48), "overtaken", "--compress", "none")
    site.seeder(publisher)
    host = site.hypervisors[0]
    host.limit(40)
    sink = site.directory_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[sink])
    small_disk(daemon.state, 160)
    daemon.start()
    daemon.wait_for(lambda: ((daemon.image(entry["image-id"]) or {}).get("progress") or 0) > 0.1, 60, "a tenth of it")
    filler = fill(daemon.state)
    daemon.wait_for(lambda: daemon.image(entry["image-id"])["fault"] == "disk-full", 60, "the fault in the status")
    assert len(lines_of(daemon, "disk-full")) < 10
    assert list(Path(sink["path"]).glob("[!.]*")) == []
    filler.unlink()
    host.limit(None)
    daemon.wait_for_image(entry["image-id"], "active", 180)


@pytest.mark.parametrize("packing", ["none", "zstd"])
def test_a_directory_that_others_fill_while_it_is_written_gets_nothing_half_made(site, small_disk, tmp_path, packing):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 48), f"cut-off-{packing}", "--compress", packing)
    site.seeder(publisher)
    host = site.hypervisors[0]
    host.limit(40)
    sink = site.directory_sink(host)
    small_disk(sink["path"], 100)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    wait_until(lambda: half_made(sink["path"]), 60, "the file to be begun", every=0.02)
    filler = fill(sink["path"])
    host.limit(None)
    daemon.wait_for(lambda: sink_fault(daemon, entry, "directory") == "disk-full", 60, "the fault in the status")
    assert [path.name for path in Path(sink["path"]).iterdir()] == ["filler"]
    assert lines_of(daemon, "disk-full", sink["path"])
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 180)


def test_a_nova_cache_that_others_fill_while_it_is_written_gets_nothing_half_made(site, small_disk, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 48), "cut-off-in-cache", "--compress", "zstd")
    site.seeder(publisher)
    host = site.hypervisors[0]
    host.limit(40)
    sink = site.nova_cache_sink(host)
    small_disk(sink["directory"], 100)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    wait_until(lambda: half_made(sink["directory"]), 60, "the file to be begun", every=0.02)
    filler = fill(sink["directory"])
    host.limit(None)
    daemon.wait_for(lambda: sink_fault(daemon, entry, "nova-cache") == "disk-full", 60, "the fault in the status")
    assert [path.name for path in Path(sink["directory"]).iterdir()] == ["filler"]
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 180)
    assert cache_file(sink["directory"], entry["image-id"]).exists()


def test_a_full_glance_is_named_and_has_the_image_when_there_is_room(site, small_disk, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 24), "too-big-for-glance")
    site.seeder(publisher)
    small_disk(site.cloud.images, 32)
    filler = fill(site.cloud.images, 8 << 20)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink()]).start()
    daemon.wait_for(lambda: sink_fault(daemon, entry, "glance") == "glance-quota", 60, "the fault in the status")
    assert "active" not in [record["status"] for record in site.cloud.images_of(entry["image-id"])]
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 240)
    site.cloud.glance_api("DELETE", f"/images/{entry['image-id']}")


def test_an_endorsers_full_disk_is_named_and_what_is_published_stays(site, tmp_path):
    publisher = site.publisher()
    publisher.publish_image(make_disk(tmp_path / "1.raw", 2), "first")
    small = publisher.store.with_name(publisher.name + "-small")
    small.mkdir()
    with file_system(small, 32):
        subprocess.run(["cp", "-a", f"{publisher.store}/.", small], check=True)
        publisher.store = small
        before = sorted(path for path in small.rglob("*"))
        published = (small / "public" / "catalogue.yaml").read_bytes()
        image = make_disk(tmp_path / "2.raw", 40)
        refused = publisher.index("add", image, "--name", "second", check=False)
        assert refused.returncode and "disk-full" in refused.stderr, refused.stderr
        assert sorted(path for path in small.rglob("*")) == before, "nothing half-made"
        image = make_disk(tmp_path / "3.raw", 2)
        publisher.index("add", image, "--name", "third")
        publisher.index("endorse", "--all", "--yes")
        filler = fill(small)
        sign = ["publish", "--certificate", publisher.endorser.certificate, "--key", publisher.endorser.key]
        refused = publisher.index(*sign, check=False)
        assert refused.returncode and "disk-full" in refused.stderr, refused.stderr
        assert (small / "public" / "catalogue.yaml").read_bytes() == published
        filler.unlink()
        publisher.index(*sign)
        assert (small / "public" / "catalogue.yaml").read_bytes() != published


@pytest.mark.parametrize("folder", ["torrents", "resume"])
def test_a_full_file_system_under_a_part_of_the_store_is_named_and_over_with_room(site, small_disk, tmp_path, folder):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 8), f"full-{folder}")
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)])
    part = daemon.state / folder
    part.mkdir()
    small_disk(part, 4)
    filler = fill(part)
    daemon.start()
    daemon.wait_for_text("disk-full" if folder == "torrents" else "No space left on device; what arrives may have to be "
                         "fetched again after a crash")
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 180)
