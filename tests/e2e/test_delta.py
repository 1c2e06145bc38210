"""A new version costs a host only what changed, on the wire and on the disk."""
import random
import subprocess

import pytest

from support.process import wait_until
from support.services import make_disk

MIB = 1 << 20


def changed(old, new, runs, size):
    """`new` is `old` with random bytes at `runs` places; the same ones every time."""
    content = bytearray(old.read_bytes())
    places = random.Random(4)
    for _ in range(runs):
        at = places.randrange(len(content) - size)
        content[at:at + size] = places.randbytes(size)
    new.write_bytes(content)
    return new


def bytes_of_changed_pieces(old, new, piece_length):
    with open(old, "rb") as before, open(new, "rb") as after:
        total = 0
        while piece := after.read(piece_length):
            total += len(piece) if piece != before.read(piece_length) else 0
        return total


def allocated(path):
    return path.stat().st_blocks * 512


class Update:
    """A host that has version 1 of an image, whose publisher and seeder have version 2 as well."""

    def __init__(self, site, old, new, prepare=lambda state: None):
        publisher = site.publisher()
        first = publisher.publish_image(old, "changing", "--image-version", "1")
        self.seeder = site.seeder(publisher)
        self.host = site.hypervisors[0]
        self.daemon = site.daemon(self.host, [publisher], sinks=[site.directory_sink(self.host)])
        prepare(self.daemon.state)
        self.daemon.start()
        self.daemon.wait_for_image(first["image-id"], "active")
        self.entry = publisher.publish_image(new, "changing", "--image-version", "2")
        self.image_id = self.entry["image-id"]
        self.artefact = self.daemon.state / "images" / self.image_id / self.entry["torrent-content-name"]
        self.seeder.ctl("refresh")
        self.seeder.wait_for_image(self.image_id, "active")
        self.received_before = self.host.bytes_received()

    def finish(self):
        row = self.daemon.wait_for_image(self.image_id, "active")
        return row["bytes"], self.host.bytes_received() - self.received_before


def test_a_new_version_fetches_only_the_pieces_that_changed(site, figure, tmp_path):
    old = make_disk(tmp_path / "old.raw", 200)
    new = changed(old, tmp_path / "new.raw", runs=10, size=MIB)
    update = Update(site, old, new)
    update.daemon.ctl("refresh")
    counted, received = update.finish()

    due = bytes_of_changed_pieces(old, new, int(update.entry["torrent-piece-length"]))
    figure(f"200 MiB with 10 MiB changed: {received / 1e6:.1f} MB came in, {due / 1e6:.1f} MB of pieces had changed")
    assert counted["peers"] + counted["web-seed"] == due
    assert counted["local"] == 200 * MIB - due
    assert received < 1.1 * due + MIB
    assert update.artefact.read_bytes() == new.read_bytes()


def test_zeros_are_neither_fetched_nor_written(site, tmp_path):
    disk = make_disk(tmp_path / "disk.raw", 8)
    with open(disk, "r+b") as out:
        out.truncate(300 * MIB)
        out.seek(150 * MIB)
        out.write(b"in the middle")
    publisher = site.publisher()
    entry = publisher.publish_image(disk, "sparse")
    site.seeder(publisher)
    host = site.hypervisors[0]
    before = host.bytes_received()
    sink = site.directory_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    row = daemon.wait_for_image(entry["image-id"], "active")

    piece = int(entry["torrent-piece-length"])
    assert row["bytes"]["local"] == 300 * MIB - 8 * MIB - piece
    assert host.bytes_received() - before < 10 * MIB
    artefact = daemon.state / "images" / entry["image-id"] / entry["torrent-content-name"]
    assert artefact.stat().st_size == 300 * MIB
    assert allocated(artefact) <= 9 * MIB


@pytest.fixture
def btrfs(site, tmp_path):
    """Puts a directory on a file system whose files can share blocks."""
    mounted = []

    def mount(directory):
        volume = tmp_path / "btrfs"
        with open(volume, "wb") as out:
            out.truncate(400 * MIB)
        subprocess.run(["mkfs.btrfs", "-q", volume], check=True)
        subprocess.run(["mount", "-o", "loop", volume, directory], check=True)
        mounted.append(directory)
    yield mount
    site.stop_daemons()
    for directory in mounted:
        subprocess.run(["umount", directory], check=True)


def test_where_the_file_system_can_versions_share_their_blocks(site, btrfs, tmp_path):
    old = make_disk(tmp_path / "old.raw", 64)
    new = changed(old, tmp_path / "new.raw", runs=2, size=MIB)
    update = Update(site, old, new, prepare=btrfs)
    update.daemon.ctl("refresh")
    update.finish()
    subprocess.run(["sync", "-f", update.artefact], check=True)
    extents = subprocess.run(["filefrag", "-v", "-b1", update.artefact], check=True, capture_output=True, text=True)
    shared = sum(int(line.split(":")[3]) for line in extents.stdout.splitlines() if "shared" in line)
    assert shared == 64 * MIB - bytes_of_changed_pieces(old, new, int(update.entry["torrent-piece-length"]))
    assert update.artefact.read_bytes() == new.read_bytes()


def test_killed_while_copying_it_begins_anew_and_fetches_nothing_more(site, figure, tmp_path):
    old = make_disk(tmp_path / "old.raw", 600)
    new = changed(old, tmp_path / "new.raw", runs=5, size=MIB)
    update = Update(site, old, new)
    moments = [0]
    update.daemon.ctl("refresh")
    for _ in range(3):
        wait_until(lambda: update.artefact.exists() and allocated(update.artefact) > moments[-1] + 50 * MIB,
                   60, "the copy to grow", every=0.001)
        update.daemon.kill()
        moments.append(allocated(update.artefact))
        assert not (update.daemon.state / "resume" / f"{update.image_id}.resume").exists(), "it was over already"
        update.daemon.start()
    counted, _ = update.finish()
    figure(f"killed while copying, after {', '.join(f'{moment / 1e6:.0f}' for moment in moments[1:])} MB")
    assert counted["peers"] + counted["web-seed"] == bytes_of_changed_pieces(
        old, new, int(update.entry["torrent-piece-length"]))
    assert update.artefact.read_bytes() == new.read_bytes()
