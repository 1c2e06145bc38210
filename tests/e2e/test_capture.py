"""Images that are no files yet: taken out of a real Glance, and read from block devices."""
import contextlib
import hashlib
import os
import subprocess

import pytest

from support.authority import Authority
from support.cloud import Cloud
from support.desk import Desk
from support.services import make_disk

#: What Nova writes on the snapshot of an instance that was started from one of our images.
OF_THE_INSTANCE = {
    "image_type": "snapshot", "base_image_ref": "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01", "image_state": "available",
    "instance_uuid": "0e0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f02", "user_id": "3", "owner_project_name": "operators",
    "owner_user_name": "operator", "boot_roles": "member", "image_location": "snapshot",
    "imageswarm_image_id": "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01", "imageswarm_endorser": "CN=Ada"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("cloud")).start()
    yield cloud
    cloud.purge()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca") / "pki")


@pytest.fixture
def desk(tmp_path, authority):
    made = Desk(tmp_path, authority)
    made.run("init", "--name", "lxcloud", "--endorser-name", "Ada Endorser")
    return made


def image_in(cloud, name, content=None, **record):
    """The ID of a new image of the project, active if it has content."""
    body = {"name": name, "disk_format": "raw", "container_format": "bare", **record}
    image_id = cloud.glance_api("POST", "/images", body).json()["id"]
    if content is not None:
        answer = cloud.glance_api("PUT", f"/images/{image_id}/file", content,
                                  {"Content-Type": "application/octet-stream"})
        assert answer.status == 204, answer.body
    return image_id


def capture(desk, cloud, source, *more, status=0):
    return desk.run("add", "--from-glance", f"test:{source}", "--clouds-file", cloud.clouds_file, "--name", "captured",
                    *more, status=status)


def assert_untouched(desk):
    assert desk.json("list") == []
    assert not desk.leftovers() and not list((desk.store / "artefacts").iterdir())


def test_a_snapshot_becomes_an_image_without_what_its_instance_left_on_it(desk, cloud):
    content = os.urandom(3_000_000) + bytes(5_000_000)
    image_id = image_in(cloud, "my snapshot", content, min_disk=7, min_ram=512, tags=["golden"], os_distro="debian",
                        os_version="12", architecture="x86_64", hw_disk_bus="virtio", hw_machine_type="q35",
                        site_note="kept", **OF_THE_INSTANCE)
    run = capture(desk, cloud, "my snapshot", "--os-version", "12.9", "--property", "hw_machine_type=pc")
    assert "left out: " in run.stdout and "instance_uuid" in run.stdout
    image = desk.json("show", "captured")
    assert image["content-sha256"] == hashlib.sha256(content).hexdigest()
    assert image["content-sha512"] == cloud.image(image_id)["os_hash_value"]
    assert (image["os-distro"], image["os-version"], image["min-disk"], image["min-ram"]) == ("debian", "12.9", 7, 512)
    assert image["glance-properties"] == {"hw_disk_bus": "virtio", "hw_machine_type": "pc", "site_note": "kept"}
    assert image["glance-tags"] == ["golden"]
    assert image["produced"] == cloud.image(image_id)["created_at"]
    assert image_id in desk.run("history").stdout
    assert not desk.leftovers()


def test_a_qcow2_is_captured_by_its_id_and_keeps_its_format(desk, cloud, tmp_path):
    disk = make_disk(tmp_path / "disk.qcow2", 2, "qcow2").read_bytes()
    capture(desk, cloud, image_in(cloud, "a qcow2", disk, disk_format="qcow2").upper(), "--compress", "zstd")
    image = desk.json("show", "captured")
    assert (image["disk-format"], image["content-size"]) == ("qcow2", len(disk))


def test_a_name_that_two_images_have_is_answered_with_their_ids(desk, cloud):
    ids = [image_in(cloud, "twice", b"x" * 512 * n) for n in (1, 2)]
    error = capture(desk, cloud, "twice", status=2).stderr
    assert all(image_id in error for image_id in ids)
    assert_untouched(desk)


def backed_by_a_file(tmp_path):
    base = make_disk(tmp_path / "base.raw", 1)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", tmp_path / "top.qcow2"], check=True)
    return (tmp_path / "top.qcow2").read_bytes()


@pytest.mark.parametrize(("make", "status", "says"), [
    (lambda cloud, _: image_in(cloud, "empty"), 1, "glance-conflict: image"),
    (lambda *_: "nobody-has-this-name", 1, "glance-not-found"),
    (lambda cloud, _: image_in(cloud, "ours", b"x" * 512, imageswarm_image_id="7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01"),
     1, "exists: image"),
    (lambda cloud, _: image_in(cloud, "half", b"x" * 512, kernel_id="7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01"),
     3, "image-format-unsupported"),
    (lambda cloud, path: image_in(cloud, "backed", backed_by_a_file(path), disk_format="qcow2"), 3, "image-backing-file"),
    (lambda cloud, _: image_in(cloud, "lies", b"x" * 4096, disk_format="qcow2"), 3, "image-format-mismatch"),
], ids=["no data", "no such name", "ours already", "needs a kernel", "backing file", "wrong format"])
def test_what_cannot_become_an_image_leaves_the_store_as_it_was(desk, cloud, tmp_path, make, status, says):
    assert says in capture(desk, cloud, make(cloud, tmp_path), status=status).stderr
    assert_untouched(desk)


def test_bytes_that_glance_did_not_hash_so_are_refused(desk, cloud):
    image_id = image_in(cloud, "rotten", bytes(1_000_000))
    with open(cloud.images / image_id, "r+b") as stored:
        stored.write(b"rot")
    assert "hash-mismatch" in capture(desk, cloud, image_id, status=3).stderr
    with open(cloud.images / image_id, "r+b") as stored:
        stored.truncate(500_000)
    capture(desk, cloud, image_id, status=1)  # cut off in the middle
    assert_untouched(desk)


def test_a_wrong_option_is_found_before_anything_is_fetched(desk, cloud):
    assert "--image-version" in capture(desk, cloud, "whatever", "--image-version", "x", status=2).stderr
    assert "clouds-file" in desk.run("add", "file.raw", "--clouds-file", "x", "--name", "x", status=2).stderr
    assert "FILE, or --from-glance" in desk.run("add", "--name", "x", status=2).stderr


def test_a_glance_that_is_away(desk, cloud):
    cloud.glance.kill()
    try:
        assert "http-connect" in capture(desk, cloud, "my snapshot", status=1).stderr
    finally:
        cloud.start_glance()
    assert_untouched(desk)


@contextlib.contextmanager
def loop_device(path):
    device = subprocess.run(["losetup", "--find", "--show", path], text=True, capture_output=True)
    if device.returncode:
        pytest.skip(f"no loop device: {device.stderr.strip()}")
    try:
        yield device.stdout.strip()
    finally:
        subprocess.run(["losetup", "--detach", device.stdout.strip()], check=True)


def test_a_block_device_is_read_as_a_raw_disk(desk):
    content = os.urandom(1 << 20) + bytes(30 << 20) + os.urandom(1 << 20)
    with loop_device(desk.file("device", content)) as device:
        image = desk.json("add", "--from-device", device, "--name", "golden", "--compress", "zstd")
    assert (image["disk-format"], image["content-size"]) == ("raw", len(content))
    assert image["content-sha256"] == hashlib.sha256(content).hexdigest()
    assert image["torrent-content-size"] < 3 << 20
    assert not desk.leftovers()


def test_a_device_in_use_is_not_read(desk, tmp_path):
    with loop_device(desk.file("device", bytes(8 << 20))) as device:
        with open(device, "r+b"):
            error = desk.run("add", "--from-device", device, "--name", "golden", status=1).stderr
            assert f"({os.getpid()}) has it open for writing" in error
        claimed = os.open(device, os.O_RDONLY | os.O_EXCL)  # as a mount does
        try:
            assert "mounted" in desk.run("add", "--from-device", device, "--name", "golden", status=1).stderr
        finally:
            os.close(claimed)
        subprocess.run(["mkfs.ext4", "-q", device], check=True)
        (tmp_path / "mount").mkdir()
        if subprocess.run(["mount", device, tmp_path / "mount"], check=False, capture_output=True).returncode == 0:
            try:
                assert "mounted" in desk.run("add", "--from-device", device, "--name", "golden", status=1).stderr
            finally:
                subprocess.run(["umount", tmp_path / "mount"], check=True)
    assert_untouched(desk)


def test_a_file_is_no_device(desk):
    path = desk.file("disk.raw", b"x" * 512)
    assert "without --from-device" in desk.run("add", "--from-device", path, "--name", "golden", status=2).stderr
    assert desk.run("add", "--from-device", "/dev/absent", "--name", "golden", status=1)
    assert desk.run("add", "--from-device", "/dev/null", "--name", "golden", status=2)
