-- What schema version 1 wrote. Never regenerated: it stands for the state files that are out there.
pragma application_id = 1231909751;
pragma user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE document (
  kind text not null,
  name text not null,
  signer text not null,
  epoch integer not null,
  serial integer not null,
  digest text not null,
  url text not null,
  bytes blob not null,
  issued integer not null,
  accepted integer not null,
  primary key (kind, name, signer)
) strict;
INSERT INTO document VALUES('catalogue','lxcloud','CN=Ada \, Endorser,O=Example (issuer CN=Example CA,O=Example)',1,42,'0012f473dde6d59ab5b6c0a8dae15b4f2014afc6306fc2cacf0984c0f40a48c5','https://images.example.org/catalogue.yaml',X'646f63756d656e743a20636174616c6f6775650a',1935360000,1935446400);
CREATE TABLE evidence (
  kind text not null,
  name text not null,
  signer text not null,
  refused_digest text not null,
  refused_url text not null,
  refused_bytes blob not null,
  accepted_url text,
  accepted_bytes blob,
  seen integer not null,
  primary key (kind, name, signer, refused_digest)
) strict;
CREATE TABLE time_floor (
  only integer primary key check (only = 1),
  seen integer not null
) strict;
INSERT INTO time_floor VALUES(1,2208988800);
CREATE TABLE held (
  image_id text primary key,
  want text not null,
  artefact text not null,
  in_place integer not null,
  since integer not null
) strict;
INSERT INTO held VALUES('c781bf33-0e0d-513c-ba93-60f5e1adc6e0',replace('image:\n  uuid: 87797ee2-ce24-5da9-960c-b9bd3bd1ddea\n  name: debian-12\n  image-version: 1\n  image-id: c781bf33-0e0d-513c-ba93-60f5e1adc6e0\n  os-distro: debian\n  os-version: 12\n  architecture: x86_64\n  hypervisor: kvm\n  produced: 2026-01-02T03:04:05Z\n  endorsed: 2026-01-02T03:04:05Z\n  shareable: false\n  disk-format: qcow2\n  container-format: bare\n  torrent-name: c781bf33-0e0d-513c-ba93-60f5e1adc6e0.torrent\n  torrent-file-sha256: 81c377472b6ecfd07b7fd00905a565b973315f5a60f802740d17ee1256352086\n  torrent-file-size: 321\n  torrent-info-hash-v2: ba5fc7e63a782b2e5ddbc99535141590d15566dc5602993095de8e273405b3ab\n  torrent-creation-time: 2026-01-02T03:04:05Z\n  download-url: torrents/c781bf33-0e0d-513c-ba93-60f5e1adc6e0.torrent\n  torrent-layout: file\n  torrent-piece-length: 1048576\n  torrent-content-name: c781bf33-0e0d-513c-ba93-60f5e1adc6e0.qcow2\n  torrent-content-size: 7\n  torrent-content-sha256: ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73\n  torrent-content-compressed: none\n  content-size: 7\n  content-sha256: ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73\n  content-sha512: b2d1d285b5199c85f988d03649c37e44fd3dde01e5d69c50fef90651962f48110e9340b60d49a479c4c0b53f5f07d690686dd87d2481937a512e8b85ee7c617f\nprovenance:\n  catalogue: lxcloud\n  catalogue-url: https://images.example.org/catalogue.yaml\n  serial: 42\n  catalogue-sha256: d2504e52b8b07484a2b690e7ffaedeabe91320c09012844d0f7c81c2ec72e882\n  endorser: CN=Ada \, Endorser,O=Example (issuer CN=Example CA,O=Example)\n  approval: policy all\nendorser:\n  subject: CN=Ada \, Endorser,O=Example\n  issuer: CN=Example CA,O=Example\n  certificate-expires: 2027-01-01T00:00:00Z\ntorrent-url: https://images.example.org/torrents/c781bf33-0e0d-513c-ba93-60f5e1adc6e0.torrent\ntrackers:\n  - http://tracker.example.org:6969/announce\nweb-seeds:\n  - https://images.example.org/images/\n  - https://mirror.example.org/\n','\n',char(10)),'/var/lib/imageswarm/artefacts/a.qcow2',1,1935446400);
CREATE TABLE receipt (
  image_id text not null,
  sink text not null,
  sink_type text not null,
  reference text not null,
  content_sha256 text not null,
  content_sha512 text not null,
  size integer not null,
  at integer not null,
  uploaded_here integer not null,
  catalogue text not null,
  catalogue_url text not null,
  serial integer not null,
  catalogue_digest text not null,
  endorser text not null,
  approval text not null,
  primary key (image_id, sink)
) strict;
INSERT INTO receipt VALUES('c781bf33-0e0d-513c-ba93-60f5e1adc6e0','mysite','glance','c781bf33-0e0d-513c-ba93-60f5e1adc6e0','ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73','b2d1d285b5199c85f988d03649c37e44fd3dde01e5d69c50fef90651962f48110e9340b60d49a479c4c0b53f5f07d690686dd87d2481937a512e8b85ee7c617f',7,1935446400,1,'lxcloud','https://images.example.org/catalogue.yaml',42,'d2504e52b8b07484a2b690e7ffaedeabe91320c09012844d0f7c81c2ec72e882','CN=Ada \, Endorser,O=Example (issuer CN=Example CA,O=Example)','policy all');
COMMIT;
