-- What runs by the clock, once for the whole fleet.

-- +goose Up
-- One row for each job. A slot is a scheduled moment; it only moves forward,
-- under the lock of the row, so a job runs once for each. Holder and lease_until
-- are set while it runs, and fence grows with every run.
create table scheduled_job (
    name          varchar(255) primary key,
    each_process  boolean not null default false,
    slot          timestamptz not null,
    holder        varchar(255),
    lease_until   timestamptz,
    fence         bigint not null default 0,
    last_started  timestamptz,
    last_finished timestamptz,
    last_result   text not null default '',
    last_instance varchar(255) not null default '',
    next_run      timestamptz,
    paused        boolean not null default false,
    paused_by     text not null default '',
    paused_reason text not null default '',
    requested     timestamptz
);

-- +goose Down
drop table scheduled_job;
