"""The layout `chunks`: a new version costs a host only the chunks that changed, and any v2 client can do without us."""
import time
from pathlib import Path

from support.testbed import random_moments, wait_for_images

MIB = 1 << 20
CHUNK = 1 * MIB
BLOCK = 16 << 10
CHUNKS = ("--torrent-layout", "chunks", "--chunk-size", "1MiB")


def make_disk(path, megabytes, random):
    """Compressible, with zeros in the second half."""
    words = [random.randbytes(12) for _ in range(4000)]
    half = b"".join(random.choices(words, k=megabytes * MIB // 2 // 12))
    path.write_bytes(half.ljust(megabytes * MIB, b"\0"))
    return path


def changed(old, new, chunks, random):
    content = bytearray(old.read_bytes())
    for index in chunks:
        at = index * CHUNK + 1000
        content[at:at + 50] = random.randbytes(50)
    new.write_bytes(content)
    return new


def content_in(sink):
    return [file.read_bytes() for file in sorted(Path(sink["path"]).iterdir()) if not file.is_symlink()]


def payload_of(daemon, image_id):
    counted = daemon.image(image_id)["bytes"]
    return counted["peers"] + counted["web-seed"]


def is_due(payload, directory, chunks):
    """libtorrent counts the last block of a file in full, and at the end asks twice for a few."""
    sizes = [file.stat().st_size for file in sorted(directory.iterdir())]
    due = sum(-(-sizes[index] // BLOCK) * BLOCK for index in chunks)
    return due <= payload <= 1.1 * due + 4 * BLOCK


def test_two_hosts_have_the_image_and_the_next_version_costs_what_changed(site, figure, tmp_path, seeded_random):
    old = make_disk(tmp_path / "old.raw", 64, seeded_random)
    publisher = site.publisher()
    first = publisher.publish_image(old, "chunked", "--image-version", "1", *CHUNKS)
    seeder = site.seeder(publisher)
    sinks = [site.directory_sink(host) for host in site.hypervisors[:2]]
    daemons = [site.daemon(host, [publisher], sinks=[sink]).start()
               for host, sink in zip(site.hypervisors, sinks)]
    wait_for_images(daemons, first["image-id"])
    for daemon, sink in zip(daemons, sinks):
        assert content_in(sink) == [old.read_bytes()]
        # The second half are zeros, which nobody sends.
        assert is_due(payload_of(daemon, first["image-id"]), publisher.artefact(first), range(32))

    places = [2, 17, 40]
    new = changed(old, tmp_path / "new.raw", places, seeded_random)
    second = publisher.publish_image(new, "chunked", "--image-version", "2", *CHUNKS)
    artefacts = [publisher.artefact(entry) for entry in (first, second)]
    shared = [(artefacts[0] / name).samefile(artefacts[1] / name)
              for name in sorted(file.name for file in artefacts[1].iterdir())]
    assert [index for index, same in enumerate(shared) if not same] == places
    seeder.ctl("refresh")
    seeder.wait_for_image(second["image-id"], "active")
    received = [host.bytes_received() for host in site.hypervisors[:2]]
    for daemon in daemons:
        daemon.ctl("refresh")
    wait_for_images(daemons, second["image-id"])
    for daemon, sink, host, before in zip(daemons, sinks, site.hypervisors, received):
        assert new.read_bytes() in content_in(sink)
        assert is_due(payload_of(daemon, second["image-id"]), artefacts[1], places)
        figure(f"64 MiB in chunks of 1 MiB, 3 of them changed: {(host.bytes_received() - before) / 1e3:.0f} kB came in "
               f"for an artefact of {second['torrent-content-size'] / 1e3:.0f} kB")


def test_from_the_web_server_alone(site, tmp_path, seeded_random):
    disk = make_disk(tmp_path / "disk.raw", 24, seeded_random)
    publisher = site.publisher()
    entry = publisher.publish_image(disk, "from-the-web", *CHUNKS)
    host = site.hypervisors[0]
    sink = site.directory_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[sink]).start()
    row = daemon.wait_for_image(entry["image-id"], "active")
    assert row["bytes"]["web-seed"] > 0 and row["bytes"]["peers"] == 0
    assert content_in(sink) == [disk.read_bytes()]


def test_killed_hosts_go_on_where_they_were(site, tmp_path, seeded_random):
    disk = tmp_path / "disk.raw"
    disk.write_bytes(seeded_random.randbytes(48 * MIB))
    publisher = site.publisher()
    entry = publisher.publish_image(disk, "killed-in-chunks", *CHUNKS)
    site.seeder(publisher)
    host = site.hypervisors[0]
    sink = site.directory_sink(host)
    rate = 4_000_000
    daemon = site.daemon(host, [publisher], sinks=[sink], swarm={"download-rate": f"{rate}B/s"})
    before = host.bytes_received()
    moments = random_moments(4, 1, 3)
    for moment in moments:
        daemon.start_and_answer()
        daemon.wait_for(lambda: daemon.image(entry["image-id"]), 30, "the image to be known")
        time.sleep(moment)
        daemon.kill()
    daemon.start()
    daemon.wait_for_image(entry["image-id"], "active")
    assert content_in(sink) == [disk.read_bytes()]
    assert host.bytes_received() - before < 1.05 * entry["torrent-content-size"] + len(moments) * rate
