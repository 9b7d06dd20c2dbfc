-- What operators have said about causes of trouble.

-- +goose Up
create table dlq_cause (
    fingerprint  varchar(64) primary key,
    note         text not null default '',
    note_by      text not null default '',
    note_at      timestamptz,
    ack_by       text not null default '',
    ack_at       timestamptz,
    muted_by     text not null default '',
    muted_reason text not null default '',
    muted_at     timestamptz,
    muted_until  timestamptz,
    -- When it was muted or acknowledged last, and its size then.
    seen_at      timestamptz,
    seen_size    bigint not null default 0
);

-- +goose Down
drop table dlq_cause;
