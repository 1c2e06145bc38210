-- What hooks were told last of an image.
create table announcement (
  image_id text primary key,
  event text not null,
  detail text not null
) strict;

-- What one hook must still be told: `body` is JSON. A number is never used again.
create table delivery (
  number integer primary key autoincrement,
  hook text not null,
  image_id text not null,
  event text not null,
  body text not null,
  since integer not null
) strict;

-- What departed before there were hooks is no news.
insert into announcement
  select image_id, case when why in ('superseded', 'recalled') then why else 'withdrawn' end, why from departure;
