"""Nova's image cache: the raw file under the name that Nova looks for, whole and verified or not there at all."""
import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest

from support.approvals import Approvals
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


def cache_file(sink, image_id):
    return Path(sink["directory"]) / hashlib.sha1(image_id.encode()).hexdigest()


def same_content(image, file):
    return subprocess.run(["qemu-img", "compare", "-F", "raw", image, file], capture_output=True).returncode == 0


def check_as_nova_would(file, raw, receipt):
    """Name, raw, digest, sparse size, owner, mode and time stamp; and nothing beside it."""
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    information = json.loads(subprocess.run(["qemu-img", "info", "--output=json", "-f", "raw", file], check=True,
                                            capture_output=True).stdout)
    assert information["virtual-size"] == raw.stat().st_size
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest == receipt["content-sha256"]
    assert same_content(raw, file)
    status = file.stat()
    assert (status.st_gid, oct(status.st_mode & 0o7777)) == (GROUP, "0o644")
    assert status.st_blocks * 512 < 10 << 20
    assert time.time() - status.st_mtime < 300


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
    file = cache_file(sink, entry["image-id"])
    assert receipt["reference"] == str(file)
    check_as_nova_would(file, mixed_disk, receipt)
    [row] = daemon.image(entry["image-id"])["sinks"]
    assert (row["type"], row["state"], row["reference"]) == ("nova-cache", "present", str(file))
    figure(f"{kind}: content {entry['content-size'] / 1e6:.1f} MB, cache file {file.stat().st_size / 1e6:.0f} MB, "
           f"{file.stat().st_blocks * 512 / 1e6:.1f} MB on the disk")


def test_it_works_while_glance_is_down_and_before_it_has_the_image(site, mixed_disk):
    publisher = site.publisher()
    entry = publisher.publish_image(mixed_disk, "without-glance")
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    site.cloud.stop()
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink(), sink]).start()
    file = cache_file(sink, entry["image-id"])
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
    folder, file = Path(sink["directory"]), cache_file(sink, entry["image-id"])
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
    file = cache_file(sink, entry["image-id"])
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
    file = cache_file(sink, entry["image-id"])
    subprocess.run(["touch", "-d", "8 hours ago", file], check=True)
    daemon.start()
    wait_until(lambda: time.time() - file.stat().st_mtime < 3600, 60, "the time stamp to be renewed")


@pytest.fixture
def small_cache(site, tmp_path):
    """A file system of 12 MB in a file for one cache."""
    mounted = []

    def mount(path):
        disk = tmp_path / "small.img"
        subprocess.run(["truncate", "-s", "16M", disk], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", disk], check=True)
        subprocess.run(["mount", "-o", "loop", disk, path], check=True)
        mounted.append(path)
        (Path(path) / "lost+found").rmdir()
    yield mount
    site.stop_daemons()
    for path in mounted:
        subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize("kind", ["raw", "qcow2", "qcow2-zstd"])
def test_a_full_cache_is_named_left_empty_and_filled_when_there_is_room(site, small_cache, tmp_path, kind):
    publisher = site.publisher()
    raw = make_disk(tmp_path / "disk.raw", 3)
    entry = publisher.publish_image(converted(raw, kind), f"too-big-{kind}", *KINDS[kind])
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.nova_cache_sink(host)
    small_cache(sink["directory"])
    filler = Path(sink["directory"]) / "filler"
    subprocess.run(["fallocate", "-l", str(free(filler.parent) - (2 << 20)), filler], check=True)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    daemon.wait_for(lambda: fault_of(daemon, entry) == "disk-full", 60, "the fault in the status")
    assert [path.name for path in filler.parent.iterdir()] == ["filler"]
    filler.unlink()
    daemon.wait_for_image(entry["image-id"], "active", 180)
    assert same_content(raw, cache_file(sink, entry["image-id"]))


def free(path):
    return int(subprocess.run(["df", "--output=avail", "-B1", path], check=True, capture_output=True,
                              text=True).stdout.split()[1])


def fault_of(daemon, entry):
    row = daemon.image(entry["image-id"])
    return row and row["sinks"][0]["fault"]
