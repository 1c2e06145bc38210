"""Two sites with four hosts each, a slow link between them, and one copy of an image that may come across."""
import pytest

from support.services import make_disk
from support.testbed import Site, wait_for_images

MEGABYTES = 48
SIZE = MEGABYTES << 20


@pytest.fixture(scope="module")
def two_sites():
    site = Site(hypervisors=8, with_cloud=False)
    try:
        site.elsewhere = site.hypervisors[4:]
        site.network.split([host.name for host in site.elsewhere], rate=60)
        yield site
    finally:
        site.close()


@pytest.fixture
def crowd(two_sites, tmp_path):
    """Everybody wants a new image at once: (entry, the daemons of the near site, those elsewhere)."""
    publisher = two_sites.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", MEGABYTES), "wanted")
    two_sites.seeder(publisher)
    swarm = {"site": [host.address for host in two_sites.elsewhere], "far-copies": 1}
    here = [two_sites.daemon(host, [publisher]) for host in two_sites.hypervisors[:4]]
    elsewhere = [two_sites.daemon(host, [publisher], swarm=swarm) for host in two_sites.elsewhere]
    for daemon in here + elsewhere:
        daemon.start()
    yield entry["image-id"], here, elsewhere
    two_sites.stop_daemons()
    two_sites.daemons.clear()


def test_one_copy_crosses_the_link(two_sites, crowd, figure):
    image_id, here, elsewhere = crowd
    before = two_sites.network.bytes_over_link()
    seconds = wait_for_images(here + elsewhere, image_id, timeout=90)
    copies = (two_sites.network.bytes_over_link() - before) / SIZE
    figure(f"two sites of four hosts, 60 Mbit/s between them, one copy allowed: {copies:.2f} copies over the link, "
           f"all done after {seconds:.1f} s; the link alone needs {SIZE * 8 / 60e6:.1f} s")
    assert copies < 1.25


def test_the_host_that_fetches_across_the_link_dies(two_sites, crowd, figure):
    image_id, here, elsewhere = crowd
    before = two_sites.network.bytes_over_link()
    elsewhere[0].wait_for(lambda: (two_sites.network.bytes_over_link() - before) > SIZE * 0.4, 60, "a part to arrive")
    fetching = max(elsewhere, key=lambda daemon: two_sites.network.counters()[daemon.host.name][1] -
                   two_sites.network.counters()[daemon.host.name][0])
    fetching.kill()
    rest = [daemon for daemon in elsewhere if daemon is not fetching]
    wait_for_images(here + rest, image_id, timeout=120)
    copies = (two_sites.network.bytes_over_link() - before) / SIZE
    figure(f"{fetching.host.name}, which fetched across the link, killed half-way: {copies:.2f} copies over the link")
    assert copies < 1.6
