"""Appliances (OVA) for tests, and what an independent reader finds in one."""
import hashlib
import io
import json
import re
import subprocess
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from support.services import make_disk

NAMESPACE = "http://schemas.dmtf.org/ovf/envelope/1"

# The example of DSP0243 with a few properties more.
OVF = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="{namespace}" xmlns:ovf="{namespace}">
  <References>
    <File ovf:id="file1" ovf:href="disk.vmdk" ovf:size="{size}"/>
  </References>
  <DiskSection>
    <Info>Disks</Info>
    <Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="{capacity}"
          ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <VirtualSystem ovf:id="node1">
    <Info>A worker node</Info>
    <ProductSection ovf:class="net">
      <Info>Network identity</Info>
      <Property ovf:key="hostname" ovf:type="string" ovf:userConfigurable="true" ovf:value="wn17">
        <Label>Host name</Label>
      </Property>
      <Property ovf:key="ipaddr" ovf:type="string" ovf:userConfigurable="true"/>
      <Property ovf:key="root" ovf:type="string" ovf:password="true" ovf:userConfigurable="true"/>
      <Property ovf:key="slots" ovf:type="uint8" ovf:value="4"/>
    </ProductSection>
  </VirtualSystem>
</Envelope>
"""


def make_ova(path, megabytes=4):
    """An appliance with a disk of random content and a manifest, written by Python's tarfile."""
    path = Path(path)
    raw = make_disk(path.with_suffix(".raw"), megabytes)
    disk = path.with_suffix(".vmdk")
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, disk],
                   check=True)
    members = {"worker.ovf": OVF.format(namespace=NAMESPACE, size=disk.stat().st_size,
                                        capacity=raw.stat().st_size).encode(),
               "disk.vmdk": disk.read_bytes()}
    manifest = "".join(f"SHA256({name})= {hashlib.sha256(data).hexdigest()}\n" for name, data in members.items())
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in [("worker.ovf", members["worker.ovf"]), ("worker.mf", manifest.encode()),
                           ("disk.vmdk", members["disk.vmdk"])]:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def write_component(directory, image, values=None, files=None, **more):
    """A component of a grid, as docs/appliances.md says."""
    directory.mkdir(parents=True)
    lines = [f"image: {image}"] + [f"{key}: {value}" for key, value in more.items()]
    if values:
        lines += ["values:"] + [f"  {key}: {json.dumps(value)}" for key, value in values.items()]
    (directory / "component.yaml").write_text("\n".join(lines) + "\n")
    for name, content in (files or {}).items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(content)


class Ova:
    """An archive unpacked by tar and read by xmllint and qemu-img: each would fail at what is not well formed."""

    def __init__(self, path, folder):
        folder.mkdir()
        subprocess.run(["tar", "-xf", path, "-C", folder], check=True)
        with tarfile.open(path) as archive:
            self.names = archive.getnames()
        self.folder, self.ovf = folder, folder / self.names[0]
        subprocess.run(["xmllint", "--noout", "--nonet", self.ovf], check=True)

    def properties(self):
        tree = ElementTree.parse(self.ovf)
        return {node.get(f"{{{NAMESPACE}}}key"): node.get(f"{{{NAMESPACE}}}value")
                for node in tree.iter(f"{{{NAMESPACE}}}Property")}

    def references(self):
        tree = ElementTree.parse(self.ovf)
        return {node.get(f"{{{NAMESPACE}}}href"): int(node.get(f"{{{NAMESPACE}}}size"))
                for node in tree.iter(f"{{{NAMESPACE}}}File")}

    def check_manifest(self):
        [name] = [name for name in self.names if name.endswith(".mf")]
        lines = [re.fullmatch(r"SHA256\((.+)\)= ([0-9a-f]{64})", line).groups()
                 for line in (self.folder / name).read_text().splitlines()]
        sums = "".join(f"{digest}  {member}\n" for member, digest in lines)
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet"], input=sums, text=True, cwd=self.folder,
                       check=True)
        assert sorted(member for member, _ in lines) == sorted(member for member in self.names if member != name)
