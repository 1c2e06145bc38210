"""Services around the daemon go away in the middle: it says so, and goes on by itself when they are back."""
import filecmp

from support.process import wait_until
from support.services import make_disk


def published(site, tmp_path, megabytes=4):
    publisher = site.publisher()
    publisher.image = make_disk(tmp_path / "disk.raw", megabytes)
    publisher.entry = publisher.publish_image(publisher.image, "steady")
    publisher.image_id = publisher.entry["image-id"]
    return publisher


def test_the_web_server_is_gone_before_the_first_catalogue(site, tmp_path):
    publisher = published(site, tmp_path)
    seeder = site.seeder(publisher)
    seeder.wait_for(lambda: seeder.image(publisher.image_id), 30, "the index host to know its image")
    site.web.stop()
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()]).start()
    daemon.wait_for_text("http-connect")
    assert daemon.subscription()["state"] == "unreachable"
    site.web.start()
    daemon.wait_for_image(publisher.image_id, "active", 180)


def test_the_web_server_goes_away_in_mid_transfer(site, tmp_path):
    publisher = published(site, tmp_path, 24)
    site.seeder(publisher)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.directory_sink(site.hypervisors[0])],
                         swarm={"download-rate": "4MB/s"}).start()
    daemon.wait_for(lambda: (daemon.image(publisher.image_id) or {}).get("progress", 0) > 0.1, 60, "a first piece")
    site.web.stop()
    daemon.wait_for_image(publisher.image_id, "active")
    daemon.ctl("refresh")
    daemon.wait_for(lambda: daemon.subscription()["fault"] == "http-connect", 30, "the refresh to fail")
    assert daemon.image(publisher.image_id)["state"] == "active", "the last good state stays in use"
    site.web.start()
    daemon.wait_for(lambda: daemon.subscription()["state"] == "current", 180, "the next refresh by itself")


def test_the_tracker_is_gone_and_the_web_seed_carries_on(site, tmp_path):
    publisher = published(site, tmp_path)
    site.tracker.stop()
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()]).start()
    daemon.wait_for_image(publisher.image_id, "active")
    assert daemon.image(publisher.image_id)["bytes"]["web-seed"] > 0


def test_keystone_is_down_for_a_minute(site, tmp_path):
    publisher = published(site, tmp_path)
    site.seeder(publisher)
    site.cloud.keystone.stop()
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.glance_sink()]).start()
    daemon.wait_for_text("keystone-unavailable")
    wait_until(lambda: daemon.image(publisher.image_id)["sinks"][0]["fault"] == "keystone-unavailable", 60,
               "the fault in the status")
    site.cloud.start_keystone()
    daemon.wait_for_image(publisher.image_id, "active", 180)


def test_glance_is_killed_in_the_middle_of_an_upload(site, tmp_path):
    """Glance leaves a record in `saving` for ever: the next attempt's ID is used, and the first is never handed out."""
    publisher = published(site, tmp_path, 24)
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.glance_sink()]).start()
    half_made = site.cloud.images / publisher.image_id
    host.limit(60)  # 24 MB take three seconds
    daemon.wait_for(lambda: half_made.exists() and half_made.stat().st_size > 4 << 20, 60, "an upload to be under way")
    site.cloud.glance.kill()
    site.cloud.start_glance()
    host.limit(None)
    daemon.wait_for_image(publisher.image_id, "active", 240)

    usable = [record for record in site.cloud.images_of(publisher.image_id)
              if record["status"] == "active" and not record["os_hidden"]]
    assert len(usable) == 1
    assert usable[0]["id"] == daemon.image(publisher.image_id)["sinks"][0]["reference"]
    site.cloud.download(usable[0]["id"], tmp_path / "back")
    assert filecmp.cmp(publisher.image, tmp_path / "back", shallow=False)
    assert "the connection broke" in daemon.text(), "it said nothing of the trouble"
