"""Nova's image cache: the raw file under the name that Nova looks for, whole and verified or not there at all."""
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from support.approvals import Approvals
from support.disk_use import bytes_on_disk
from support.nova_check import cache_file, check_cache_file, digest_of
from support.process import wait_until
from support.services import make_disk
from support.testbed import random_moments

GROUP = 4711  # container deployments use numbers


@pytest.fixture
def mixed_disk(tmp_path):
    """Data, a long hole, and data that packs, as a raw file."""
    raw = make_disk(tmp_path / "mixed.raw", 6)
    with open(raw, "r+b") as out:
        out.seek(300 << 20)
        out.write(b"packs well " * 100_000)
        out.truncate(400 << 20)
    return raw


def converted(raw, kind):
    """The disk as an image file; for the kinds see `KINDS`."""
    if kind.startswith("raw"):
        return raw
    image = raw.with_suffix(".qcow2")
    options = ["-c", "-o", "compression_type=" + kind.rsplit("-", 1)[1]] if "-packed-" in kind else []
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", *options, raw, image], check=True)
    return image


KINDS = {"raw": ["--compress", "none"], "raw-zstd": ["--compress", "zstd"],
         "qcow2": ["--compress", "none"], "qcow2-zstd": ["--compress", "zstd"],
         "qcow2-packed-zlib": ["--compress", "none"], "qcow2-packed-zstd": ["--compress", "none"]}


def same_content(image, file):
    return subprocess.run(["qemu-img", "compare", "-F", "raw", image, file], capture_output=True).returncode == 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_cache_file_is_what_nova_would_have_made(site, kind, mixed_disk, figure):
    publisher = site.publisher()
    image = converted(mixed_disk, kind)
    entry = publisher.publish_image(image, f"cached-{kind}", *KINDS[kind])
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    daemon.wait_for_image(entry["image-id"], "active")
    [receipt] = daemon.receipts()
    file = check_cache_file(sink["directory"], entry["image-id"], mixed_disk, (os.geteuid(), GROUP))
    assert same_content(mixed_disk, file)
    assert receipt["reference"] == str(file)
    assert receipt["content-sha256"] == digest_of(mixed_disk)
    assert list(file.parent.iterdir()) == [file], "nothing lies beside it"
    [row] = daemon.image(entry["image-id"])["sinks"]
    assert (row["type"], row["state"], row["reference"]) == ("nova-cache", "present", str(file))
    figure(f"{kind}: content {entry['content-size'] / 1e6:.1f} MB, cache file {file.stat().st_size / 1e6:.0f} MB, "
           f"{file.stat().st_blocks * 512 / 1e6:.1f} MB on the disk")


def test_blocks_are_shared_with_the_store_where_the_file_system_can(site, small_disk, tmp_path, figure):
    """The sink is the only one, so it gets the image while that arrives."""
    publisher = site.publisher()
    raw = make_disk(tmp_path / "disk.raw", 32)
    entry = publisher.publish_image(raw, "shared", "--compress", "none")
    site.seeder(publisher)
    host = site.hypervisors[0]
    host.limit(60)
    sink = site.nova_cache_sink(host)
    small_disk(Path(sink["directory"]).parent, 400, "btrfs")
    base, store = Path(sink["directory"]), Path(sink["directory"]).parent / "store"
    base.mkdir()
    store.mkdir()
    daemon = site.daemon(host, [publisher], sinks=[sink], store={"directory": str(store)}).start()
    daemon.wait_for_image(entry["image-id"], "active")
    file = check_cache_file(base, entry["image-id"], raw, (os.geteuid(), GROUP))
    taken = bytes_on_disk([store / "images" / entry["image-id"] / entry["torrent-content-name"], file])
    figure(f"the artefact and the cache file, {2 * file.stat().st_size / 1e6:.1f} MB, take {taken / 1e6:.1f} MB")
    assert taken == file.stat().st_size


def test_it_works_while_glance_is_down_and_before_it_has_the_image(site, mixed_disk):
    publisher = site.publisher()
    entry = publisher.publish_image(mixed_disk, "without-glance")
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    site.cloud.stop()
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink(), sink]).start()
    file = cache_file(sink["directory"], entry["image-id"])
    wait_until(file.exists, 60, "the file in the cache")
    assert same_content(mixed_disk, file)
    assert daemon.image(entry["image-id"])["state"] != "active"
    site.cloud.start()
    daemon.wait_for_image(entry["image-id"], "active", 180)
    assert [record["id"] for record in site.cloud.images_of(entry["image-id"])] == [entry["image-id"]]


def test_kill_at_any_moment_leaves_no_incomplete_file(site, figure, tmp_path):
    """A round counts if the file was being made when the daemon was killed."""
    publisher = site.publisher()
    raw = make_disk(tmp_path / "disk.raw", 96)
    entry = publisher.publish_image(converted(raw, "qcow2"), "killed-in-cache", "--compress", "zstd")
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    folder, file = Path(sink["directory"]), cache_file(sink["directory"], entry["image-id"])
    daemon = site.daemon(host, [publisher], sinks=[sink])
    in_the_middle = 0
    for moment in random_moments(10, 0.0, 1.0):
        before = set(folder.iterdir())
        daemon.start()
        daemon.wait_for(lambda: set(folder.iterdir()) - before, 60, "the file to be begun")
        time.sleep(moment)
        daemon.kill()
        if file.exists():
            assert same_content(raw, file)
            file.unlink()
        else:
            in_the_middle += 1
    daemon.start()
    daemon.wait_for_image(entry["image-id"], "active")
    assert [path.name for path in folder.iterdir()] == [file.name]
    assert same_content(raw, file)
    figure(f"10 kills, {in_the_middle} of them while the file was made: never an incomplete one")
    assert in_the_middle, "every kill came too late"


def test_a_recalled_file_stays_under_a_machine_and_under_an_instance_that_is_off(site, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 8), "in-use")
    approvals = Approvals(site, publisher, tmp_path)
    site.daemon(site.index_host, [publisher], approvals=approvals.settings(),
                store={"seed-from": [str(publisher.store / "public" / "images")]}).start_and_answer()
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host, **{"manager-interval": "1s"})
    daemon = site.daemon(host, [publisher], sinks=[sink], approvals=approvals.settings()).start()
    daemon.wait_for_image(entry["image-id"], "active")
    file = cache_file(sink["directory"], entry["image-id"])
    disk = file.parent.parent / "0c5c2b2e-an-instance" / "disk"
    disk.parent.mkdir()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", file, disk], check=True)

    def user():
        answer = daemon.ctl("recalled", "--json", check=False)
        [row] = json.loads(answer.stdout) if answer.returncode == 0 and answer.stdout.strip() != "[]" else [None]
        return row and row["sinks"][0]["used-by"]
    with subprocess.Popen(["qemu-system-x86_64", "-machine", "none", "-display", "none", "-monitor", "stdio",
                           "-blockdev", f"driver=qcow2,node-name=disk,file.driver=file,file.filename={disk}"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as machine:
        assert "QEMU" in machine.stdout.readline()
        approvals.recall(entry["image-id"])
        seen = daemon.wait_for(user, 30, "the machine to be seen")
        assert "lock" in seen or "open" in seen
        machine.communicate("quit\n", timeout=20)
    daemon.wait_for(lambda: "0c5c2b2e-an-instance" in (user() or ""), 60, "the instance to be seen")
    assert file.exists()
    assert "still in use" in daemon.ctl("recalled").stdout
    disk.unlink()
    wait_until(lambda: not file.exists(), 60, "the file to be removed")


def test_the_time_stamp_is_renewed(site, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "ageing")
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    daemon.wait_for_image(entry["image-id"], "active")
    daemon.stop()
    file = cache_file(sink["directory"], entry["image-id"])
    subprocess.run(["touch", "-d", "8 hours ago", file], check=True)
    daemon.start()
    wait_until(lambda: time.time() - file.stat().st_mtime < 3600, 60, "the time stamp to be renewed")


@pytest.mark.parametrize("kind", ["raw", "qcow2", "qcow2-zstd"])
def test_a_full_cache_is_named_left_empty_and_filled_when_there_is_room(site, small_disk, tmp_path, kind):
    publisher = site.publisher()
    raw = make_disk(tmp_path / "disk.raw", 3)
    entry = publisher.publish_image(converted(raw, kind), f"too-big-{kind}", *KINDS[kind])
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    small_disk(sink["directory"], 16)
    filler = Path(sink["directory"]) / "filler"
    subprocess.run(["fallocate", "-l", str(free(filler.parent) - (2 << 20)), filler], check=True)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    daemon.wait_for(lambda: fault_of(daemon, entry) == "disk-full", 60, "the fault in the status")
    assert [path.name for path in filler.parent.iterdir()] == ["filler"]
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 180)
    assert same_content(raw, cache_file(sink["directory"], entry["image-id"]))


def free(path):
    return int(subprocess.run(["df", "--output=avail", "-B1", path], check=True, capture_output=True,
                              text=True).stdout.split()[1])


def fault_of(daemon, entry):
    row = daemon.image(entry["image-id"])
    return row and row["sinks"][0]["fault"]
