"""An endorser goes back to an earlier version: in one step for the endorser, by itself on every host."""
from pathlib import Path

from support.services import make_disk


def publish_versions(publisher, name, versions, directory):
    """The entries of a family's versions by version, each published before the next is made."""
    return {version: publisher.publish_image(make_disk(directory / f"{name}-{version}.raw", 2), name,
                                             "--image-version", version) for version in versions}


def listing(cloud, entries):
    """How Glance shows each version: (status, hidden)."""
    records = {version: cloud.image(entry["image-id"]) for version, entry in entries.items()}
    return {version: (record["status"], record["os_hidden"]) for version, record in records.items()}


def roll_back(publisher, image):
    endorser = publisher.endorser
    publisher.index("rollback", image, "--yes", "--certificate", endorser.certificate, "--key", endorser.key)
    publisher.site.tracker.admit(publisher.name, publisher.store / "public" / "tracker-whitelist")


def test_newer_versions_go_and_the_one_that_was_superseded_comes_back(site, figure, tmp_path):
    publisher = site.publisher()
    host = site.hypervisors[0]
    folder = site.directory_sink(host)
    daemon = site.daemon(host, [publisher], trust={"mass-withdrawal": "100%"},
                         sinks=[site.glance_sink(keep=2), folder])
    entries = {}
    for version in "123":
        entries |= publish_versions(publisher, "family", [version], tmp_path)
        if version == "1":
            daemon.start_and_answer()
        daemon.ctl("refresh")
        daemon.wait_for_image(entries[version]["image-id"], "active")
    first = entries["1"]["image-id"]
    daemon.wait_for_image(first, "superseded")

    daemon.wait_for(lambda: listing(site.cloud, entries)["1"] == ("active", True), 60, "the first version to be hidden")
    daemon.wait_for(lambda: not list(Path(folder["path"]).glob(f"{first}*")), 60, "the first version's file to be gone")
    before = listing(site.cloud, entries)

    roll_back(publisher, "family@1")
    daemon.ctl("refresh")
    daemon.wait_for_image(first, "active")
    for version in "23":
        daemon.wait_for_image(entries[version]["image-id"], "withdrawn")
    daemon.wait_for(lambda: listing(site.cloud, entries) == {
        "1": ("active", False), "2": ("deactivated", True), "3": ("deactivated", True)}, 60, "the rollback in Glance")
    assert "rolled back to family@1" in daemon.ctl("recalled").stdout
    [receipt] = [each for each in daemon.receipts() if each["sink-type"] == "directory"]
    assert receipt["image-id"] == first and Path(receipt["reference"]).exists()
    figure(f"Glance before the rollback {before}, after it {listing(site.cloud, entries)} (status, hidden)")

    entries |= publish_versions(publisher, "family", ["4"], tmp_path)
    daemon.ctl("refresh")
    daemon.wait_for_image(entries["4"]["image-id"], "active")
    assert listing(site.cloud, entries) == {"1": ("active", False), "2": ("deactivated", True),
                                            "3": ("deactivated", True), "4": ("active", False)}


def test_a_rollback_is_held_where_it_would_empty_the_host_until_somebody_confirms(site, tmp_path):
    publisher = site.publisher()
    entries = publish_versions(publisher, "alone", "12", tmp_path)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink(keep=1)]).start_and_answer()
    daemon.wait_for_image(entries["2"]["image-id"], "active")

    roll_back(publisher, "alone@1")
    daemon.ctl("refresh")
    daemon.wait_for(lambda: daemon.subscription()["fault"] == "mass-withdrawal", 60, "the rollback to be held")
    assert listing(site.cloud, {"2": entries["2"]}) == {"2": ("active", False)}
    daemon.ctl("confirm", publisher.name)
    daemon.wait_for_image(entries["1"]["image-id"], "active")
    daemon.wait_for_image(entries["2"]["image-id"], "withdrawn")
