-- Orders of operators to every replica, and what each replica says of itself.

-- +goose Up
-- The number of the newest order. Every order takes the next one under the
-- lock of this row, so numbers become visible in their order.
create table control_revision (
    only_one boolean primary key default true check (only_one),
    revision bigint not null
);
insert into control_revision (revision) values (0);

create table breaker_control (
    integration varchar(255) primary key,
    mode        varchar(20) not null check (mode in ('auto', 'reset', 'tripped')),
    until       timestamptz,
    reason      text not null default '',
    actor       text not null default '',
    revision    bigint not null,
    created_at  timestamptz not null default now()
);

-- Kind 'limit': key is the limit's name and value its rules. Kind 'block': key
-- is a network, and value is empty.
create table rate_limit_override (
    kind       varchar(20) not null check (kind in ('limit', 'block')),
    key        varchar(255) not null,
    value      text not null default '',
    until      timestamptz,
    reason     text not null default '',
    actor      text not null default '',
    revision   bigint not null,
    created_at timestamptz not null default now(),
    primary key (kind, key)
);

-- The one probe of an integration that is under way in the fleet, or the pause
-- after it.
create table breaker_probe (
    integration varchar(255) primary key,
    holder      varchar(255),
    until       timestamptz not null
);

create table server_instance (
    instance     varchar(255) primary key,
    version      text not null default '',
    started_at   timestamptz not null,
    heartbeat_at timestamptz not null default now(),
    revision     bigint not null default 0,
    report       json not null
);

-- +goose Down
drop table server_instance;
drop table breaker_probe;
drop table rate_limit_override;
drop table breaker_control;
drop table control_revision;
