-- Conversations and leads.
-- Times are text, YYYY-MM-DD HH:MM:SS.ffffff in UTC, so that they sort. The
-- defaults of the consent columns are what older writers expect; this program
-- always writes them explicitly. Length checks match PostgreSQL's varchar.

-- +goose Up
create table chat_conversations (
    id                    integer primary key autoincrement,
    session_id            text not null unique check (length(session_id) <= 255),
    email                 text check (length(email) <= 255),
    started_at            text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    ended_at              text,
    context_data          text check (context_data is null or json_valid(context_data)),
    awaiting_confirmation boolean not null default false,
    followup_count        integer not null default 0,
    last_followup_at      text,
    last_user_message_at  text,
    marketing_consent     boolean not null default true,
    rodo_consent          boolean not null default true,
    needs_human_review    boolean not null default false,
    version               integer not null default 1
);

create index idx_chat_conversations_email on chat_conversations (email);

create table chat_messages (
    id              integer primary key autoincrement,
    conversation_id integer not null references chat_conversations (id) on delete cascade,
    message         text not null,
    sender          text not null check (sender in ('user', 'bot')),
    timestamp       text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    is_followup     boolean not null default false
);

create index idx_chat_messages_conversation on chat_messages (conversation_id, id);

create table leads (
    id                 integer primary key autoincrement,
    session_id         text unique check (length(session_id) <= 255),
    name               text,
    email              text check (length(email) <= 255),
    phone              text,
    interested_package text,
    property_size      text,
    property_type      text,
    location           text,
    message            text,
    source             text not null default 'chatbot',
    status             text not null default 'new'
        check (status in ('new', 'contacted', 'qualified', 'converted', 'lost')),
    notes              text,
    monday_item_id     text,
    lead_score         integer not null default 0,
    data_confirmed     boolean not null default false,
    marketing_consent  boolean not null default true,
    rodo_consent       boolean not null default true,
    created_at         text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'),
    updated_at         text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')
);

create index idx_leads_email on leads (email);

-- +goose Down
drop table leads;
drop table chat_messages;
drop table chat_conversations;
