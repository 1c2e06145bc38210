"""Ordinary BitTorrent clients can join the swarm of a hybrid torrent."""
import filecmp

from support.services import Rtorrent, make_disk


def test_rtorrent_downloads_a_hybrid_torrent_from_our_daemons(site, figure, tmp_path):
    image = make_disk(tmp_path / "disk.raw", 16)
    publisher = site.publisher()
    entry = publisher.publish_image(image, "for-everybody", "--torrent", "hybrid")
    seeder = site.seeder(publisher)
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[site.directory_sink(site.hypervisors[0])]).start()
    daemon.wait_for_image(entry["image-id"], "active")
    uploaded_before = [one.image(entry["image-id"])["bytes"]["uploaded"] for one in (seeder, daemon)]
    client = Rtorrent(tmp_path / "rtorrent", publisher.store / "public" / "torrents" / f"{entry['torrent-name']}",
                      site.hypervisors[1].netns).start()
    try:
        client.wait_for(client.finished, 120, "rtorrent to finish")
    finally:
        client.stop()
    assert filecmp.cmp(image, client.downloads / entry["torrent-content-name"], shallow=False)
    uploaded = [one.image(entry["image-id"])["bytes"]["uploaded"] - before
                for one, before in zip((seeder, daemon), uploaded_before)]
    figure(f"rtorrent downloaded {image.stat().st_size / 1e6:.0f} MB; our daemons sent {uploaded[0] / 1e6:.1f} and "
           f"{uploaded[1] / 1e6:.1f} MB")
    assert sum(uploaded) > 0
