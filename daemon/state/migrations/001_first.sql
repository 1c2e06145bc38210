-- Times are seconds since 1970 in UTC, digests lower-case hex, UUIDs lower case with dashes.

create table document (
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

-- Two documents that one signer gave the same serial: the one in use and the one that was refused.
create table evidence (
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

create table time_floor (
  only integer primary key check (only = 1),
  seen integer not null
) strict;

-- `want` is YAML: the catalogue entry as it was, where it came from and who signed it.
create table held (
  image_id text primary key,
  want text not null,
  artefact text not null,
  in_place integer not null,
  since integer not null
) strict;

create table receipt (
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
