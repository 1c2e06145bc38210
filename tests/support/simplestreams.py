"""A simplestreams mirror: its files, signed by a real OpenPGP key."""
import hashlib
import json
import os
import subprocess

CONTENT = "org.example.cloud:released:download"
PRODUCT = "org.example:worker:9:amd64"


class Signer:
    """A key of gpg; `ring` is what a client trusts."""

    def __init__(self, directory):
        self.ring = directory / "keys.gpg"
        self._environment = {**os.environ, "GNUPGHOME": str(directory / "gpg")}
        (directory / "gpg").mkdir(mode=0o700)
        self.gpg("--passphrase", "", "--quick-generate-key", "streams", "ed25519", "sign", "never")
        self.ring.write_bytes(self.gpg("--export"))

    def gpg(self, *arguments, text=b""):
        return subprocess.run(["gpg", "--batch", *arguments], input=text, env=self._environment, capture_output=True,
                              check=True).stdout

    def close(self):
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment, check=False)


class Mirror:
    def __init__(self, root, signer):
        self.root, self.signer = root, signer

    def put(self, path, content):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def publish(self, images, updated="Sat, 10 Jan 2026 08:00:00 +0000"):
        """`images`: version name → content of its disk1.img. Both files in both signed forms."""
        versions = {}
        for version, content in images.items():
            path = f"worker/{version}/disk1.img"
            self.put(path, content)
            entry = {"ftype": "disk1.img", "size": len(content), "path": path,
                     "sha256": hashlib.sha256(content).hexdigest()}
            versions[version] = {"pubname": f"worker-9-{version}", "items": {"disk1.img": entry}}
        products = {"format": "products:1.0", "content_id": CONTENT, "datatype": "image-downloads", "updated": updated,
                    "products": {PRODUCT: {"os": "almalinux", "version": "9", "arch": "amd64", "versions": versions}}}
        for ending in ("sjson", "json"):
            name = f"streams/v1/{CONTENT}.{ending}"
            index = {"format": "index:1.0", "updated": updated, "index": {
                CONTENT: {"path": name, "format": "products:1.0", "datatype": "image-downloads"},
                "org.example.cloud:ids": {"path": "streams/v1/ids.json", "format": "products:1.0",
                                          "datatype": "image-ids"}}}
            self.sign(f"streams/v1/index.{ending}", index)
            self.sign(name, products)

    def sign(self, path, value):
        text = json.dumps(value, indent=1).encode()
        if path.endswith(".sjson"):
            return self.put(path, self.signer.gpg("--clear-sign", text=text))
        self.put(path, text)
        return self.put(path + ".gpg", self.signer.gpg("--detach-sign", text=text))
