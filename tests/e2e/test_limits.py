"""The host's budget holds on the wire."""
import signal
import time

from support.services import make_disk


def test_an_upload_limit_set_at_run_time_holds_on_the_wire(site, figure, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 48), "limited")
    seeder = site.seeder(publisher)
    seeder.ctl("limit", "--upload", "1MB/s")
    site.web.stop()  # so that all bytes come from the daemon
    catalogue = site.directory / f"{publisher.name}.yaml"
    catalogue.write_bytes(publisher.catalogue.read_bytes())
    site.web.start()
    daemons = [site.daemon(host, [publisher], sinks=[site.directory_sink(host)]) for host in site.hypervisors[:3]]
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        daemon.wait_for(lambda: (daemon.image(entry["image-id"]) or {}).get("state") == "fetching", 30, "fetching")
    site.web.stop()
    time.sleep(3)
    before, begin = site.index_host.bytes_sent(), time.monotonic()
    time.sleep(12)
    rate = (site.index_host.bytes_sent() - before) / (time.monotonic() - begin)
    figure(f"upload limit of 1 MB/s, three hosts asking: {rate / 1e6:.2f} MB/s on the wire")
    assert 0.5e6 < rate < 1.1e6

    seeder.ctl("limit", "--upload", "4MB/s")
    time.sleep(3)
    before, begin = site.index_host.bytes_sent(), time.monotonic()
    time.sleep(4)
    faster = (site.index_host.bytes_sent() - before) / (time.monotonic() - begin)
    figure(f"raised to 4 MB/s: {faster / 1e6:.2f} MB/s")
    assert 2e6 < faster < 4.4e6



def test_hosts_outside_the_site_have_a_rate_of_their_own(site, figure, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 48), "limited")
    near, far = site.hypervisors[:2]
    seeder = site.daemon(site.index_host, [publisher], store={"seed-from": [str(publisher.store / "public" / "images")]},
                         swarm={"site": [near.address], "far-upload-rate": "1MB/s"}).start_and_answer()
    daemons = [site.daemon(host, [publisher], swarm={"networks": [f"{site.index_host.address}/32"]})
               for host in (far, near)]
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        daemon.wait_for(lambda: (daemon.image(entry["image-id"]) or {}).get("state") == "fetching", 30, "fetching")
    site.web.stop()  # so that all bytes come from the daemon
    daemons[1].wait_for_image(entry["image-id"], "active", 30)
    before, begin = far.bytes_received(), time.monotonic()
    time.sleep(8)
    rate = (far.bytes_received() - before) / (time.monotonic() - begin)
    figure(f"far upload limit of 1 MB/s, the near host has its image: {rate / 1e6:.2f} MB/s to the far one")
    assert 0.5e6 < rate < 1.1e6

    seeder.ctl("limit", "--far-upload", "4MB/s")
    time.sleep(3)
    before, begin = far.bytes_received(), time.monotonic()
    time.sleep(3)
    faster = (far.bytes_received() - before) / (time.monotonic() - begin)
    figure(f"raised to 4 MB/s: {faster / 1e6:.2f} MB/s")
    assert 2e6 < faster < 4.4e6
    seeder.configure({"swarm": {"far-upload-rate": "unlimited"}})
    seeder.signal(signal.SIGHUP)
    daemons[0].wait_for_image(entry["image-id"], "active", 20)
