-- What people were told of a queue that needs somebody: one row.

-- +goose Up
create table queue_alarm (
    id         integer primary key check (id = 1),
    raised_at  timestamptz,
    waiting    bigint not null default 0,
    oldest_us  bigint not null default 0,
    told       integer not null default 0,
    ack_at     timestamptz,
    ack_by     text not null default '',
    ack_reason text not null default '',
    revision   bigint not null default 0
);
insert into queue_alarm (id) values (1);

-- +goose Down
drop table queue_alarm;
