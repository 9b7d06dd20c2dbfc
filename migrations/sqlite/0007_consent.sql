-- Consent: suppression of whole mailboxes, the texts that people agree to, the
-- keys of an installation that configures none, look-ups of personal data, and
-- the chain of the audit log.

-- +goose Up
-- consent.LooseKey in SQL, so that rows of every program have it.
alter table suppression add column loose_key text generated always as (
    case
        when instr(email_key, '@') = 0 then email_key
        when substr(email_key, instr(email_key, '@') + 1) in ('gmail.com', 'googlemail.com') then
            coalesce(nullif(replace(case
                when instr(email_key, '+') between 2 and instr(email_key, '@') - 1
                then substr(email_key, 1, instr(email_key, '+') - 1)
                else substr(email_key, 1, instr(email_key, '@') - 1) end, '.', ''), '') || '@gmail.com', email_key)
        when instr(email_key, '+') between 2 and instr(email_key, '@') - 1 then
            substr(email_key, 1, instr(email_key, '+') - 1) || substr(email_key, instr(email_key, '@'))
        else email_key
    end) virtual;

create index idx_suppression_loose on suppression (loose_key);

-- A text is never changed: a new wording is a new version.
create table consent_text (
    id         integer primary key autoincrement,
    kind       text not null check (length(kind) <= 50),
    version    text not null check (length(version) <= 50),
    locale     text not null check (length(locale) <= 20),
    text       text not null,
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    constraint uq_consent_text unique (kind, version, locale)
);

create table consent_key (
    id         text primary key check (length(id) <= 16),
    secret     blob not null,
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')
);

create table access_log (
    id      integer primary key autoincrement,
    at      text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    actor   text not null,
    command text not null,
    purpose text not null,
    subject text not null check (length(subject) <= 255)
);

create index idx_access_log_subject on access_log (subject, id);

-- Rows that an older program writes have no number.
alter table consent_audit_log add column number integer;
alter table consent_audit_log add column salt blob;
alter table consent_audit_log add column commitment blob;
alter table consent_audit_log add column hash blob;

create unique index uq_consent_audit_number on consent_audit_log (number) where number is not null;

create table consent_audit_head (
    only_one integer primary key default 1 check (only_one),
    number   integer not null,
    hash     blob not null,
    sealed   integer not null
);
insert into consent_audit_head (number, hash, sealed)
select 0, cast('sealed:' || sealed as blob), sealed
from (select coalesce(max(id), 0) as sealed from consent_audit_log) before;

-- What is on record stays there. Erasing a person empties what is personal, and
-- the salt with it.
-- +goose StatementBegin
create trigger trg_consent_audit_keep before update on consent_audit_log
when not (new.id is old.id and new.conversation_id is old.conversation_id and new.lead_id is old.lead_id
    and new.action is old.action and new.timestamp is old.timestamp and new.number is old.number
    and new.commitment is old.commitment and new.hash is old.hash
    and new.email = '' and new.salt is null
    and coalesce(new.ip_address, '') || coalesce(new.user_agent, '') || coalesce(new.reason, '') || coalesce(new.notes, '') = '')
begin
    select raise(abort, 'consent_audit_log is append-only');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger trg_consent_audit_delete before delete on consent_audit_log
begin
    select raise(abort, 'consent_audit_log is append-only');
end;
-- +goose StatementEnd

-- +goose Down
drop trigger trg_consent_audit_delete;
drop trigger trg_consent_audit_keep;
drop table consent_audit_head;
drop index uq_consent_audit_number;
alter table consent_audit_log drop column hash;
alter table consent_audit_log drop column commitment;
alter table consent_audit_log drop column salt;
alter table consent_audit_log drop column number;
drop table access_log;
drop table consent_key;
drop table consent_text;
drop index idx_suppression_loose;
alter table suppression drop column loose_key;
