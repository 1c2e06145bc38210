"""The link in a directory sink leads to the newest version that is there, through updates, kills and withdrawals."""
from pathlib import Path

from support.services import make_disk


def publish(publisher, version, directory):
    return publisher.publish_image(make_disk(directory / f"linked-{version}.raw", 2), "linked", "--image-version", version)


def test_the_link_follows_the_newest_version_and_goes_with_the_last(site, tmp_path, figure):
    publisher = site.publisher()
    host = site.hypervisors[0]
    folder = site.directory_sink(host)
    link = Path(folder["path"]) / "linked"
    daemon = site.daemon(host, [publisher], trust={"mass-withdrawal": "100%"}, sinks=[folder])

    def leads_to(entry):
        return link.is_symlink() and link.readlink() == Path(f"{entry['image-id']}.raw")

    first = publish(publisher, "1", tmp_path)
    daemon.start_and_answer()
    daemon.wait_for_image(first["image-id"], "active")
    assert leads_to(first)
    second = publish(publisher, "2", tmp_path)
    daemon.ctl("refresh")
    daemon.wait_for_image(second["image-id"], "active")
    assert leads_to(second)

    daemon.kill()
    leftover = link.parent / f".{second['image-id']}.raw.link.tmp"
    leftover.symlink_to(f"{second['image-id']}.raw")
    daemon.start_and_answer()
    daemon.wait_for_image(first["image-id"], "active")
    daemon.wait_for_image(second["image-id"], "active")
    assert leads_to(second) and not leftover.is_symlink()

    for entry, then in ((second, lambda: leads_to(first)), (first, lambda: not link.is_symlink())):
        publisher.index("withdraw", entry["image-id"])
        publisher.publish()
        daemon.ctl("refresh")
        daemon.wait_for(then, 60, "the link to follow")
        daemon.wait_for(lambda gone=entry: not list(link.parent.glob(f"{gone['image-id']}*")), 60, "the file to go")
    figure("the link led to version 1, 2, 2 after kill -9, 1 after a withdrawal, and went with the last")


def test_what_else_has_the_name_stays_and_is_said(site, tmp_path):
    publisher = site.publisher()
    host = site.hypervisors[0]
    folder = site.directory_sink(host)
    name = Path(folder["path"]) / "linked"
    name.write_text("somebody's")
    entry = publish(publisher, "1", tmp_path)
    daemon = site.daemon(host, [publisher], sinks=[folder]).start_and_answer()

    def fault():
        return (daemon.image(entry["image-id"]) or {"sinks": [{"fault": None}]})["sinks"][0]["fault"]

    daemon.wait_for(lambda: fault() == "exists", 60, "the fault")
    assert name.read_text() == "somebody's"
    name.unlink()
    daemon.wait_for_image(entry["image-id"], "active")
    assert name.readlink() == Path(f"{entry['image-id']}.raw")
