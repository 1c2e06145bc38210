"""imageswarmctl deploy: appliances with other values, made of what was signed, one grid at a time."""
import hashlib
import json
import re
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from support.appliance import Ova, make_ova, write_component


@pytest.fixture
def worker(site, tmp_path):
    """A publisher with an appliance, and its entry."""
    publisher = site.publisher()
    entry = publisher.publish_image(make_ova(tmp_path / "worker.ova"), "worker", "--compress", "zstd")
    assert (entry["disk-format"], entry["container-format"]) == ("vmdk", "ova")
    return publisher, entry


def host_with(site, publisher, entry, sinks, tmp_path):
    site.seeder(publisher)
    grids = tmp_path / "grids"
    grids.mkdir()
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=sinks, grids=str(grids),
                         trust={"mass-withdrawal": "100%"}).start()
    daemon.wait_for_image(entry["image-id"], "active")
    return daemon, grids


def deploy(daemon, grid, status=0):
    answer = daemon.ctl("deploy", grid, "--json", check=False)
    assert answer.returncode == status, answer.stdout + answer.stderr + daemon.text()
    return {component["name"]: component for component in json.loads(answer.stdout)["components"]}


def leftovers(daemon):
    return list((daemon.state / "deploy").glob("*")) + list((daemon.state / "deploy").glob(".*"))


def test_an_appliance_gets_the_values_and_files_of_a_component(site, worker, tmp_path, figure):
    publisher, entry = worker
    folder = site.directory_sink(site.hypervisors[0])
    daemon, grids = host_with(site, publisher, entry, [folder], tmp_path)
    write_component(grids / "batch" / "node", "worker", {"hostname": "wn18 <&\"'>", "net.ipaddr": "10.1.2.3",
                                                         "root": "s3cret"},
                    {"install/setup.sh": "#!/bin/sh\necho hello\n", "reset/undo.sh": "#!/bin/sh\n"})
    begin = time.monotonic()
    component = deploy(daemon, "batch")["node"]
    seconds = time.monotonic() - begin
    path = Path(component["sinks"][0]["reference"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert component["state"] == "present"
    assert component["derived-from"] == entry["image-id"]
    assert component["image-id"] == str(uuid.uuid5(uuid.UUID(entry["image-id"]), digest))
    [receipt] = [receipt for receipt in daemon.receipts() if receipt["image-id"] == component["image-id"]]
    assert (receipt["content-sha256"], receipt["size"]) == (digest, path.stat().st_size)
    assert leftovers(daemon) == []
    figure(f"an appliance of {entry['content-size'] / 1e6:.0f} MB made and put into a directory in {seconds:.1f} s")

    made = Ova(path, tmp_path / "unpacked")
    assert made.names == ["worker.ovf", "install/setup.sh", "reset/undo.sh", "disk.vmdk", "worker.mf"]
    assert made.properties() == {"hostname": "wn18 <&\"'>", "ipaddr": "10.1.2.3", "root": "s3cret", "slots": "4"}
    assert made.references() == {name: (made.folder / name).stat().st_size for name in made.names[1:4]}
    made.check_manifest()
    assert (made.folder / "install/setup.sh").read_text() == "#!/bin/sh\necho hello\n"
    assert (made.folder / "disk.vmdk").read_bytes() == (tmp_path / "worker.vmdk").read_bytes()
    subprocess.run(["qemu-img", "info", "-f", "vmdk", made.folder / "disk.vmdk"], check=True, capture_output=True)
    assert "s3cret" not in daemon.text() + json.dumps(component)

    before = path.stat()
    assert deploy(daemon, "batch")["node"]["image-id"] == component["image-id"]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "it was made again"

    # What was made of an image goes with it.
    publisher.index("withdraw", entry["image-id"], "--reason", "broken")
    publisher.publish()
    daemon.ctl("refresh")
    daemon.wait_for(lambda: not path.exists(), 60, "what was made of the image to go with it")
    daemon.wait_for(lambda: all(receipt["image-id"] != component["image-id"] for receipt in daemon.receipts()), 30,
                    "its receipt to go")
    answer = deploy(daemon, "batch", status=4)["node"]
    assert (answer["state"], answer["fault"]) == ("failed", "not-found")


def test_the_components_of_a_grid_come_in_the_order_of_their_relations(site, worker, tmp_path):
    publisher, entry = worker
    daemon, grids = host_with(site, publisher, entry, [site.glance_sink()], tmp_path)
    grid = grids / "batch"
    write_component(grid / "a-node", f"worker@{entry['image-version']}", {"hostname": "wn1"}, needs="[head, store]")
    write_component(grid / "head", entry["uuid"], {"hostname": "head"}, needs="[store]", form="disk")
    write_component(grid / "store", "worker", {"slots": "9"})
    shown = daemon.ctl("deploy", "batch", "--show").stdout
    assert [line.strip(" `|-├└─│") for line in shown.splitlines()] == [
        f"a-node: worker@{entry['image-version']} (ova)", f"head: {entry['uuid']} (disk)", "store: worker (ova)",
        "store (see above)"]

    answer = daemon.ctl("deploy", "batch", check=False)
    assert answer.returncode == 4, answer.stdout + answer.stderr
    assert re.findall(r"^([a-z-]+): (present|failed)", answer.stdout, re.M) == [
        ("store", "failed"), ("head", "present"), ("a-node", "present")]
    assert "image-ovf" in answer.stdout and "userConfigurable" in answer.stdout

    components = deploy(daemon, "batch", status=4)
    head = site.cloud.image(components["head"]["image-id"])
    node = site.cloud.image(components["a-node"]["image-id"])
    assert (head["name"], head["container_format"], head["status"]) == ("batch-head", "bare", "active")
    assert (node["name"], node["container_format"], node["status"]) == ("batch-a-node", "ova", "active")
    for record in head, node:
        assert record["imageswarm_derived_from"] == entry["image-id"]
        assert site.cloud.uploads(record["id"]).count(204) == 1
    site.cloud.download(head["id"], tmp_path / "head.vmdk")
    assert (tmp_path / "head.vmdk").read_bytes() == (tmp_path / "worker.vmdk").read_bytes()
    site.cloud.download(node["id"], tmp_path / "node.ova")
    made = Ova(tmp_path / "node.ova", tmp_path / "unpacked")
    assert made.properties()["hostname"] == "wn1"
    made.check_manifest()


@pytest.mark.parametrize("spoil, status, words", [
    (lambda grid: (grid / "b" / "component.yaml").write_text("image: x\nneeds: [a]\n"), 2, "a needs b needs a"),
    (lambda grid: (grid / "b" / "component.yaml").write_text("image: x\nimages: y\n"), 2, "images"),
    (lambda grid: (grid / "b" / "component.yaml").unlink(), 1, "component.yaml"),
    (lambda grid: (grid / "b" / "setup").mkdir(), 2, "setup is unknown"),
    (lambda grid: (grid / "c").symlink_to("/etc"), 2, "not a folder"),
    (lambda grid: grid.rename(grid.parent / "other"), 1, "not-found"),
])
def test_a_grid_that_cannot_be_read_is_refused_whole(site, worker, tmp_path, spoil, status, words):
    publisher, _ = worker
    grid = tmp_path / "grids" / "batch"
    write_component(grid / "a", "worker", needs="[b]")
    write_component(grid / "b", "worker")
    spoil(grid)
    daemon = site.daemon(site.hypervisors[0], [publisher], grids=str(tmp_path / "grids")).start_and_answer()
    answer = daemon.ctl("deploy", "batch", check=False)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert words in answer.stderr


def test_a_daemon_killed_at_any_moment_leaves_no_half_appliance(site, tmp_path, seeded_random):
    publisher = site.publisher()
    entry = publisher.publish_image(make_ova(tmp_path / "worker.ova", 48), "worker")
    folder = site.directory_sink(site.hypervisors[0])
    daemon, grids = host_with(site, publisher, entry, [folder], tmp_path)
    write_component(grids / "batch" / "node", "worker", {"hostname": "wn18"})
    moments = [0.05, 0.2, 0.4, 0.7] + [seeded_random.uniform(0.05, 1.5) for _ in range(4)]
    interrupted = 0
    for moment in moments:
        running = subprocess.Popen([daemon.command[0].parent / "imageswarmctl", "--socket", daemon.socket, "deploy",
                                    "batch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        daemon.kill()
        interrupted += running.wait(timeout=30) != 0
        for path in Path(folder["path"]).iterdir():
            if not path.name.startswith(".") and not path.is_symlink():
                assert path.stem == entry["image-id"] or path.stem == str(
                    uuid.uuid5(uuid.UUID(entry["image-id"]), hashlib.sha256(path.read_bytes()).hexdigest()))
        daemon.start_and_answer()
        daemon.wait_for_image(entry["image-id"], "active")
        assert leftovers(daemon) == []
    assert interrupted >= 3
    component = deploy(daemon, "batch")["node"]
    made = Ova(component["sinks"][0]["reference"], tmp_path / "unpacked")
    made.check_manifest()
    assert not [path for path in Path(folder["path"]).iterdir() if path.name.startswith(".")]
