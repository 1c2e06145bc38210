"""HEPiX image lists, made to their specification and signed with openssl alone."""
import json
import subprocess
from datetime import datetime, timedelta, timezone

LIST = "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d10"


def stamp(**offset):
    return (datetime.now(timezone.utc) + timedelta(**offset)).strftime("%Y-%m-%dT%H:%M:%SZ")


def image(uri, content_sha512, size, uuid="7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01", **changes):
    entry = {"dc:identifier": uuid, "dc:title": "worker", "dc:description": "batch worker", "hv:uri": uri,
             "hv:version": "42", "hv:size": size, "hv:format": "raw", "hv:hypervisor": "KVM", "sl:arch": "amd64",
             "sl:os": "Linux", "sl:osname": "AlmaLinux", "sl:osversion": "9.5", "sl:comments": "",
             "sl:checksum:sha512": content_sha512}
    return {key: value for key, value in {**entry, **changes}.items() if value is not None}


def image_list(images, **changes):
    fields = {"dc:identifier": LIST, "dc:title": "Example list", "dc:description": "Two lines", "dc:source": "example.org",
              "dc:date:created": stamp(hours=-1), "dc:date:expires": stamp(days=28), "hv:version": "2026.1.3",
              "hv:uri": "https://images.example.org/list.smime", "ad:vo": "atlas",
              "hv:endorser": {"hv:x509": {"dc:creator": "Ada Endorser", "hv:dn": "/O=Example/CN=Ada Endorser",
                                          "hv:ca": "/O=Imageswarm Test/CN=Test Issuing CA",
                                          "hv:email": "ada@example.org"}},
              "hv:images": [{"hv:image": entry} for entry in images], **changes}
    return json.dumps({"hv:imagelist": fields}, indent=1) + "\n"


def smime_sign(text, authority, alias="ada", *options):
    """`openssl smime -sign`: clear-signed unless the options say otherwise."""
    identity = authority[alias]
    return subprocess.run(["openssl", "smime", "-sign", "-md", "sha256", *options, "-signer", identity.certificate,
                           "-inkey", identity.key, "-certfile", identity.certificate],
                          input=text.encode(), capture_output=True, check=True).stdout
