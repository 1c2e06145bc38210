"""Lists of other formats: made with their own tools, imported, endorsed, published; and exported for their readers."""
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import urllib.request

import pytest

from support.authority import Authority
from support.cloud import free_port
from support.desk import Desk
from support.hepix import image, image_list, smime_by_hand, smime_sign, stamp
from support.services import Nginx
from support.simplestreams import CONTENT, PRODUCT, Mirror, Signer

WORKER = "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca") / "pki")


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A web server; `web.root` is what it serves."""
    root = tmp_path_factory.mktemp("www")
    server = Nginx(tmp_path_factory.mktemp("nginx"), root, port=free_port("127.0.0.1"))
    server.root = root
    server.start()
    yield server
    server.stop()


@pytest.fixture
def desk(tmp_path, authority):
    made = Desk(tmp_path, authority)
    made.run("init", "--name", "lxcloud", "--endorser-name", "Ada Endorser", "--contact", "ada@example.org",
             "--web-seed", "https://images.example.org/images/")
    return made


def state(desk):
    """Every file of the store and its content, without the lock."""
    return {path: path.read_bytes() for path in desk.store.rglob("*") if path.is_file() and path.name != ".lock"}


class Published:
    """A HEPiX list on the web server, with one raw image."""

    def __init__(self, web, authority):
        self.web, self.authority = web, authority
        self.url = f"{web.url}/list.smime"
        self.fresh()
        self.put()

    def fresh(self):
        self.content = os.urandom(300_000)
        (self.web.root / "worker-42.img").write_bytes(self.content)

    def image(self, **changes):
        return image(f"{self.web.url}/worker-42.img", hashlib.sha512(self.content).hexdigest(), len(self.content),
                     **changes)

    def put(self, *images, signer="ada", options=(), **changes):
        text = image_list(images or [self.image()], **{"hv:uri": self.url, **changes})
        (self.web.root / "list.smime").write_bytes(smime_sign(text, self.authority, signer, *options))


@pytest.fixture
def hepix(web, authority):
    return Published(web, authority)


def take(desk, hepix, *more, status=0, format="hepix"):
    return desk.run("import", "--format", format, hepix.url, "--anchors", desk.authority.anchors, *more, status=status)


# HEPiX

def test_a_list_signed_by_openssl_goes_all_the_way(desk, hepix):
    shown = take(desk, hepix)
    assert "worker@42" in shown.stdout and "nothing was imported" in shown.stdout
    assert desk.json("list") == []
    take(desk, hepix, "--all")
    [entry] = desk.json("list")
    assert entry["uuid"] == WORKER and entry["name"] == "worker" and entry["image-version"] == "42"
    assert entry["state"] == "managed" and entry["vo-tags"] == ["atlas"] and entry["local-endorser"] == "Ada Endorser"
    assert (entry["os-distro"], entry["os-version"]) == ("almalinux", "9.5")
    assert (entry["architecture"], entry["hypervisor"]) == ("x86_64", "kvm")
    assert entry["content-sha512"] == hashlib.sha512(hepix.content).hexdigest()
    assert "2026.1.3" in desk.run("history", "worker").stdout and "CN=Ada Endorser" in desk.run("history").stdout
    desk.run("endorse", "--all", "--yes")
    desk.publish()
    assert "worker@42" in desk.verify().stdout


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_list_made_by_hand_to_the_specification_is_imported(desk, hepix, authority, line_end):
    text = image_list([hepix.image(**{"hv:size": str(len(hepix.content)), "x:own": {"a": [1]}})], **{"hv:uri": hepix.url})
    (hepix.web.root / "list.smime").write_bytes(smime_by_hand(text, authority, line_end=line_end))
    openssl_verify(hepix.web.root / "list.smime", authority)
    assert "it says that it lives" not in take(desk, hepix, "--all").stdout
    assert [entry["uuid"] for entry in desk.json("list")] == [WORKER]


def test_importing_the_same_version_again_does_nothing(desk, hepix):
    take(desk, hepix, "--all")
    before = state(desk)
    again = take(desk, hepix, "--all")
    assert "was imported before" in again.stdout and "in the store" in again.stdout
    assert state(desk) == before


def test_another_content_under_the_same_version_is_refused(desk, hepix):
    take(desk, hepix, "--all")
    hepix.put(hepix.image(**{"sl:checksum:sha512": "0" * 128}))
    assert "with another content" in take(desk, hepix, "--all", status=3).stderr


@pytest.mark.parametrize("arguments", [
    ("--format", "ovf"), ("--format", "hepix"), ("--format", "simplestreams"), ("--format", "hepix", "--issuer", "CN=x"),
    ("--format", "hepix", "--anchors", "x", "--compress", "lzma"), ("--format", "hepix", "--torrent", "v1")])
def test_wrong_arguments_are_told(desk, hepix, arguments):
    desk.run("import", hepix.url, *arguments, status=2)


@pytest.mark.parametrize("change, word", [
    ({"sl:checksum:sha512": "0" * 128}, "hash-mismatch"), ({"hv:size": 299_999}, "too-large"),
    ({"hv:size": "300001"}, "hash-mismatch"), ({"hv:uri": "file:///etc/passwd"}, "http-scheme"),
    ({"hv:format": "qcow2"}, "image-format-mismatch")])
def test_a_wrong_image_leaves_the_store_unchanged(desk, hepix, change, word):
    hepix.put(hepix.image(**change))
    before = state(desk)
    refusal = take(desk, hepix, "--all", status=3)
    assert word in refusal.stderr
    assert state(desk) == before


def test_one_bad_image_does_not_stop_the_others(desk, hepix):
    other = "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f02"
    hepix.put(hepix.image(**{"sl:checksum:sha512": "0" * 128}), hepix.image(uuid=other),
              hepix.image(uuid="7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f03", **{"hv:uri": None}))
    partly = take(desk, hepix, "--all", status=4)
    assert "hash-mismatch" in partly.stderr and "skipping image 3 of the list: hv:uri" in partly.stdout
    assert [entry["uuid"] for entry in desk.json("list")] == [other]


@pytest.mark.parametrize("change, word", [
    ({"signer": "bob"}, "signer-not-listed"), ({"signer": "revoked"}, "cert-revoked"),
    ({"signer": "proxy"}, "cert-purpose"), ({"options": ["-md", "sha1"]}, "alg-weak"),
    ({"options": ["-noattr"]}, "sig-invalid"), ({"hv:endorser": {}}, "import-field"), ({"hv:images": 7}, "import-format"),
    ({"dc:date:created": stamp(days=1)}, "doc-future"), ({"dc:date:expires": stamp(days=-1)}, "doc-expired"),
    ({"dc:identifier": "17"}, "import-field")])
def test_a_list_that_gives_no_trust_is_refused(desk, hepix, change, word):
    hepix.put(**change)
    assert f" {word}: " in take(desk, hepix, "--all", status=3).stderr
    assert desk.json("list") == []


def test_a_list_without_signature_is_refused(desk, hepix):
    (hepix.web.root / "list.smime").write_text(image_list([hepix.image()]))
    assert "sig-missing" in take(desk, hepix, status=3).stderr


def test_the_opaque_form_is_read(desk, hepix):
    hepix.put(options=["-nodetach"])
    take(desk, hepix, "--image", WORKER)
    assert [entry["uuid"] for entry in desk.json("list")] == [WORKER]


def test_an_older_version_another_list_and_another_signer_are_noticed(desk, hepix):
    hepix.put(**{"hv:version": "2026.1.10"})
    take(desk, hepix, "--all")
    hepix.put(**{"hv:version": "2026.1.9"})
    assert "serial-rollback" in take(desk, hepix, status=3).stderr
    hepix.put(**{"dc:identifier": "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d11"})
    assert "doc-name" in take(desk, hepix, status=3).stderr
    bob = {"hv:x509": {"hv:dn": "/O=Example/CN=Bob Endorser", "hv:ca": "/O=Imageswarm Test/CN=Test Issuing CA"}}
    hepix.put(signer="bob", **{"hv:version": "2026.2", "hv:endorser": bob})
    assert "signer-not-listed" in take(desk, hepix, status=3).stderr
    assert "signer-not-listed" in take(desk, hepix, "--subject", "CN=Ada Endorser,O=Example", status=3).stderr
    take(desk, hepix, "--subject", "/O=Example/CN=Bob Endorser", "--all")


def test_a_list_that_claims_the_place_of_another_does_not_block_it(desk, hepix):
    hepix.put(**{"dc:identifier": "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d11"})
    (hepix.web.root / "list.smime").rename(hepix.web.root / "other.smime")
    desk.run("import", "--format", "hepix", f"{hepix.web.url}/other.smime", "--anchors", desk.authority.anchors, "--all")
    hepix.fresh()
    hepix.put(hepix.image(uuid="7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f02"))
    take(desk, hepix, "--all")
    assert len(desk.json("list")) == 2


def test_credentials_of_urls_are_shown_and_kept_nowhere(desk, hepix):
    hepix.url = hepix.url.replace("://", "://user:hunter2@") + "?token=hunter2"
    hepix.put(hepix.image(**{"hv:uri": f"{hepix.web.url}/worker-42.img?token=hunter2"}), **{"hv:uri": hepix.url + "&x"})
    shown = take(desk, hepix, "--all")
    told = take(desk, hepix, "--all", "--json")
    assert [entry["image-version"] for entry in desk.json("list")] == ["42"]
    for text in (shown.stdout, shown.stderr, told.stdout, told.stderr, (desk.store / "imports.yaml").read_text(),
                 (desk.store / "history.jsonl").read_text()):
        assert "hunter2" not in text
    assert f"{hepix.web.url}/list.smime" in (desk.store / "imports.yaml").read_text()


def test_a_family_gets_versions_only_from_where_it_came_from(desk, hepix, web, tmp_path):
    other = {"dc:identifier": "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d11"}
    take(desk, hepix, "--all")
    hepix.fresh()
    hepix.put(hepix.image(**{"hv:version": "43"}), **{"hv:version": "2026.1.4"})
    take(desk, hepix, "--all")
    hepix.url = f"{web.url}/other.smime"
    hepix.fresh()
    hepix.put(hepix.image(**{"hv:version": "44"}), **other)
    (web.root / "list.smime").rename(web.root / "other.smime")
    assert "import-field" in take(desk, hepix, "--all", status=3).stderr
    assert f"--image {WORKER}" in take(desk, hepix, "--image", "worker", status=3).stderr
    assert [entry["image-version"] for entry in desk.json("list")] == ["42", "43"]
    take(desk, hepix, "--image", WORKER)
    assert [entry["image-version"] for entry in desk.json("list")] == ["42", "43", "44"]


def test_an_import_adds_nothing_to_a_family_of_one_s_own(desk, hepix):
    desk.run("add", desk.file("own.raw", os.urandom(100_000)), "--name", "own", "--image-version", "1")
    [own] = desk.json("list")
    hepix.put(hepix.image(uuid=own["uuid"]))
    assert "import-field" in take(desk, hepix, "--all", status=3).stderr
    assert [entry["image-version"] for entry in desk.json("list")] == ["1"]


def test_files_that_are_here_already_are_not_fetched(desk, hepix, tmp_path):
    hepix.put(hepix.image(**{"hv:uri": "https://nowhere.example.org/images/worker-42.img?download=1"}))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "worker-42.img").write_bytes(hepix.content)
    take(desk, hepix, "--all", "--content", tmp_path / "files", "--compress", "zstd")
    assert desk.json("list")[0]["torrent-content-compressed"] == "zstd"


# HEPiX, the other way round

#: What each consumer demands of an image (hepixvmitrust, cloudkeeper, atrope).
NEEDED = {
    "dc:identifier", "dc:title", "dc:description", "dc:date:expires", "hv:uri", "hv:size", "hv:version", "hv:hypervisor",
    "hv:format", "sl:checksum:sha512", "sl:arch", "sl:os", "sl:osname", "sl:osversion", "sl:comments", "ad:mpuri",
    "ad:group", "ad:user:fullname", "ad:user:guid", "ad:user:uri"}


def export(desk, web, *more, who="ada", status=0):
    identity = desk.authority[who]
    return desk.run("export", "--format", "hepix", desk.public / "list.smime", "--certificate", identity.certificate,
                    "--key", identity.key, "--base-url", f"{web.url}/", *more, status=status)


def openssl_verify(message, authority):
    return subprocess.run(["openssl", "smime", "-verify", "-in", message, "-CAfile", authority.directory / "anchors.pem",
                           "-crl_check_all"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("who", ["ada", "grace"])
def test_an_exported_list_is_read_by_openssl_and_by_ourselves(desk, web, authority, tmp_path, who):
    content = os.urandom(200_000)
    desk.endorsed("worker", content, "--image-version", "7", "--description", "für Gäste",
                  "--os-distro", "debian", "--os-version", "12", "--min-ram", "512")
    desk.publish(who)
    export(desk, web, who=who)
    shutil.copytree(desk.public, web.root, dirs_exist_ok=True)

    text = openssl_verify(desk.public / "list.smime", authority)
    fields = json.loads(text)["hv:imagelist"]
    [entry] = [wrapped["hv:image"] for wrapped in fields["hv:images"]]
    assert NEEDED <= entry.keys() and {"dc:source", "dc:description", "hv:endorser"} <= fields.keys()
    assert fields["hv:endorser"]["hv:x509"].keys() == {"dc:creator", "hv:dn", "hv:ca", "hv:email"}
    assert fields["hv:uri"] == f"{web.url}/list.smime" and entry["dc:description"] == "für Gäste"
    served = urllib.request.urlopen(entry["hv:uri"]).read()
    assert len(served) == entry["hv:size"] and hashlib.sha512(served).hexdigest() == entry["sl:checksum:sha512"]

    (tmp_path / "other").mkdir()
    reader = Desk(tmp_path / "other", authority)
    reader.run("init", "--name", "reader", "--endorser-name", "Bob Endorser")
    reader.run("import", "--format", "hepix", f"{web.url}/list.smime", "--anchors", authority.anchors, "--all")
    [before], [after] = desk.json("list"), reader.json("list")
    for key in ("uuid", "image-id", "name", "image-version", "description", "os-distro", "os-version", "architecture",
                "hypervisor", "disk-format", "content-size", "content-sha256", "content-sha512", "min-ram"):
        assert before[key] == after[key], key


def test_a_packed_image_is_left_out_of_an_exported_list(desk, web, authority):
    desk.endorsed("packed", os.urandom(100_000), "--compress", "zstd")
    desk.publish()
    assert "packed@" in export(desk, web, status=2).stderr
    assert not (desk.public / "list.smime").exists()
    desk.endorsed("plain", os.urandom(100_000))
    desk.publish()
    assert "is left out" in export(desk, web, status=4).stderr
    fields = json.loads(openssl_verify(desk.public / "list.smime", authority))["hv:imagelist"]
    assert [wrapped["hv:image"]["dc:title"] for wrapped in fields["hv:images"]] == ["plain"]


def test_what_is_not_published_is_not_exported(desk, web, authority):
    desk.endorsed("plain", os.urandom(100_000))
    export(desk, web)
    assert json.loads(openssl_verify(desk.public / "list.smime", authority))["hv:imagelist"]["hv:images"] == []


def test_what_was_changed_after_it_was_endorsed_is_not_exported(desk, web, authority):
    desk.endorsed("plain", os.urandom(100_000))
    desk.publish()
    [path] = (desk.store / "images").iterdir()
    before = path.read_text()
    path.write_text(before.replace("  name: plain\n", "  name: plain\n  description: by hand\n"))
    assert "changed by hand" in export(desk, web, status=2).stderr
    path.write_text(before)
    desk.run("edit", "plain", "--description", "edited")
    assert "endorse it again" in export(desk, web, status=2).stderr
    assert not (desk.public / "list.smime").exists()


def test_the_page_is_exported(desk, tmp_path):
    assert "not-found" in desk.run("export", "--format", "html", tmp_path / "page.html", status=1).stderr
    desk.publish()
    desk.run("export", "--format", "html", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == (desk.public / "catalogue.html").read_bytes()


# simplestreams

@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    made = Signer(tmp_path_factory.mktemp("gpg"))
    yield made
    made.close()


@pytest.fixture
def mirror(web, signer, tmp_path):
    made = Mirror(web.root / tmp_path.name, signer)
    made.url = f"{web.url}/{tmp_path.name}"
    made.image = os.urandom(150_000)
    made.publish({"20260109": os.urandom(1000), "20260110": made.image})
    return made


def stream(desk, mirror, name, *more, status=0):
    return desk.run("import", "--format", "simplestreams", f"{mirror.url}/streams/v1/{name}", "--keyring",
                    mirror.signer.ring, *more, status=status)


@pytest.mark.parametrize("name", ["index.sjson", "index.json", f"{CONTENT}.sjson", f"{CONTENT}.json"])
def test_the_newest_image_of_a_mirror_is_imported(desk, mirror, name):
    stream(desk, mirror, name, "--arch", "amd64", "--all")
    [entry] = desk.json("list")
    assert (entry["name"], entry["image-version"], entry["os-distro"]) == ("worker-9", "20260110", "almalinux")
    assert entry["content-sha256"] == hashlib.sha256(mirror.image).hexdigest()
    assert entry["glance-properties"]["product_name"] == PRODUCT
    desk.run("endorse", "--all", "--yes")
    desk.publish()
    assert "worker-9@20260110" in desk.verify().stdout


def test_a_mirror_on_disk_is_imported_and_more_versions_are_one_family(desk, mirror):
    mirror.url = mirror.root
    stream(desk, mirror, "index.sjson", "--max", "2", "--all")
    entries = desk.json("list")
    assert [entry["image-version"] for entry in entries] == ["20260109", "20260110"]
    assert len({entry["uuid"] for entry in entries}) == 1


def test_a_mirror_with_other_bytes_leaves_the_store_unchanged(desk, mirror):
    mirror.put("worker/20260110/disk1.img", os.urandom(150_000))
    before = state(desk)
    assert "hash-mismatch" in stream(desk, mirror, "index.sjson", "--all", status=3).stderr
    assert state(desk) == before


def test_a_mirror_is_not_believed_without_the_right_signature(desk, mirror, tmp_path):
    products = f"streams/v1/{CONTENT}.json"
    text = (mirror.root / products).read_bytes()
    mirror.put(products, text.replace(b"20260110", b"20270110"))
    assert "sig-invalid" in stream(desk, mirror, f"{CONTENT}.json", status=3).stderr
    mirror.put(products, text)
    (tmp_path / "other").mkdir()
    stranger = Signer(tmp_path / "other")
    refused = desk.run("import", "--format", "simplestreams", f"{mirror.url}/{products}", "--keyring", stranger.ring,
                       status=3)
    stranger.close()
    assert "signer-not-listed" in refused.stderr
    assert desk.json("list") == []


def test_an_older_state_of_a_mirror_is_refused(desk, mirror):
    stream(desk, mirror, "index.sjson", "--all")
    mirror.publish({"20260108": os.urandom(1000)}, updated="Fri, 09 Jan 2026 08:00:00 +0000")
    assert "serial-rollback" in stream(desk, mirror, "index.sjson", "--all", status=3).stderr


def test_a_mirror_that_answers_with_another_of_its_signed_files_is_refused(desk, mirror):
    daily = "org.example.cloud:daily:download"
    products = json.loads((mirror.root / f"streams/v1/{CONTENT}.json").read_text())
    mirror.sign(f"streams/v1/{CONTENT}.json", {**products, "content_id": daily})
    assert "import-field" in stream(desk, mirror, "index.json", "--all", status=3).stderr
    assert "import-field" in stream(desk, mirror, f"{CONTENT}.json", "--content-id", CONTENT, status=3).stderr
    assert desk.json("list") == []


def test_an_older_index_and_one_of_another_content_are_refused(desk, mirror):
    index = json.loads((mirror.root / "streams/v1/index.json").read_text())
    stream(desk, mirror, "index.json", "--all")
    mirror.sign("streams/v1/index.json", {**index, "updated": "Fri, 09 Jan 2026 08:00:00 +0000"})
    assert "serial-rollback" in stream(desk, mirror, "index.json", "--all", status=3).stderr
    daily = "org.example.cloud:daily:download"
    products = json.loads((mirror.root / f"streams/v1/{CONTENT}.json").read_text())
    mirror.sign("streams/v1/daily.json", {**products, "content_id": daily})
    content = {**index["index"][CONTENT], "path": "streams/v1/daily.json"}
    mirror.sign("streams/v1/index.json", {**index, "index": {daily: content}})
    assert "imports.yaml" in stream(desk, mirror, "index.json", "--all", status=3).stderr
    stream(desk, mirror, "index.json", "--content-id", daily, "--all")


def test_a_mirror_without_its_signatures_is_refused(desk, mirror):
    (mirror.root / "streams/v1/index.json.gpg").unlink()
    assert "sig-missing" in stream(desk, mirror, "index.json", status=3).stderr


# CERN's torrent index of 2010

def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def old_torrent(name, content, piece=32768):
    pieces = b"".join(hashlib.sha1(content[at:at + piece]).digest() for at in range(0, len(content), piece))
    return bencode({b"info": {b"length": len(content), b"name": name.encode(), b"piece length": piece,
                              b"pieces": pieces}})


@pytest.fixture
def cern(web, tmp_path):
    class Index:
        url = f"{web.url}/{tmp_path.name}"
        root = web.root / tmp_path.name
        image = os.urandom(200_000)
        packed = gzip.compress(image)

        def put(self, **changes):
            torrent = old_torrent("worker_42.img.gz", self.packed)
            (self.root / "worker_42.img.gz.torrent").write_bytes(torrent)
            (self.root / "worker_42.img.gz").write_bytes(self.packed)
            entry = {"torrent-name": "worker_42.img.gz.torrent", "torrent-file-sha1": hashlib.sha1(torrent).hexdigest(),
                     "download-url": f"{self.url}/worker_42.img.gz.torrent", "torrent-content-name": "worker_42.img.gz",
                     "torrent-content-size": "2.10 GBs", "torrent-creation-time": "Sat, 10 Jan 2026 08:00:00 +0000",
                     "torrent-content-compressed": "Y", "volume-name": "worker", "volume-size": "30GB",
                     "image-version": 42, "distribution-hosts": "", "distribution-subcluster": "kvm",
                     "distribution-cluster": "example", "uuid": "build1.example.org_worker_42.img.gz_0a1b2c",
                     "local-endorser": "Ada Endorser", **changes}
            lines = "".join(f"  {key}: {value}\n" for key, value in entry.items())
            (self.root / "index.yaml").write_text(f"torrent-id_1:\n{lines}x509-signature: BASE64\n")

    (web.root / tmp_path.name).mkdir()
    made = Index()
    made.put()
    return made


def take_cern(desk, cern, *more, status=0):
    return desk.run("import", "--format", "cern", f"{cern.url}/index.yaml", *more, status=status)


def test_a_cern_index_is_imported_by_whoever_vouches_for_it(desk, cern):
    assert "sig-missing" in take_cern(desk, cern, "--all", status=3).stderr
    shown = take_cern(desk, cern, "--unsigned", "--all").stdout
    assert "nothing in it could be verified" in shown
    [entry] = desk.json("list")
    assert (entry["name"], entry["image-version"], entry["volume-size"]) == ("worker", "42", 30_000_000_000)
    assert entry["content-sha256"] == hashlib.sha256(cern.image).hexdigest()
    assert (entry["distribution-cluster"], entry["distribution-subcluster"]) == (["example"], ["kvm"])
    assert entry["produced"] == "2026-01-10T08:00:00Z" and entry["local-endorser"] == "Ada Endorser"
    assert "not signed" in desk.run("history").stdout
    before = state(desk)
    take_cern(desk, cern, "--unsigned", "--all")
    assert state(desk) == before


def test_a_cern_index_whose_files_differ_leaves_the_store_unchanged(desk, cern):
    before = state(desk)
    for change in ({"torrent-file-sha1": "0" * 40}, {"torrent-content-name": "other.img.gz"}):
        cern.put(**change)
        assert take_cern(desk, cern, "--unsigned", "--all", status=3)
    cern.put()
    (cern.root / "worker_42.img.gz").write_bytes(cern.packed[:-1] + b"x")
    assert "hash-mismatch" in take_cern(desk, cern, "--unsigned", "--all", status=3).stderr
    (cern.root / "worker_42.img.gz").write_bytes(cern.packed + b"x")
    assert "too-large" in take_cern(desk, cern, "--unsigned", "--all", status=3).stderr
    cern.put(**{"volume-size": "100kB"})
    assert "bomb" in take_cern(desk, cern, "--unsigned", "--all", status=3).stderr
    cern.packed = gzip.compress(os.urandom(2000))[:-4] + b"\x00\x10\x00\x00"
    cern.put()
    assert "image-" in take_cern(desk, cern, "--unsigned", "--all", status=3).stderr
    assert state(desk) == before


def test_the_files_of_a_cern_index_may_be_here_already(desk, cern, tmp_path):
    for path in cern.root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
        path.unlink() if path.name != "index.yaml" else None
    take_cern(desk, cern, "--unsigned", "--all", "--content", tmp_path)
    assert desk.json("list")[0]["content-size"] == len(cern.image)
