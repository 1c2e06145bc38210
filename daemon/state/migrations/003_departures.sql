-- Images that had to go, and what became of them here. A time of 0 is one that has not come.
create table departure (
  image_id text primary key,
  want text not null,
  why text not null,
  reason text not null,
  since integer not null,
  unseeded integer not null,
  discarded integer not null
) strict;

-- `effect` is empty until the sink has been asked.
create table departure_sink (
  image_id text not null,
  sink text not null,
  sink_type text not null,
  reference text not null,
  effect text not null,
  used_by text not null,
  at integer not null,
  primary key (image_id, sink)
) strict;

-- Words separated by blanks: the digests that were compared in the sink.
alter table receipt add column compared text not null default '';
