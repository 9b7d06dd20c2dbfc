-- Bulk operations that are paused, resumed and cancelled, and that replicas carry
-- at a pace. docs/decisions/0160-replicas-carry-paced-operations.md.

-- +goose Up
-- pace is what the operator wants, run what its carrier remembers; besides names
-- the operations whose alerts it leaves alone. Who holds the lease releases, and
-- every release checks the fence.
alter table dlq_operation add column state text not null default 'running'
    check (state in ('running', 'paused', 'halted', 'cancelled', 'done'));
alter table dlq_operation add column pace text;
alter table dlq_operation add column run text;
alter table dlq_operation add column note text not null default '';
alter table dlq_operation add column changed_by text not null default '';
alter table dlq_operation add column changed_at text;
alter table dlq_operation add column holder text not null default '';
alter table dlq_operation add column lease_until text;
alter table dlq_operation add column fence integer not null default 0;
alter table dlq_operation add column besides text;
-- Nobody expects what was interrupted long ago to go on by itself.
update dlq_operation set state = 'done' where done_at is not null;
update dlq_operation set state = 'paused', note = 'interrupted before the upgrade' where done_at is null;
create index idx_dlq_operation_live on dlq_operation (created_at) where done_at is null;

-- +goose Down
drop index idx_dlq_operation_live;
alter table dlq_operation drop column besides;
alter table dlq_operation drop column fence;
alter table dlq_operation drop column lease_until;
alter table dlq_operation drop column holder;
alter table dlq_operation drop column changed_at;
alter table dlq_operation drop column changed_by;
alter table dlq_operation drop column note;
alter table dlq_operation drop column run;
alter table dlq_operation drop column pace;
alter table dlq_operation drop column state;
