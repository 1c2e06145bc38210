"""One site for all tests of a run; each test has its own catalogues, images and daemons."""
import contextlib
import os
import random

import pytest

from support.services import file_system
from support.testbed import Site, programs


@pytest.fixture(scope="session")
def _site():
    if os.geteuid() != 0:
        pytest.fail("the e2e tests make network namespaces: run them as root")
    programs()
    site = Site(hypervisors=8)
    yield site
    site.close()


@pytest.fixture
def site(_site):
    _site.heal()
    _site.daemons.clear()
    yield _site
    _site.stop_daemons()


@pytest.fixture
def seeded_random():
    """The same numbers in every run."""
    return random.Random(4)


@pytest.fixture
def small_disk(site):
    """Gives a directory a file system of its own, of so many megabytes."""
    with contextlib.ExitStack() as mounted:
        yield lambda path, megabytes, kind="ext4": mounted.enter_context(file_system(path, megabytes, kind))
        site.stop_daemons()
