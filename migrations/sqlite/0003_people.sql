-- Follow-ups, consent and repeated requests.

-- +goose Up
create table followup_event (
    id              integer primary key autoincrement,
    conversation_id integer not null references chat_conversations (id) on delete cascade,
    followup_number integer not null,
    status          text not null default 'sent' check (length(status) <= 20),
    sent_at         text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    constraint uq_conversation_followup unique (conversation_id, followup_number)
);

create index idx_followup_conversation on followup_event (conversation_id);
create index idx_followup_sent_at on followup_event (sent_at);

-- No foreign keys: what happened stays on record when a conversation is erased.
create table consent_audit_log (
    id              integer primary key autoincrement,
    conversation_id integer,
    lead_id         integer,
    email           text not null check (length(email) <= 255),
    action          text not null check (length(action) <= 50),
    timestamp       text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    ip_address      text check (length(ip_address) <= 50),
    user_agent      text,
    reason          text,
    notes           text
);

create index idx_consent_audit_email on consent_audit_log (lower(email), timestamp);
create index idx_consent_audit_conversation on consent_audit_log (conversation_id);
create index idx_consent_audit_lead on consent_audit_log (lead_id);
create index idx_consent_audit_timestamp on consent_audit_log (timestamp);

-- Addresses that must not be written to, by their normalised form.
create table suppression (
    id         integer primary key autoincrement,
    email_key  text not null check (length(email_key) <= 255),
    scope      text not null check (scope in ('marketing', 'all')),
    source     text not null default '' check (length(source) <= 50),
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    constraint uq_suppression_email unique (email_key)
);

-- Requests that a client may repeat. A reply is there once the effect is.
create table idempotency_key (
    scope        text not null check (length(scope) <= 200),
    key          text not null check (length(key) <= 64),
    body         text not null check (length(body) <= 64),
    owner        text not null check (length(owner) <= 64),
    locked_until text,
    status       integer,
    reply        text,
    record_id    integer,
    created_at   text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    expires_at   text not null,
    primary key (scope, key)
) without rowid;

create index idx_idempotency_key_expires on idempotency_key (expires_at);

-- What taking over an older database could not keep in its table, as it was.
create table adoption_archive (
    id          integer primary key autoincrement,
    table_name  text not null check (length(table_name) <= 64),
    row_id      integer,
    reason      text not null,
    data        text not null check (json_valid(data)),
    archived_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')
);

create index idx_adoption_archive_row on adoption_archive (table_name, row_id);

-- Look-ups of an address, whatever its case, and the lists of leads.
create index idx_chat_conversations_email_key on chat_conversations (lower(email));
create index idx_leads_email_key on leads (lower(email));
create index idx_leads_created on leads (created_at, id);
create index idx_leads_status on leads (status, created_at, id);

-- +goose Down
drop index idx_leads_status;
drop index idx_leads_created;
drop index idx_leads_email_key;
drop index idx_chat_conversations_email_key;
drop table adoption_archive;
drop table idempotency_key;
drop table suppression;
drop table consent_audit_log;
drop table followup_event;
