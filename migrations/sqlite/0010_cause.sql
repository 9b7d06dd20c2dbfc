-- What operators have said about causes of trouble.

-- +goose Up
create table dlq_cause (
    fingerprint  text primary key check (length(fingerprint) <= 64),
    note         text not null default '',
    note_by      text not null default '',
    note_at      text,
    ack_by       text not null default '',
    ack_at       text,
    muted_by     text not null default '',
    muted_reason text not null default '',
    muted_at     text,
    muted_until  text,
    -- When it was muted or acknowledged last, and its size then.
    seen_at      text,
    seen_size    integer not null default 0
) without rowid;

-- +goose Down
drop table dlq_cause;
