-- Orders of operators to every replica, and what each replica says of itself.

-- +goose Up
-- The number of the newest order. Every order takes the next one in its
-- transaction, so numbers become visible in their order.
create table control_revision (
    only_one integer primary key default 1 check (only_one = 1),
    revision integer not null
);
insert into control_revision (revision) values (0);

create table breaker_control (
    integration text primary key check (length(integration) <= 255),
    mode        text not null check (mode in ('auto', 'reset', 'tripped')),
    until       text,
    reason      text not null default '',
    actor       text not null default '',
    revision    integer not null,
    created_at  text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')
) without rowid;

-- Kind 'limit': key is the limit's name and value its rules. Kind 'block': key
-- is a network, and value is empty.
create table rate_limit_override (
    kind       text not null check (kind in ('limit', 'block')),
    key        text not null check (length(key) <= 255),
    value      text not null default '',
    until      text,
    reason     text not null default '',
    actor      text not null default '',
    revision   integer not null,
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    primary key (kind, key)
) without rowid;

-- The one probe of an integration that is under way in the fleet, or the pause
-- after it.
create table breaker_probe (
    integration text primary key check (length(integration) <= 255),
    holder      text check (length(holder) <= 255),
    until       text not null
) without rowid;

create table server_instance (
    instance     text primary key check (length(instance) <= 255),
    version      text not null default '',
    started_at   text not null,
    heartbeat_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    revision     integer not null default 0,
    report       text not null
) without rowid;

-- +goose Down
drop table server_instance;
drop table breaker_probe;
drop table rate_limit_override;
drop table breaker_control;
drop table control_revision;
