"""HEPiX image lists, made to their specification and signed with openssl alone."""
import base64
import json
import subprocess
import textwrap
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


def smime_by_hand(text, authority, alias="ada", line_end="\n"):
    """A clear-signed message as RFC 8551 allows it and openssl does not write it: the signature is over CRLF, whatever
    stands in the file."""
    identity = authority[alias]
    canonical = text.replace("\n", "\r\n").encode()
    der = subprocess.run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha384", "-signer",
                          identity.certificate, "-inkey", identity.key, "-certfile",
                          authority.directory / "ca" / "issuing.pem"],
                         input=canonical, capture_output=True, check=True).stdout
    signature = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 76))
    message = f"""\
mime-version: 1.0
CONTENT-TYPE: Multipart/Signed;
\tMICALG=sha1; Boundary=mark;
 protocol="application/pkcs7-signature"

--mark
{text}
--mark
Content-Transfer-Encoding: BASE64
Content-Type: application/pkcs7-signature

{signature}
--mark--
"""
    return message.replace("\n", line_end).encode()
