"""What Nova's libvirt driver takes for granted of a file in its image cache, as it never looks at the content again."""
import functools
import hashlib
import json
import subprocess
import time
from pathlib import Path

NOVA_AGE_LIMIT = 86400  # remove_unused_original_minimum_age_seconds


def cache_file(folder, image_id):
    """Where the driver looks for the image with this Glance ID."""
    return Path(folder) / hashlib.sha1(image_id.encode()).hexdigest()


def check_cache_file(folder, image_id, raw, owner, mode=0o644):
    """Name, form, digest, sparse size, `owner` (user and group as numbers), mode and age; `raw` is the disk as it was
    published. The file."""
    file = cache_file(folder, image_id)
    status, published = file.stat(), raw.stat()
    information = json.loads(subprocess.run(["qemu-img", "info", "--output=json", file], check=True,
                                            capture_output=True).stdout)
    assert information["format"] == "raw", information
    assert information["virtual-size"] == status.st_size == published.st_size
    assert digest_of(file) == digest_of_published(raw)
    assert status.st_blocks <= published.st_blocks * 1.05 + 2048, "holes were filled"
    assert (status.st_uid, status.st_gid) == owner
    assert oct(status.st_mode & 0o7777) == oct(mode)
    assert -60 < time.time() - status.st_mtime < NOVA_AGE_LIMIT
    return file


def digest_of(path):
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


digest_of_published = functools.cache(digest_of)
