package migrations

// The statements below judge consent. They run after the stages and change
// temporary tables only. A number such as 11 is an answer and where it was
// found: less than 10 is no, more is yes; the last digit says where.

// Where an answer was found.
const (
	saidByColumn = 1
	saidByText   = 2
	saidByTable  = 3 // rodo_consents
)

// knownFromStage and knownFromTable list the conversations that will exist.
const (
	knownFromStage = `
create temporary table chatops_known as
select id, coalesce(own_email, context_email) as email, started_at, last_followup_at
from chatops_stage_chat_conversations where lost is null`
	knownFromTable = `
create temporary table chatops_known as
select id, email, started_at, last_followup_at from chat_conversations`
	knownNone = `
create temporary table chatops_known as
select {id id} as id, {text email} as email, {time started_at} as started_at, {time last_followup_at} as last_followup_at
from (select 1 as one) o where false`

	// movedFromStage says which conversation the rows of another belong to now.
	movedFromStage = `
create temporary table chatops_moved as
select key0 as old_key, min(keeper) as new_id from chatops_stage_chat_conversations
where key0 is not null and (id0 is null or nth = 1) and (keeper <> id or renumbered) group by key0`
	movedNone = `
create temporary table chatops_moved as
select {text id} as old_key, {id id} as new_id from (select 1 as one) o where false`

	knownLeadsFromStage = `
create temporary table chatops_known_lead as select id, email from chatops_stage_leads where lost is null`
	knownLeadsFromTable = `
create temporary table chatops_known_lead as select id, email from leads`
	knownLeadsNone = `
create temporary table chatops_known_lead as
select {id id} as id, {text email} as email from (select 1 as one) o where false`

	movedLeadsFromStage = `
create temporary table chatops_moved_lead as
select key0 as old_key, min(keeper) as new_id from chatops_stage_leads
where key0 is not null and (id0 is null or nth = 1) and (keeper <> id or renumbered) group by key0`
	movedLeadsNone = `
create temporary table chatops_moved_lead as
select {text id} as old_key, {id id} as new_id from (select 1 as one) o where false`

	spokeFromStage = `
create temporary table chatops_spoke as
select conversation_id, min(at) as first_at, max(case when sender = 'user' then at end) as user_at
from chatops_stage_chat_messages where lost is null group by conversation_id`
	spokeNone = `
create temporary table chatops_spoke as
select {id id} as conversation_id, {time at} as first_at, {time at} as user_at from (select 1 as one) o where false`

	followedFromStage = `
create temporary table chatops_followed as
select conversation_id, count(*) as n, max(sent_at) as last_at
from chatops_stage_followup_event where lost is null group by conversation_id`
	followedNone = `
create temporary table chatops_followed as
select {id id} as conversation_id, {whole id} as n, {time at} as last_at from (select 1 as one) o where false`
)

// evidence has one row per session: of all that its conversations, its leads and
// rodo_consents say, a no comes before a yes.
const (
	evidenceBegin = `
create temporary table chatops_evidence as
select session_id,
  min(case when marketing then 10 when not marketing then 0 end + place) as marketing,
  min(case when rodo then 10 when not rodo then 0 end + place) as rodo
from (`
	evidenceOfStage = `
select session_id, marketing_consent as marketing, rodo_consent as rodo, 1 as place from {stage}
union all select session_id, said_marketing, said_rodo, 2 from {stage}`
	evidenceOfTable = `
select {session session_id}, cast(null as boolean), {flag consent_given}, 3 from {older} o`
	evidenceNone = `
select {session session_id} as session_id, {flag said} as marketing, {flag said} as rodo, 1 as place from (select 1 as one) o where false`
	evidenceEnd = `) said where session_id is not null group by session_id`

	// judged is the answer for each row of a table; a row without a session has
	// its own words only.
	judged = `
create temporary table chatops_consent_{table} as
select s.id,
  case when s.session_id is not null then e.marketing
    when not s.marketing_consent then 1 when not s.said_marketing then 2
    when s.marketing_consent then 11 when s.said_marketing then 12 end as marketing,
  case when s.session_id is not null then e.rodo
    when not s.rodo_consent then 1 when not s.said_rodo then 2
    when s.rodo_consent then 11 when s.said_rodo then 12 end as rodo
from {stage} s left join chatops_evidence e on e.session_id = s.session_id
where s.lost is null`
)

// withdrawals has one row per address (e:), conversation (c:) or lead (l:) whose
// last word in the audit log is no.
const (
	withdrawals = `
create temporary table chatops_withdrawal as
with said as (
  select {fn key}(email) as address, conversation, lead, coalesce(timestamp, {now}) as at, lower(action) as action
  from chatops_stage_consent_audit_log),
stance as (
  select address, conversation, lead, at,
    case when action like 'unsubscribe%' or action like 'opt_out%' or action like 'optout%' or action like 'revoke%'
        or action like 'withdraw%' or action like '%consent_withdrawn%' then 'no'
      when action like 'subscribe%' or action like 'resubscribe%' or action like 'opt_in%' or action like 'optin%'
        or action like 'grant%' or action like '%consent_given%' or action like '%consent_granted%' then 'yes' end as word,
    action not like 'rodo_consent_given%' and action not like 'rodo_consent_granted%' as of_marketing,
    action not like 'unsubscribe%' and action not like 'opt%' and action not like 'subscribe%'
      and action not like 'resubscribe%' and action not like '%marketing%' as of_rodo
  from said),
person as (
  select 'e:' || address as who, word, of_marketing, of_rodo, at from stance where address <> ''
  union all select 'c:' || cast(conversation as text), word, of_marketing, of_rodo, at from stance where conversation is not null
  union all select 'l:' || cast(lead as text), word, of_marketing, of_rodo, at from stance where lead is not null),
latest as (
  select who,
    max(case when word = 'no' and of_marketing then at end) as marketing_no,
    max(case when word = 'yes' and of_marketing then at end) as marketing_yes,
    max(case when word = 'no' and of_rodo then at end) as rodo_no,
    max(case when word = 'yes' and of_rodo then at end) as rodo_yes
  from person where word is not null group by who),
verdict as (
  select who,
    case when marketing_no is not null and (marketing_yes is null or marketing_no >= marketing_yes) then 1 else 0 end as marketing,
    case when rodo_no is not null and (rodo_yes is null or rodo_no >= rodo_yes) then 1 else 0 end as rodo,
    coalesce(rodo_no, marketing_no) as at
  from latest)
select who, marketing, rodo, at from verdict where marketing = 1 or rodo = 1`
	withdrawalsNone = `
create temporary table chatops_withdrawal as
select {text who} as who, {whole n} as marketing, {whole n} as rodo, {time at} as at from (select 1 as one) o where false`

	withdrawn = `
create temporary table chatops_withdrawn_{table} as
select id, max(marketing) as marketing, max(rodo) as rodo from (
  select k.id, w.marketing, w.rodo from {known} k join chatops_withdrawal w on w.who = '{letter}:' || cast(k.id as text)
  union all
  select k.id, w.marketing, w.rodo from {known} k join chatops_withdrawal w on w.who = 'e:' || {fn key}(k.email)) who
group by id`

	// The following change tables.
	withdraw = `
update {table} set
  marketing_consent = case when w.marketing = 1 then false else marketing_consent end,
  rodo_consent = case when w.rodo = 1 then false else rodo_consent end
from chatops_withdrawn_{table} w where w.id = {table}.id`
	suppress = `
insert into suppression (email_key, scope, source, created_at)
select substr(who, 3), case when rodo = 1 then 'all' else 'marketing' end, 'adoption', at
from chatops_withdrawal where who like 'e:%' and length(who) <= 257
on conflict (email_key) do update set scope = excluded.scope where excluded.scope = 'all'`
)
