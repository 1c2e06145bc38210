"""Several Glance sinks, their versions, and what the records in them say."""
import base64
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from support.cloud import free_port, http
from support.process import wait_until
from support.services import make_disk

GONE_CLOUD = "away"


@pytest.fixture
def clouds(site, tmp_path):
    """The clouds.yaml of the site with one more cloud, whose Keystone does not answer."""
    known = yaml.safe_load(site.cloud.clouds_file.read_text())
    away = yaml.safe_load(yaml.safe_dump(known["clouds"]["test"]))
    away["auth"]["auth_url"] = f"http://{site.cloud.address}:{free_port('127.0.0.1')}/v3"
    known["clouds"][GONE_CLOUD] = away
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(known))
    return path


def sinks_of(daemon, image_id):
    row = daemon.image(image_id)
    return {sink["name"]: sink for sink in row["sinks"]} if row else {}


def own_project(site, token):
    return site.cloud.glance_api("GET", "/images?os_hidden=false", headers={"X-Auth-Token": token}).json()["images"]


def test_two_projects_get_the_image_while_a_third_cloud_is_away(site, clouds, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "two-projects")
    image_id = entry["image-id"]
    site.seeder(publisher)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[
        site.glance_sink(cloud=GONE_CLOUD, **{"clouds-file": str(clouds)}),
        site.glance_sink(name="ours"), site.glance_sink(cloud="test-other")]).start()
    daemon.wait_for(lambda: {name for name, sink in sinks_of(daemon, image_id).items() if sink["state"] == "present"} ==
                    {"ours", "test-other"}, 60, "the image to be in both projects")
    assert sinks_of(daemon, image_id)[GONE_CLOUD]["fault"].startswith("keystone-")
    receipts = {receipt["sink"]: receipt["reference"] for receipt in daemon.receipts()}
    # One Glance: the ID is used up by the first project, so the second one has the next attempt's.
    assert len(set(receipts.values())) == 2 and image_id in receipts.values()
    owners = {site.cloud.glance_api("GET", f"/images/{reference}", headers={"X-Auth-Token": token}).json()["owner"]
              for reference, token in ((receipts["ours"], site.cloud.token()),
                                       (receipts["test-other"], site.cloud.other_token()))}
    assert len(owners) == 2


def listing(site, entries):
    """ID, name, version, os_hidden and status of each record of the family, the newest last."""
    if not entries:
        return []
    family = entries[0]["uuid"]
    rows = [record for hidden in ("false", "true") for record in site.cloud.glance_api(
        "GET", f"/images?imageswarm_family={family}&os_hidden={hidden}&limit=100").json()["images"]]
    rows.sort(key=lambda record: int(record["imageswarm_version"]))
    return [(record["id"][:8], record["name"], record["imageswarm_version"],
             "hidden" if record["os_hidden"] else "shown", record["status"]) for record in rows]


def shown(site, entries):
    return [row[2] for row in listing(site, entries) if row[3] == "shown" and row[4] == "active"]


class Family:
    """Versions of one image, and a host with a Glance that keeps two and a directory that keeps three."""

    def __init__(self, site, tmp_path, **glance):
        self.site, self.tmp_path, self.entries = site, tmp_path, []
        self.publisher = site.publisher()
        self.name = f"family-{self.publisher.name}"
        self.publisher.publish()
        site.seeder(self.publisher)
        self.folder = site.directory_sink(site.hypervisors[0])
        self.daemon = site.daemon(site.hypervisors[0], [self.publisher], sinks=[
            site.glance_sink(keep=2, **glance), {**self.folder, "keep": 3}]).start_and_answer()

    def publish(self, version):
        entry = self.publisher.publish_image(make_disk(self.tmp_path / f"{version}.raw", 1), self.name,
                                             "--image-version", str(version))
        self.entries.append(entry)
        self.refresh()
        self.daemon.wait_for_image(entry["image-id"], "active")

    def withdraw(self, version):
        self.publisher.index("withdraw", f"{self.name}@{version}", "--reason", "a test")
        self.publisher.publish()
        self.refresh()

    def roll_back(self, version):
        self.publisher.index("rollback", f"{self.name}@{version}", "--yes")
        self.publisher.publish()
        self.refresh()

    def refresh(self):
        for daemon in self.site.daemons:
            daemon.ctl("refresh")

    def files(self):
        return sorted(path.stem for path in Path(self.folder["path"]).glob("[!.]*") if not path.is_symlink())

    def shown(self):
        return shown(self.site, self.entries)


def test_ten_versions_through_a_glance_that_keeps_two(site, figure, tmp_path):
    family = Family(site, tmp_path)
    for version in range(1, 11):
        before = listing(site, family.entries)
        family.publish(version)
        kept = [str(number) for number in range(max(1, version - 1), version + 1)]
        family.daemon.wait_for(lambda: family.shown() == kept, 60, f"only {kept} to be shown")  # noqa: B023
        figure(f"version {version}: before {before}; after {listing(site, family.entries)}")
    family.daemon.wait_for(lambda: family.files() == sorted(entry["image-id"] for entry in family.entries[-3:]), 60,
                           "the directory to have three versions")
    assert [row[4] for row in listing(site, family.entries)] == ["active"] * 10
    row = sinks_of(family.daemon, family.entries[7]["image-id"])
    assert row["test"]["state"] == "absent" and row[family.folder["path"]]["state"] == "present"
    assert family.daemon.image(family.entries[7]["image-id"])["state"] == "active"

    family.withdraw(10)
    family.daemon.wait_for(lambda: family.shown() == ["8", "9"], 60, "version 8 to be shown again")
    figure(f"withdrawn: {listing(site, family.entries)}")
    assert site.cloud.uploads(family.entries[7]["image-id"]) == [204], "its bytes were in Glance already"
    assert listing(site, family.entries)[-1][3:] == ("hidden", "deactivated")

    family.roll_back(8)
    family.daemon.wait_for(lambda: family.shown() == ["7", "8"], 60, "version 7 to be shown again")
    figure(f"rolled back to 8: {listing(site, family.entries)}")
    assert site.cloud.uploads(family.entries[6]["image-id"]) == [204]


def test_superseded_images_are_deleted_when_their_time_is_over(site, tmp_path):
    family = Family(site, tmp_path, **{"remove-superseded-after": "2s", "protected": True})
    family.publish(1)
    family.publish(2)
    family.publish(3)
    family.publish(4)
    family.daemon.wait_for(lambda: family.shown() == ["3", "4"], 60, "the older ones to be hidden")
    assert site.cloud.image(family.entries[3]["image-id"])["protected"]
    kept = family.entries[1]["image-id"]  # by an operator who still needs it
    answer = site.cloud.glance_api("PATCH", f"/images/{kept}", [{"op": "replace", "path": "/protected", "value": True}],
                                   {"Content-Type": "application/openstack-images-v2.1-json-patch"})
    assert answer.status == 200, answer.body
    assert not site.cloud.image(family.entries[0]["image-id"])["protected"]

    def gone():  # looked for at each start, and every hour
        family.daemon.kill()
        family.daemon.start_and_answer()
        return site.cloud.image(family.entries[0]["image-id"]) is None
    wait_until(gone, 60, "version 1 to be deleted", every=3)
    assert site.cloud.image(kept)["os_hidden"]
    assert family.shown() == ["3", "4"]


def test_what_a_record_says_follows_entry_and_settings_without_a_new_upload(site, tmp_path):
    other = http("GET", f"{site.cloud.auth_url}/auth/projects", headers={"X-Auth-Token": site.cloud.other_token()},
                 netns=site.cloud.netns).json()["projects"][0]["id"]
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "described", "--glance-tag", "from-entry",
                                    "--property", "hw_disk_bus=virtio", "--property", "hw_vif_model=virtio")
    image_id = entry["image-id"]
    site.seeder(publisher)
    daemons = [site.daemon(host, [publisher], sinks=[site.glance_sink(
        visibility="shared", members=[other], tags=["from-site"], properties={"hw_vif_model": "e1000e"})])
        for host in site.hypervisors[:3]]
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        daemon.wait_for_image(image_id, "active")
    record = site.cloud.image(image_id)
    assert (record["hw_disk_bus"], record["hw_vif_model"]) == ("virtio", "e1000e")
    assert set(record["tags"]) == {"from-entry", "from-site"}
    assert record["visibility"] == "shared"
    assert [member["member_id"] for member in
            site.cloud.glance_api("GET", f"/images/{image_id}/members").json()["members"]] == [other]

    patch = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    site.cloud.glance_api("PATCH", f"/images/{image_id}", [
        {"op": "add", "path": "/by_hand", "value": "stays"}, {"op": "add", "path": "/tags",
                                                             "value": [*record["tags"], "by-hand"]}], patch)
    publisher.index("edit", "described", "--property", "hw_disk_bus=scsi", "--property", "os_type=linux",
                    "--glance-tag", "renewed")
    publisher.publish()
    for daemon in daemons:
        daemon.ctl("refresh")

    def renewed():
        now = site.cloud.image(image_id)
        return now if now.get("os_type") == "linux" else None
    now = daemons[0].wait_for(renewed, 90, "the record to be described anew")
    assert now["hw_disk_bus"] == "scsi" and now["hw_vif_model"] == "e1000e" and now["by_hand"] == "stays"
    assert set(now["tags"]) == {"renewed", "from-site", "by-hand"}
    assert site.cloud.uploads(image_id) == [204]

    for daemon in daemons:  # a site that takes back what it set
        daemon.settings["sinks"][0] = site.glance_sink(visibility="private")
        daemon.configure({})
        daemon.signal(signal.SIGHUP)

    def taken_back():
        now = site.cloud.image(image_id)
        return now if "hw_vif_model" not in now and now["visibility"] == "private" else None
    now = daemons[0].wait_for(taken_back, 30, "what the site had set to be gone")
    assert set(now["tags"]) == {"renewed", "by-hand"} and now["by_hand"] == "stays"
    assert site.cloud.uploads(image_id) == [204]


@pytest.mark.parametrize("curve, key_type", [("P-384", "ECC_SECP384R1"), ("P-521", "ECC_SECP521R1")])
def test_a_host_with_the_key_signs_for_nova_what_another_one_has_uploaded(site, tmp_path, curve, key_type):
    key, public = tmp_path / "sign.key", tmp_path / "sign.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", key],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    certificate = "5c1b2a7e-0000-4000-8000-0123456789ab"
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.qcow2", 2, "qcow2"), "signed-image")
    image_id = entry["image-id"]
    site.seeder(publisher)
    without = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()]).start()
    without.wait_for_image(image_id, "active")
    assert "img_signature" not in site.cloud.image(image_id)
    signers = [site.daemon(host, [publisher], sinks=[
        site.glance_sink(signature={"key": str(key), "certificate-uuid": certificate})])
        for host in site.hypervisors[1:3]]
    for daemon in signers:
        daemon.start()
        daemon.wait_for_image(image_id, "active")
    record = site.cloud.image(image_id)
    assert record["img_signature_certificate_uuid"] == certificate
    assert (record["img_signature_hash_method"], record["img_signature_key_type"]) == ("SHA-512", key_type)
    assert len(record["img_signature"]) <= 255
    (tmp_path / "signature").write_bytes(base64.b64decode(record["img_signature"], validate=True))
    site.cloud.download(image_id, tmp_path / "back")
    verified = subprocess.run(["openssl", "dgst", "-sha512", "-verify", public, "-signature", tmp_path / "signature",
                               tmp_path / "back"], capture_output=True, text=True)
    assert verified.returncode == 0 and "Verified OK" in verified.stdout
    # The second one with the key found it signed; the host without it takes nothing away.
    without.kill()
    without.start()
    without.wait_for_image(image_id, "active")
    assert site.cloud.image(image_id)["img_signature"] == record["img_signature"]


def test_an_image_is_copied_to_further_stores_and_is_usable_without_them(site, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 4), "two-stores")
    image_id = entry["image-id"]
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink(stores=["mirror", "no-such-store"])]).start()
    daemon.wait_for_image(image_id, "active")
    assert site.cloud.image(image_id)["stores"] == "mirror", "the upload goes into the first"
    daemon.wait_for_text("is not copied to no-such-store")
    assert daemon.image(image_id)["state"] == "active"
    daemon.stop()
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink(stores=["mirror", "local"])]).start()
    wait_until(lambda: sorted(site.cloud.image(image_id)["stores"].split(",")) == ["local", "mirror"], 60,
               "Glance to copy it")
    assert site.cloud.uploads(image_id) == [204]
