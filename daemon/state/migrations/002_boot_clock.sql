-- The time of day that was believed, as the moment when this boot of the kernel began.
create table boot_clock (
  only integer primary key check (only = 1),
  boot_id text not null,
  booted integer not null
) strict;
