"""imageswarm-index from outside: the real program, openssl as the second opinion, and what goes wrong at a desk."""
import contextlib
import fcntl
import gzip
import hashlib
import html
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.authority import Authority, sign_document, split_document
from support.desk import Desk
from support.terminal import on_terminal
from support.testbed import programs


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca") / "pki")


@pytest.fixture
def desk(tmp_path, authority):
    made = Desk(tmp_path, authority)
    made.run("init", "--name", "lxcloud", "--endorser-name", "Ada Endorser",
             "--tracker", "http://tracker.example.org:6969/announce",
             "--web-seed", "https://images.example.org/images/")
    return made


def noise(size):
    return os.urandom(size)


def qemu_image(path, *options):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *map(str, options), path, "16M"], check=True)
    return path


# What is published

def test_chunks_in_a_row_are_the_image_for_ordinary_tools(desk):
    content = noise(1_500_000) + bytes(3_000_000)
    image = desk.json("add", desk.file("disk.raw", content), "--name", "debian", "--torrent-layout", "chunks",
                      "--chunk-size", "1MiB")
    chunks = sorted((desk.store / "artefacts" / image["torrent-content-name"]).iterdir())
    assert [chunk.name for chunk in chunks] == [f"{index:06}.zst" for index in range(5)]
    row = b"".join(chunk.read_bytes() for chunk in chunks)
    assert subprocess.run(["zstd", "-dc"], input=row, capture_output=True, check=True).stdout == content
    part = subprocess.run(["zstd", "-dc", chunks[1]], capture_output=True, check=True).stdout
    assert part == content[1 << 20:2 << 20]
    assert image["torrent-content-sha256"] == hashlib.sha256(row).hexdigest()
    assert (image["torrent-layout"], image["chunk-size"]) == ("chunks", 1 << 20)
    assert len({(chunk.stat().st_ino) for chunk in chunks[2:4]}) == 1, "chunks of zeros take the room of one"

    desk.run("endorse", "--all", "--yes")
    desk.publish()
    published = desk.public / "images" / image["torrent-content-name"]
    assert [chunk.samefile(published / chunk.name) for chunk in chunks] == [True] * 5
    desk.run("withdraw", "debian")
    desk.publish()
    assert not published.exists() and not chunks[0].parent.exists() and not desk.leftovers()


@pytest.mark.parametrize("options, says", [
    (["--torrent-layout", "chunks", "--compress", "gzip"], "--compress"),
    (["--torrent-layout", "chunks", "--torrent", "hybrid"], "--torrent"),
    (["--torrent-layout", "chunks", "--piece-length", "1MiB"], "--piece-length"),
    (["--torrent-layout", "chunks", "--chunk-size", "1000"], "--chunk-size"),
    (["--torrent-layout", "pieces"], "--torrent-layout"),
    (["--chunk-size", "1MiB"], "--chunk-size")])
def test_options_that_do_not_go_with_chunks_are_refused_at_once(desk, options, says):
    refused = desk.run("add", desk.file("disk.raw", noise(100_000)), "--name", "debian", *options, status=2)
    assert says in refused.stderr
    assert not desk.leftovers()


@pytest.mark.parametrize("compression, unpack", [
    ("none", ["cat"]), ("gzip", ["gzip", "-dc"]), ("xz", ["xz", "-dc"]), ("zstd", ["zstd", "-dc"]),
    ("bzip2", ["bzip2", "-dc"])])
def test_the_artefact_is_the_image_for_ordinary_tools(desk, compression, unpack):
    content = noise(3_000_000) + bytes(3_000_000)
    image = desk.json("add", desk.file("disk.raw", content), "--name", "debian", "--compress", compression)
    artefact = desk.store / "artefacts" / image["torrent-content-name"]
    packed = artefact.read_bytes()
    assert subprocess.run([*unpack], input=packed, capture_output=True, check=True).stdout == content
    assert image["content-sha256"] == hashlib.sha256(content).hexdigest()
    assert image["content-sha512"] == hashlib.sha512(content).hexdigest()
    assert image["torrent-content-sha256"] == hashlib.sha256(packed).hexdigest()
    assert image["torrent-content-size"] == len(packed)
    torrent = (desk.store / "torrents" / image["torrent-name"]).read_bytes()
    assert image["torrent-file-sha256"] == hashlib.sha256(torrent).hexdigest()


def test_a_family_keeps_its_piece_length_unless_told_otherwise(desk):
    def piece_length(image):
        return int(image["torrent-piece-length"])

    larger = noise(1_000) + bytes(60_000_000)
    first = desk.json("add", desk.file("a.raw", noise(100_000)), "--name", "debian", "--image-version", "1")
    run = desk.run("add", desk.file("b.raw", larger), "--name", "debian", "--image-version", "2")
    assert "pieces of 16 KiB, as in debian@1" in run.stderr + run.stdout
    assert piece_length(desk.json("show", "debian@2")) == piece_length(first) == 16384
    told = desk.json("add", desk.file("c.raw", larger + b"c"), "--name", "debian", "--image-version", "3",
                     "--piece-length", "64KiB")
    assert piece_length(told) == 65536
    # Nothing is shared with what is packed in another way, or with another family.
    packed = desk.json("add", desk.file("d.raw", noise(70_000_000)), "--name", "debian", "--image-version", "4",
                       "--compress", "gzip")
    other = desk.json("add", desk.file("e.raw", larger + b"e"), "--name", "other")
    assert piece_length(packed) == piece_length(other) == 32768


def test_openssl_accepts_the_catalogue(desk, tmp_path):
    desk.endorsed("debian", noise(100_000))
    desk.publish()
    text = desk.catalogue.read_text()
    commands = [line for line in page_commands(desk.public / "catalogue.html") if "/etc/grid-security" in line][-1]
    assert "openssl cms -verify" in commands
    script = commands.replace("/etc/grid-security/certificates", str(desk.authority.anchors))
    run = subprocess.run(["sh", "-ec", script], cwd=desk.public, text=True, capture_output=True, check=True)
    assert "Verification successful" in run.stderr and "Ada Endorser" in run.stdout
    assert text.startswith("document: catalogue\nformat: 1\n")
    assert all(len(line) <= 78 for line in split_document(text)[1].splitlines())


def page_commands(page):
    """The command lines that the page shows."""
    return [html.unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", page.read_text(), re.DOTALL)]


def test_the_page_s_own_command_verifies(desk):
    desk.publish()
    command = page_commands(desk.public / "catalogue.html")[0]
    command = command.replace("/etc/grid-security/certificates", str(desk.authority.anchors))
    environment = {**os.environ, "PATH": f"{programs()}:{os.environ['PATH']}"}
    run = subprocess.run(["sh", "-ec", command], cwd=desk.public, env=environment, text=True, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert "good: catalogue lxcloud serial 1" in run.stdout


def test_public_holds_what_the_catalogue_names_and_nothing_of_the_withdrawn(desk):
    desk.endorsed("debian", noise(100_000), "--torrent", "hybrid")
    desk.endorsed("rocky", noise(100_000))
    desk.publish()
    images = {image["name"]: image for image in desk.json("list")}
    for image in images.values():
        assert (desk.public / "images" / image["torrent-content-name"]).stat().st_nlink == 2
        assert (desk.public / image["download-url"]).exists()
    debian = images["debian"]
    expected = {debian["torrent-info-hash-v1"], debian["torrent-info-hash-v2"][:40],
                images["rocky"]["torrent-info-hash-v2"][:40],
                hashlib.sha256(b"imageswarm documents 1").hexdigest()[:40]}  # where hosts meet
    assert set((desk.public / "tracker-whitelist").read_text().split()) == expected

    desk.run("withdraw", "debian", "--reason", "CVE-2026-1234")
    desk.publish()
    assert [path.name for path in (desk.public / "images").iterdir()] == [images["rocky"]["torrent-content-name"]]
    assert "CVE-2026-1234" in desk.catalogue.read_text() and "CVE-2026-1234" in (desk.public / "catalogue.html").read_text()
    assert sorted(path.name for path in (desk.store / "archive").iterdir()) == ["catalogue-1.yaml", "catalogue-2.yaml"]
    actions = [event["action"] for event in desk.json("history")]
    assert actions == ["added", "endorsed", "added", "endorsed", "published", "withdrawn", "published"]


def test_a_reader_sees_the_old_or_the_new_state_while_it_is_published(desk):
    desk.endorsed("first", noise(50_000))
    desk.publish()
    wrong, seen, done = [], set(), threading.Event()

    def read():
        while not done.is_set():
            text = desk.catalogue.read_text()
            body, signature = split_document(text)
            seen.add(text)
            names = [line.split()[-1] for line in body.splitlines() if "torrent-content-name:" in line]
            missing = [name for name in names if not (desk.public / "images" / name).exists()]
            # A name may be gone when a newer catalogue has come meanwhile.
            if not signature.strip() or (missing and desk.catalogue.read_text() == text):
                wrong.append((missing, len(text)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(6):
            desk.endorsed(f"next-{number}", noise(50_000))
            desk.run("withdraw", "first" if number == 0 else f"next-{number - 1}")
            desk.publish()
    finally:
        done.set()
        reader.join()
    assert not wrong
    assert len(seen) >= 2


def test_killed_at_any_moment_of_a_publication_the_catalogue_is_whole_and_the_next_one_works(desk):
    desk.endorsed("debian", noise(50_000))
    desk.publish()
    identity = desk.authority["ada"]
    serial = 1
    for step in range(15):
        command = desk.command("publish", "--certificate", identity.certificate, "--key", identity.key)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.003 * step)
        process.kill()
        process.wait()
        found = json.loads(desk.verify(None, "--json").stdout)
        assert found["serial"] >= serial
        serial = found["serial"]
    desk.publish()
    assert json.loads(desk.verify(None, "--json").stdout)["serial"] > serial
    assert not desk.leftovers()


def test_a_signature_by_openssl_over_our_body_is_accepted(desk, tmp_path):
    desk.publish()
    body, _ = split_document(desk.catalogue.read_text())
    signed = tmp_path / "signed.yaml"
    signed.write_text(sign_document(body, desk.authority["bob"]))
    assert "CN=Bob Endorser" in desk.verify(signed).stdout


# What goes wrong

def refused(run, word):
    assert run.stderr.startswith("imageswarm-index: refused "), run.stderr
    assert f": {word}: " in run.stderr, run.stderr


def test_an_altered_catalogue(desk, tmp_path):
    desk.endorsed("debian", noise(1000))
    desk.publish()
    altered = tmp_path / "altered.yaml"
    altered.write_text(desk.catalogue.read_text().replace("name: debian", "name: devian"))
    refused(desk.verify(altered, status=3), "sig-invalid")


def test_an_unsigned_catalogue(desk, tmp_path):
    desk.publish()
    (tmp_path / "unsigned.yaml").write_text(split_document(desk.catalogue.read_text())[0])
    refused(desk.verify(tmp_path / "unsigned.yaml", status=3), "sig-missing")


@pytest.mark.parametrize("who, word", [("revoked", "cert-revoked"), ("stranger", "chain-untrusted")])
def test_a_signer_whom_the_anchors_do_not_vouch_for(desk, who, word):
    desk.publish(who)
    refused(desk.verify(status=3), word)


def test_another_signer_than_asked_for(desk):
    desk.publish("bob")
    refused(desk.verify(None, "--subject", "CN=Ada Endorser,O=Example", status=3), "signer-not-listed")


def test_an_expired_certificate_does_not_sign(desk):
    assert "cert-expired: " in desk.publish("expired", status=3).stderr


def test_an_expired_catalogue(desk):
    desk.publish("ada", "--lifetime", "1s")
    time.sleep(2)
    refused(desk.verify(status=3), "doc-expired")


def test_a_catalogue_may_not_live_too_long(desk):
    assert "90d" in desk.publish("ada", "--lifetime", "91d", status=2).stderr


def test_an_unreadable_key(desk, tmp_path):
    certificate = desk.authority["ada"].certificate
    for key, content in ("absent.key", None), ("nonsense.key", "nonsense"):
        if content:
            (tmp_path / key).write_text(content)
        run = desk.run("publish", "--certificate", certificate, "--key", tmp_path / key, status=2)
        assert "key-unreadable: " in run.stderr and key in run.stderr
    run = desk.run("publish", "--certificate", certificate, "--key", desk.authority["bob"].key, status=2)
    assert "key-mismatch: " in run.stderr
    assert not desk.catalogue.exists()


def test_a_file_that_is_not_the_format_it_claims(desk):
    run = desk.run("add", desk.file("text", b"just text\n" * 100), "--name", "x", "--disk-format", "qcow2", status=3)
    refused(run, "image-format-mismatch")
    run = desk.run("add", qemu_image(desk.directory / "a.qcow2"), "--name", "x", "--disk-format", "raw", status=3)
    refused(run, "image-format-mismatch")
    assert desk.json("list") == []


def test_a_qcow2_with_a_backing_file(desk):
    base = qemu_image(desk.directory / "base.qcow2")
    child = desk.directory / "child.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", child], check=True)
    refused(desk.run("add", child, "--name", "x", status=3), "image-backing-file")


def test_a_compressed_image_is_not_taken_for_a_raw_one(desk):
    run = desk.run("add", desk.file("disk.gz", gzip.compress(noise(1000))), "--name", "x", status=3)
    assert "image-" in run.stderr


def test_a_raw_disk_without_partitions_is_added_with_a_warning(desk):
    def said(name, sector):
        return desk.run("add", desk.file(name, sector.ljust(100_000, b"x")), "--name", name).stdout

    boot_sector = bytes(510) + b"\x55\xaa"
    partitioned = bytes(450) + b"\x83" + bytes(59) + b"\x55\xaa"
    assert "warning: the image has no partition table" in said("data", bytes(512))
    assert "warning: the image has a boot signature but no partition table" in said("half", boot_sector)
    assert "warning" not in said("whole", partitioned)


def appliance(path, disk, ovf):
    """An OVA as `tar` makes it."""
    (path / "box.ovf").write_text(ovf.replace("DISK", disk.name).replace("SIZE", str(disk.stat().st_size)))
    subprocess.run(["tar", "--format=ustar", "-cf", "box.ova", "box.ovf", disk.name], cwd=path, check=True)
    return path / "box.ova"


OVF = """<?xml version="1.0"?>
<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
 <ovf:References><ovf:File ovf:id="f" ovf:href="DISK" ovf:size="SIZE"/></ovf:References>
 <ovf:DiskSection><ovf:Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="10485760" ovf:format="vmdk"/></ovf:DiskSection>
</ovf:Envelope>"""


def test_an_appliance_is_added_as_what_it_is(desk):
    disk = desk.directory / "disk.vmdk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=streamOptimized", disk, "10M"], check=True)
    ova = appliance(desk.directory, disk, OVF)
    for declared in (["--container-format", "bare"], ["--disk-format", "raw"]):
        assert "image-format-mismatch: " in desk.run("add", ova, "--name", "box", *declared, status=3).stderr
    entry = desk.json("add", ova, "--name", "box", "--image-version", "1")
    assert (entry["disk-format"], entry["container-format"]) == ("vmdk", "ova")
    assert entry["torrent-content-name"] == "box-1.ova"
    bad = appliance(desk.directory, disk, OVF.replace('ovf:href="DISK"', 'ovf:href="/etc/passwd"'))
    assert "image-ovf: " in desk.run("add", bad, "--name", "bad", status=3).stderr


def test_absent_unreadable_and_odd_files(desk):
    assert "not-found: " in desk.run("add", desk.directory / "absent", "--name", "x", status=1).stderr
    assert "not a regular file" in desk.run("add", desk.directory, "--name", "x", status=1).stderr
    os.mkfifo(desk.directory / "pipe")
    assert "not a regular file" in desk.run("add", desk.directory / "pipe", "--name", "x", status=1).stderr
    desk.run("add", desk.file("empty", b""), "--name", "x", status=3)
    assert not desk.leftovers()


def test_a_link_to_an_image_is_followed(desk):
    (desk.directory / "latest").symlink_to(desk.file("disk.raw", noise(1000)))
    desk.run("add", desk.directory / "latest", "--name", "debian")


def test_adding_the_same_twice(desk):
    desk.run("add", desk.file("disk.raw", noise(1000)), "--name", "debian")
    run = desk.run("add", desk.directory / "disk.raw", "--name", "debian", "--image-version", "7", status=1)
    assert "exists: " in run.stderr and "in the store already" in run.stderr
    assert len(list((desk.store / "artefacts").iterdir())) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(tmp_path, authority):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], check=True)
    try:
        desk = Desk(small, authority)
        desk.run("init", "--name", "lxcloud", "--endorser-name", "Ada")
        (tmp_path / "big.raw").write_bytes(noise(12_000_000))
        assert "disk-full: " in desk.run("add", tmp_path / "big.raw", "--name", "big", status=1).stderr
        assert not desk.leftovers()
        desk.endorsed("small", noise(100_000))
        desk.publish()
        before = desk.catalogue.read_text()
        with contextlib.suppress(OSError), open(small / "filler", "wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        assert "disk-full: " in desk.publish(status=1).stderr
        assert desk.catalogue.read_text() == before
        (small / "filler").unlink()
        desk.publish()
        desk.verify()
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("number, gentle", [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGKILL, False)])
def test_an_interrupted_add_leaves_nothing(desk, number, gentle):
    big = desk.directory / "big.raw"
    with open(big, "wb") as file:
        file.truncate(3_000_000_000)
    process = subprocess.Popen(desk.command("add", big, "--name", "big", "--compress", "zstd"), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not desk.leftovers():
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(number)
    _, words = process.communicate(timeout=10)
    if gentle:
        assert process.returncode == 1 and "cancelled: interrupted; nothing was added" in words
        assert not desk.leftovers()
    desk.run("add", desk.file("small.raw", noise(1000)), "--name", "small")
    assert not desk.leftovers()
    assert [image["name"] for image in desk.json("list")] == ["small"]


def test_commands_at_once_take_turns(desk):
    image = desk.file("disk.raw", noise(2_000_000))
    processes = [subprocess.Popen(desk.command("add", image, "--name", "debian", "--compress", "xz"),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
    # Each sees what those before it have done: the second one is told that this content is there.
    assert sorted(process.wait(timeout=60) for process in processes) == [0, 1, 1, 1]
    assert len(desk.json("list")) == 1


def test_on_a_terminal_it_asks_and_shows_a_bar(desk):
    image = desk.file("disk.raw", noise(5_000_000))

    added = on_terminal(desk.command("add", image, "--name", "debian"))
    assert added.status == 0 and "100 %" in added.shown and "5.00 MB of 5.00 MB" in added.shown
    question = "Endorse this image as shown? [y/N]"
    assert on_terminal(desk.command("endorse", "debian"), (question, "n\n")).status == 1
    endorsed = on_terminal(desk.command("endorse", "debian"), (question, "y\n"))
    assert endorsed.status == 0 and "endorsed debian@" in endorsed.shown


def test_a_list_is_changed_by_one_command_at_a_time(tmp_path):
    approvals = tmp_path / "approvals.yaml"
    program = [Path(os.environ["IMAGESWARM_BIN"]) / "imageswarm-index", "approvals"]
    subprocess.run([*program, "init", "--list", approvals, "--name", "site"], check=True)
    directory = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    change = subprocess.Popen([*program, "approve", "--list", approvals, "--all"])
    waiting = f":{os.fstat(directory).st_ino} "
    while change.poll() is None and not any("->" in line and waiting in line for line in open("/proc/locks")):
        pass
    assert change.poll() is None
    os.close(directory)
    assert change.wait() == 0
