-- What runs by the clock, once for the whole fleet.

-- +goose Up
-- One row for each job. A slot is a scheduled moment; it only moves forward, in
-- one transaction at a time, so a job runs once for each. Holder and lease_until
-- are set while it runs, and fence grows with every run.
create table scheduled_job (
    name          text primary key check (length(name) <= 255),
    each_process  integer not null default 0,
    slot          text not null,
    holder        text check (length(holder) <= 255),
    lease_until   text,
    fence         integer not null default 0,
    last_started  text,
    last_finished text,
    last_result   text not null default '',
    last_instance text not null default '' check (length(last_instance) <= 255),
    next_run      text,
    paused        integer not null default 0,
    paused_by     text not null default '',
    paused_reason text not null default '',
    requested     text
) without rowid;

-- +goose Down
drop table scheduled_job;
