"""Block devices that images are written to: complete and compared, or with nothing in the first MiB."""
import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from support.process import wait_until
from support.services import make_disk
from support.testbed import random_moments

MIB = 1 << 20


@pytest.fixture
def device(tmp_path):
    """A function that makes a loop device of that many MiB, under a name of its own in `tmp_path`/vg0."""
    made = []

    def make(name, size):
        backing = tmp_path / f"{name}.backing"
        with open(backing, "wb") as file:
            file.truncate(size * MIB)
        loop = subprocess.run(["losetup", "--find", "--show", backing], check=True, capture_output=True,
                              text=True).stdout.strip()
        made.append(loop)
        link = tmp_path / "vg0" / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(loop)
        return link

    yield make
    for loop in made:
        subprocess.run(["losetup", "--detach", loop], check=True)


def sink_in(tmp_path):
    return {"type": "volume", "device": f"{tmp_path}/vg0/{{name}}"}


def head(device):
    with open(device, "rb") as file:
        return file.read(MIB)


def holds(device, raw):
    content = raw.read_bytes()
    with open(device, "rb") as file:
        return hashlib.sha256(file.read(len(content))).digest() == hashlib.sha256(content).digest()


def converted(raw):
    image = raw.with_suffix(".qcow2")
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image], check=True)
    return image


@pytest.mark.parametrize("kind", ["raw", "qcow2"])
def test_a_larger_device_gets_the_disk_and_is_cleared_with_the_withdrawal(site, kind, tmp_path, device):
    publisher = site.publisher()
    raw = make_disk(tmp_path / "disk.raw", 12)
    entry = publisher.publish_image(raw if kind == "raw" else converted(raw), "disk")
    site.seeder(publisher)
    volume = device("disk", 40)
    daemon = site.daemon(site.hypervisors[0], [publisher], trust={"mass-withdrawal": "100%"},
                         sinks=[sink_in(tmp_path)]).start()
    daemon.wait_for_image(entry["image-id"], "active")
    [receipt] = daemon.receipts()
    assert (receipt["sink-type"], receipt["reference"]) == ("volume", str(volume))
    assert receipt["content-sha256"] == hashlib.sha256(raw.read_bytes()).hexdigest()
    assert holds(volume, raw)
    publisher.index("withdraw", entry["image-id"])
    publisher.publish()
    daemon.ctl("refresh")
    wait_until(lambda: not any(head(volume)), 60, "the device to be cleared")


def test_a_new_version_waits_until_nobody_has_the_device_mounted(site, tmp_path, device):
    publisher = site.publisher()
    first_disk, second_disk = tmp_path / "1.raw", make_disk(tmp_path / "2.raw", 12)
    first_disk.write_bytes(b"")
    os.truncate(first_disk, 12 * MIB)
    subprocess.run(["mkfs.ext4", "-q", first_disk], check=True)
    first = publisher.publish_image(first_disk, "disk", "--image-version", "1")
    site.seeder(publisher)
    volume = device("disk", 16)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[sink_in(tmp_path)]).start()
    daemon.wait_for_image(first["image-id"], "active")
    assert holds(volume, first_disk)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "-o", "ro,noload", volume, mounted], check=True)
    try:
        second = publisher.publish_image(second_disk, "disk", "--image-version", "2")
        daemon.ctl("refresh")
        daemon.wait_for(lambda: "is in use" in str(daemon.image(second["image-id"])), 60, "the reason in status")
        assert holds(volume, first_disk)
    finally:
        subprocess.run(["umount", mounted], check=True)
    daemon.wait_for_image(second["image-id"], "active", 180)
    assert holds(volume, second_disk)


def test_foreign_data_stay_and_the_status_says_what_to_do(site, tmp_path, device):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 4), "disk")
    site.seeder(publisher)
    volume = device("disk", 8)
    subprocess.run(["mkfs.ext4", "-q", volume], check=True)
    before = hashlib.sha256(volume.read_bytes()).digest()
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[sink_in(tmp_path)]).start()
    daemon.wait_for(lambda: "blkdiscard" in str(daemon.image(entry["image-id"])), 60, "the remedy in status")
    assert hashlib.sha256(volume.read_bytes()).digest() == before


def test_kill_at_any_moment_leaves_no_device_that_boots_incomplete(site, figure, tmp_path, device):
    """A round counts if the device was being written when the daemon was killed."""
    publisher = site.publisher()
    raw = make_disk(tmp_path / "disk.raw", 192)
    entry = publisher.publish_image(raw, "disk")
    site.seeder(publisher)
    volume = device("disk", 192)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[sink_in(tmp_path)])

    def is_begun():
        with open(volume, "rb") as file:
            file.seek(2 * MIB)
            return any(file.read(4096))

    in_the_middle = 0
    for moment in random_moments(5, 0.0, 0.5):
        daemon.start()
        daemon.wait_for(is_begun, 60, "the device to be written")
        time.sleep(moment)
        daemon.kill()
        if any(head(volume)):
            assert holds(volume, raw)
            subprocess.run(["dd", "if=/dev/zero", f"of={volume}", "bs=1M", "count=4", "conv=notrunc", "status=none"],
                           check=True)
        else:
            in_the_middle += 1
            subprocess.run(["dd", "if=/dev/zero", f"of={volume}", "bs=1M", "seek=2", "count=1", "conv=notrunc",
                            "status=none"], check=True)
    daemon.start()
    wait_until(lambda: holds(volume, raw), 60, "the device to be completed")  # receipts of earlier runs count at once
    daemon.wait_for_image(entry["image-id"], "active")
    assert not list((Path(daemon.state) / "volumes").glob(".*.tmp"))
    figure(f"5 kills, {in_the_middle} of them while the device was written: never an incomplete head")
    assert in_the_middle, "every kill came too late"
