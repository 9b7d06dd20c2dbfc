-- Bulk operations that are paused, resumed and cancelled, and that replicas carry
-- at a pace. docs/decisions/0160-replicas-carry-paced-operations.md.

-- +goose Up
-- pace is what the operator wants, run what its carrier remembers; besides names
-- the operations whose alerts it leaves alone. Who holds the lease releases, and
-- every release checks the fence.
alter table dlq_operation
    add column state varchar(20) not null default 'running'
        check (state in ('running', 'paused', 'halted', 'cancelled', 'done')),
    add column pace json,
    add column run json,
    add column note text not null default '',
    add column changed_by text not null default '',
    add column changed_at timestamptz,
    add column holder text not null default '',
    add column lease_until timestamptz,
    add column fence bigint not null default 0,
    add column besides json;
-- Nobody expects what was interrupted long ago to go on by itself.
update dlq_operation set state = 'done' where done_at is not null;
update dlq_operation set state = 'paused', note = 'interrupted before the upgrade' where done_at is null;
create index idx_dlq_operation_live on dlq_operation (created_at) where done_at is null;

-- +goose Down
drop index idx_dlq_operation_live;
alter table dlq_operation
    drop column state, drop column pace, drop column run, drop column note, drop column changed_by,
    drop column changed_at, drop column holder, drop column lease_until, drop column fence, drop column besides;
