-- 0: an image that was begun before all of it was here, and may be in a sink all the same.
alter table held add column whole integer not null default 1;
