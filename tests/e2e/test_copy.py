"""imageswarmctl copy: from one real Glance to another, with and without a daemon that knows the image."""
import filecmp
import json
import os
import re
import subprocess

import pytest
import yaml

from support.cloud import Cloud
from support.process import wait_until
from support.services import make_disk
from support.testbed import programs, run_program


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("here")).start()
    yield cloud
    cloud.purge()


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("there")).start()
    yield cloud
    cloud.purge()


def write_clouds(path, **clouds):
    """One file for several clouds, as a person has it."""
    entries = {name: yaml.safe_load(cloud.clouds_file.read_text())["clouds"]["test"] for name, cloud in clouds.items()}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"clouds": entries}))
    return path


@pytest.fixture
def clouds(tmp_path, here, there):
    return write_clouds(tmp_path / "clouds.yaml", here=here, there=there)


def image_in(cloud, content, **record):
    body = {"name": f"image-{os.urandom(4).hex()}", "disk_format": "raw", "container_format": "bare", **record}
    image_id = cloud.glance_api("POST", "/images", body).json()["id"]
    answer = cloud.glance_api("PUT", f"/images/{image_id}/file", content, {"Content-Type": "application/octet-stream"})
    assert answer.status == 204, answer.body
    return cloud.image(image_id)


def command(clouds, image, *more):
    return ["--socket", "/nonexistent", "copy", image, "--from", "here", "--to", "there", "--clouds-file", clouds, *more]


def copy(clouds, image, *more, status=0):
    run = run_program("imageswarmctl", *command(clouds, image, *more), check=False)
    assert run.returncode == status, run.stdout + run.stderr
    return run


def copied(clouds, image):
    return json.loads(copy(clouds, image, "--json").stdout)


def test_a_copy_has_the_same_bytes_the_same_id_and_what_is_true_everywhere(here, there, clouds, tmp_path):
    source = image_in(here, os.urandom(5_000_000), tags=["golden"], min_disk=3, hw_disk_bus="virtio",
                      instance_uuid="0e0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f02", imageswarm_image_id=
                      "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01")
    result = copied(clouds, source["name"])
    assert result["state"] == "copied" and result["to"] == {"cloud": "there", "image": source["id"]}
    target = there.image(source["id"])
    for key in ("name", "size", "os_hash_value", "tags", "min_disk", "hw_disk_bus"):
        assert target[key] == source[key]
    assert (target["status"], target["os_hidden"], target["visibility"]) == ("active", False, "private")
    assert "instance_uuid" not in target and "imageswarm_image_id" not in target
    here.download(source["id"], tmp_path / "a")
    there.download(source["id"], tmp_path / "b")
    assert filecmp.cmp(tmp_path / "a", tmp_path / "b", shallow=False)

    assert copied(clouds, source["id"])["state"] == "was-there"
    assert there.uploads(source["id"]) == [204]


def test_an_id_that_is_used_up_there_gives_way_to_the_next(here, there, clouds):
    source = image_in(here, os.urandom(100_000))
    there.glance_api("POST", "/images", {"id": source["id"], "name": "x"})
    there.glance_api("DELETE", f"/images/{source['id']}")
    result = copied(clouds, source["id"])
    assert result["to"]["image"] != source["id"]
    assert there.image(result["to"]["image"])["os_hash_value"] == source["os_hash_value"]
    assert copied(clouds, source["id"])["state"] == "was-there"


def test_another_image_under_the_same_id_is_left_alone(here, there, clouds):
    source = image_in(here, os.urandom(100_000))
    other = image_in(there, os.urandom(100_000), id=source["id"])
    result = copied(clouds, source["id"])
    assert result["to"]["image"] != source["id"]
    assert there.image(source["id"])["os_hash_value"] == other["os_hash_value"]


def test_cut_off_in_the_middle_it_is_filled_by_the_next_try(here, there, clouds):
    source = image_in(here, bytes(600_000_000))
    process = subprocess.Popen([programs() / "imageswarmctl", *map(str, command(clouds, source["id"]))],
                               stderr=subprocess.DEVNULL)

    def status():
        return (there.image(source["id"]) or {"status": None})["status"]
    wait_until(lambda: status() == "saving", 30, "the upload to begin", every=0.02)
    process.kill()
    process.wait()
    wait_until(lambda: status() == "queued", 30, "Glance to notice")
    assert there.image(source["id"])["os_hidden"]
    assert copied(clouds, source["id"])["state"] == "copied"
    target = there.image(source["id"])
    assert (target["status"], target["os_hidden"]) == ("active", False)
    assert target["os_hash_value"] == source["os_hash_value"]


def test_bytes_that_are_not_those_of_the_record_are_never_shown(here, there, clouds):
    source = image_in(here, bytes(20_000_000))
    with open(here.images / source["id"], "r+b") as stored:
        stored.seek(19_000_000)
        stored.write(b"rot")
    assert "hash-mismatch" in copy(clouds, source["id"], status=3).stderr
    target = there.image(source["id"])
    assert target["status"] == "queued" and target["os_hidden"]


def test_what_cannot_be_copied_is_said(here, there, clouds):
    retired = image_in(here, b"x" * 512, imageswarm_retired="expired")
    assert "expired" in copy(clouds, retired["id"], status=1).stderr
    blocked = image_in(here, b"x" * 512)
    here.glance_api("POST", f"/images/{blocked['id']}/actions/deactivate")
    assert "deactivated" in copy(clouds, blocked["id"], status=1).stderr
    assert "glance-not-found" in copy(clouds, "nobody-has-this-name", status=1).stderr
    waiting = image_in(here, b"y" * 512)
    there.glance_api("POST", "/images", {"id": waiting["id"], "name": "x"})
    assert "glance-busy" in copy(clouds, waiting["id"], status=1).stderr
    gone = run_program("imageswarmctl", "copy", "x", "--from", "here", "--to", "nowhere", "--clouds-file", clouds,
                       check=False)
    assert gone.returncode == 2 and re.search("no cloud 'nowhere'", gone.stderr)


def test_an_image_of_a_catalogue_is_compared_with_what_was_signed_and_found_by_hosts_there(site, there, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 3), "signed-image")
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()]).start_and_answer()
    daemon.wait_for_image(entry["image-id"], "active")
    # From the cloud of the site to itself: another Glance would be out of reach of its network.
    clouds = write_clouds(tmp_path / "clouds.yaml", here=site.cloud, there=site.cloud)
    run = run_program("imageswarmctl", "--socket", daemon.socket, "copy", "signed-image", "--from", "here", "--to", "there",
                      "--clouds-file", clouds, "--json", netns=daemon.netns)
    result = json.loads(run.stdout)
    assert (result["state"], result["compared-with"]) == ("was-there", "catalogue")
    assert result["to"]["image"] == entry["image-id"]
