"""The main job: endorsed images reach every hypervisor through the swarm, and Glance once."""
import filecmp
import subprocess
from pathlib import Path

import pytest

from support.services import make_disk
from support.testbed import wait_for_images

SUPPORT = Path(__file__).resolve().parent.parent / "support"


def test_four_hosts_fetch_from_each_other_and_register_the_image_in_glance(site, figure, tmp_path):
    image = make_disk(tmp_path / "disk.qcow2", 96, "qcow2")
    publisher = site.publisher()
    entry = publisher.publish_image(image, "four-hosts")
    size, image_id = entry["torrent-content-size"], entry["image-id"]
    # 200 Mbit/s, so that sharing matters and no host is done before the others have begun.
    for host in [site.index_host, *site.hypervisors[:4]]:
        host.limit(200)
    site.seeder(publisher)
    sent_before = site.index_host.bytes_sent()
    daemons = [site.daemon(host, [publisher], sinks=[site.glance_sink()]) for host in site.hypervisors[:4]]
    for daemon in daemons:
        daemon.start()
    seconds = wait_for_images(daemons, image_id)

    sent = site.index_host.bytes_sent() - sent_before
    received = sum(daemon.payload_received(image_id) for daemon in daemons)
    figure(f"four hosts, {size / 1e6:.0f} MB at 200 Mbit/s: all active after {seconds:.1f} s; the index host sent "
           f"{sent / size:.2f} times the artefact; {100 * (1 - sent / received):.0f} % of the bytes came from other "
           "hypervisors")
    assert received >= 4 * size
    assert sent < 3 * size, "the hosts did not share"

    record = site.cloud.image(image_id)
    assert record["status"] == "active"
    assert (record["os_hidden"], record["visibility"]) == (False, "private")
    assert (record["size"], record["os_hash_value"]) == (entry["content-size"], entry["content-sha512"])
    assert record["imageswarm_image_id"] == image_id
    assert record["imageswarm_family"] == entry["uuid"]
    assert record["imageswarm_version"] == str(entry["image-version"])
    assert site.endorser.name in record["imageswarm_endorser"]
    site.cloud.download(image_id, tmp_path / "back")
    assert filecmp.cmp(image, tmp_path / "back", shallow=False), "Glance has other bytes than the endorser"


def test_eight_hosts_at_one_glance_make_one_image_with_one_upload(site, figure, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 32), "eight-hosts")
    image_id = entry["image-id"]
    site.seeder(publisher)
    daemons = [site.daemon(host, [publisher], sinks=[site.glance_sink()]) for host in site.hypervisors]
    for daemon in daemons:
        daemon.start()
    seconds = wait_for_images(daemons, image_id)

    records = site.cloud.images_of(image_id)
    assert [(record["id"], record["status"]) for record in records] == [(image_id, "active")]
    assert site.cloud.uploads(image_id).count(204) == 1
    receipts = [receipt for daemon in daemons for receipt in daemon.receipts()]
    assert len(receipts) == 8
    assert {receipt["image-id"] for receipt in receipts} == {image_id}
    assert {receipt["reference"] for receipt in receipts} == {image_id}
    figure(f"eight hosts, one Glance: one image, one upload, eight receipts after {seconds:.1f} s")


@pytest.mark.parametrize("compression", ["zstd", "gzip", "xz", "bzip2"])
def test_a_compressed_artefact_is_unpacked_into_every_sink(site, tmp_path, compression):
    image = make_disk(tmp_path / "disk.raw", 5)
    publisher = site.publisher()
    entry = publisher.publish_image(image, "packed", "--compress", compression)
    site.seeder(publisher)
    host = site.hypervisors[0]
    folder = site.directory_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink(), folder]).start()
    daemon.wait_for_image(entry["image-id"], "active")

    [receipt] = [receipt for receipt in daemon.receipts() if receipt["sink-type"] == "directory"]
    assert filecmp.cmp(image, receipt["reference"], shallow=False)
    assert site.cloud.image(entry["image-id"])["os_hash_value"] == entry["content-sha512"]


def test_an_application_credential_is_enough(site, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "by-credential")
    site.seeder(publisher)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink(cloud="test-appcred")]).start()
    daemon.wait_for_image(entry["image-id"], "active")
    assert site.cloud.image(entry["image-id"])["status"] == "active"


def test_a_withdrawn_image_is_hidden_and_deactivated(site, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "to-be-withdrawn")
    keeper = publisher.publish_image(make_disk(tmp_path / "other.raw", 2), "to-be-kept")
    site.seeder(publisher)
    folder = site.directory_sink(site.hypervisors[0])
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink(), folder]).start()
    daemon.wait_for_image(entry["image-id"], "active")
    daemon.wait_for_image(keeper["image-id"], "active")
    [path] = [Path(receipt["reference"]) for receipt in daemon.receipts()
              if receipt["sink-type"] == "directory" and receipt["image-id"] == entry["image-id"]]

    publisher.index("withdraw", "to-be-withdrawn", "--reason", "a hole in its login")
    publisher.publish()
    daemon.ctl("refresh")
    daemon.wait_for_image(entry["image-id"], "withdrawn", 60)

    def taken_out_of_use():
        record = site.cloud.image(entry["image-id"])
        return record["status"] == "deactivated" and record["os_hidden"] and not path.exists()
    daemon.wait_for(taken_out_of_use, 60, "the withdrawn image to be out of use")
    assert site.cloud.image(keeper["image-id"])["status"] == "active"


def test_only_what_the_approval_list_names_is_fetched_when_the_policy_is_listed(site, tmp_path):
    publisher = site.publisher()
    good = publisher.add(make_disk(tmp_path / "good.raw", 2), "approved-image")
    other = publisher.publish_image(make_disk(tmp_path / "other.raw", 2), "other-image")
    officer = site.authority["site-security"]
    approvals = tmp_path / "approvals.yaml"
    publisher.index("approvals", "init", "--list", approvals, "--name", "site-approvals")
    publisher.index("approvals", "approve", "--list", approvals, "--image-id", good["image-id"])
    signed = site.web_root / f"{publisher.name}-approvals.yaml"
    publisher.index("sign", approvals, "--certificate", officer.certificate, "--key", officer.key, "--output", signed)
    site.seeder(publisher)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()], approvals={
        "policy": "listed", "lists": [{"url": f"{site.web.url}/{signed.name}", "signed-by": officer.name}]}).start()
    daemon.wait_for_image(good["image-id"], "active")
    assert daemon.image(other["image-id"])["state"] == "not-approved"
    assert site.cloud.image(other["image-id"]) is None
    assert "approve" in daemon.ctl("explain", other["image-id"]).stdout


@pytest.mark.slow
def test_a_real_debian_comes_back_from_glance_bit_by_bit_and_boots(site, figure, tmp_path):
    image = tmp_path / "debian.qcow2"
    subprocess.run([SUPPORT / "debian-image", image], check=True)
    publisher = site.publisher()
    entry = publisher.publish_image(image, "debian-12", "--os-distro", "debian", "--os-version", "12")
    site.seeder(publisher)
    daemons = [site.daemon(host, [publisher], sinks=[site.glance_sink()]) for host in site.hypervisors[:3]]
    for daemon in daemons:
        daemon.start()
    seconds = wait_for_images(daemons, entry["image-id"], timeout=240)
    site.cloud.download(entry["image-id"], tmp_path / "back.qcow2")
    assert filecmp.cmp(image, tmp_path / "back.qcow2", shallow=False)
    booted = subprocess.run([SUPPORT / "boot-image", tmp_path / "back.qcow2"], text=True, capture_output=True)
    assert booted.returncode == 0, booted.stderr
    figure(f"Debian image of {image.stat().st_size / 1e6:.0f} MB at three hosts after {seconds:.1f} s; "
           f"the copy in Glance {booted.stdout.strip()}")
