-- The delivery queue. A row in flight carries the id of its batch's lease:
-- one writer at a time makes that cheaper here than the cursors of PostgreSQL.

-- +goose Up
create table dead_letter_queue (
    id              integer primary key autoincrement,
    event_type      text not null check (length(event_type) <= 50),
    target          text not null check (length(target) <= 255),
    payload         text not null check (json_valid(payload)),
    error_message   text,
    retry_count     integer not null default 0,
    status          text not null default 'pending'
        check (status in ('queued', 'pending', 'delivered', 'failed', 'discarded', 'cancelled')),
    created_at      text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    last_attempt_at text,
    delivered_at    text,
    next_attempt_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    lane            text not null
        generated always as (case when substr(target, 1, 7) = 'mailto:' then 'mailto' else target end) virtual,
    lease_id        integer,
    idempotency_key text check (length(idempotency_key) <= 255),
    fingerprint     text,
    operation_id    text
);

-- What is due and not in flight.
create index idx_dlq_due on dead_letter_queue (lane, status, next_attempt_at, id)
    where status in ('queued', 'pending') and lease_id is null;
create index idx_dlq_lease on dead_letter_queue (lease_id) where lease_id is not null;
create unique index uq_dlq_idempotency on dead_letter_queue (idempotency_key)
    where idempotency_key is not null;
-- Lists and clean-up.
create index idx_dlq_status on dead_letter_queue (status, created_at, id);
create index idx_dlq_created on dead_letter_queue (created_at);
-- Filters of the runbook, over rows that have failed at least once.
create index idx_dlq_trouble_target on dead_letter_queue (target, status, created_at, id)
    where status in ('pending', 'failed');
create index idx_dlq_trouble_type on dead_letter_queue (event_type, status, created_at, id)
    where status in ('pending', 'failed');
create index idx_dlq_trouble_fingerprint on dead_letter_queue (fingerprint, status, created_at, id)
    where status in ('pending', 'failed');
create index idx_dlq_operation on dead_letter_queue (operation_id, status)
    where operation_id is not null;

create table delivery_attempt (
    id          integer primary key autoincrement,
    alert_id    integer not null,
    started_at  text not null,
    duration_ms real not null,
    outcome     text not null,
    http_status integer not null default 0,
    error       text,
    replica     text
);

create index idx_delivery_attempt_alert on delivery_attempt (alert_id, id);

create table dlq_lane (
    lane         text not null primary key,
    paused_until text
);

-- One row per batch in flight: its existence is the fence.
create table dlq_lease (
    id        integer primary key autoincrement,
    lane      text not null,
    status    text not null,
    owner     text not null,
    until     text not null,
    exclusive boolean not null default false
);

create table dlq_count (
    event_type text not null,
    status     text not null,
    n          integer not null,
    primary key (event_type, status)
);

create table dlq_operation (
    id         text primary key,
    kind       text not null check (kind in ('retry', 'discard')),
    filter     text not null check (json_valid(filter)),
    actor      text not null default '',
    reason     text not null default '',
    matched    integer not null default 0,
    changed    integer not null default 0,
    skipped    integer not null default 0,
    max_id     integer not null default 0,
    cursor_at  text not null default '',
    cursor_id  integer not null default 0,
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    stepped_at text,
    done_at    text
);

create table operator_action (
    id          integer primary key autoincrement,
    at          text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    actor       text not null,
    host        text not null default '',
    command     text not null default '',
    filter      text not null default '',
    reason      text not null default '',
    result      text not null default '',
    finished_at text
);

-- +goose StatementBegin
create trigger dlq_after_insert after insert on dead_letter_queue begin
    insert into dlq_lane (lane) select new.lane
        where not exists (select 1 from dlq_lane where lane = new.lane);
    insert into dlq_count (event_type, status, n) select new.event_type, new.status, 0
        where not exists (select 1 from dlq_count where event_type = new.event_type and status = new.status);
    update dlq_count set n = n + 1 where event_type = new.event_type and status = new.status;
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger dlq_after_update after update of status, event_type on dead_letter_queue
when old.status is not new.status or old.event_type is not new.event_type begin
    insert into dlq_count (event_type, status, n) select new.event_type, new.status, 0
        where not exists (select 1 from dlq_count where event_type = new.event_type and status = new.status);
    update dlq_count set n = n + 1 where event_type = new.event_type and status = new.status;
    update dlq_count set n = n - 1 where event_type = old.event_type and status = old.status;
end;
-- +goose StatementEnd

-- A row that is made to wait again by hand, as the old runbook does, is due at
-- once and in no batch.
-- +goose StatementBegin
create trigger dlq_after_requeue after update of status on dead_letter_queue
when old.status not in ('queued', 'pending') and new.status in ('queued', 'pending')
    and new.next_attempt_at = old.next_attempt_at begin
    update dead_letter_queue
    set next_attempt_at = strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', lease_id = null
    where id = new.id;
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger dlq_after_target after update of target on dead_letter_queue
when old.target is not new.target begin
    insert into dlq_lane (lane) select new.lane
        where not exists (select 1 from dlq_lane where lane = new.lane);
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger dlq_after_delete after delete on dead_letter_queue begin
    update dlq_count set n = n - 1 where event_type = old.event_type and status = old.status;
    delete from delivery_attempt where alert_id = old.id;
end;
-- +goose StatementEnd

-- +goose Down
drop table operator_action;
drop table dlq_operation;
drop table dlq_count;
drop table dlq_lease;
drop table dlq_lane;
drop table delivery_attempt;
drop table dead_letter_queue;
