"""A clock that jumps holds everything until two refreshes agree; nothing is lost or taken in the meantime."""
from pathlib import Path

from support.services import make_disk


def test_a_jump_while_the_daemon_was_not_running(site, tmp_path):
    publisher = site.publisher()
    old = publisher.publish_image(make_disk(tmp_path / "old.raw", 2), "old")
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)]).start_and_answer()
    daemon.wait_for_image(old["image-id"], "active")
    daemon.stop()
    new = publisher.publish_image(make_disk(tmp_path / "new.raw", 2), "new")

    # The same boot, but two hours longer since it began: the time of day stands two hours behind.
    daemon.command = ["unshare", "--time", "--boottime", "7200", "--fork", "--kill-child", *daemon.command]
    daemon.start_and_answer()
    daemon.wait_for(lambda: (daemon.subscription() or {}).get("fault") == "clock-jump", 20, "the jump to be seen")
    folder = Path(daemon.settings["sinks"][0]["path"])
    assert len([path for path in folder.iterdir() if not path.is_symlink()]) == 1
    daemon.ctl("refresh")
    daemon.wait_for_image(new["image-id"], "active")
    daemon.wait_for_image(old["image-id"], "active")
    assert daemon.subscription()["state"] == "current"
    assert daemon.text().count("clock-jump:") == 1
