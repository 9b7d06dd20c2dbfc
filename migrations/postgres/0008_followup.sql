-- Follow-ups that this program sends: their mail in the queue, who has had them,
-- and the fence of their sending. Rows of older programs have none of it.

-- +goose Up
alter table followup_event add column alert_id bigint;
-- What the addresses of one mailbox have in common.
alter table followup_event add column person_key varchar(255);
alter table followup_event add column fence bigint not null default 0;

-- One of each number for a person, whatever their conversations.
create unique index uq_followup_person on followup_event (person_key, followup_number)
    where person_key is not null;
create unique index uq_followup_alert on followup_event (alert_id) where alert_id is not null;
-- Who is silent, of those who may be written to.
create index idx_chat_conversations_silent on chat_conversations (last_user_message_at, id)
    where email is not null and marketing_consent and rodo_consent;

-- +goose Down
drop index idx_chat_conversations_silent;
drop index uq_followup_alert;
drop index uq_followup_person;
alter table followup_event drop column fence;
alter table followup_event drop column person_key;
alter table followup_event drop column alert_id;
