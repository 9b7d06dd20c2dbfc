-- Which alert an operator has put in place of which other one.

-- +goose Up
create table dlq_replacement (
    alert_id bigint primary key,
    replaces bigint not null unique,
    actor    text not null default '',
    reason   text not null default '',
    at       timestamptz not null
);

-- +goose Down
drop table dlq_replacement;
