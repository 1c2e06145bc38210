"""The disk of a qcow2, as the sandboxed helper reads it, is byte by byte what qemu-img makes of it."""
import os
import struct
import subprocess
import threading

import pytest

from support.testbed import programs

KINDS = [(cluster, features, packed) for cluster in (512, 65536, 2097152) for packed in (False, True)
         for features in ("compat=0.10", "compat=1.1,compression_type=zlib", "compat=1.1,compression_type=zstd")]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Data that does not pack, a hole, data that does, and a size that is no multiple of any cluster."""
    path = tmp_path_factory.mktemp("raw") / "disk.raw"
    with open(path, "wb") as out:
        out.write(os.urandom(3 << 20))
        out.seek(40 << 20)
        out.write(b"packs well " * 200_000)
        out.truncate((64 << 20) + 3 * 512)
    return path


def read_disk(image):
    """What the helper says, and the extents that it sends."""
    size = image.stat().st_size
    verdicts, say = os.pipe()
    with open(image, "rb") as content:
        helper = subprocess.Popen(["bash", "-c", f'exec "$0" none {size} {size} disk 3>&{say}',
                                   programs() / "imageswarm-inspector"],
                                  stdin=content, stdout=subprocess.PIPE, pass_fds=[say], env={})
    os.close(say)
    said = []
    listener = threading.Thread(target=lambda: said.append(os.fdopen(verdicts).read()))
    listener.start()
    extents, sent = [], helper.stdout
    while head := sent.read(16):
        offset, length = struct.unpack("<QQ", head)
        extents.append((offset, sent.read(length)))
    listener.join()
    return helper.wait(), said[0].splitlines(), extents


@pytest.mark.parametrize("cluster, features, packed", KINDS)
def test_it_is_what_qemu_img_makes_of_it(raw, tmp_path, cluster, features, packed):
    image, disk = tmp_path / "disk.qcow2", tmp_path / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", f"cluster_size={cluster},{features}",
                    *(["-c"] if packed else []), raw, image], check=True)
    status, (verdict, data, end), extents = read_disk(image)
    assert (status, verdict, end) == (0, f"image qcow2 bare {raw.stat().st_size} unknown", "end")
    with open(disk, "wb") as out:
        out.truncate(raw.stat().st_size)
        for offset, content in extents:
            out.seek(offset)
            out.write(content)
    assert disk.read_bytes() == raw.read_bytes()
    assert sum(len(content) for _, content in extents) <= int(data.split()[1]) < 10 << 20


def test_only_a_qcow2_has_a_disk_that_can_be_read(raw):
    status, said, extents = read_disk(raw)
    assert (status, extents) == (0, []) and said[0].startswith("fault image-format-unsupported ")
