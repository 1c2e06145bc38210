"""The inspector's verdict on what qemu-img and other tools really make."""
import json
import os
import subprocess

import pytest

from support.testbed import programs

SECRET = ["--object", "secret,id=key,data=x"]
ACCEPTED = {
    "qcow2": ["-f", "qcow2"],
    "qcow2 of version 2": ["-f", "qcow2", "-o", "compat=0.10"],
    "smallest clusters": ["-f", "qcow2", "-o", "cluster_size=512"],
    "largest clusters": ["-f", "qcow2", "-o", "cluster_size=2M"],
    "lazy refcounts": ["-f", "qcow2", "-o", "lazy_refcounts=on"],
    "zstd clusters": ["-f", "qcow2", "-o", "compression_type=zstd"],
    "sparse VMDK": ["-f", "vmdk"],
    "VMDK of version 2": ["-f", "vmdk", "-o", "zeroed_grain=on"],
    "stream VMDK": ["-f", "vmdk", "-o", "subformat=streamOptimized"],
    "raw": ["-f", "raw"],
}
REFUSED = {
    "backing file": ("image-backing-file", ["-f", "qcow2", "-F", "raw", "-b", "base.raw"]),
    "data file": ("image-data-file", ["-f", "qcow2", "-o", "data_file=data.raw"]),
    "raw data file": ("image-data-file", ["-f", "qcow2", "-o", "data_file=data.raw,data_file_raw=on"]),
    # Not LUKS: qemu-img times its key derivation and gives up on a busy machine.
    "encryption": ("image-encrypted", ["-f", "qcow2", *SECRET, "-o", "encrypt.format=aes,encrypt.key-secret=key"]),
    "extended L2": ("image-feature", ["-f", "qcow2", "-o", "extended_l2=on"]),
    "VMDK in two files": ("image-format-unsupported", ["-f", "vmdk", "-o", "subformat=monolithicFlat"]),
    "VMDK in pieces": ("image-format-unsupported", ["-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"]),
    "dynamic VHD": ("image-format-unsupported", ["-f", "vpc"]),
    "fixed VHD": ("image-format-unsupported", ["-f", "vpc", "-o", "subformat=fixed"]),
    "VHDX": ("image-format-unsupported", ["-f", "vhdx"]),
    "VDI": ("image-format-unsupported", ["-f", "vdi"]),
    "QED": ("image-format-unsupported", ["-f", "qed"]),
    "qcow": ("image-format-unsupported", ["-f", "qcow"]),
    "Parallels": ("image-format-unsupported", ["-f", "parallels"]),
}


def create(directory, options):
    (directory / "base.raw").write_bytes(bytes(10 << 20))
    subprocess.run(["qemu-img", "create", "-q", *options, "image", "10M"], cwd=directory, check=True)
    return directory / "image"


def verdict(image):
    """All that the helper says, by the protocol of common/image/protocol.hpp."""
    size = str(image.stat().st_size)
    with image.open("rb") as artefact:
        said = subprocess.run(["sh", "-c", 'exec "$0" none "$1" "$1" 3>&1 >/dev/null', programs() / "imageswarm-inspector",
                               size], stdin=artefact, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return said.stdout.splitlines()


def as_qemu_sees_it(image, kind):
    """Only for what the inspector has accepted, as everywhere."""
    said = subprocess.run(["qemu-img", "info", "--output=json", "-f", kind, image], stdout=subprocess.PIPE, check=True)
    return json.loads(said.stdout)["virtual-size"]


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_genuine_image_is_accepted(name, tmp_path):
    image = create(tmp_path, ACCEPTED[name])
    kind = ACCEPTED[name][1]
    partitions = "none" if kind == "raw" else "unknown"
    assert verdict(image) == [f"image {kind} bare {10 << 20} {partitions}", "end"]
    assert as_qemu_sees_it(image, kind) == 10 << 20


@pytest.mark.parametrize("subformat", ["monolithicSparse", "streamOptimized"])
def test_a_vmdk_with_data_in_several_tables_is_accepted(subformat, tmp_path):
    with (tmp_path / "disk").open("wb") as disk:
        for offset in (0, 40 << 20, 99 << 20):  # a table covers 32 MiB
            disk.seek(offset)
            disk.write(os.urandom(1 << 20))
    subprocess.run(["qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={subformat}", tmp_path / "disk",
                    tmp_path / "image"], check=True)
    assert verdict(tmp_path / "image") == [f"image vmdk bare {100 << 20} unknown", "end"]
    assert as_qemu_sees_it(tmp_path / "image", "vmdk") == 100 << 20


@pytest.mark.parametrize("name", REFUSED)
def test_a_genuine_image_of_the_wrong_kind_is_refused(name, tmp_path):
    word, options = REFUSED[name]
    line = verdict(create(tmp_path, options))[-1]
    assert line.startswith(f"fault {word} ")


def test_a_qcow2_with_a_bitmap_is_accepted_and_one_with_a_snapshot_is_not(tmp_path):
    image = create(tmp_path, ["-f", "qcow2"])
    subprocess.run(["qemu-img", "bitmap", "--add", image, "changes"], check=True)
    assert verdict(image)[-1] == "end"
    subprocess.run(["qemu-img", "snapshot", "-c", "before", image], check=True)
    assert verdict(image)[0].startswith("fault image-snapshot ")


def test_a_vmdk_with_a_parent_is_refused(tmp_path):
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", "base.vmdk", "10M"], cwd=tmp_path, check=True)
    image = create(tmp_path, ["-f", "vmdk", "-F", "vmdk", "-b", "base.vmdk"])
    assert verdict(image)[0].startswith("fault image-backing-file ")


@pytest.mark.parametrize("options", [[], ["-R", "-J"], ["-udf"], ["-b", "boot", "-no-emul-boot"]], ids=" ".join)
def test_a_genuine_iso_is_accepted_and_a_hybrid_is_not(options, tmp_path):
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "boot").write_bytes(bytes(4096))
    subprocess.run(["genisoimage", "-quiet", "-o", tmp_path / "image", *options, tmp_path / "content"], check=True)
    image = tmp_path / "image"
    assert verdict(image) == [f"image iso bare {image.stat().st_size} unknown", "end"]
    with image.open("r+b") as both:
        both.seek(510)
        both.write(b"\x55\xaa")
    assert verdict(image)[0].startswith("fault image-format-mismatch ")


OVF = """<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References><File ovf:id="f" ovf:href="image"/></References>
<DiskSection><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^30"
 ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection></Envelope>"""


@pytest.mark.parametrize("tar, accepted", [("ustar", True), ("gnu", True), ("v7", False), ("pax", False)])
def test_an_appliance_packed_by_tar_is_accepted_if_the_archive_is_plain(tar, accepted, tmp_path):
    create(tmp_path, ["-f", "vmdk", "-o", "subformat=streamOptimized"])
    (tmp_path / "box.ovf").write_text(OVF)
    subprocess.run("sha256sum --tag box.ovf image | tr -d ' ' | sed 's/=/ = /' > box.mf; "
                   f"tar --format={tar} -cf box.ova box.ovf box.mf image", shell=True, cwd=tmp_path, check=True)
    said = verdict(tmp_path / "box.ova")
    assert (said == [f"image vmdk ova {10 << 20} unknown", "end"]) == accepted, said
