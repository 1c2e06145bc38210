"""The Glance sink with a real Keystone and Glance: integration_glance does the work, this starts and kills the services."""
import os
import subprocess

import pytest

from support.cloud import Cloud
from support.testbed import programs


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("cloud")).start()
    yield cloud
    cloud.purge()


def environment(cloud, entry):
    return {**os.environ, "IMAGESWARM_TEST_CLOUDS": str(cloud.clouds_file), "IMAGESWARM_TEST_CLOUD": entry}


def test_hosts_make_one_usable_image_whatever_happens_to_them(cloud):
    run = subprocess.run([programs() / "integration_glance"], env=environment(cloud, "test-appcred"), text=True,
                         capture_output=True, timeout=900)
    assert run.returncode == 0, run.stdout + run.stderr


def test_hosts_survive_the_death_of_glance_and_keystone(cloud):
    wishes = {"kill glance": cloud.glance.kill, "start glance": cloud.start_glance,
              "kill keystone": cloud.keystone.kill, "start keystone": cloud.start_keystone}
    with subprocess.Popen([programs() / "integration_glance", "[.outage]"], env=environment(cloud, "test"), text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        said = ""
        for line in run.stdout:
            said += line
            if line.startswith("please "):
                wishes[line.removeprefix("please ").strip()]()
                run.stdin.write("done\n")
                run.stdin.flush()
    assert run.returncode == 0, said
